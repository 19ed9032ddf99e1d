import Tidings
import TidingsMarkets

/// What a venue's session may do wrong, one thing at a time.
enum VenueFault: String, CaseIterable, Sendable {
    case makersSide, losesDigits, randomIdentifiers, repeatsTrades, silentGaps, noRefill, deafToStreams, neverReady
    case confirmsTwice, staysQuietAfterBreak, wrongSource, alwaysLive, noWordOfMending, takesAnyName, noParseProblem
    case everyBookTwice, wrongReceiptTime

    /// The check that has to notice.
    var check: String {
        switch self {
        case .makersSide, .losesDigits, .wrongReceiptTime: "a trade keeps its digits, its time and the taker's side"
        case .randomIdentifiers: "the same frames make the same events, identifiers included"
        case .repeatsTrades: "a trade that is told twice is published once"
        case .silentGaps: "lost trades are noticed and told of by number"
        case .noRefill: "lost trades are had again, once each"
        case .deafToStreams: "frames name the streams that they are about"
        case .neverReady, .confirmsTwice: "a fresh socket is subscribed to, and every stream is confirmed once"
        case .staysQuietAfterBreak: "after a break everything is subscribed to again and no trade is repeated"
        case .wrongSource: "the name is in lower case and is the source of the events"
        case .alwaysLive: "a book is not called whole while the socket is gone"
        case .noWordOfMending: "a lost book frame is noticed, told, and mended for that symbol only"
        case .takesAnyName: "what cannot be a symbol is refused"
        case .noParseProblem: "what is no frame is told of, and the next frame is read as ever"
        case .everyBookTwice: "two connections at a time bring everything once"
        }
    }
}

/// ``ExampleVenue`` with a fault.
struct FaultyVenue: Venue {
    let fault: VenueFault
    private let base = ExampleVenue()

    init(_ fault: VenueFault) {
        self.fault = fault
    }

    var name: String { self.base.name }
    var endpoint: String { self.base.endpoint }
    var rest: String { self.base.rest }
    var limits: VenueLimits { self.base.limits }
    var instrumentsRequest: VenueRequest { self.base.instrumentsRequest }

    func instrument(named name: String) -> Instrument? {
        self.base.instrument(named: name)
            ?? (self.fault == .takesAnyName ? Instrument(symbol: name, venueSymbol: name) : nil)
    }

    func instruments(from answer: UnsafeRawBufferPointer) throws(VenueError) -> [Instrument] {
        try self.base.instruments(from: answer)
    }

    func makeSession(_ plan: FeedPlan) -> any VenueSession {
        FaultySession(fault: self.fault, base: self.base.makeSession(plan))
    }

    func request(for query: HistoryQuery) throws(VenueError) -> VenueRequest {
        try self.base.request(for: query)
    }

    func page(
        of query: HistoryQuery, request: VenueRequest, from answer: UnsafeRawBufferPointer, at receivedAt: Timestamp
    ) throws(VenueError) -> HistoryPage {
        try self.base.page(of: query, request: request, from: answer, at: receivedAt)
    }
}

private struct FaultySession: VenueSession {
    let fault: VenueFault
    var base: any VenueSession
    private var opens = 0

    init(fault: VenueFault, base: any VenueSession) {
        self.fault = fault
        self.base = base
    }

    mutating func opened(_ connection: Int, at now: Timestamp, into output: inout VenueOutput) {
        self.opens += 1
        if self.fault == .staysQuietAfterBreak, self.opens > 1 { return }
        self.base.opened(connection, at: now, into: &output)
    }

    mutating func closed(_ connection: Int, at now: Timestamp, into output: inout VenueOutput) {
        if self.fault == .alwaysLive { return }
        self.base.closed(connection, at: now, into: &output)
    }

    mutating func receive(
        _ frame: UnsafeRawBufferPointer, on connection: Int, at receivedAt: Timestamp, into output: inout VenueOutput
    ) {
        if self.fault == .repeatsTrades, String(decoding: frame, as: UTF8.self).contains(#""type":"trade""#) {
            // A session that knows nothing of what came before.
            var fresh = ExampleVenue().makeSession(
                FeedPlan(instruments: ExampleExchange().instruments, channels: MarketChannel.standard))
            fresh.receive(frame, on: connection, at: receivedAt, into: &output)
            return
        }
        self.base.receive(frame, on: connection, at: receivedAt, into: &output)
        self.spoil(&output)
    }

    mutating func receive(
        _ answer: VenueAnswer, to request: VenueRequest, at receivedAt: Timestamp, into output: inout VenueOutput
    ) {
        self.base.receive(answer, to: request, at: receivedAt, into: &output)
    }

    mutating func tick(at now: Timestamp, into output: inout VenueOutput) {
        self.base.tick(at: now, into: &output)
    }

    mutating func resubscribe(to stream: Int, at now: Timestamp, into output: inout VenueOutput) {
        self.base.resubscribe(to: stream, at: now, into: &output)
    }

    func book(of instrument: Int) -> (book: LocalBook, isLive: Bool)? { self.base.book(of: instrument) }

    private func spoil(_ output: inout VenueOutput) {
        switch self.fault {
        case .makersSide: Self.change(&output) { $0.side = $0.side == .buy ? .sell : .buy }
        case .losesDigits: Self.change(&output) { $0.price = ExactDecimal($0.price.doubleValue) ?? $0.price }
        case .wrongReceiptTime: Self.change(&output) { $0.context.receivedAt = .now() }
        case .randomIdentifiers: for index in output.events.indices { output.events[index].eventID = EventID() }
        case .silentGaps: output.problems.removeAll { $0.code == "SEQUENCE_GAP" }
        case .noRefill: output.requests.removeAll()
        case .deafToStreams: output.heard = []
        case .neverReady: output.notices.removeAll { if case .ready = $0 { true } else { false } }
        case .confirmsTwice: output.notices += output.notices.filter { if case .confirmed = $0 { true } else { false } }
        case .wrongSource: for index in output.events.indices { output.events[index].source = "Example" }
        case .noWordOfMending: output.notices.removeAll { if case .resyncing = $0 { true } else { false } }
        case .noParseProblem: output.problems.removeAll { $0.code == "PARSE" }
        case .everyBookTwice:
            for event in output.events where event.eventType == .orderBook { output.events.append(event) }
        case .repeatsTrades, .staysQuietAfterBreak, .alwaysLive, .takesAnyName: break
        }
    }

    private static func change(_ output: inout VenueOutput, _ body: (inout Trade) -> Void) {
        for index in output.events.indices {
            guard var trade = output.events[index].payload.trade else { continue }
            body(&trade)
            output.events[index].payload = .trade(trade)
        }
    }
}
