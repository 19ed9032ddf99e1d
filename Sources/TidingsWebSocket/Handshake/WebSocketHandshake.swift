/// The rules of the opening handshake, for either end, without I/O.
public enum WebSocketHandshake {
    private static let guid = "258EAFA5-E914-47DA-95CA-C5AB0DC85B11"

    /// What `Sec-WebSocket-Accept` answers to a `Sec-WebSocket-Key`.
    public static func acceptKey(for key: String) -> String {
        Base64.encode(SHA1.digest(Array((key + self.guid).utf8)))
    }

    /// A fresh `Sec-WebSocket-Key`.
    public static func randomKey() -> String {
        var generator = SystemRandomNumberGenerator()
        return Base64.encode((0..<16).map { _ in UInt8.random(in: .min ... .max, using: &generator) })
    }

    // MARK: Server

    /// Why a request cannot be upgraded, as the HTTP answer to give.
    public struct Refusal: Error, Sendable {
        public var status: Int
        public var message: String
        public var headers: [WebSocketHeader]

        public init(status: Int, message: String = "", headers: [WebSocketHeader] = []) {
            self.status = status
            self.message = message
            self.headers = headers
        }
    }

    /// Whether a request asks for a WebSocket at all.
    public static func isUpgrade(_ headers: [WebSocketHeader]) -> Bool {
        headers.list("upgrade").contains { $0.equalsIgnoringASCIICase("websocket") }
            && headers.list("connection").contains { $0.equalsIgnoringASCIICase("upgrade") }
    }

    /// Checks a client's request, and gives the headers of the 101 that accepts it.
    /// - Parameters:
    ///   - subprotocol: what was selected, see `selectSubprotocol`.
    ///   - deflate: nil to decline all compression.
    public static func accept(
        method: String, path: String, headers: [WebSocketHeader], subprotocol: String? = nil,
        deflate: WebSocketDeflateOptions? = nil
    ) throws(Refusal) -> (response: [WebSocketHeader], handshake: WebSocketConnection.Handshake) {
        guard method == "GET" else { throw Refusal(status: 405, message: "A WebSocket starts with GET") }
        guard self.isUpgrade(headers) else {
            throw Refusal(
                status: 426, message: "This is a WebSocket",
                headers: [WebSocketHeader("Upgrade", "websocket"), WebSocketHeader("Connection", "Upgrade")])
        }
        guard headers.list("sec-websocket-version") == ["13"] else {
            throw Refusal(
                status: 426, message: "Version 13 is spoken here",
                headers: [WebSocketHeader("Sec-WebSocket-Version", "13")])
        }
        let keys = headers.list("sec-websocket-key")
        guard keys.count == 1, let key = keys.first, Base64.isNonce(key) else {
            throw Refusal(status: 400, message: "Invalid Sec-WebSocket-Key")
        }
        var response = [
            WebSocketHeader("Upgrade", "websocket"), WebSocketHeader("Connection", "Upgrade"),
            WebSocketHeader("Sec-WebSocket-Accept", self.acceptKey(for: key)),
        ]
        if let subprotocol { response.append(WebSocketHeader("Sec-WebSocket-Protocol", subprotocol)) }
        let parameters = deflate.flatMap { WebSocketDeflateParameters.accepting(headers, $0) }
        if let parameters { response.append(WebSocketHeader("Sec-WebSocket-Extensions", parameters.response)) }
        return (
            response,
            .init(path: path, headers: headers, subprotocol: subprotocol, deflate: parameters)
        )
    }

    /// The first of the client's subprotocols that the server speaks.
    public static func selectSubprotocol(_ headers: [WebSocketHeader], from supported: [String]) -> String? {
        headers.list("sec-websocket-protocol").first { supported.contains($0) }
    }

    // MARK: Client

    /// Checks a server's 101.
    static func checkResponse(
        _ headers: [WebSocketHeader], key: String, path: String, subprotocols: [String], offersDeflate: Bool
    ) throws(WebSocketError) -> WebSocketConnection.Handshake {
        func invalid(_ message: String) -> WebSocketError {
            WebSocketError(.invalidHandshake, message, status: 101, headers: headers)
        }
        guard self.isUpgrade(headers) else { throw invalid("The server did not upgrade to a WebSocket") }
        guard headers.list("sec-websocket-accept") == [self.acceptKey(for: key)] else {
            throw invalid("Wrong Sec-WebSocket-Accept")
        }
        let selected = headers.list("sec-websocket-protocol")
        guard selected.count <= 1, selected.allSatisfy(subprotocols.contains) else {
            throw invalid("The server selected a subprotocol that was not offered")
        }
        var deflate: WebSocketDeflateParameters?
        let extensions = headers.list("sec-websocket-extensions")
        if !extensions.isEmpty {
            guard offersDeflate, extensions.count == 1,
                let parameters = WebSocketDeflateParameters(response: extensions[0])
            else { throw invalid("The server selected an extension that was not offered") }
            deflate = parameters
        }
        return .init(path: path, headers: headers, subprotocol: selected.first, deflate: deflate)
    }
}
