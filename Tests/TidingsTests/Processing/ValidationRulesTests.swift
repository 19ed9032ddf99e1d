import Testing

@testable import Tidings

@Suite struct ValidationRulesTests {
    private func problem(_ rules: ValidationRules, _ event: StandardEvent) -> String? {
        do {
            try ValidationProcessor(rules).validate(event)
            return nil
        } catch {
            return error.description
        }
    }

    @Test func `symbols are allowed by pattern, in either spelling and any case`() {
        var rules = ValidationRules()
        rules.symbols = ["eth-*", "BTCUSDT"]
        #expect(self.problem(rules, Trades.trade(0, "1")) == nil)
        #expect(self.problem(rules, Trades.trade(0, "1", symbol: "ETH-EUR")) == nil)
        rules.symbols = ["ETH-*", "*-USD", "B*C-*T-X"]
        #expect(self.problem(rules, Trades.trade(0, "1")) == "payload.symbol: is not allowed: BTC-USDT")
        rules.symbols = ["b*c-*t"]
        #expect(self.problem(rules, Trades.trade(0, "1")) == nil)
        // Other events have no symbol to be judged by.
        #expect(self.problem(rules, .sample()) == nil)
    }

    @Test func `prices and volumes have bounds, those of a symbol before those of all`() {
        var rules = ValidationRules()
        rules.bounds.price.maximum = 1000
        rules.bounds.volume.minimum = ExactDecimal("0.001")
        #expect(self.problem(rules, Trades.trade(0, "1000.01")) == "payload.price: must be at most 1000, was 1000.01")
        #expect(
            self.problem(rules, Trades.trade(0, "1000", "0.0009"))
                == "payload.volume: must be at least 0.001, was 0.0009")
        #expect(self.problem(rules, Trades.trade(0, "1000", "0.001")) == nil)
        rules.boundsBySymbol["btcusdt"] = .init(price: .init(minimum: 20_000, maximum: 200_000))
        #expect(self.problem(rules, Trades.trade(0, "19999")) == "payload.price: must be at least 20000, was 19999")
        #expect(self.problem(rules, Trades.trade(0, "20000", "0")) == nil)
        let candle = StandardEvent(
            eventType: .ohlcv, source: "x",
            payload: [
                "symbol": "BTCUSDT", "open": 50_000, "high": 300_000, "low": 40_000, "close": 50_000, "volume": 1,
                "timestamp": "2024-01-15T10:30:00Z",
            ])
        #expect(self.problem(rules, candle) == "payload.high: must be at most 200000, was 300000")
    }

    @Test func `a crossed market is refused where the rules say so`() {
        var rules = ValidationRules()
        func ticker(_ bid: ExactDecimal, _ ask: ExactDecimal) -> StandardEvent {
            StandardEvent(eventType: .ticker, source: "x", payload: .ticker(Ticker(symbol: "A", bid: bid, ask: ask)))
        }
        #expect(self.problem(rules, ticker(2, 1)) == nil)
        rules.refusesCrossed = true
        #expect(self.problem(rules, ticker(2, 1)) == "payload.bid: is above ask: 2 > 1")
        #expect(self.problem(rules, ticker(1, 1)) == nil && self.problem(rules, ticker(2, 0)) == nil)
        let level = { (price: ExactDecimal) in OrderBook.Level(price: price, volume: 1) }
        let book = OrderBook(symbol: "A", bids: [level(3)], asks: [level(2)], bestBid: nil, bestAsk: nil)
        let event = StandardEvent(eventType: .orderBook, source: "x", payload: .orderBook(book))
        #expect(self.problem(rules, event) == "payload.bid: is above ask: 3 > 2")
    }

    @Test func `what a processor at ingress does is counted`() {
        var rules = ValidationRules()
        rules.symbols = ["ETH-*"]
        let chain = IngressChain(processors: [
            ValidationProcessor(rules), ThrottleProcessor(.type(.ticker), every: .seconds(1)),
        ])
        let tickers = (0..<2).map { _ in
            StandardEvent(
                eventType: .ticker, source: "x", payload: .ticker(Ticker(symbol: "ETH-USD", price: 1)),
                timestamp: Trades.time(0))
        }
        _ = chain.transform([Trades.trade(0, "1")] + tickers, fresh: 0b111)
        let (first, second) = (chain.snapshots[0], chain.snapshots[1])
        #expect(first.name == "validate" && first.statistics.processed == 3 && first.statistics.failed == 1)
        #expect(second.name == "throttle" && second.statistics.processed == 2 && second.statistics.filtered == 1)
        #expect(second.statistics.time.total == 2)
    }
}
