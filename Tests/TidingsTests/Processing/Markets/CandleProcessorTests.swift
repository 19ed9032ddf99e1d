import Testing
import TidingsTestSupport

@testable import Tidings

@Suite struct CandleProcessorTests {
    private static func bench(
        _ intervals: [String] = ["1m"], _ change: (inout CandleConfiguration) -> Void = { _ in }
    ) -> DeriverBench<CandleProcessor> {
        var configuration = CandleConfiguration(intervals: intervals.compactMap { CandleInterval($0) })
        change(&configuration)
        return DeriverBench(CandleProcessor(configuration))
    }

    private static func bench(closedOnly intervals: [String]) -> DeriverBench<CandleProcessor> {
        Self.bench(intervals) { $0.updates = nil }
    }

    @Test func `a minute's trades make its candle, closed by a trade that comes late enough`() throws {
        var bench = Self.bench(closedOnly: ["1m"])
        try bench.give(Trades.trade(0, "100.0", "0.10", number: 1))
        try bench.give(Trades.trade(20_000, "105.5", "0.2", number: 2))
        try bench.give(Trades.trade(40_000, "95", "0.35", number: 3))
        try bench.give(Trades.trade(59_999, "101", "1", number: 4))
        #expect(try bench.give(Trades.trade(61_999, "102", number: 5)).isEmpty)
        let closed = try bench.give(Trades.trade(62_000, "103", number: 6))
        #expect(closed.map(\.candleText) == ["10:30:00 1m 100.0,105.5,95,101 1.65 4 closed"])
    }

    @Test func `a candle is what the contract says, byte for byte`() throws {
        var bench = Self.bench(closedOnly: ["1m"])
        let last = Trades.trade(30_000, "101.50", "2.5", number: 2)
        try bench.give(Trades.trade(0, "100", "1", number: 1))
        try bench.give(last)
        let event = try #require(try bench.give(Trades.trade(70_000, "1", number: 3)).first)
        #expect(
            event.payload.description
                == #"{"symbol":"BTC-USDT","interval":"1m","open":100,"high":101.50,"low":100,"close":101.50,"volume":3.5,"#
                + #""trades":2,"closed":true,"timestamp":"2024-01-15T10:30:00Z","venue_symbol":"BTCUSDT","#
                + #""instrument":"spot","received_at":"2024-01-15T10:30:30.000Z","of":"binance"}"#)
        #expect(event.source == "candles" && event.eventType == .ohlcv && event.timestamp == Trades.time(0))
        #expect(event.parentEventID == last.eventID && event.correlationID == last.correlationID)
        #expect(event.processedAt != nil && event.processingTimeMs != nil)
    }

