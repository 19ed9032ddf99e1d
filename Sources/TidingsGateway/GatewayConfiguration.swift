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
        /// How many wrong access tokens may come from one address at once; a tenth of that in each second then. Further
        /// ones are answered with 429 without being looked at.
        public var failedAuthentications = 100
        /// The most connections at a time, of whatever kind; what comes beyond is answered 503. Where the system allows
        /// fewer file descriptors, the bound is lower.
        public var connections = 25_000
        /// What one address may do.
        public var address = AddressLimits()
        /// The longest request line and headers together, in bytes; longer ones are answered 431.
        public var headBytes = 64 << 10
        /// The most header fields of a request; more are answered 431.
        public var headFields = 128
        /// The longest path and query, in bytes; longer ones are answered 414.
        public var uriBytes = 16 << 10

        public init() {}
    }

    /// How long a connection may take for what. WebSocket and SSE clients are not concerned: pings, and the bounds on slow
    /// clients, look after them.
    public struct Timeouts: Sendable {
        /// The TLS handshake.
        public var handshake: Duration = .seconds(10)
        /// From the first byte of a request to the end of its headers; then it is answered 408.
        public var head: Duration = .seconds(15)
        /// From one part of a request's body to the next; then it is answered 408. Time in which the server does not read
        /// does not count.
        public var body: Duration = .seconds(30)
        /// A JSON body, which is held until it is whole, has to come at this rate once ``body`` has passed. NDJSON may
        /// come slowly.
        public var bodyBytesPerSecond = 512
        /// From one part of an answer being taken by the client to the next.
        public var response: Duration = .seconds(30)

        public init() {}
    }

    /// Where certificate and key are. Both are read again when their files change; a pair that cannot be used leaves the
    /// old one in place, and `/readyz` warns.
    public struct TLS: Sendable, Hashable {
        /// A PEM file: the server's certificate first, then those that vouch for it.
        public var certificate: String
        /// A PEM file with the key, without a passphrase.
        public var key: String
        /// How often the files are looked at.
        public var checkInterval: Duration = .seconds(2)

        public init(certificate: String, key: String) {
            self.certificate = certificate
            self.key = key
        }
    }

    /// permessage-deflate (RFC 7692) without context takeover. An event is compressed once for all the clients of an event
    /// loop that get it so, which costs some microseconds an event and 256 KiB an event loop; short ones go as they are.
    public enum Compression: String, Sendable, CaseIterable {
        /// For clients that come from another machine.
        case automatic = "auto"
        case on
        case off
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
    /// Web origins (`https://dash.example.com`) whose pages may connect, read and publish besides the gateway's own. Their
    /// hosts are also names that the gateway answers to.
    public var allowedOrigins: [String] = []
    /// How long a client that lost events may stay stuck before it is closed with 4008.
    public var slowClientGrace: Duration = .seconds(5)
    /// How long publishing waits for room on the bus before the client is told to come back.
    public var publishPatience: Duration = .seconds(5)
    /// How often a silent SSE stream gets a comment, so that proxies and clients see it is alive.
    public var commentInterval: Duration = .seconds(15)
    /// How often a WebSocket client is pinged.
    public var pingInterval: Duration = .seconds(20)
    /// How long a WebSocket client that was pinged may send nothing at all before it is closed with 4012.
    public var pongTimeout: Duration = .seconds(20)
    /// Whether WebSocket clients that offer it get their events compressed.
    public var compression = Compression.automatic
    /// How long a connection may wait before its first request, and between requests.
    public var idleTimeout: Duration = .seconds(60)
    public var timeouts = Timeouts()
    /// Speaks TLS 1.2 or later, and nothing else, on the port; nil for plain HTTP.
    public var tls: TLS?
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
