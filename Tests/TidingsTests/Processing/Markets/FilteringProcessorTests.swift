import Testing
import TidingsTestSupport

@testable import Tidings

@Suite(.timeLimit(.minutes(1))) struct FilteringProcessorTests {
    private static func ticker(_ milliseconds: Int64, _ price: Int, symbol: Name = "BTC-USDT") -> StandardEvent {
        StandardEvent(
            eventType: .ticker, source: "binance",
            payload: .ticker(Ticker(symbol: symbol, price: ExactDecimal(price))), timestamp: Trades.time(milliseconds))
    }

    private static func prices(_ events: [StandardEvent?]) -> [ExactDecimal?] {
        events.compactMap { $0 }.map { $0.payload.ticker?.price }
    }

    private static let tickers = EventFilter(types: ["ticker"])

    @Test func `a throttle lets the first of each second pass`() throws {
        let throttle = ThrottleProcessor(Self.tickers, every: .seconds(1))
        let events = [(0, 1), (999, 2), (1000, 3), (1500, 4), (900, 5), (3000, 6)].map { Self.ticker($0, $1) }
        #expect(Self.prices(try events.map { try throttle.process($0) }) == [1, 3, 6])
        #expect(try throttle.process(Self.ticker(0, 9, symbol: "ETH-USDT")) != nil)
        #expect(try throttle.process(Trades.trade(0, "1")) != nil)
    }

    @Test func `changes of a book always pass`() throws {
        func book(_ kind: OrderBook.Kind) -> StandardEvent {
            StandardEvent(
                eventType: .orderBook, source: "binance",
                payload: .orderBook(OrderBook(symbol: "A", kind: kind, bids: [], asks: [], bestBid: nil, bestAsk: nil)),
                timestamp: Trades.time(0))
        }
        let throttle = ThrottleProcessor(EventFilter(types: ["order_book"]), every: .seconds(1))
        #expect(try throttle.process(book(.snapshot)) != nil)
        #expect(try throttle.process(book(.snapshot)) == nil)
        #expect(try throttle.process(book(.delta)) != nil)
    }

    @Test func `conflation lets the newest of each second pass, when the second is over`() throws {
        let conflation = ConflationProcessor(Self.tickers, every: .seconds(1))
        let events = [(0, 1), (999, 2), (1000, 3), (1500, 4), (900, 5), (3000, 6)].map { Self.ticker($0, $1) }
        let passed = try events.map { try conflation.process($0) }
        #expect(passed.map { $0?.payload.ticker?.price } == [nil, nil, 2, nil, nil, 4])
        let again = ConflationProcessor(Self.tickers, every: .seconds(1))
        #expect(try events.map { try again.process($0)?.eventID } == passed.map { $0?.eventID })
        #expect(!events.map(\.eventID).contains(try #require(passed[2]).eventID))
    }

    @Test func `conflation releases by the clock what nothing follows, on a bus too`() async throws {
        let conflation = ConflationProcessor(Self.tickers, every: .seconds(1))
        let bus = MemoryEventBus(ingress: IngressChain(processors: [conflation]))
        let seen = Collector<StandardEvent>()
        try bus.addTap(to: .all, name: "seen") { seen.add($0) }
        for number in 1...3 { try bus.tryPublish(Self.ticker(Int64(number), number)) }
        #expect(seen.values.isEmpty)
        #expect(conflation.release(at: Trades.time(0)).isEmpty)
        #expect(conflation.release(at: Trades.time(1199)).isEmpty)
        let due = conflation.release(at: Trades.time(1200))
        #expect(Self.prices(due) == [3])
        for event in due { try bus.tryPublish(event) }
        #expect(Self.prices(seen.values) == [3])
        try bus.tryPublish(Self.ticker(2000, 4))
        let last = conflation.drain()
        for event in last { try bus.tryPublish(event) }
        #expect(Self.prices(seen.values) == [3, 4] && conflation.lost == 0)
        await bus.stop()
    }

    @Test func `what says the same again is filtered, by fields`() throws {
        let dedupe = DeduplicationProcessor(fields: ["source", "symbol", "trade_id"], filter: .type(.trade))
        #expect(try dedupe.process(Trades.trade(0, "1", number: 7)) != nil)
        #expect(try dedupe.process(Trades.trade(5, "2", number: 7)) == nil)
        #expect(try dedupe.process(Trades.trade(5, "2", number: 8)) != nil)
        #expect(try dedupe.process(Trades.trade(5, "2", number: 8, source: "kraken")) != nil)
        // Without any of the fields, or of another type, it is nobody's copy.
        for _ in 0..<2 {
            #expect(try dedupe.process(StandardEvent(eventType: .trade, source: "x", payload: ["other": 1])) != nil)
            #expect(try dedupe.process(Self.ticker(0, 1)) != nil)
        }
    }

    @Test func `its memory is bounded`() throws {
        let dedupe = DeduplicationProcessor(window: 100) { $0.payload["n"]?.description }
        for number in 0..<1000 { #expect(try dedupe.process(.sample(number)) != nil) }
        for number in 900..<1000 { #expect(try dedupe.process(.sample(number)) == nil) }
        #expect(try dedupe.process(.sample(0)) != nil)
    }

    @Test func `the least recently used go first`() {
        var table = RecentTable<Int, String>(capacity: 16)
        var left: [String] = []
        for key in 0..<16 { _ = table.place(of: key, make: { "\(key)" }) }
        _ = table.place(of: 0, make: { "new" })
        let place = table.place(of: 99, make: { "99" }, leaving: { left.append($0) })
        #expect(left == ["1"] && table.count == 16 && table[place] == "99")
        #expect(table[table.place(of: 0, make: { "new" })] == "0")
    }
}
