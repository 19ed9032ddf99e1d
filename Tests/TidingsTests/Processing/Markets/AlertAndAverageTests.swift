import Testing

@testable import Tidings

@Suite struct PriceAlertProcessorTests {
    private static func bench(_ symbols: [String] = [], change: ExactDecimal = 5) -> DeriverBench<PriceAlertProcessor> {
        DeriverBench(PriceAlertProcessor(symbols: symbols, change: change, window: .seconds(60)))
    }

    @Test func `a rise by the change within the window is told once, with what it is measured from`() throws {
        var bench = Self.bench()
        #expect(try bench.give(Trades.trade(0, "100", number: 1)).isEmpty)
        #expect(try bench.give(Trades.trade(1000, "104.99", number: 2)).isEmpty)
        let trade = Trades.trade(2000, "105", number: 3)
        let alert = try #require(try bench.give(trade).first)
        #expect(
            alert.payload.description
                == #"{"symbol":"BTC-USDT","price":105,"reference_price":100,"change_percent":5.0000,"window":"1m","direction":"up","of":"binance"}"#
        )
        #expect(alert.eventType == .priceAlert && alert.priority == .high && alert.parentEventID == trade.eventID)
        // Again only when the window has passed.
        #expect(try bench.give(Trades.trade(3000, "120", number: 4)).isEmpty)
        #expect(try bench.give(Trades.trade(61_000, "130", number: 5)).isEmpty)
        #expect(
            try bench.give(Trades.trade(62_000, "140", number: 6)).map { $0.payload["direction"]?.string } == ["up"])
    }

    @Test func `a fall is measured from the highest price of the window`() throws {
        var bench = Self.bench()
        try bench.give(Trades.trade(0, "100", number: 1))
        try bench.give(Trades.trade(1000, "102", number: 2))
        #expect(try bench.give(Trades.trade(2000, "97", number: 3)).isEmpty)
        let alert = try #require(try bench.give(Trades.trade(3000, "96.9", number: 4)).first)
        #expect(alert.payload["change_percent"]?.number == ExactDecimal("-5.0000"))
        #expect(alert.payload["reference_price"]?.number == 102 && alert.payload["direction"]?.string == "down")
    }

    @Test func `what lies before the window is forgotten`() throws {
        var bench = Self.bench()
        try bench.give(Trades.trade(0, "100", number: 1))
        try bench.give(Trades.trade(30_000, "103", number: 2))
        #expect(try bench.give(Trades.trade(60_001, "105", number: 3)).isEmpty)
        #expect(try bench.give(Trades.trade(61_000, "108.15", number: 4)).count == 1)
    }

    @Test func `only the symbols asked for, in either spelling and any case`() throws {
        for symbols in [["btc-usdt"], ["BTCUSDT"], ["*"], []] {
            var bench = Self.bench(symbols)
            try bench.give(Trades.trade(0, "100", number: 1))
            #expect(try bench.give(Trades.trade(1, "200", number: 2)).count == 1)
        }
        var bench = Self.bench(["ETH-USDT"])
        try bench.give(Trades.trade(0, "100", number: 1))
        #expect(try bench.give(Trades.trade(1, "200", number: 2)).isEmpty)
    }

    @Test func `it finds what comparing with every trade of the window finds`() throws {
        var random = SeededGenerator(seed: 31)
        for _ in 0..<50 {
            var bench = Self.bench(change: 3)
            var known: [(time: Int64, price: Int)] = []
            var (time, price, up, down) = (Int64(0), 1000, Int64.min / 2, Int64.min / 2)
            for number in 0..<400 {
                time += Int64(random.below(2000))
                price = max(500, price + random.below(31) - 15)
                let inside = known.filter { $0.time >= time - 60_000 }
                var expected: [String] = []
                if let low = inside.map(\.price).min(), price * 100 >= low * 103, time >= up + 60_000 {
                    expected.append("up")
                    up = time
                }
                if let high = inside.map(\.price).max(), price * 100 <= high * 97, time >= down + 60_000 {
                    expected.append("down")
                    down = time
                }
                let alerts = try bench.give(Trades.trade(time, "\(price)", number: number))
                #expect(alerts.compactMap { $0.payload["direction"]?.string } == expected)
                known.append((time, price))
            }
        }
    }
}

@Suite struct VWAPProcessorTests {
    @Test func `the average is weighted by volume, exact, and comes at most once a second`() throws {
        var bench = DeriverBench(VWAPProcessor(window: .seconds(300), digits: 4))
        let first = try #require(try bench.give(Trades.trade(0, "100", "1", number: 1)).first)
        #expect(
            first.payload.description
                == #"{"symbol":"BTC-USDT","vwap":100.0000,"volume":1,"window":"5m","timestamp":"2024-01-15T10:30:00.000Z","of":"binance"}"#
        )
        #expect(try bench.give(Trades.trade(999, "101", "1", number: 2)).isEmpty)
        let second = try #require(try bench.give(Trades.trade(1000, "103", "1", number: 3)).first)
        #expect(second.payload["vwap"]?.number?.description == "101.3333" && second.payload["volume"]?.number == 3)
        #expect(second.eventType == .vwap && second.eventID != first.eventID)
    }

    @Test func `what is older than the window leaves it`() throws {
        var bench = DeriverBench(VWAPProcessor(window: .seconds(60)))
        try bench.give(Trades.trade(0, "100", "1", number: 1))
        try bench.give(Trades.trade(30_000, "200", "1", number: 2))
        let later = try #require(try bench.give(Trades.trade(60_000, "300", "1", number: 3)).first)
        #expect(later.payload["vwap"]?.number == 250 && later.payload["volume"]?.number == 2)
        #expect(try bench.give(Trades.trade(0, "1", "1", number: 4)).isEmpty)
        #expect(bench.deriver.counters["late"] == 1)
    }

    @Test func `without volume there is no average`() throws {
        var bench = DeriverBench(VWAPProcessor(window: .seconds(60)))
        #expect(try bench.give(Trades.trade(0, "100", "0", number: 1)).isEmpty)
        #expect(try bench.give(Trades.trade(1, "1e999999", "1", number: 2)).isEmpty)
        #expect(bench.deriver.counters["unusable"] == 1)
    }
}
