public import Logging
public import NIOCore
public import NIOPosix
internal import Tidings
internal import TidingsWebSocket

/// An exchange to practise on: speaks a venue's WebSocket and REST on one port, from a recording or a made-up market,
/// and fails on demand.
///
/// Every path takes WebSockets. Each connection has its own playback from its first subscription, or from its start
/// where the URL names the streams; a generated market that is played at a pace is one for all. REST tells the state
/// of the youngest playback.
public final class ExchangeSimulator: Sendable {
    public let configuration: ExchangeSimulatorConfiguration
    private let group: any EventLoopGroup
    private let logger: Logger
    private let faults: FaultPlan
    private let state = Locked(State.stopped)

    private enum State {
        case stopped
        case starting
        case running(Running)
    }

    private struct Running {
        let listener: WebSocketListener
        let snapshot: @Sendable () -> any VenueSnapshot
        let upkeep: RepeatedTask?
    }

    public init(
        configuration: ExchangeSimulatorConfiguration,
        group: any EventLoopGroup = MultiThreadedEventLoopGroup.singleton,
        logger: Logger = Logger(label: "tidings.simulation")
    ) {
        self.configuration = configuration
        self.group = group
        self.logger = logger
        self.faults = FaultPlan(configuration.faults)
    }

    /// The port it listens on; `nil` while it does not.
    public var port: Int? {
        self.state.withLock { state in
            guard case .running(let running) = state else { return nil }
            return running.listener.port
        }
    }

    /// What the exchange knows now; `nil` while it does not run.
    package var snapshot: (any VenueSnapshot)? {
        let snapshot = self.state.withLock { state -> (@Sendable () -> any VenueSnapshot)? in
            guard case .running(let running) = state else { return nil }
            return running.snapshot
        }
        return snapshot?()
    }

    /// The WebSockets open now.
    public var connectionCount: Int {
        self.state.withLock { state in
            guard case .running(let running) = state else { return 0 }
            return running.listener.webSockets.count
        }
    }

    /// Reads the recording and listens. May be called again after ``stop()`` or ``abort()``; faults that happened do
    /// not happen again.
    /// - Returns: the port.
    @discardableResult
    public func start() async throws(ExchangeSimulatorError) -> Int {
        let isFirst = self.state.withLock { state in
            guard case .stopped = state else { return false }
            state = .starting
            return true
        }
        guard isFirst else { throw ExchangeSimulatorError(.alreadyRunning, "the simulator is running already") }
        do throws(ExchangeSimulatorError) {
            let running = try await self.listen()
            self.state.withLock { $0 = .running(running) }
            return running.listener.port
        } catch {
            self.state.withLock { $0 = .stopped }
            throw error
        }
    }

    /// Closes every connection with 1001, lets go of the port, and returns when all are gone.
    public func stop() async {
        guard let running = self.takeRunning() else { return }
        running.upkeep?.cancel()
        await running.listener.close()
    }

    /// Drops everything without a word, as a crash would, and returns when the port is free.
    public func abort() async {
        guard let running = self.takeRunning() else { return }
        running.upkeep?.cancel()
        running.listener.abort()
        await running.listener.close()
    }

    private func takeRunning() -> Running? {
        self.state.withLock { state in
            guard case .running(let running) = state else { return nil }
            state = .stopped
            return running
        }
    }

    // MARK: Setting up

    private func listen() async throws(ExchangeSimulatorError) -> Running {
        let venue = try SimulatedVenues.named(self.configuration.venue)
        switch self.configuration.source {
        case .recording(let file):
            let recording = try await RecordingReader.read(file: file, venue: venue.name)
            return try await self.listen(venue: venue, session: RecordedSession(recording, venue: venue))
        case .generated(let seed):
            let now = Self.now
            let start = self.configuration.startTime ?? Timestamp.now().nanoseconds / 1_000_000
            let market = GeneratedMarket(
                instruments: venue.instruments, seed: seed, start: start, duration: self.configuration.marketDuration)
            guard let factor = self.configuration.speed.factor else {
                return try await self.listen(venue: venue, market: market)
            }
            let shared = SharedMarket(market, factor: factor, origin: now)
            return try await self.listen(venue: venue, shared: shared)
        }
    }

    private func listen(
        venue: any SimulatedVenue, session: RecordedSession
    ) async throws(ExchangeSimulatorError) -> Running {
        let source = RecordedSource(session, loops: self.configuration.loops)
        let context = self.context(venue, source.snapshot, isRecorded: true)
        return try await self.listen(context, snapshot: { context.board.snapshot }) { [self] now in
            self.playback(of: source, now: now)
        }
    }

    /// At full speed every connection has the market to itself, from its beginning.
    private func listen(
        venue: any SimulatedVenue, market: GeneratedMarket
    ) async throws(ExchangeSimulatorError) -> Running {
        let source = GeneratedSource(market, venue: venue)
        let context = self.context(venue, source.snapshot)
        return try await self.listen(context, snapshot: { context.board.snapshot }) { [self] now in
            self.playback(of: source, now: now)
        }
    }

