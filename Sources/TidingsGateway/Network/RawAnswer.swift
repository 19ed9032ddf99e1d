import HTTPTypes
import NIOCore

extension Problem {
    /// The whole answer as bytes, for where no HTTP codec can be used (any more); the connection ends behind it.
    var rawAnswer: ByteBuffer {
        let body = self.json
        var text = "HTTP/1.1 \(self.status.code) \(self.status.reasonPhrase)\r\n"
        for field in self.headers where field.name != .connection {
            text += "\(field.name.rawName): \(field.value)\r\n"
        }
        text += "Content-Type: \(Self.contentType)\r\nCache-Control: no-store\r\n"
        text += "X-Content-Type-Options: nosniff\r\nDate: \(HTTPDate.now())\r\n"
        text += "Content-Length: \(body.readableBytes)\r\nConnection: close\r\n\r\n"
        var buffer = ByteBuffer(string: text)
        buffer.writeImmutableBuffer(body)
        return buffer
    }

    static func timeout(_ timeout: ConnectionTimeout) -> Problem {
        Problem(
            .requestTimeout, code: "request_timeout",
            timeout == .head ? "The request's head came too slowly" : "The request's body came too slowly")
    }

    static let invalidHTTP = Problem(.badRequest, code: "invalid_http", "This is not HTTP/1.1")

    /// RFC 9112 3.2: a request without `Host`, or with several, is answered with 400.
    static let invalidHost = Problem(
        .badRequest, code: "invalid_host", field: "Host", "A request of HTTP/1.1 has one Host header")

    static let plaintext = Problem(
        .badRequest, code: "tls_required", "This port speaks TLS: use https:// or wss://")
}
