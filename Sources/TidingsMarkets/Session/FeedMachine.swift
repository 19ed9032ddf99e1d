import Tidings

/// All of a connector that is no I/O: the venue's session, the connections it has, the streams that are watched, what is to
/// be published and to be done. A machine that its driver keeps under one lock.
///
/// Whatever comes in is followed by ``takeActions()``, which says what to do, and by publishing ``pending``. It is in the
/// order of what came in, so all of it comes in on one event loop.
struct FeedMachine: Sendable {
    /// What the driver has to do, in order.
    enum Action: Sendable, Equatable {
        /// Open a connection of this number.
        case open(Int)
        case send(String, on: Int)
        /// Say goodbye to a connection.
        case close(Int)
        /// Drop a connection.
        case abort(Int)
        /// Make an HTTP request; answered once by ``answered(_:to:at:)``.
        case request(VenueRequest)
    }

    /// A connection that is open.
    struct Link: Sendable {
        let number: Int
        var pacer: SendPacer
        /// How many reads there had been when something last came, and when that was.
        var reads = 0
        var heardAt: Int64
    }

    /// What is known of a symbol.
    struct SymbolState: Sendable {
        /// Streams that the venue has not confirmed.
        var unconfirmed = 0
        var staleStreams = 0
        /// Why it is stale.
        var staleReason: String?
        /// Why its book is being mended.
        var resyncingReason: String?
    }

    let tell: ConnectorEvents
    let limits: VenueLimits
    let staleAfter: Duration
    let maximumStall: Int64

    // The session and what it collects; set by `begin`.
    var session: (any VenueSession)?
    var output = VenueOutput()
    var plan = FeedPlan(instruments: [])
    var streams: [MarketStream] = []
    var instrumentNumbers: [Name: Int] = [:]
    var symbolStates: [SymbolState] = []
    var isConfirmed: [Bool] = []
    /// Most requests on their way at a time.
    var requestLimit = 64

    var succession: Succession
    var links: [Link] = []
    var monitor: FeedMonitor
    var lag: LagMonitor
    var limiter = ReportLimiter()
    var actions: [Action] = []
    var requestsOut = 0
    /// Requests too many, to be answered by a failure.
    var refused: [VenueRequest] = []

    /// Events that the bus has not taken yet; bounded because nothing is read and no time passes for the session while it
    /// is full.
    var pending: [StandardEvent] = []
    var stalledSince: Int64?

    // Health.
    var phase = ConnectorState.connecting
    var phaseReason: String?
    var symbols: [String]
    var lastMessageAt: Timestamp?
    var latency = SmoothedLatency()
    var messages: UInt64 = 0
    var connectionsOpened: UInt64 = 0
    var resyncs: UInt64 = 0
    var dropped: UInt64 = 0

    /// - Parameter symbols: as they were asked for.
    init(
        source: Name, symbols: [String], limits: VenueLimits, staleAfter: Duration, life: Duration?,
        maximumStall: Duration
    ) {
        self.tell = ConnectorEvents(source: source)
        self.symbols = symbols
        self.limits = limits
        self.staleAfter = staleAfter
        self.maximumStall = maximumStall.boundedNanoseconds
        self.succession = Succession(life: life)
        self.monitor = FeedMonitor(channels: [], staleAfter: staleAfter)
        self.lag = LagMonitor(limit: staleAfter)
    }

    /// What is to be collected is known: opens the first connection.
    mutating func begin(_ session: any VenueSession, _ plan: FeedPlan) {
        self.session = session
        self.plan = plan
        self.streams = plan.streams
        self.symbols = plan.instruments.map(\.symbol)
        self.symbolStates = plan.instruments.map { _ in SymbolState() }
        for (number, instrument) in plan.instruments.enumerated() {
            self.instrumentNumbers[Name(instrument.symbol)] = number
        }
        self.isConfirmed = self.streams.map { _ in false }
        self.monitor = FeedMonitor(channels: self.streams.map(\.channel), staleAfter: self.staleAfter)
        self.requestLimit = 2 * plan.instruments.count + 64
        self.apply(self.succession.start())
    }

    /// Tells of what happened before there was a session, or of the end.
    mutating func note(_ state: ConnectorState, reason: String? = nil, attempt: Int? = nil, retryIn: Duration? = nil) {
        self.phase = state
        self.phaseReason = reason
        self.pending.append(self.tell.status(state, reason: reason, attempt: attempt, retryIn: retryIn))
    }

    /// No more: connections are said goodbye to.
    mutating func stop() {
        self.apply(self.succession.stop())
    }

    mutating func takeActions() -> [Action] {
        if self.actions.isEmpty { return [] }
        let actions = self.actions
        self.actions.removeAll(keepingCapacity: true)
        return actions
    }

    /// The number of a stream's instrument.
    func instrument(of stream: Int) -> Int {
        stream / max(1, self.plan.channels.count)
    }

    // MARK: Connections

    /// The handshake of a connection is done.
    mutating func opened(_ number: Int, at now: FeedMoment, chance: Double) {
        let hadCarrier = self.succession.carrier != nil
        let decision = self.succession.opened(number, at: now.monotonic, chance: chance)
        guard decision != [.close(number)] else {
            self.actions.append(.close(number))
            return
        }
        self.connectionsOpened += 1
        self.links.append(Link(number: number, pacer: SendPacer(self.limits), heardAt: now.monotonic))
        if !hadCarrier {
            // Nothing of what an earlier connection confirmed holds, and whatever was mended there begins anew here.
            for index in self.isConfirmed.indices { self.isConfirmed[index] = false }
            for index in self.symbolStates.indices {
                self.symbolStates[index].unconfirmed = self.plan.channels.count
                self.symbolStates[index].resyncingReason = nil
            }
        }
        self.monitor.connected(at: now.monotonic)
        self.lag.restart()
        self.apply(decision)
        self.session?.opened(number, at: now.wall, into: &self.output)
        self.take(at: now)
    }

    /// A connection has ended, or an attempt has failed.
    mutating func ended(_ number: Int, _ failure: ConnectionFailure, at now: FeedMoment, chance: Double) {
        if let index = self.links.firstIndex(where: { $0.number == number }) {
            self.links.remove(at: index)
            self.session?.closed(number, at: now.wall, into: &self.output)
        }
        self.apply(self.succession.ended(number, failure, at: now.monotonic, chance: chance))
        self.take(at: now)
    }

    mutating func drop(_ number: Int, because reason: String) {
        self.apply(self.succession.drop(number, because: reason))
    }

    /// Does what the succession decided.
    mutating func apply(_ decisions: [Succession.Action]) {
        for decision in decisions {
            switch decision {
            case .open(let number): self.actions.append(.open(number))
            case .close(let number): self.actions.append(.close(number))
            case .abort(let number): self.actions.append(.abort(number))
            case .report(let failure):
                self.pending.append(self.tell.error(failure.code, failure.reason, failure.details))
            case .tell(let telling):
                self.note(
                    telling.state, reason: telling.reason, attempt: telling.attempt, retryIn: telling.retryIn)
            }
        }
    }
}