    @Test func `intervals without trades have no candle`() throws {
        var bench = Self.bench(closedOnly: ["1s"])
        try bench.give(Trades.trade(0, "100", number: 1))
        try bench.give(Trades.trade(60_000, "101", number: 2))
        try bench.give(Trades.trade(120_000, "102", number: 3))
        #expect(
            bench.output.map(\.candleText) == [
                "10:30:00 1s 100,100,100,100 1 1 closed", "10:31:00 1s 101,101,101,101 1 1 closed",
            ])
    }

    @Test func `venues and symbols do not mix`() throws {
        var bench = Self.bench(closedOnly: ["1m"])
        try bench.give(Trades.trade(0, "100", number: 1))
        try bench.give(Trades.trade(0, "7", number: 2, source: "kraken"))
        try bench.give(Trades.trade(0, "5", number: 3, symbol: "ETH-USDT"))
        let closed = try bench.give(Trades.trade(90_000, "101", number: 4))
        #expect(closed.map(\.candleText) == ["10:30:00 1m 100,100,100,100 1 1 closed"])
        #expect(closed.first?.payload.candle?.origin == "binance")
        #expect(bench.deriver.seriesCount == 3)
    }

    @Test func `open candles are published at once and then once a second of event time, with what came by then`()
        throws
    {
        var bench = Self.bench(["1m"])
        #expect(
            try bench.give(Trades.trade(0, "100", number: 1)).map(\.candleText) == [
                "10:30:00 1m 100,100,100,100 1 1 open"
            ])
        #expect(try bench.give(Trades.trade(500, "101", number: 2)).isEmpty)
        // The state of a second ago goes out before the trade that shows the second is over.
        #expect(
            try bench.give(Trades.trade(1100, "102", number: 3)).map(\.candleText)
                == ["10:30:00 1m 100,101,100,101 2 2 open"])
        #expect(try bench.give(Trades.trade(1900, "103", number: 4)).isEmpty)
        #expect(
            try bench.give(Trades.trade(5000, "104", number: 5)).map(\.candleText)
                == ["10:30:00 1m 100,103,100,103 4 4 open", "10:30:00 1m 100,104,100,104 5 5 open"])
    }

    @Test func `late trades are put where they belong while the candle waits, and are dropped after that`() throws {
        var bench = Self.bench(closedOnly: ["1m"])
        try bench.give(Trades.trade(30_000, "100", number: 1))
        try bench.give(Trades.trade(61_000, "200", number: 2))
        // Earlier than the first, and later than the last of its candle.
        try bench.give(Trades.trade(10_000, "90", number: 3, read: 61_100))
        try bench.give(Trades.trade(59_000, "110", number: 4, read: 61_200))
        #expect(
            try bench.give(Trades.trade(62_000, "201", number: 5)).map(\.candleText)
                == ["10:30:00 1m 90,110,90,110 3 3 closed"])
        #expect(try bench.give(Trades.trade(59_500, "1", number: 6, read: 62_100)).isEmpty)
        #expect(bench.deriver.counters["late"] == 1)
    }

    @Test func `late trades amend the last closed candles where the policy says so`() throws {
        var bench = Self.bench(["1m"]) {
            $0.updates = nil
            $0.latePolicy = .amend
        }
        try bench.give(Trades.trade(0, "100", number: 1))
        let first = try bench.give(Trades.trade(65_000, "200", number: 2))
        let amended = try bench.give(Trades.trade(1000, "50", number: 3, read: 66_100))
        #expect(amended.map(\.candleText) == ["10:30:00 1m 100,100,50,50 2 2 closed"])
        #expect(first[0].eventID != amended[0].eventID && first[0].timestamp == amended[0].timestamp)
        #expect(bench.deriver.counters["amended"] == 1)
        // What lies before everything remembered is dropped.
        #expect(try bench.give(Trades.trade(-600_000, "1", number: 4, read: 66_200)).isEmpty)
        #expect(bench.deriver.counters["late"] == 1)
    }

    @Test func `time alone closes a candle`() throws {
        var bench = Self.bench(closedOnly: ["1s"])
        let wall: Int64 = 1_000_000_000_000_000_000
        func now(_ milliseconds: Int64) -> Timestamp { Timestamp(nanoseconds: wall + milliseconds * 1_000_000) }
        try bench.give(Trades.trade(400, "100", number: 1))
        #expect(try bench.advance(to: now(0)).isEmpty)
        // 0.6 s to its end, 2 s for late trades, 0.2 s of grace.
        #expect(try bench.advance(to: now(2799)).isEmpty)
        #expect(try bench.advance(to: now(2800)).map(\.candleText) == ["10:30:00 1s 100,100,100,100 1 1 closed"])
        #expect(try bench.advance(to: now(9000)).isEmpty)
        // Not late by event time: it is added, and the last version is right, a second after the one before.
        #expect(try bench.give(Trades.trade(900, "101", number: 2)).isEmpty)
        #expect(try bench.advance(to: now(9000)).isEmpty)
        #expect(try bench.advance(to: now(12_299)).isEmpty)
        #expect(
            try bench.advance(to: now(12_300)).map(\.candleText) == ["10:30:00 1s 100,101,100,101 2 2 closed"])
    }

    @Test func `the end closes everything`() throws {
        var bench = Self.bench(["1s", "1m"]) { $0.updates = nil }
        try bench.give(Trades.trade(0, "100", number: 1))
        try bench.give(Trades.trade(1500, "101", number: 2))
        let closed = bench.run { $0.finish(output: &$1) }
        #expect(
            Set(closed.map(\.candleText)) == [
                "10:30:00 1s 100,100,100,100 1 1 closed", "10:30:01 1s 101,101,101,101 1 1 closed",
                "10:30:00 1m 100,101,100,101 2 2 closed",
            ])
        #expect(bench.run { $0.finish(output: &$1) }.isEmpty)
    }

    @Test func `a replay is calculated with apart from what is live`() throws {
        var bench = Self.bench(closedOnly: ["1m"])
        let trades = [Trades.trade(0, "100", number: 1), Trades.trade(65_000, "101", number: 2)]
        for trade in trades { try bench.give(trade) }
        for trade in trades {
            var again = trade
            again.extra = ["replay": .object(["id": "r1", "offset": 1])]
            try bench.give(again)
        }
        #expect(bench.output.count == 2 && bench.output[0].lasting == bench.output[1].lasting)
        #expect(bench.deriver.counters["late"] == 0)
    }

    @Test func `the series not traded for longest makes room, and is counted`() throws {
        var bench = Self.bench(["1m", "5m"]) { $0.capacity = 8 }
        for symbol in ["A", "B", "C", "D"] { try bench.give(Trades.trade(0, "1", symbol: Name(symbol))) }
        try bench.give(Trades.trade(1, "1", number: 1, symbol: "A"))
        try bench.give(Trades.trade(1, "1", symbol: "E"))
        #expect(bench.deriver.seriesCount == 8 && bench.deriver.counters["evicted"] == 2)
        // A goes on, B begins anew.
        let again = try bench.give(Trades.trade(2000, "1", number: 2, symbol: "A"))
        #expect(again.last?.payload.candle?.trades == 3)
        #expect(try bench.give(Trades.trade(2000, "1", symbol: "B")).last?.payload.candle?.trades == 1)
    }

    @Test func `what cannot be calculated with is counted and changes nothing`() throws {
        var bench = Self.bench(closedOnly: ["1m"])
        try bench.give(Trades.trade(0, "100", number: 1))
        try bench.give(Trades.trade(1, "100", "1e999999", number: 2))
        try bench.give(Trades.trade(2, "0", number: 3))
        try bench.give(StandardEvent(eventType: .trade, source: "binance", payload: ["symbol": "BTC-USDT"]))
        // A clock that is hours ahead would close everything.
        try bench.give(Trades.trade(7_200_000, "100", number: 4, read: 3000))
        #expect(bench.output.isEmpty && bench.deriver.counters["unusable"] == 4)
        #expect(
            try bench.give(Trades.trade(62_000, "103", number: 6)).map(\.candleText)
                == ["10:30:00 1m 100,100,100,100 1 1 closed"])
    }

    @Test func `volumes add up beyond 64 bits`() throws {
        var bench = Self.bench(closedOnly: ["1m"])
        for number in 0..<3 { try bench.give(Trades.trade(0, "1", "9223372036854775807", number: number)) }
        try bench.give(Trades.trade(0, "1", "0.000000000000000000001", number: 3))
        let closed = try #require(try bench.give(Trades.trade(62_000, "1", number: 9)).first)
        #expect(closed.payload.candle?.volume.description == "27670116110564327421.000000000000000000001")
    }
}
