import Tidings

@testable import TidingsMarkets

/// A session, what it said, and a hand to feed it with.
struct BinanceFeed {
    static let start = Timestamp(nanoseconds: 1_700_000_000_000_000_000, precision: .microseconds)

    var session: BinanceSession
    var output = VenueOutput()
    var now = BinanceFeed.start
    /// Requests that were taken out of the output to be answered.
    private(set) var asked: [VenueRequest] = []

    init(_ symbols: [String] = ["BTC-USDT"], channels: [MarketChannel] = MarketChannel.allCases, depth: Int = 20) {
        self.session = BinanceSession(
            FeedPlan(
                instruments: symbols.compactMap { Binance().instrument(named: $0) }, channels: channels,
                book: BookPlan(depth: depth)))
    }

    // MARK: In

    mutating func open(_ connection: Int = 1) {
        self.session.opened(connection, at: self.now, into: &self.output)
    }

    mutating func close(_ connection: Int = 1) {
        self.session.closed(connection, at: self.now, into: &self.output)
    }

    mutating func receive(_ frame: String, on connection: Int = 1) {
        Array(frame.utf8).withUnsafeBytes {
            self.session.receive($0, on: connection, at: self.now, into: &self.output)
        }
    }

    /// Acknowledges every message that waits for it.
    mutating func acknowledge() {
        for id in self.session.requests.keys.sorted() { self.receive(#"{"result":null,"id":\#(id)}"#) }
    }

    mutating func wait(_ duration: Duration) {
        self.now = self.now.advanced(by: duration)
        self.session.tick(at: self.now, into: &self.output)
    }

    /// Answers the oldest request that waits.
    mutating func answer(_ body: String) {
        self.answer(.body(Array(body.utf8)))
    }

    mutating func answer(_ answer: VenueAnswer) {
        guard !self.output.requests.isEmpty else { return }
        let request = self.output.requests.removeFirst()
        self.asked.append(request)
        self.session.receive(answer, to: request, at: self.now, into: &self.output)
    }

    // MARK: Frames

    mutating func update(
        _ first: UInt64, _ last: UInt64, bids: String = "", asks: String = "", of symbol: String = "BTCUSDT",
        on connection: Int = 1
    ) {
        self.receive(
            #"{"stream":"\#(symbol.lowercased())@depth@100ms","data":{"e":"depthUpdate","E":1700000000100,"s":"\#(symbol)","U":\#(first),"u":\#(last),"b":[\#(bids)],"a":[\#(asks)]}}"#,
            on: connection)
    }

    mutating func trade(_ number: UInt64, of symbol: String = "BTCUSDT", on connection: Int = 1) {
        self.receive(
            #"{"stream":"\#(symbol.lowercased())@trade","data":{"e":"trade","E":1700000000101,"s":"\#(symbol)","t":\#(number),"p":"61685.99000000","q":"0.00017000","T":1700000000100,"m":true,"M":true}}"#,
            on: connection)
    }

    mutating func aggregatedTrade(_ number: UInt64, of symbol: String = "BTCUSDT") {
        self.receive(
            #"{"stream":"\#(symbol.lowercased())@aggTrade","data":{"e":"aggTrade","E":1700000000101,"s":"\#(symbol)","a":\#(number),"p":"61685.99","q":"0.5","f":1,"l":2,"T":1700000000100,"m":false,"M":true}}"#
        )
    }

    mutating func bookTicker(_ update: UInt64, on connection: Int = 1) {
        self.receive(
            #"{"stream":"btcusdt@bookTicker","data":{"u":\#(update),"s":"BTCUSDT","b":"61685.99000000","B":"1.25869000","a":"61686.00000000","A":"2.44816000"}}"#,
            on: connection)
    }

    static func level(_ price: String, _ size: String) -> String { #"["\#(price)","\#(size)"]"# }

    static func snapshot(_ last: UInt64, bids: String = #"["10","1"]"#, asks: String = #"["11","1"]"#) -> String {
        #"{"lastUpdateId":\#(last),"bids":[\#(bids)],"asks":[\#(asks)]}"#
    }

    /// The venue's history of some trades.
    static func past(_ numbers: some Sequence<UInt64>) -> String {
        let trades = numbers.map {
            #"{"id":\#($0),"price":"61685.99000000","qty":"0.00017000","quoteQty":"1","time":1700000000100,"isBuyerMaker":true,"isBestMatch":true}"#
        }
        return "[\(trades.joined(separator: ","))]"
    }

    // MARK: Out

    /// What was said since the last call.
    mutating func take() -> VenueOutput {
        defer { self.output.removeAll() }
        return self.output
    }

    /// Forgets what was said, but not what was asked for.
    mutating func forget() {
        let requests = self.output.requests
        self.output.removeAll()
        self.output.requests = requests
    }

    var book: (book: LocalBook, isLive: Bool)? { self.session.book(of: 0) }

    /// The book's levels as `price size` texts.
    func levels(_ side: LocalBook.Side, of index: Int = 0) -> [String] {
        self.session.book(of: index)?.book.best(1000, side).map { "\($0.price) \($0.volume)" } ?? []
    }
}

extension VenueOutput {
    func events(_ type: EventType) -> [StandardEvent] { self.events.filter { $0.eventType == type } }

    var tradeIDs: [String] { self.events(.trade).compactMap { $0.payload.trade?.tradeID?.description } }

    var sequences: [UInt64] { self.events(.orderBook).compactMap { $0.payload.orderBook?.sequence } }

    var codes: [String] { self.problems.map(\.code) }
}
