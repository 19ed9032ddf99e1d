import HTTPTypes
import HummingbirdCore
public import Logging
import NIOCore
import NIOPosix
public import ServiceLifecycle
public import Tidings
import TidingsWebSocket

#if canImport(Glibc)
import Glibc
#else
import Darwin
#endif

/// Serves a bus and its log to the network: HTTP, Server-Sent Events, WebSocket and the dashboard, on one port.
///
/// Runs as a service: ``run()`` listens until the surrounding task is cancelled or a graceful shutdown begins. Then no
/// connection is accepted any more, streaming clients are told where to resume (1001), requests in progress are
/// answered, and what is left after ``GatewayConfiguration/stopTimeout`` is closed.
public final class Gateway: Service {
    private let configuration: GatewayConfiguration
    private let bus: any EventBus
    private let log: any EventLog
    private let sources: GatewaySources
    private let logger: Logger
    private let onListening: @Sendable (GatewayAddress) async -> Void
    private let feed = Locked<StreamFeed?>(nil)
    private let connections: ConnectionSettings
    /// Tells ``run()`` to take no more connections; at most one word waits.
    private let lastCall = AsyncStream.makeStream(of: Void.self, bufferingPolicy: .bufferingNewest(1))
    private let markets = MarketProjections()
    private let access: AccessControl
    /// The log's head when the gateway was made: what came after it is of this run of the program.
    private let firstHead: Int64

    /// - Parameters:
    ///   - log: what is streamed and queried, and what the bus commits to.
    ///   - sources: asked for the state of connectors and for readiness.
    ///   - onListening: called once connections are accepted, with the port that was taken.
    /// - Throws: ``GatewayError`` when the configuration cannot be used, or would let strangers in.
    public init(
        configuration: GatewayConfiguration = GatewayConfiguration(), bus: any EventBus, log: any EventLog,
        sources: GatewaySources = GatewaySources(), logger: Logger = Logger(label: "tidings.gateway"),
        onListening: @escaping @Sendable (GatewayAddress) async -> Void = { _ in }
    ) throws(GatewayError) {
        try ListenPolicy.check(configuration)
        let identity = try configuration.tls.map { files throws(GatewayError) in try ServerIdentity(files) }
        self.connections = ConnectionSettings(configuration, identity: identity)
        self.configuration = configuration
        self.access = AccessControl(configuration.access, failures: configuration.limits.failedAuthentications)
        self.bus = bus
        self.log = log
        self.firstHead = log.bounds.head
        self.sources = sources
        self.logger = logger
        self.onListening = onListening
    }

    /// Listens until stopped. Call it once.
    ///
    /// - Throws: ``GatewayError`` when the address cannot be listened on.
    public func run() async throws {
        let scope = WorkScope()
        let eventLoops = Array(MultiThreadedEventLoopGroup.singleton.makeIterator())
        let feed = try await StreamFeed.make(
            on: eventLoops, log: self.log, scope: scope, configuration: self.configuration)
        self.feed.withLock { $0 = feed }
        let server = self.makeServer(feed)
        if self.access.isEnforced, self.configuration.tls == nil, !ListenPolicy.isLoopback(self.configuration.host) {
            self.logger.warning("Access tokens travel unencrypted: configure TLS, here or in a proxy in front")
        }
        let observation = feed.start()
        defer { observation.cancel() }
        let tap = try await self.markets.attach(to: self.bus, log: self.log, since: self.firstHead)
        defer { tap.cancel() }
        try await withThrowingTaskGroup(of: Part.self) { group in
            group.addTask {
                await scope.run()
                return .scope
            }
            group.addTask {
                try await withGracefulShutdownHandler {
                    try await self.serve(server)
                    // After ``finishRequests(within:)`` the last client may have left before it is our turn to stop; a
                    // service that ends before its turn counts as failed.
                    try? await gracefulShutdown()
                } onGracefulShutdown: {
                    feed.stop()
                }
                return .server
            }
            group.addTask { await self.patience() }
            if self.access.isEnforced { group.addTask { await self.watchAccess(feed) } }
            group.addTask {
                for await _ in self.lastCall.stream {
                    try? await server.shutdownGracefully()
                }
                return .watch
            }
            group.addTask {
                await self.watchIdentity()
                return .watch
            }
            defer { scope.finish() }
            for try await part in group {
                switch part {
                case .server:
                    scope.finish()
                    group.cancelAll()
                case .patience: group.cancelAll()
                case .scope, .watch: break
                }
            }
        }
    }

    // MARK: Stopping

    /// Takes no more connections, ends those that are idle, and returns once the requests in progress are answered, or
    /// after a while. Streams go on: they end when ``run()`` is stopped.
    ///
    /// For programs that stop their bus before the gateway, so that what is being sent still finds it; see ``intake``.
    public func finishRequests(within limit: Duration = .seconds(3)) async {
        self.lastCall.continuation.yield()
        let requests = self.connections.requests
        await withTaskGroup(of: Void.self) { group in
            group.addTask { await requests.waitUntilNone() }
            group.addTask { try? await Task.sleep(for: limit) }
            await group.next()
            group.cancelAll()
        }
    }

