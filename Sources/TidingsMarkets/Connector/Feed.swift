import Logging
import Tidings
import TidingsWebSocket

/// What a connector knows across its connections: the venue's session, what is to be published, its health.
///
/// Frames come in on the connection's event loop; everything else on the connector's task. One lock keeps them apart.
final class Feed: Sendable {
    private struct State {
        var session: any VenueSession
        var output = VenueOutput()
        let streams: [MarketStream]
        var monitor: FeedMonitor
        var health: ConnectorHealth
        /// Events that a full bus has not taken yet; bounded because nothing is read while it is not empty.
        var pending: [StandardEvent] = []
        var stalledSince: Int64?
        /// Unreadable frames since the last report of one.
        var unreported = 0
        var lastReport: Int64 = .min
        var isStopped = false
    }

    /// At most one report of an unreadable frame in this time.
    private static let reportInterval: Int64 = 1_000_000_000

    private let bus: any EventBus
    private let tell: ConnectorEvents
    private let maximumStall: Int64
    private let logger: Logger
    private let state: Locked<State>

    /// - Parameter watched: whether a symbol's silence means something: trades may pause, books and tickers do not.
    init(
        session: any VenueSession, streams: [MarketStream], symbols: [Name], watched: Bool,
        configuration: ConnectorConfiguration,
        bus: any EventBus,
        logger: Logger
    ) {
        self.bus = bus
        self.tell = ConnectorEvents(source: Name(configuration.venue))
        self.maximumStall = Int64(configuration.maximumStall / .nanoseconds(1))
        self.logger = logger
        self.state = Locked(
            State(
                session: session, streams: streams,
                monitor: FeedMonitor(symbols: watched ? symbols : [], staleAfter: configuration.staleAfter),
                health: ConnectorHealth(
                    connector: configuration.venue, state: .connecting, symbols: symbols.map(\.description))))
    }

    var health: ConnectorHealth { self.state.withLock { $0.health } }

    // MARK: Connection

    /// A socket has been opened; returns what to send.
    func opened() -> [String] {
        self.state.withLock { state in
            state.output.removeAll()
            state.session.opened(0, at: .now(), into: &state.output)
            state.monitor.connected(at: MonotonicClock.nanoseconds())
            state.health.state = .connected
            state.health.reason = nil
            state.pending.append(self.tell.status(.connected))
            return state.output.outgoing.map(\.text)
        }
    }

    /// One frame. What it says is published by ``flush()``.
    func receive(_ frame: UnsafeRawBufferPointer) {
        let now = Timestamp.now()
        self.state.withLock { state in
            state.output.removeAll()
            state.session.receive(frame, on: 0, at: now, into: &state.output)
            state.health.messages += 1
            state.health.lastMessageAt = now
            self.take(&state)
        }
    }

    /// Time has passed; returns what to send and whether the connection has to be replaced.
    func tick() -> (outgoing: [String], replace: String?) {
        self.state.withLock { state in
            state.output.removeAll()
            state.session.tick(at: .now(), into: &state.output)
            var replace: String?
            // While the bus holds the feed up nothing is read, which is no silence of the venue.
            if state.stalledSince != nil { state.monitor.connected(at: MonotonicClock.nanoseconds()) }
            for step in state.monitor.tick(at: MonotonicClock.nanoseconds()) {
                switch step {
                case .resubscribe(let symbol):
                    state.health.state = .stale
                    state.health.reason = "\(symbol) is silent"
                    state.health.resyncs += 1
                    state.pending.append(self.tell.status(.stale, symbol: symbol, reason: "silent for too long"))
                    state.pending.append(self.tell.error("STALE", "\(symbol) has been silent for too long"))
                    state.pending.append(self.tell.status(.resyncing, symbol: symbol))
                    state.session.resubscribe(to: 0, at: .now(), into: &state.output)
                case .reconnect(let symbol):
                    replace = "\(symbol) stayed silent after it was subscribed to anew"
                case .recovered: break
                }
            }
            self.take(&state)
            return (state.output.outgoing.map(\.text), replace)
        }
    }

