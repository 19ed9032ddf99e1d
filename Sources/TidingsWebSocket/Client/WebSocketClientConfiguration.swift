/// How a client connects. The defaults suit a public exchange.
public struct WebSocketClientConfiguration: Sendable {
    /// Which certificates to believe in.
    public enum TrustRoots: Hashable, Sendable {
        case system
        /// A file of PEM certificates.
        case file(String)
        /// The system's, and a file of PEM certificates.
        case systemAnd(file: String)
    }

    /// An HTTP proxy that is asked to CONNECT.
    public struct Proxy: Hashable, Sendable {
        public var host: String
        public var port: Int
        public var user: String?
        public var password: String?

        public init(host: String, port: Int, user: String? = nil, password: String? = nil) {
            self.host = host
            self.port = port
            self.user = user
            self.password = password
        }
    }

    public var trustRoots = TrustRoots.system
    public var proxy: Proxy?
    /// For the TCP connection, to server or proxy.
    public var connectTimeout: Duration = .seconds(10)
    /// For everything between TCP and the 101: proxy, TLS, HTTP.
    public var handshakeTimeout: Duration = .seconds(10)
    /// Limits, pings, closing.
    public var options = WebSocketOptions()
    /// Offer permessage-deflate; nil, the default, does not.
    public var deflate: WebSocketDeflateOptions?
    /// Sent with every upgrade, before the ones of the call.
    public var headers: [WebSocketHeader] = [WebSocketHeader("User-Agent", "tidings")]

    public init() {}
}
