public import NIOCore

extension WebSocketListener {
    /// A plain HTTP request, or one for an upgrade (then without a body).
    public struct Request: Sendable {
        public var method: String
        /// Path and query as they came.
        public var uri: String
        public var headers: [WebSocketHeader]
        public var body: ByteBuffer
        public var remoteAddress: SocketAddress?
    }

    /// The answer to a plain HTTP request. `Content-Length` is added.
    public struct Response: Sendable {
        public var status: Int
        public var headers: [WebSocketHeader]
        public var body: ByteBuffer

        public init(status: Int, headers: [WebSocketHeader] = [], body: ByteBuffer = ByteBuffer()) {
            self.status = status
            self.headers = headers
            self.body = body
        }

        public init(
            status: Int = 200, headers: [WebSocketHeader] = [], text: String, contentType: String = "text/plain"
        ) {
            self.init(
                status: status, headers: headers + [WebSocketHeader("Content-Type", contentType)],
                body: ByteBuffer(string: text))
        }
    }

    /// What becomes of a request for a WebSocket.
    public enum Decision: Sendable {
        /// Upgrade; `headers` go into the 101, the delegate is made on the connection's event loop.
        case accept(
            subprotocol: String? = nil, headers: [WebSocketHeader] = [], delegate: WebSocketDelegateFactory)
        /// Answer with an HTTP status and headers.
        case refuse(WebSocketHandshake.Refusal)
    }

    /// Decides on a request for a WebSocket, on the event loop: at once.
    public typealias UpgradeHandler = @Sendable (Request) -> Decision
    /// Answers a plain HTTP request.
    public typealias RequestHandler = @Sendable (Request) async -> Response
}
