import NIOHTTP1
import Testing
import Tidings

@testable import TidingsGateway

@Suite(.timeLimit(.minutes(1)))
struct CandleTests {
    private static let start = Timestamp(nanoseconds: 1_705_314_600_000_000_000, precision: .seconds)

    private static func candle(
        _ minute: Int, close: Int = 1, closed: Bool = true, source: Name = "binance", origin: Name? = nil,
        symbol: Name = "BTC-USDT", interval: Name = "1m", start: Timestamp = Self.start
    ) -> StandardEvent {
        let timestamp = start.advanced(by: .seconds(60 * minute))
        return StandardEvent(
            eventType: .ohlcv, source: source,
            payload: .candle(
                Candle(
                    symbol: symbol, interval: interval, open: ExactDecimal(mantissa: 100, scale: 2),
                    high: ExactDecimal(close), low: 1, close: ExactDecimal(close), volume: 5, trades: 3,
                    isClosed: closed, timestamp: timestamp, origin: origin,
                    context: MarketContext(venueSymbol: symbol == "BTC-USDT" ? "BTCUSDT" : "ETHUSDT"))),
            timestamp: timestamp)
    }

    private static func publish(_ events: [StandardEvent], to bus: MemoryEventBus) async throws {
        for first in stride(from: 0, to: events.count, by: EventBatch.capacity) {
            _ = try await bus.publish(EventBatch(events[first..<min(first + EventBatch.capacity, events.count)]))
        }
    }

    private func closes(_ answer: HTTPTestResponse) throws -> [Int] {
        try #require(try answer.object["candles"]?.array).compactMap { $0.object?["close"]?.int }
    }

    private static let path = "/api/v1/candles?symbol=BTC-USDT&interval=1m"

    @Test func `candles come ascending, the newest version of each, the open one last`() async throws {
        try await GatewayHarness.run { gateway in
            let events = [
                Self.candle(0, close: 1, closed: false), Self.candle(1, close: 5, closed: false),
                Self.candle(0, close: 2), Self.candle(2, close: 9, closed: false), Self.candle(1, close: 6),
                Self.candle(0, close: 77, interval: "5m"), Self.candle(0, close: 78, symbol: "ETH-USDT"),
                Self.candle(2, close: 10, closed: false),
            ]
            try await Self.publish(events, to: gateway.bus)
            let answer = try await gateway.request("GET", Self.path)
            #expect(answer.status == 200)
            #expect(try closes(answer) == [2, 6, 10])
            #expect(
                answer.body.hasPrefix(
                    #"{"symbol":"BTC-USDT","interval":"1m","source":"binance","candles":[{"timestamp":"2024-01-15T10:30:00Z","#
                        + #""open":1.00,"high":2,"low":1,"close":2,"volume":5,"trades":3,"closed":true},"#))
            #expect(answer.body.hasSuffix(#""closed":false}]}"#))
            for symbol in ["btc-usdt", "BTCUSDT"] {
                let same = try await gateway.request(
                    "GET", "/api/v1/candles?symbol=\(symbol)&interval=1m&source=binance")
                #expect(same.body == answer.body)
            }
        }
    }

    @Test func `times and limits cut, from the newest`() async throws {
        try await GatewayHarness.run { gateway in
            try await Self.publish((0..<600).map { Self.candle($0, close: $0 + 1) }, to: gateway.bus)
            for (query, expected) in [
                ("", Array(101...600)), ("&limit=3", [598, 599, 600]), ("&limit=10000", Array(1...600)),
                ("&since=2024-01-15T10:32:00Z&until=2024-01-15T10:34:00Z", [3, 4]),
                ("&until=2024-01-15T10:31:00Z", [1]), ("&until=2024-01-15T10:40:00Z&limit=2", [9, 10]),
                ("&since=2024-01-15T20:28:00Z", [599, 600]), ("&since=2025-01-01", []),
            ] {
                for source in ["", "&source=binance"] {
                    let answer = try await gateway.request("GET", Self.path + query + source)
                    #expect(try closes(answer) == expected, "\(query)\(source)")
                }
            }
        }
    }

    @Test func `of several sources one has to be named`() async throws {
        try await GatewayHarness.run { gateway in
            let events = [
                Self.candle(0, close: 1), Self.candle(0, close: 2, source: "candles", origin: "binance"),
                Self.candle(0, close: 3, source: "candles", origin: "kraken"),
            ]
            try await Self.publish(events, to: gateway.bus)
            let all = try await gateway.request("GET", Self.path)
            #expect(try all.status == 400 && all.object["field"]?.string == "source")
            #expect(try all.object["detail"]?.string?.contains("binance, candles:binance, candles:kraken") == true)
            let ours = try await gateway.request("GET", Self.path + "&source=candles")
            #expect(
                try ours.status == 400
                    && ours.object["detail"]?.string?.contains("candles:binance, candles:kraken") == true)
            for (source, close) in [("binance", 1), ("candles:binance", 2), ("candles:kraken", 3)] {
                let answer = try await gateway.request("GET", Self.path + "&source=" + source)
                #expect(try closes(answer) == [close])
                #expect(try answer.object["source"]?.string == source)
            }
            #expect(try closes(try await gateway.request("GET", Self.path + "&source=nobody")).isEmpty)
        }
    }

