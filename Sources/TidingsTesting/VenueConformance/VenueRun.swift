import Tidings
import TidingsMarkets

/// A session and its exchange, talking to each other until both have said everything.
struct VenueRun {
    var session: any VenueSession
    var exchange: any VenueExchange
    let plan: FeedPlan
    /// The time of the exchange and of our clock, which goes on as things happen.
    private(set) var now = Timestamp(nanoseconds: 1_700_000_000_000_000_000, precision: .milliseconds)
    private(set) var events: [StandardEvent] = []
    private(set) var notices: [VenueOutput.Notice] = []
    private(set) var problems: [VenueOutput.Problem] = []
    private(set) var sent: [String] = []
    private(set) var requests: [VenueRequest] = []
    private(set) var heard: Set<Int> = []
    private(set) var replacement: VenueOutput.Replacement?
    /// Requests are not answered while this is set.
    var isMute = false
    private var open: [Int] = []
    private var lastConnection = 0
    private var numbers: [Int: UInt64] = [:]

    /// A conversation longer than this never ends.
    private static let maximumTurns = 10_000

    init(
        _ exchange: any VenueExchange, channels: [MarketChannel] = MarketChannel.standard, book: BookPlan = BookPlan()
    ) {
        self.exchange = exchange
        self.plan = FeedPlan(instruments: exchange.instruments, channels: channels, book: book)
        self.session = exchange.venue.makeSession(self.plan)
    }

    // MARK: Connections

    @discardableResult
    mutating func connect() throws -> Int {
        self.lastConnection += 1
        let connection = self.lastConnection
        self.open.append(connection)
        var output = VenueOutput()
        self.session.opened(connection, at: self.now, into: &output)
        let greetings = self.exchange.opened(connection)
        try self.settle(&output, greetings.map { (connection, $0) })
        return connection
    }

    mutating func disconnect(_ connection: Int) throws {
        self.open.removeAll { $0 == connection }
        var output = VenueOutput()
        self.session.closed(connection, at: self.now, into: &output)
        try self.settle(&output, [])
    }

    // MARK: What happens

    mutating func pass(_ duration: Duration) throws {
        let end = self.now.advanced(by: duration)
        while self.now < end {
            self.now = min(self.now.advanced(by: .milliseconds(250)), end)
            var output = VenueOutput()
            self.session.tick(at: self.now, into: &output)
            try self.settle(&output, [])
        }
    }

    /// The next trade of an instrument, told of on every connection unless it gets lost.
    @discardableResult
    mutating func trade(
        _ instrument: Int = 0, price: String = "100.50", size: String = "0.250", side: TradeSide = .buy,
        isLost: Bool = false
    ) throws -> SampleTrade {
        self.now = self.now.advanced(by: .milliseconds(7))
        let number = (self.numbers[instrument] ?? 0) + 1
        self.numbers[instrument] = number
        let trade = SampleTrade(
            instrument: instrument, number: number, price: price, size: size, side: side, time: self.now)
        try self.happen(.trade(trade), isLost: isLost)
        return trade
    }

    mutating func book(_ instrument: Int = 0, _ changes: [SampleLevel], isLost: Bool = false) throws {
        self.now = self.now.advanced(by: .milliseconds(600))
        try self.happen(.book(instrument: instrument, changes: changes, at: self.now), isLost: isLost)
    }

    mutating func happen(_ event: SampleEvent, isLost: Bool = false) throws {
        let frames = self.exchange.happen(event, on: self.open)
        if !isLost { try self.deliver(frames) }
    }

    mutating func deliver(_ frames: [(connection: Int, text: String)]) throws {
        var output = VenueOutput()
        try self.settle(&output, frames)
    }

    /// The frames with which an event would be told, without delivering them.
    mutating func frames(of event: SampleEvent) -> [(connection: Int, text: String)] {
        self.exchange.happen(event, on: self.open)
    }

    mutating func resubscribe(_ stream: Int) throws {
        var output = VenueOutput()
        self.session.resubscribe(to: stream, at: self.now, into: &output)
        try self.settle(&output, [])
    }

    // MARK: Talking

    private mutating func settle(_ output: inout VenueOutput, _ frames: [(connection: Int, text: String)]) throws {
        var frames = frames
        var next = 0
        var waiting: [VenueRequest] = []
        self.take(output, &frames, &waiting)
        var turns = 0
        while next < frames.count || !waiting.isEmpty {
            turns += 1
            guard turns < Self.maximumTurns else {
                throw ConformanceFailure("the session and its exchange never stop talking")
            }
            output.removeAll()
            if next < frames.count {
                let (connection, text) = frames[next]
                next += 1
                guard self.open.contains(connection) else { continue }
                self.session.receive(text, on: connection, at: self.now, into: &output)
            } else {
                let request = waiting.removeFirst()
                self.session.receive(self.exchange.respond(to: request), to: request, at: self.now, into: &output)
            }
            self.take(output, &frames, &waiting)
        }
    }

    private mutating func take(
        _ output: VenueOutput, _ frames: inout [(connection: Int, text: String)], _ waiting: inout [VenueRequest]
    ) {
        self.events += output.events
        self.notices += output.notices
        self.problems += output.problems
        self.heard.formUnion(output.heard)
        self.requests += output.requests
        self.replacement = output.replacement ?? self.replacement
        if !self.isMute { waiting += output.requests }
        for (text, connection) in output.outgoing {
            self.sent.append(text)
            guard self.open.contains(connection) else { continue }
            frames += self.exchange.receive(text, on: connection).map { (connection, $0) }
        }
    }

    /// Forgets what has been said so far.
    mutating func forget() {
        self.events = []
        self.notices = []
        self.problems = []
        self.sent = []
        self.requests = []
        self.heard = []
    }

    // MARK: Looking

    func events(_ type: EventType, of instrument: Int? = nil) -> [StandardEvent] {
        let symbol = instrument.map { Name(self.plan.instruments[$0].symbol) }
        return self.events.filter { event in
            event.eventType == type && (symbol == nil || event.symbol == symbol)
        }
    }

    func isResyncing(_ instrument: Int) -> Bool {
        let symbol = Name(self.plan.instruments[instrument].symbol)
        return self.notices.contains { notice in
            if case .resyncing(symbol, _) = notice { true } else { false }
        }
    }

    func isResynced(_ instrument: Int) -> Bool {
        self.notices.contains(.resynced(symbol: Name(self.plan.instruments[instrument].symbol)))
    }
}

extension VenueSession {
    mutating func receive(_ text: String, on connection: Int, at time: Timestamp, into output: inout VenueOutput) {
        var text = text
        text.withUTF8 { self.receive(UnsafeRawBufferPointer($0), on: connection, at: time, into: &output) }
    }
}
