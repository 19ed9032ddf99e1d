import NIOCore
import Testing
import TidingsTestSupport
import TidingsWebSocket

@testable import Tidings
@testable import TidingsMarkets

@Suite(.timeLimit(.minutes(1))) struct MarketHistoryTests {
    private static let minute: Int64 = 60_000
    private static let begin: Int64 = 1_700_000_040_000

    private static func time(_ milliseconds: Int64) -> Timestamp {
        Timestamp(nanoseconds: milliseconds * 1_000_000, precision: .milliseconds)
    }

    /// Binance, as far as the past is concerned.
    private static func answer(_ uri: String) -> (status: Int, body: String) {
        if uri.hasPrefix("/api/v3/exchangeInfo") {
            return (
                200,
                #"""
                {"symbols":[{"symbol":"BTCUSDT","status":"TRADING","baseAsset":"BTC","quoteAsset":"USDT",
                "isSpotTradingAllowed":true,"filters":[{"filterType":"PRICE_FILTER","tickSize":"0.01000000"}]}]}
                """#
            )
        }
        var values: [Substring: Substring] = [:]
        for pair in uri.split(separator: "?").last?.split(separator: "&") ?? [] {
            let parts = pair.split(separator: "=")
            if parts.count == 2 { values[parts[0]] = parts[1] }
        }
        if uri.hasPrefix("/api/v3/trades") {
            let limit = values["limit"].flatMap { Int($0) } ?? 500
            let trades = (0..<limit).map {
                #"{"id":\#($0),"price":"2.50","qty":"1","time":\#(Self.begin + Int64($0)),"isBuyerMaker":true}"#
            }
            return (200, "[\(trades.joined(separator: ","))]")
        }
        guard uri.hasPrefix("/api/v3/klines"), let start = values["startTime"].flatMap({ Int64($0) }),
            let end = values["endTime"].flatMap({ Int64($0) })
        else { return (400, #"{"code":-1100,"msg":"Illegal characters"}"#) }
        var candles: [String] = []
        var time = (start + Self.minute - 1) / Self.minute * Self.minute
        while time <= end, candles.count < 1000 {
            candles.append(#"[\#(time),"1.0","2.0","0.5","1.5","10",\#(time + Self.minute - 1),"15",3,"5","7","0"]"#)
            time += Self.minute
        }
        return (200, "[\(candles.joined(separator: ","))]")
    }

    private func with(_ body: (MarketHistory, Collector<String>) async throws -> Void) async throws {
        let requests = Collector<String>()
        var configuration = WebSocketListenerConfiguration()
        configuration.port = 0
        let listener = try await WebSocketListener.bind(
            configuration: configuration,
            onUpgrade: { _ in .refuse(.init(status: 400, message: "no sockets here", headers: [])) },
            onRequest: { request in
                requests.add(request.uri)
                let answer = Self.answer(request.uri)
                return .init(status: answer.status, headers: [], body: ByteBuffer(string: answer.body))
            })
        let history = try MarketHistory(venue: "binance", rest: "http://127.0.0.1:\(listener.port)")
        do {
            try await body(history, requests)
        } catch {
            await history.shutdown()
            await listener.close()
            throw error
        }
        await history.shutdown()
        await listener.close()
    }

    @Test func `candles of many pages come whole, in order and without doubles`() async throws {
        try await self.with { history, requests in
            let until = Self.begin + 2500 * Self.minute
            let events = try await history.candles(
                "BTC-USDT", interval: "1m", since: Self.time(Self.begin), until: Self.time(until))
            #expect(events.count == 2500)
            #expect(events.first?.timestamp == Self.time(Self.begin))
            #expect(events.last?.timestamp == Self.time(until - Self.minute))
            #expect(zip(events, events.dropFirst()).allSatisfy { $0.timestamp < $1.timestamp })
            #expect(Set(events.map(\.eventID)).count == 2500)
            #expect(requests.values.count { $0.hasPrefix("/api/v3/klines") } == 3)
        }
    }

    @Test func `a page at a time needs not all of them in memory`() async throws {
        try await self.with { history, _ in
            var sizes: [Int] = []
            try await history.forEachPage(
                of: "btcusdt",
                .candles(
                    interval: "1m", since: Self.time(Self.begin), until: Self.time(Self.begin + 1500 * Self.minute))
            ) { sizes.append($0.count) }
            #expect(sizes == [1000, 500])
        }
    }

    @Test func `either spelling will do, and the same trade has the same identifier`() async throws {
        try await self.with { history, _ in
            let ours = try await history.trades("BTC-USDT", limit: 7)
            let theirs = try await history.trades("BTCUSDT", limit: 7)
            #expect(ours.count == 7)
            #expect(ours.map(\.eventID) == theirs.map(\.eventID))
        }
    }

    @Test func `the instruments are the venue's`() async throws {
        try await self.with { history, _ in
            let instruments = try await history.instruments()
            #expect(instruments == [Instrument(symbol: "BTC-USDT", venueSymbol: "BTCUSDT", priceScale: 2)])
        }
    }

    @Test func `an interval and a symbol that there are not are told apart from a venue that refuses`() async throws {
        try await self.with { history, requests in
            let interval = await #expect(throws: VenueError.self) {
                try await history.candles(
                    "BTC-USDT", interval: "7m", since: Self.time(Self.begin), until: Self.time(Self.begin + 1))
            }
            #expect(interval?.code == .unsupported)
            let symbol = await #expect(throws: VenueError.self) { try await history.trades("no symbol at all") }
            #expect(symbol?.code == .unsupported)
            #expect(symbol?.message == "'no symbol at all' is no symbol of binance")
            #expect(!requests.values.contains { $0.hasPrefix("/api/v3/klines") })
        }
        let nobody = try MarketHistory(venue: "binance", rest: "http://127.0.0.1:1")
        let refused = await #expect(throws: VenueError.self) { try await nobody.trades("BTC-USDT") }
        #expect(refused?.code == .refused)
        await nobody.shutdown()
    }
}