    /// A service that does nothing but ``finishRequests(within:)`` when it is its turn to stop.
    public var intake: some Service { GatewayIntake(gateway: self) }

    // MARK: Certificate

    /// Reads certificate and key again, whether or not their files look changed.
    public func reloadCertificate() {
        guard let identity = self.connections.identity else { return }
        self.tell(identity.reload(evenIfUnchanged: true))
    }

    private func watchIdentity() async {
        guard let identity = self.connections.identity, let interval = self.configuration.tls?.checkInterval else {
            return
        }
        while true {
            do { try await Task.sleep(for: interval) } catch { return }
            self.tell(identity.reload())
        }
    }

    private func tell(_ reload: ServerIdentity.Reload) {
        switch reload {
        case .unchanged: break
        case .replaced: self.logger.info("The certificate was read again")
        case .failed(let error):
            self.logger.warning(
                "The new certificate cannot be used, the old one stays", metadata: [LogKey.error: "\(error.message)"])
        }
    }

    // MARK: Running

    /// What runs in a gateway.
    private enum Part {
        case scope
        case server
        /// Ends when a graceful stop has taken too long.
        case patience
        /// Waits for something until all else has ended.
        case watch
    }

    /// How streaming is going; zeros before ``run()``.
    package var streamStatistics: StreamStatistics {
        self.feed.withLock { $0 }?.statistics ?? StreamStatistics()
    }

    /// What is held for streaming clients now.
    package func streamCensus() async throws -> StreamCensus {
        try await self.feed.withLock { $0 }?.census() ?? StreamCensus()
    }

    private var requested: GatewayAddress {
        GatewayAddress(host: self.configuration.host, port: self.configuration.port)
    }

    private func serve(_ server: Server<GatewayChannel>) async throws {
        do {
            try await server.run()
        } catch let error as IOError where error.errnoCode == EADDRINUSE {
            throw GatewayError(
                .addressInUse, "\(self.requested) is taken: another program listens there", underlying: error)
        } catch let error as IOError where error.errnoCode == EACCES {
            throw GatewayError(
                .cannotListen, "\(self.requested) may not be listened on by this user", underlying: error)
        } catch let error as IOError {
            throw GatewayError(.cannotListen, "cannot listen on \(self.requested): \(error)", underlying: error)
        } catch let error as SocketAddressError {
            throw GatewayError(
                .cannotListen, "cannot listen on \(self.requested): the host is not known (\(error))",
                underlying: error)
        }
    }

    private func patience() async -> Part {
        do {
            try await gracefulShutdown()
            try await Task.sleep(for: self.configuration.stopTimeout)
            self.logger.info("Clients that did not leave in time are cut off")
        } catch {
            // Stopped in time, or cancelled.
        }
        return .patience
    }

    /// How long a stream may go on after its token has ended or was taken out.
    private static let accessInterval = Duration.seconds(1)

    private func watchAccess(_ feed: StreamFeed) async -> Part {
        while (try? await Task.sleep(for: Self.accessInterval)) != nil { feed.checkAccess(self.access) }
        return .watch
    }

    // MARK: Assembly

    private func makeServer(_ feed: StreamFeed) -> Server<GatewayChannel> {
        let ingest = EventIngest(
            bus: self.bus, log: self.log, access: self.access, rate: self.configuration.limits.publishRate,
            patience: self.configuration.publishPatience)
        let origins = OriginPolicy(self.configuration)
        let hosts = HostPolicy(self.configuration)
        let router = HTTPRouter(
            self.routes(feed, ingest), gate: HTTPGate(access: self.access, origins: origins, hosts: hosts),
            logger: self.logger)
        var options = WebSocketOptions()
        // Room for the words around an event.
        options.maximumMessageBytes = self.configuration.limits.eventBytes + (64 << 10)
        options.maximumFrameBytes = options.maximumMessageBytes
        options.maximumPendingBytes = self.configuration.limits.clientBufferBytes + (4 << 20)
        options.pingInterval = self.configuration.pingInterval
        options.pongTimeout = self.configuration.pongTimeout
        options.closeTimeout = self.configuration.stopTimeout
        let settings = GatewayChannel.Settings(
            feed: feed, ingest: ingest, access: self.access, origins: origins, hosts: hosts,
            limits: self.configuration.limits, webSocketOptions: options,
            compression: self.configuration.compression, connections: self.connections)
        let host = self.configuration.host
        let onListening = self.onListening
        let (counters, logger) = (self.connections.counters, self.logger)
        return Server(
            childChannelSetup: GatewayChannel(settings: settings, router: router),
            configuration: ServerConfiguration(
                address: .hostname(host, port: self.configuration.port), backlog: 4096),
            onServerRunning: { channel in
                try? await channel.eventLoop.submit {
                    try channel.pipeline.syncOperations.addHandler(
                        AcceptErrorHandler(counters, logger), position: .first)
                }.get()
                await onListening(GatewayAddress(host: host, port: channel.localAddress?.port ?? 0))
            },
            eventLoopGroup: MultiThreadedEventLoopGroup.singleton,
            logger: self.logger)
    }

