@testable import Tidings
@testable import TidingsMarkets

/// A venue for tests whose frames are words: `ack AAA trade`, `trade AAA 7`, `book AAA 3`, and orders to its session.
struct PracticeVenue: Venue {
    var name = "practice"
    var endpoint = "ws://practice.invalid/feed"
    var rest = "http://practice.invalid"
    var limits = VenueLimits()
    /// Whether names are certain without the list.
    var isCertain = true

    init() {
        self.limits.messagesPerSecond = 1000
        self.limits.messageBurst = 1000
        self.limits.requestWeight = 100_000
        self.limits.requestSpacing = .zero
    }

    func instrument(named name: String) -> Instrument? {
        let parts = name.uppercased().split(whereSeparator: { $0 == "-" || $0 == "/" })
        guard self.isCertain, let base = parts.first else { return nil }
        return Self.instrument(String(base))
    }

    static func instrument(_ base: String) -> Instrument {
        Instrument(symbol: "\(base)-USD", venueSymbol: "\(base.lowercased())usd")
    }

    var instrumentsRequest: VenueRequest { VenueRequest(.instruments, .get, "/instruments") }

    func instruments(from answer: UnsafeRawBufferPointer) throws(VenueError) -> [Instrument] {
        let words = String(decoding: answer, as: UTF8.self).split(separator: " ")
        guard words.first == "instruments" else { throw VenueError(.unreadable, "no list") }
        return words.dropFirst().map { Self.instrument(String($0)) }
    }

    func makeSession(_ plan: FeedPlan) -> any VenueSession { PracticeSession(plan) }

    func request(for query: HistoryQuery) throws(VenueError) -> VenueRequest {
        throw VenueError(.unsupported, "no history")
    }

    func page(
        of query: HistoryQuery, request: VenueRequest, from answer: UnsafeRawBufferPointer, at receivedAt: Timestamp
    ) throws(VenueError) -> HistoryPage {
        throw VenueError(.unsupported, "no history")
    }
}

struct PracticeSession: VenueSession {
    let plan: FeedPlan
    var ledgers: [TradeLedger]
    var bookNumbers: [UInt64]
    /// What each connection has not confirmed.
    var unconfirmed: [Int: Set<Int>] = [:]
    var newest = 0

    init(_ plan: FeedPlan) {
        self.plan = plan
        self.ledgers = plan.instruments.map { _ in TradeLedger() }
        self.bookNumbers = plan.instruments.map { _ in 0 }
    }

    mutating func opened(_ connection: Int, at now: Timestamp, into output: inout VenueOutput) {
        self.newest = connection
        self.unconfirmed[connection] = Set(self.plan.streams.indices)
        for stream in self.plan.streams {
            output.send("subscribe \(stream.symbol) \(stream.channel.rawValue)", on: connection)
        }
    }

    mutating func closed(_ connection: Int, at now: Timestamp, into output: inout VenueOutput) {
        self.unconfirmed[connection] = nil
    }

    mutating func receive(
        _ frame: UnsafeRawBufferPointer, on connection: Int, at receivedAt: Timestamp, into output: inout VenueOutput
    ) {
        let words = String(decoding: frame, as: UTF8.self).split(separator: " ").map(String.init)
        guard let first = words.first else { return }
        switch (first, words.count) {
        case ("ack", 3): self.confirm(words, connection, into: &output)
        case ("trade", 3): self.trade(words, receivedAt, into: &output)
        case ("book", 3): self.book(words, receivedAt, into: &output)
        case ("resync", 2): output.notices.append(.resyncing(symbol: Name(words[1]), reason: "a test"))
        case ("whole", 2): output.notices.append(.resynced(symbol: Name(words[1])))
        case ("planned", 2): output.replacement = .planned(reason: words[1])
        case ("useless", 2): output.replacement = .immediate(reason: words[1])
        case ("say", 2): for number in 0..<(Int(words[1]) ?? 0) { output.send("said \(number)", on: connection) }
        case ("ask", 2):
            for number in 0..<(Int(words[1]) ?? 0) {
                output.requests.append(VenueRequest(.recent(.trade, 0), .get, "/slow?\(number)"))
            }
        default: output.problems.append(.unreadable(frame, "what?"))
        }
    }

    private func number(_ symbol: String) -> Int? { self.plan.instruments.firstIndex { $0.symbol == symbol } }

