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
        /// The most events that each access token or, without one, each address may publish in a second; nil for any
        /// number. A second's worth may come at once.
        public var publishRate: Double?

        public init() {}
    }

    /// The name or address to listen on.
    public var host = "127.0.0.1"
    /// The port to listen on; 0 takes any free one.
    public var port = 8765
    public var limits = Limits()
    /// Listens beyond loopback although nobody has to show who they are.
    public var insecure = false
    /// Web origins (`https://dash.example.com`) that may connect and publish besides the gateway's own.
    public var allowedOrigins: [String] = []
    /// How long a client that lost events may stay stuck before it is closed with 4008.
    public var slowClientGrace: Duration = .seconds(5)
    /// How long publishing waits for room on the bus before the client is told to come back.
    public var publishPatience: Duration = .seconds(5)
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