    private func listen(
        venue: any SimulatedVenue, shared: SharedMarket
    ) async throws(ExchangeSimulatorError) -> Running {
        let first = GeneratedSource(shared.advanced(to: shared.origin), venue: venue)
        let context = self.context(venue, first.snapshot)
        let snapshot: @Sendable () -> any VenueSnapshot = {
            GeneratedSource(shared.advanced(to: Self.now), venue: venue).snapshot
        }
        // Without this, who comes after a quiet day would wait for all of that day to be made up.
        let upkeep = self.group.next().scheduleRepeatedTask(
            initialDelay: .milliseconds(250), delay: .milliseconds(250)
        ) { _ in
            _ = shared.advanced(to: Self.now)
        }
        do throws(ExchangeSimulatorError) {
            let running = try await self.listen(context, snapshot: snapshot) { [self] now in
                Playback(
                    joining: GeneratedSource(shared.advanced(to: now), venue: venue),
                    speed: self.configuration.speed, faults: self.faults.pending, origin: shared.origin)
            }
            return Running(listener: running.listener, snapshot: running.snapshot, upkeep: upkeep)
        } catch {
            upkeep.cancel()
            throw error
        }
    }

    private func context(
        _ venue: any SimulatedVenue, _ snapshot: any VenueSnapshot, isRecorded: Bool = false
    ) -> SimulatorContext {
        SimulatorContext(
            venue: venue, symbols: Set(snapshot.symbols), isRecorded: isRecorded, faults: self.faults,
            ban: HandshakeBan(lasting: self.configuration.banTime),
            board: SnapshotBoard(snapshot), logger: self.logger)
    }

    private func playback<Source: PlaybackSource>(of source: Source, now: Int64) -> Playback<Source> {
        Playback(
            source, speed: self.configuration.speed, faults: self.faults.pending,
            settleTime: min(max(0, self.configuration.settleTime.wholeNanoseconds), 60_000_000_000), now: now)
    }

    private func listen<Source: PlaybackSource>(
        _ context: SimulatorContext, snapshot: @escaping @Sendable () -> any VenueSnapshot,
        makePlayback: @escaping @Sendable (_ now: Int64) -> Playback<Source>
    ) async throws(ExchangeSimulatorError) -> Running {
        var configuration = WebSocketListenerConfiguration()
        configuration.host = self.configuration.host
        configuration.port = self.configuration.port
        configuration.options.pingInterval = context.venue.pingInterval
        // One frame may be a whole book; more is only sent to who reads.
        configuration.options.maximumPendingBytes = 64 << 20
        configuration.options.maximumMessageBytes = 1 << 20
        configuration.options.maximumFrameBytes = 1 << 20
        do throws(WebSocketError) {
            let listener = try await WebSocketListener.bind(
                configuration: configuration, group: self.group,
                onUpgrade: { request in
                    if let seconds = context.ban.secondsLeft(now: Self.now) {
                        let wait = WebSocketHeader("Retry-After", "\(seconds)")
                        return .refuse(.init(status: 429, message: "Too Many Requests", headers: [wait]))
                    }
                    let path = request.uri
                    return .accept { _ in
                        SimulatorConnection(context: context, path: path, makePlayback: makePlayback)
                    }
                },
                onRequest: { request in
                    if let seconds = context.ban.secondsLeft(now: Self.now) {
                        return .init(
                            status: 429, headers: [WebSocketHeader("Retry-After", "\(seconds)")],
                            text: "Too Many Requests")
                    }
                    return Self.respond(to: request, context, snapshot())
                })
            self.logger.info(
                "Simulated exchange listens",
                metadata: [LogKey.address: "\(self.configuration.host):\(listener.port)"])
            return Running(listener: listener, snapshot: snapshot, upkeep: nil)
        } catch {
            let address = "\(self.configuration.host):\(self.configuration.port)"
            let reason = error.underlying.map { "\($0)" } ?? error.message
            throw ExchangeSimulatorError(.cannotListen, "cannot listen on \(address): \(reason)", underlying: error)
        }
    }

    private static func respond(
        to request: WebSocketListener.Request, _ context: SimulatorContext, _ snapshot: any VenueSnapshot
    ) -> WebSocketListener.Response {
        let now = Self.now
        if request.method == "GET", let recorded = snapshot.response(to: request.uri) {
            let change = recorded.withUnsafeBytes {
                context.venue.bookChange(inResponse: $0, to: request.uri)
            }
            // A recorded book is right for who kept all updates since the beginning, and for nobody later.
            if change.map({ context.board.isFirst($0.symbol, now: now) }) ?? true {
                return .init(headers: [.init("Content-Type", "application/json")], bytes: recorded)
            }
        }
        let response = context.venue.respond(
            to: VenueRequest(
                method: request.method, uri: request.uri, body: Array(request.body.readableBytesView),
                isFirst: { context.board.isFirst($0, now: now) }),
            from: snapshot)
        return .init(
            status: response.status,
            headers: [.init("Content-Type", response.contentType)] + response.headers.map { .init($0.name, $0.value) },
            bytes: response.body)
    }

    private static var now: Int64 { Int64(clamping: NIODeadline.now().uptimeNanoseconds) }
}

extension WebSocketListener.Response {
    fileprivate init(status: Int = 200, headers: [WebSocketHeader], bytes: [UInt8]) {
        self.init(status: status, headers: headers, body: ByteBuffer(bytes: bytes))
    }
}