    private mutating func confirm(_ words: [String], _ connection: Int, into output: inout VenueOutput) {
        guard let channel = MarketChannel(rawValue: words[2]), let number = self.number(words[1]),
            let stream = self.plan.stream(channel, of: number)
        else { return }
        output.notices.append(.confirmed(stream: stream))
        guard self.unconfirmed[connection]?.remove(stream) != nil, self.unconfirmed[connection]?.isEmpty == true
        else { return }
        output.notices.append(.ready(connection: connection))
    }

    private mutating func trade(_ words: [String], _ receivedAt: Timestamp, into output: inout VenueOutput) {
        guard let number = self.number(words[1]), let id = UInt64(words[2]) else { return }
        output.hear(self.plan.stream(.trade, of: number))
        switch self.ledgers[number].take(id) {
        case .known: return
        case .new: break
        case .newAfterGap(let gap):
            output.problems.append(
                VenueOutput.Problem(
                    code: "SEQUENCE_GAP", message: "trades are missing", details: ["symbol": .string(words[1])]))
            output.requests.append(
                VenueRequest(.lostTrades(number, gap), .get, "/trades?from=\(gap.lowerBound)&to=\(gap.upperBound)"))
        }
        output.events.append(Self.trade(words[1], id, receivedAt))
    }

    static func trade(_ symbol: String, _ id: UInt64, _ receivedAt: Timestamp) -> StandardEvent {
        let time = Timestamp(milliseconds: 1_700_000_000_000 + Int64(id)) ?? receivedAt
        var hash = StableHash()
        hash.combine("practice.trade")
        hash.combine(symbol)
        hash.combine(id)
        return StandardEvent(
            eventType: .trade, source: "practice",
            payload: .trade(
                Trade(
                    symbol: Name(symbol), price: ExactDecimal(100), volume: ExactDecimal(1), timestamp: time,
                    side: .buy,
                    tradeID: TradeID(id),
                    context: MarketContext(venueSymbol: Name(symbol), instrument: .spot, receivedAt: receivedAt))),
            timestamp: time, eventID: EventID(at: time, hash: hash))
    }

    private mutating func book(_ words: [String], _ receivedAt: Timestamp, into output: inout VenueOutput) {
        guard let number = self.number(words[1]), let sequence = UInt64(words[2]) else { return }
        output.hear(self.plan.stream(.orderBook, of: number))
        guard sequence > self.bookNumbers[number] else { return }
        self.bookNumbers[number] = sequence
        let book = OrderBook(
            symbol: Name(words[1]), kind: self.plan.book.kind, bids: [], asks: [], bestBid: nil, bestAsk: nil,
            sequence: sequence, timestamp: nil,
            context: MarketContext(venueSymbol: Name(words[1]), instrument: .spot, receivedAt: receivedAt))
        output.events.append(
            StandardEvent(eventType: .orderBook, source: "practice", payload: .orderBook(book), timestamp: receivedAt))
    }

    mutating func receive(
        _ answer: VenueAnswer, to request: VenueRequest, at receivedAt: Timestamp, into output: inout VenueOutput
    ) {
        switch (request.purpose, answer) {
        case (.lostTrades(let number, _), .body(let bytes)):
            for word in String(decoding: bytes, as: UTF8.self).split(separator: " ") {
                guard let id = UInt64(word), self.ledgers[number].take(id) == .new else { continue }
                output.events.append(Self.trade(self.plan.instruments[number].symbol, id, receivedAt))
            }
        case (.recent, .body): output.problems.append(VenueOutput.Problem(code: "ANSWERED", message: request.target))
        case (_, .failure(let status, let reason)):
            output.problems.append(
                VenueOutput.Problem(
                    code: "UNANSWERED", message: "\(status ?? 0) \(reason)",
                    details: ["symbol": .string(request.target)]))
        default: break
        }
    }

    mutating func tick(at now: Timestamp, into output: inout VenueOutput) {}

    mutating func resubscribe(to stream: Int, at now: Timestamp, into output: inout VenueOutput) {
        let stream = self.plan.streams[stream]
        output.send("resubscribe \(stream.symbol) \(stream.channel.rawValue)", on: self.newest)
    }

    func book(of instrument: Int) -> (book: LocalBook, isLive: Bool)? { nil }
}