    /// Moves what the session said into what is to be published.
    private func take(_ state: inout State) {
        let now = MonotonicClock.nanoseconds()
        for stream in state.output.heard {
            let symbol = state.streams[stream].symbol
            if case .recovered(let symbol) = state.monitor.heard(symbol, at: now) {
                state.health.state = .subscribed
                state.health.reason = nil
                state.pending.append(self.tell.status(.subscribed, symbol: symbol, reason: "talks again"))
            }
        }
        for case .confirmed(let stream) in state.output.notices {
            let symbol = state.streams[stream].symbol
            state.health.state = .subscribed
            state.pending.append(self.tell.status(.subscribed, symbol: symbol))
        }
        if let newest = state.output.events.last(where: { $0.eventType == .trade || $0.eventType == .orderBook }),
            let receivedAt = state.health.lastMessageAt
        {
            let late = receivedAt.nanoseconds.subtractingReportingOverflow(newest.timestamp.nanoseconds).partialValue
            state.health.noteLatency(Double(late) / 1_000_000)
        }
        state.pending.append(contentsOf: state.output.events)
        for problem in state.output.problems { self.report(problem, &state, at: now) }
    }

    /// Tells of a problem; of those that come by the thousand only the first of each second, with their number.
    private func report(_ problem: VenueOutput.Problem, _ state: inout State, at now: Int64) {
        guard state.lastReport == .min || now - state.lastReport >= Self.reportInterval else {
            state.unreported += 1
            return
        }
        var details = problem.details
        if state.unreported > 0 {
            details = details.setting("unreported", to: .number(ExactDecimal(state.unreported)))
        }
        state.pending.append(self.tell.error(problem.code, problem.message, details))
        state.unreported = 0
        state.lastReport = now
    }

    // MARK: Publishing

    /// Adds an event of the connector's own.
    func add(_ event: StandardEvent, state newState: ConnectorState? = nil, reason: String? = nil) {
        self.state.withLock { state in
            if let newState {
                state.health.state = newState
                state.health.reason = reason
            }
            state.pending.append(event)
        }
    }

    func noteReconnect() {
        self.state.withLock { $0.health.reconnects += 1 }
    }

    enum FlushOutcome: Equatable {
        case done
        /// The bus is full: nothing must be read until a later flush says `done`.
        case stalled
        /// The bus has stopped.
        case stopped
    }

    /// Publishes what waits, in order. Never waits.
    func flush() -> FlushOutcome {
        let waiting = self.state.withLock { state -> [StandardEvent] in
            let waiting = state.pending
            state.pending = []
            return waiting
        }
        if waiting.isEmpty { return .done }
        var published = 0
        for batch in EventBatch.batches(of: waiting) {
            do throws(EventBusError) {
                _ = try self.bus.tryPublish(batch)
                published += batch.count
            } catch {
                return self.hold(waiting[published...], because: error)
            }
        }
        self.state.withLock { $0.stalledSince = nil }
        return .done
    }

    /// Keeps what the bus would not take, for a while.
    private func hold(_ rest: ArraySlice<StandardEvent>, because error: EventBusError) -> FlushOutcome {
        guard error.code == .full else {
            self.state.withLock { $0.isStopped = true }
            return .stopped
        }
        let now = MonotonicClock.nanoseconds()
        return self.state.withLock { state in
            let since = state.stalledSince ?? now
            state.stalledSince = since
            guard now - since >= self.maximumStall else {
                state.pending.insert(contentsOf: rest, at: 0)
                return .stalled
            }
            // The bus is beyond help for now: better a reported gap than a feed that is ever further behind.
            let dropped = rest.count + state.pending.count
            state.health.dropped += UInt64(dropped)
            state.stalledSince = nil
            state.pending = [
                self.tell.error(
                    "SEQUENCE_GAP", "\(dropped) events were dropped because the bus was full for too long",
                    ["dropped": .number(ExactDecimal(dropped))])
            ]
            self.logger.info("Events were dropped because the bus is full", metadata: [LogKey.dropped: "\(dropped)"])
            return .done
        }
    }
}
