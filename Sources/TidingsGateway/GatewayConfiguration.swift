/// How a gateway listens, and what it puts up with.
public struct GatewayConfiguration: Sendable {
    /// Bounds on what clients may ask for and hold.
    public struct Limits: Sendable {
        /// The longest event, in bytes.
        public var eventBytes = 1 << 20
        /// The longest JSON request body, in bytes. NDJSON is limited per line only, by ``eventBytes``.
        public var bodyBytes = 8 << 20
        /// The most events in one JSON request body.
        public var bodyEvents = 10_000
        /// The most WebSocket and SSE clients at a time.
        public var clients = 20_000
        /// How many bytes may wait for a client that does not keep up.
        public var clientBufferBytes = 1 << 20
        /// The most (symbol, type) pairs that one connection may subscribe to.
        public var subscriptions = 10_000
        /// How many wrong access tokens may come from one address at once; a tenth of that in each second then. Further
        /// ones are answered with 429 without being looked at.
        public var failedAuthentications = 100

        public init() {}
    }

    /// The name or address to listen on.
    public var host = "127.0.0.1"
    /// The port to listen on; 0 takes any free one.
    public var port = 8765
    public var limits = Limits()
    /// Listens beyond loopback although nobody has to show who they are.
    public var insecure = false
    /// Who may come in; nil when nobody has to show who they are, which is refused beyond loopback unless
    /// ``insecure``. Keep it to replace what it knows while the gateway runs.
    public var access: AccessPolicy?
    /// Whether browsers reach the gateway over TLS only, so that a session's cookie must not travel otherwise.
    public var isSecure = false
    /// Web origins (`https://dash.example.com`) whose pages may connect, read and publish besides the gateway's own. Their
    /// hosts are also names that the gateway answers to.
    public var allowedOrigins: [String] = []
    /// How long a client that lost events may stay stuck before it is closed with 4008.
    public var slowClientGrace: Duration = .seconds(5)
    /// How often a silent SSE stream gets a comment, so that proxies and clients see it is alive.
    public var commentInterval: Duration = .seconds(15)
    /// How often a WebSocket client is pinged.
    public var pingInterval: Duration = .seconds(20)
    /// How long a connection may take to send its first request, and may be idle between requests.
    public var idleTimeout: Duration = .seconds(60)
    /// How long a graceful stop waits for clients to take their leave.
    public var stopTimeout: Duration = .seconds(5)

    public init() {}
}

/// Where a gateway listens.
public struct GatewayAddress: Sendable, Hashable, CustomStringConvertible {
    public let host: String
    public let port: Int

    public init(host: String, port: Int) {
        self.host = host
        self.port = port
    }

    /// `HOST:PORT`, an IPv6 address in brackets.
    public var description: String {
        self.host.contains(":") ? "[\(self.host)]:\(self.port)" : "\(self.host):\(self.port)"
    }
}
