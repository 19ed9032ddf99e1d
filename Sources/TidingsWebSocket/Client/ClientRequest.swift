/// What a client writes before the frames: CONNECT to a proxy, GET to the server.
struct ClientRequest: Sendable {
    let url: WebSocketURL
    let key: String
    let subprotocols: [String]
    let offersDeflate: Bool
    let headers: [WebSocketHeader]
    let proxy: WebSocketClientConfiguration.Proxy?

    private static let ownHeaders: Set<String> = [
        "host", "upgrade", "connection", "sec-websocket-key", "sec-websocket-version", "sec-websocket-extensions",
        "sec-websocket-protocol", "content-length", "transfer-encoding",
    ]

    init(
        url: WebSocketURL, subprotocols: [String], headers: [WebSocketHeader],
        configuration: WebSocketClientConfiguration
    ) throws(WebSocketError) {
        func invalid(_ message: String) -> WebSocketError { WebSocketError(.invalidConfiguration, message) }
        guard HTTPToken.isValue(url.host), HTTPToken.isValue(url.path), !url.path.contains(" "),
            !url.host.contains(" "),
            url.path.hasPrefix("/"), (1...65535).contains(url.port)
        else { throw WebSocketError(.invalidURL, "Host, port or path cannot be sent") }
        var all: [WebSocketHeader] = []
        // A header of the call replaces the client's own of that name.
        for header in configuration.headers where headers.first(header.name) == nil { all.append(header) }
        all.append(contentsOf: headers)
        for header in all {
            guard HTTPToken.isName(header.name), HTTPToken.isValue(header.value) else {
                throw invalid("A header cannot be sent: \(header.name)")
            }
            guard !Self.ownHeaders.contains(header.name.lowercased()) else {
                throw invalid("\(header.name) is set by the client itself")
            }
        }
        guard subprotocols.allSatisfy(HTTPToken.isName), Set(subprotocols).count == subprotocols.count else {
            throw invalid("Subprotocols are distinct HTTP tokens")
        }
        if let user = configuration.proxy?.user, user.contains(":") { throw invalid("The proxy's user has a colon") }
        self.url = url
        self.key = WebSocketHandshake.randomKey()
        self.subprotocols = subprotocols
        self.offersDeflate = configuration.deflate != nil
        self.headers = all
        self.proxy = configuration.proxy
    }

    var upgrade: String {
        var text = "GET \(self.url.path) HTTP/1.1\r\nHost: \(self.url.hostHeader)\r\n"
        text += "Upgrade: websocket\r\nConnection: Upgrade\r\n"
        text += "Sec-WebSocket-Key: \(self.key)\r\nSec-WebSocket-Version: 13\r\n"
        if !self.subprotocols.isEmpty {
            text += "Sec-WebSocket-Protocol: \(self.subprotocols.joined(separator: ", "))\r\n"
        }
        if self.offersDeflate { text += "Sec-WebSocket-Extensions: \(WebSocketDeflateParameters.offer)\r\n" }
        for header in self.headers { text += "\(header.name): \(header.value)\r\n" }
        return text + "\r\n"
    }

    var connect: String {
        var text = "CONNECT \(self.url.authority) HTTP/1.1\r\nHost: \(self.url.authority)\r\n"
        if let user = self.proxy?.user {
            let credentials = Base64.encode(Array("\(user):\(self.proxy?.password ?? "")".utf8))
            text += "Proxy-Authorization: Basic \(credentials)\r\n"
        }
        return text + "\r\n"
    }
}
