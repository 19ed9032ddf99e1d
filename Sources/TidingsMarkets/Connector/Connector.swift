public import Logging
import NIOCore
import NIOPosix
public import Tidings
import TidingsWebSocket

/// Collects from one venue and publishes to a bus, for as long as it runs.
///
/// Comes back by itself when a connection breaks or falls silent, when a venue asks for patience (HTTP 418 and 429 with
/// `Retry-After`), and when a stream of a symbol goes quiet; connections that a venue ends at an age are followed by new
/// ones before, both overlapping. Every change of state is a `connector_status` event. Events have deterministic ids, so
/// what a venue repeats after a reconnect is recognised as known by the bus and its log.
///
/// A service: ``run()`` is all of its life. Everything else is safe to call from any thread.
public final class Connector: Sendable {
    public let configuration: ConnectorConfiguration
    /// What is collected from.
    public let venue: any Venue
    private let addresses: ConnectorAddresses
    private let feed: Feed
    private let client: WebSocketClient
    private let recorder: FrameRecorder?
    private let logger: Logger
    private let hasRun = Locked(false)

    private static let tickInterval = Duration.milliseconds(100)

    /// - Throws: when the venue, an address or the recording's directory makes no sense, or nothing is asked for. Whether
    ///   the venue has the symbols is found out by running.
    public init(
        _ configuration: ConnectorConfiguration, bus: any EventBus,
        logger: Logger = Logger(label: "tidings.connector")
    ) throws(ConnectorError) {
        let venue: any Venue
        switch configuration.venue {
        case .named(let name): venue = try Venues.named(name)
        case .value(let value): venue = value
        }
        try Self.check(configuration, venue)
        let addresses = try ConnectorAddresses(configuration, venue)
        var logger = logger
        logger[metadataKey: LogKey.connector] = "\(venue.name)"
        let recorder = try configuration.recordingDirectory.map { directory throws(ConnectorError) in
            try FrameRecorder(directory: directory, venue: venue.name, logger: logger)
        }
        let eventLoop = MultiThreadedEventLoopGroup.singleton.next()
        let machine = FeedMachine(
            source: Name(venue.name), symbols: configuration.symbols, limits: venue.limits,
            staleAfter: configuration.staleAfter, life: configuration.connectionLife ?? venue.limits.connectionLife,
            maximumStall: configuration.maximumStall)
        self.configuration = configuration
        self.venue = venue
        self.addresses = addresses
        self.recorder = recorder
        self.client = Self.client(addresses)
        self.logger = logger
        self.feed = Feed(
            machine, endpoint: addresses.webSocket, bus: bus, recorder: recorder, eventLoop: eventLoop,
            jobLimit: 2 * configuration.symbols.count + 80, logger: logger)
    }

    private static func check(_ configuration: ConnectorConfiguration, _ venue: any Venue) throws(ConnectorError) {
        func invalid(_ message: String) -> ConnectorError { ConnectorError(.invalidConfiguration, message) }
        guard !configuration.symbols.isEmpty else { throw invalid("symbols: must name at least one") }
        for symbol in configuration.symbols {
            let isText = symbol.utf8.allSatisfy { $0 > 0x20 && $0 != 0x7F }
            guard (1...64).contains(symbol.utf8.count), isText else {
                throw ConnectorError(.unknownSymbol, "'\(symbol)' is no symbol of \(venue.name)")
            }
        }
        guard !configuration.channels.isEmpty else { throw invalid("channels: must name at least one") }
        guard Set(configuration.channels).count == configuration.channels.count else {
            throw invalid("channels: one stands twice")
        }
        guard configuration.staleAfter > .zero else { throw invalid("stale_after: must be more than zero") }
    }

    private static func client(_ addresses: ConnectorAddresses) -> WebSocketClient {
        var configuration = WebSocketClientConfiguration()
        configuration.proxy = addresses.proxy
        // Stopping waits for the venue's goodbye this long.
        configuration.options.closeTimeout = .seconds(2)
        return WebSocketClient(configuration: configuration)
    }