    func routes(_ feed: StreamFeed, _ ingest: EventIngest) -> [HTTPRoute] {
        let events = EventRoutes(log: self.log)
        let tree = TreeRoute(log: self.log)
        let publishing = IngestRoute(ingest: ingest, limits: self.configuration.limits)
        let letters = DeadLetterRoutes(store: self.log.deadLetters, retryDeadLetter: self.sources.retryDeadLetter)
        let streams = SSERoute(feed: feed, commentInterval: self.configuration.commentInterval)
        let books = OrderBookRoute(books: self.markets.books)
        let candles = CandleRoute(candles: self.markets.candles, log: self.log)
        let session = SessionRoute(access: self.access, isSecure: self.configuration.tls != nil)
        let status = StatusRoutes(
            bus: self.bus, ingest: ingest, sources: self.sources, feed: feed, identity: self.connections.identity,
            startedAt: MonotonicClock.nanoseconds())
        let exposition = MetricsExposition(
            bus: self.bus, log: self.log, ingest: ingest, sources: self.sources, feed: feed,
            connections: self.connections, access: self.access)
        let descriptions = DescriptionRoutes(
            description: ServerDescription(
                isSecure: self.configuration.tls != nil, isEnforced: self.access.isEnforced),
            address: self.requested)
        return [
            HTTPRoute(
                "/api/v1/session",
                [
                    .get: .page { try await session.show($0) }, .post: .page { try await session.begin($0) },
                    .delete: .page { try await session.end($0) },
                ]),
            HTTPRoute(
                "/api/v1/events",
                [.get: .read { try await events.list($0) }, .post: .publish { try await publishing.post($0) }]),
            HTTPRoute("/api/v1/events/*", [.get: .read { try await events.one($0) }]),
            HTTPRoute("/api/v1/events/*/tree", [.get: .read { try await tree.tree($0) }]),
            HTTPRoute(
                "/api/v1/dead-letters",
                [.get: .admin { try await letters.list($0) }, .delete: .admin { try await letters.purge($0) }]
            ),
            HTTPRoute(
                "/api/v1/dead-letters/*",
                [.get: .admin { try await letters.one($0) }, .delete: .admin { try await letters.remove($0) }]),
            HTTPRoute("/api/v1/dead-letters/*/retry", [.post: .admin { try await letters.retry($0) }]),
            HTTPRoute("/api/v1/stream", [.get: .read { try await streams.stream($0) }]),
            HTTPRoute("/api/v1/order-books/*", [.get: .read { try await books.book($0) }]),
            HTTPRoute("/api/v1/candles", [.get: .read { try await candles.list($0) }]),
            HTTPRoute("/api/v1/connectors", [.get: .read { try await status.connectors($0) }]),
            HTTPRoute("/api/v1/metrics", [.get: .read { try await status.metrics($0) }]),
            HTTPRoute("/metrics", [.get: .admin { try await exposition.metrics($0) }]),
            HTTPRoute("/livez", [.get: .open { try await status.live($0) }]),
            HTTPRoute("/readyz", [.get: .open { try await status.ready($0) }]),
            HTTPRoute("/openapi.json", [.get: .read { try await descriptions.openAPI($0) }]),
            HTTPRoute("/asyncapi.json", [.get: .read { try await descriptions.asyncAPI($0) }]),
            HTTPRoute(GatewayChannel.webSocketPath, [.get: .open(Self.upgradeRequired)]),
        ] + DashboardAssets.routes
    }

    /// What comes here asked for a WebSocket in a way that makes none.
    private static let upgradeRequired: HTTPEndpoint.Handler = { call in
        let isUpgrade = call.request.headers[.upgrade]?.lowercased() == "websocket"
        var problem = Problem(
            HTTPResponse.Status(code: 426, reasonPhrase: "Upgrade Required"), code: "upgrade_required",
            isUpgrade
                ? "A WebSocket has to be the first request of its connection: open a new one"
                : "This is a WebSocket; ask for it with Upgrade: websocket")
        problem.headers[.upgrade] = "websocket"
        problem.headers[.connection] = "close"
        throw problem
    }
}

/// Ends a gateway's requests, when it is its turn to stop.
struct GatewayIntake: Service {
    let gateway: Gateway

    func run() async throws {
        try? await gracefulShutdown()
        await self.gateway.finishRequests()
    }
}
