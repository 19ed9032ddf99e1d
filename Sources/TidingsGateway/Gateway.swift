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
    private let markets = MarketProjections()
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
        self.configuration = configuration
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
                } onGracefulShutdown: {
                    feed.stop()
                }
                return .server
            }
            group.addTask { await self.patience() }
            defer { scope.finish() }
            for try await part in group {
                switch part {
                case .server:
                    scope.finish()
                    group.cancelAll()
                case .patience: group.cancelAll()
                case .scope: break
                }
            }
        }
    }

    /// What runs in a gateway.
    private enum Part {
        case scope
        case server
        /// Ends when a graceful stop has taken too long.
        case patience
    }

    /// How streaming is going; zeros before ``run()``.
    package var streamStatistics: StreamStatistics {
        self.feed.withLock { $0 }?.statistics ?? StreamStatistics()
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

    // MARK: Assembly

    private func makeServer(_ feed: StreamFeed) -> Server<GatewayChannel> {
        let ingest = EventIngest(bus: self.bus, log: self.log)
        let origins = OriginPolicy(self.configuration)
        let router = HTTPRouter(self.routes(feed, ingest), origins: origins)
        var options = WebSocketOptions()
        // Room for the words around an event.
        options.maximumMessageBytes = self.configuration.limits.eventBytes + (64 << 10)
        options.maximumFrameBytes = options.maximumMessageBytes
        options.maximumPendingBytes = self.configuration.limits.clientBufferBytes + (4 << 20)
        options.pingInterval = self.configuration.pingInterval
        options.closeTimeout = self.configuration.stopTimeout
        let settings = GatewayChannel.Settings(
            feed: feed, ingest: ingest, origins: origins, limits: self.configuration.limits,
            webSocketOptions: options, idleTimeout: self.configuration.idleTimeout)
        let host = self.configuration.host
        let onListening = self.onListening
        return Server(
            childChannelSetup: GatewayChannel(settings: settings, router: router),
            configuration: ServerConfiguration(
                address: .hostname(host, port: self.configuration.port), backlog: 4096),
            onServerRunning: { channel in
                await onListening(GatewayAddress(host: host, port: channel.localAddress?.port ?? 0))
            },
            eventLoopGroup: MultiThreadedEventLoopGroup.singleton,
            logger: self.logger)
    }

    private func routes(_ feed: StreamFeed, _ ingest: EventIngest) -> [HTTPRoute] {
        let events = EventRoutes(log: self.log)
        let tree = TreeRoute(log: self.log)
        let publishing = IngestRoute(ingest: ingest, limits: self.configuration.limits)
        let letters = DeadLetterRoutes(store: self.log.deadLetters, retryDeadLetter: self.sources.retryDeadLetter)
        let streams = SSERoute(feed: feed, commentInterval: self.configuration.commentInterval)
        let books = OrderBookRoute(books: self.markets.books)
        let candles = CandleRoute(candles: self.markets.candles, log: self.log)
        let status = StatusRoutes(
            bus: self.bus, ingest: ingest, sources: self.sources, feed: feed, startedAt: MonotonicClock.nanoseconds())
        let exposition = MetricsExposition(
            bus: self.bus, log: self.log, ingest: ingest, sources: self.sources, feed: feed)
        return [
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