    /// How it is doing.
    public var health: ConnectorHealth { self.feed.health }

    /// A symbol's whole order book as it stands, and whether it is to be relied on; `nil` when there is none.
    ///
    /// - Parameter symbol: in our spelling.
    public func orderBook(of symbol: String) -> (book: LocalBook, isLive: Bool)? { self.feed.book(of: symbol) }

    /// Collects until the task is cancelled, the bus has stopped or the venue has none of the symbols. Called once.
    public func run() async {
        let isSecond = self.hasRun.withLock { hasRun in
            defer { hasRun = true }
            return hasRun
        }
        precondition(!isSecond, "a connector runs once")
        let reason = await self.collect()
        await self.feed.finish(reason: reason)
        await self.recorder?.close()
    }

    /// - Returns: why it has ended, unless it was told to.
    private func collect() async -> String? {
        let http: VenueHTTP
        let feed = self.feed
        do throws(ConnectorError) {
            http = try VenueHTTP(
                rest: self.addresses.rest, limits: self.venue.limits, proxy: self.configuration.proxy,
                logger: self.logger, onLimit: { feed.tell(.rateLimit($0)) })
        } catch {
            return error.message
        }
        let reason = await self.collect(over: http)
        await http.shutdown()
        return reason
    }

    private func collect(over http: VenueHTTP) async -> String? {
        let resolver = InstrumentResolver(
            venue: self.venue, names: self.configuration.symbols, http: http, rest: self.addresses.rest,
            feed: self.feed, recorder: self.recorder, logger: self.logger)
        let instruments: [Instrument]
        switch await resolver.resolve() {
        case .instruments(let found): instruments = found
        case .nothing(let reason): return reason
        case .cancelled: return nil
        }
        let plan = FeedPlan(
            instruments: instruments, channels: self.configuration.channels, book: self.configuration.book,
            candleInterval: self.configuration.candleInterval)
        let session = self.venue.makeSession(plan)
        await self.feed.perform { $0.begin(session, plan) }
        // Cancelled, a task closes what it is opening, which is no failure of the venue's: so the work is not cancelled
        // with this task, but told to end, and is waited for here like any child.
        let work = Task { await self.work(http) }
        await withTaskCancellationHandler {
            await work.value
        } onCancel: {
            self.feed.end()
        }
        return nil
    }

    /// Does what the feed asks for until it ends.
    private func work(_ http: VenueHTTP) async {
        await withDiscardingTaskGroup { group in
            group.addTask { await self.keepTime() }
            for await job in self.feed.jobs {
                switch job {
                case .open(let number): group.addTask { await self.connect(number) }
                case .request(let request): group.addTask { await self.ask(request, http) }
                }
            }
            // Says goodbye on what is open; from here on no end is told. Then whatever is being opened or asked for is
            // given up.
            await self.feed.perform { $0.stop() }
            group.cancelAll()
        }
    }

    private func keepTime() async {
        while !Task.isCancelled {
            do {
                try await Task.sleep(for: Self.tickInterval)
            } catch {
                return
            }
            await self.feed.tick()
        }
    }

    /// All of a connection's life. It is ended by the feed; the task only sees to it that none outlives the connector.
    private func connect(_ number: Int) async {
        let feed = self.feed
        do throws(WebSocketError) {
            let connection = try await self.client.connect(
                to: self.addresses.webSocket, eventLoop: feed.eventLoop
            ) { _ in FeedDelegate(feed, number) }
            _ = await connection.waitUntilClosed()
        } catch {
            if error.code == .cancelled || Task.isCancelled { return }
            await feed.failed(number, ConnectionFailure(error))
        }
    }

    private func ask(_ request: VenueRequest, _ http: VenueHTTP) async {
        let answer = await http.answer(to: request)
        // At the end nobody waits for it any more.
        if Task.isCancelled { return }
        await self.feed.answered(answer, to: request, url: self.addresses.rest + request.target)
    }
}
