import HTTPTypes
import HummingbirdCore
import NIOCore
import Tidings

/// An error answer: `application/problem+json`, RFC 9457.
struct Problem: Error {
    var status: HTTPResponse.Status
    /// A stable word for programs.
    var code: String
    var detail: String
    /// What the problem is in, as it is spelt in the request.
    var field: String?
    /// Where there are several problems, all of them.
    var errors: [Part] = []
    var headers = HTTPFields()

    /// One of several problems.
    struct Part: Sendable {
        var code: String
        var field: String?
        var message: String
    }

    init(_ status: HTTPResponse.Status, code: String, field: String? = nil, _ detail: String) {
        self.status = status
        self.code = code
        self.field = field
        self.detail = detail
    }

    static let contentType = "application/problem+json"

    /// Writes the members, without the braces.
    func write(into writer: inout JSONWriter) {
        writer.literal("\"type\":\"about:blank\",\"title\":")
        writer.write(string: self.status.reasonPhrase)
        writer.literal(",\"status\":")
        writer.write(self.status.code)
        writer.literal(",\"detail\":")
        writer.write(string: self.detail)
        writer.literal(",\"code\":")
        writer.write(string: self.code)
        if let field = self.field {
            writer.literal(",\"field\":")
            writer.write(string: field)
        }
        guard !self.errors.isEmpty else { return }
        writer.literal(",\"errors\":[")
        for (index, part) in self.errors.enumerated() {
            writer.literal(index > 0 ? ",{\"code\":" : "{\"code\":")
            writer.write(string: part.code)
            if let field = part.field {
                writer.literal(",\"field\":")
                writer.write(string: field)
            }
            writer.literal(",\"message\":")
            writer.write(string: part.message)
            writer.literal("}")
        }
        writer.literal("]")
    }

    /// The answer's body.
    var json: ByteBuffer {
        var writer = JSONWriter(capacity: 256)
        writer.write(byte: UInt8(ascii: "{"))
        self.write(into: &writer)
        writer.write(byte: UInt8(ascii: "}"))
        return writer.withBytes { ByteBuffer(bytes: $0) }
    }

    var response: Response {
        var headers = self.headers
        headers[.contentType] = Self.contentType
        headers[.cacheControl] = "no-store"
        return Response(status: self.status, headers: headers, body: ResponseBody(byteBuffer: self.json))
    }

    // MARK: The usual ones

    static func badValue(_ field: String, _ detail: String) -> Problem {
        Problem(.badRequest, code: "invalid_\(field)", field: field, detail)
    }

    static func notFound(_ detail: String) -> Problem {
        Problem(.notFound, code: "not_found", detail)
    }

    /// The log or the bus does not work; the client should come back.
    static func unavailable(code: String, _ detail: String) -> Problem {
        var problem = Problem(.serviceUnavailable, code: code, detail)
        problem.headers[.retryAfter] = "1"
        return problem
    }

    static func store(_ error: EventLogError) -> Problem {
        self.unavailable(code: "store", "The log could not be read: \(error.message)")
    }

    /// What went wrong is for the log only.
    static let internalError = Problem(
        .internalServerError, code: "internal_error", "Something went wrong here; the server's log says what")

    static func foreignOrigin(_ origin: String) -> Problem {
        Problem(
            .forbidden, code: "foreign_origin", field: "Origin",
            "Pages of \(origin.prefix(200)) may not do this; name the origin in access.origins to let them")
    }
}

extension Response {
    /// A JSON answer.
    static func json(
        _ status: HTTPResponse.Status = .ok, _ write: (inout JSONWriter) -> Void
    ) -> Response {
        var writer = JSONWriter()
        write(&writer)
        return Response(
            status: status, headers: .json, body: ResponseBody(byteBuffer: writer.withBytes { ByteBuffer(bytes: $0) }))
    }
}

extension HTTPFields {
    static var json: HTTPFields { [.contentType: "application/json", .cacheControl: "no-store"] }
}