    @Test func `our own candles are found by their source alone where one venue has them`() async throws {
        try await GatewayHarness.run { gateway in
            try await Self.publish([Self.candle(0, close: 4, source: "candles", origin: "binance")], to: gateway.bus)
            for query in ["", "&source=candles"] {
                let answer = try await gateway.request("GET", Self.path + query)
                #expect(try closes(answer) == [4])
                #expect(try answer.object["source"]?.string == "candles" && answer.object["of"]?.string == "binance")
            }
        }
    }

    @Test func `what is only in the log is read from it, old or new`() async throws {
        let recent = Timestamp(
            nanoseconds: Timestamp.now().nanoseconds / 60_000_000_000 * 60_000_000_000, precision: .seconds)
        for begin in [Self.start, recent.advanced(by: .seconds(-60 * 1000))] {
            let log = MemoryEventLog()
            let bus = MemoryEventBus(log: log)
            // Two versions of each.
            let events = (0...1000).flatMap { minute in
                [1, 2].map { Self.candle(minute, close: minute * 10 + $0, closed: $0 == 2, start: begin) }
            }
            try await Self.publish(events, to: bus)
            var history = CandleHistory(log: log, symbol: "BTC-USDT", interval: "1m", source: nil, limit: 100)
            try await history.read(since: nil, until: nil, now: .now())
            let set = try #require(history.found.values.first)
            let newest = set.sorted { $0.key < $1.key }.suffix(100).map { $0.value.close }
            #expect(newest == (901...1000).map { ExactDecimal($0 * 10 + 2) })
            // It has not read all of it.
            #expect(CandleHistory.mostEvents - history.budget <= 420)
            await bus.stop()
        }
    }

    @Test func `a gap in what is remembered is filled from the log`() async throws {
        let log = MemoryEventLog()
        let bus = MemoryEventBus(log: log)
        let projection = CandleProjection(capacity: 10, length: 20)
        for minute in 0..<100 {
            let event = Self.candle(minute, close: minute)
            try await Self.publish([event], to: bus)
            // The program was not there for a while.
            if !(40..<50).contains(minute) { projection.observe(event) }
        }
        let kept = try #require(projection.find("BTC-USDT", interval: "1m", source: nil).values.first)
        #expect(kept.count == 20 && kept.last?.close == 99)
        await bus.stop()
    }

    @Test(arguments: [
        ("interval=1m", "symbol"), ("symbol=A", "interval"), ("symbol=&interval=1m", "symbol"),
        ("symbol=A&interval=1m&limit=0", "limit"), ("symbol=A&interval=1m&limit=10001", "limit"),
        ("symbol=A&interval=1m&since=yesterday", "since"), ("symbol=A&interval=1m&depth=1", "depth"),
        ("symbol=A&interval=12345678901234567", "interval"),
    ])
    func `a bad parameter is named`(query: String, field: String) async throws {
        try await GatewayHarness.run { gateway in
            let answer = try await gateway.request("GET", "/api/v1/candles?" + query)
            #expect(try answer.status == 400 && answer.object["field"]?.string == field)
        }
    }

    @Test func `without candles the list is empty`() async throws {
        try await GatewayHarness.run { gateway in
            let answer = try await gateway.request("GET", Self.path)
            #expect(answer.status == 200)
            #expect(answer.body == #"{"symbol":"BTC-USDT","interval":"1m","source":null,"candles":[]}"#)
        }
    }
}
