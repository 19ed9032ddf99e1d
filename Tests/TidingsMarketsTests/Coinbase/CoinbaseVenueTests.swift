import Testing
import Tidings

@testable import TidingsMarkets

@Suite struct CoinbaseVenueTests {
    private static let now = Timestamp(nanoseconds: 1_700_000_000_000_000_000, precision: .microseconds)

    private func time(_ text: String) throws -> Timestamp { try #require(Timestamp(text)) }

    private func instruments(_ venue: any Venue, _ answer: String) throws -> [Instrument] {
        try answer.withRawUTF8 { bytes throws(VenueError) in try venue.instruments(from: bytes) }
    }

    private func page(
        _ venue: any Venue, _ query: HistoryQuery, _ request: VenueRequest, _ body: String
    ) throws
        -> HistoryPage
    {
        try body.withRawUTF8 { bytes throws(VenueError) in
            try venue.page(of: query, request: request, from: bytes, at: Self.now)
        }
    }

    @Test func `symbols are known in any case`() {
        for name in ["BTC-USD", "btc-usd"] {
            #expect(Coinbase().instrument(named: name) == Instrument(symbol: "BTC-USD", venueSymbol: "BTC-USD"))
        }
        for name in ["", "BTC", "BTC-", "-USD", "BTC/USD", "BTC-USD-X", "B T-USD", "BIT-26APR24-CDE", "\"-USD"] {
            #expect(Coinbase().instrument(named: name) == nil)
        }
    }

    @Test func `the Exchange's list has what is online, with the digits of its increments`() throws {
        let list = try self.instruments(
            Coinbase(),
            #"[{"id":"BTC-USD","base_currency":"BTC","quote_increment":"0.01","base_increment":"0.00000001","status":"online","trading_disabled":false},{"id":"OLD-USD","status":"delisted"},{"id":"SHUT-USD","status":"online","trading_disabled":true},{"id":"SHIB-USD","quote_increment":"0.00000001000","base_increment":"1","status":"online"}]"#
        )
        #expect(
            list == [
                Instrument(symbol: "BTC-USD", venueSymbol: "BTC-USD", priceScale: 2, sizeScale: 8),
                Instrument(symbol: "SHIB-USD", venueSymbol: "SHIB-USD", priceScale: 8, sizeScale: 0),
            ])
    }

    @Test func `Advanced Trade's list has its spot markets`() throws {
        let list = try self.instruments(
            CoinbaseAdvanced(),
            #"{"products":[{"product_id":"BTC-USD","base_increment":"0.00000001","quote_increment":"0.01","is_disabled":false,"status":"online","trading_disabled":false,"product_type":"SPOT"},{"product_id":"BIT-26APR24-CDE","product_type":"FUTURE","status":""},{"product_id":"X-USD","is_disabled":true,"product_type":"SPOT"}],"num_products":3}"#
        )
        #expect(list == [Instrument(symbol: "BTC-USD", venueSymbol: "BTC-USD", priceScale: 2, sizeScale: 8)])
    }

    @Test func `a refused list says so in the venue's words`() {
        let error = #expect(throws: VenueError.self) {
            try self.instruments(Coinbase(), #"{"message":"Internal server error"}"#)
        }
        #expect(error?.code == .refused)
        #expect(error?.message == "coinbase: Internal server error")
        #expect(throws: VenueError.self) { try self.instruments(Coinbase(), "[{]") }
        #expect(throws: VenueError.self) { try self.instruments(CoinbaseAdvanced(), "{}") }
    }

    @Test func `candles come oldest first, digit for digit, page after page`() throws {
        let venue = Coinbase()
        let instrument = try #require(venue.instrument(named: "BTC-USD"))
        let query = HistoryQuery(
            instrument,
            .candles(
                interval: "1m", since: try self.time("2023-11-14T00:00:00Z"),
                until: try self.time("2023-11-14T05:01:00Z")))
        let first = try venue.request(for: query)
        #expect(
            first.target
                == "/products/BTC-USD/candles?granularity=60&start=2023-11-14T00:00:00Z&end=2023-11-14T04:59:59Z")
        let page = try self.page(
            venue, query, first,
            #"[[1699920060,0.32,4.20,0.350,4.2,12.3],[1699920000,1,2,1,2,1e-7],[1699919940,1,2,1,2,3]]"#)
        let candles = page.events.compactMap { $0.payload.candle }
        #expect(candles.map { $0.timestamp.description } == ["2023-11-14T00:00:00Z", "2023-11-14T00:01:00Z"])
        #expect(candles.last?.low.description == "0.32" && candles.last?.high.description == "4.20")
        #expect(candles.last?.open.description == "0.350" && candles.last?.close.description == "4.2")
        #expect(candles.first?.volume.description == "1e-7")
        #expect(candles.allSatisfy { $0.isClosed == true && $0.interval == "1m" })
        let second = try #require(page.next)
        #expect(
            second.target
                == "/products/BTC-USD/candles?granularity=60&start=2023-11-14T05:00:00Z&end=2023-11-14T05:00:59Z")
        #expect(try self.page(venue, query, second, "[]").next == nil)
    }

    @Test func `Advanced Trade's candles are asked for in Unix seconds`() throws {
        let venue = CoinbaseAdvanced()
        let instrument = try #require(venue.instrument(named: "BTC-USD"))
        let query = HistoryQuery(
            instrument,
            .candles(
                interval: "1h", since: try self.time("2023-11-14T00:00:00Z"),
                until: try self.time("2023-11-14T02:00:00Z")))
        let request = try venue.request(for: query)
        #expect(
            request.target
                == "/api/v3/brokerage/market/products/BTC-USD/candles?start=1699920000&end=1699927199&granularity=ONE_HOUR&limit=300"
        )
        let page = try self.page(
            venue, query, request,
            #"{"candles":[{"start":"1699923600","low":"1","high":"2","open":"1.0","close":"2","volume":"3"},{"start":"1699920000","low":"1","high":"2","open":"1","close":"2","volume":"3"}]}"#
        )
        #expect(page.events.compactMap { $0.payload.candle?.open.description } == ["1", "1.0"])
        #expect(page.next == nil)
    }

    @Test func `an interval that a venue does not have is refused by name`() throws {
        for venue in [Coinbase() as any Venue, CoinbaseAdvanced()] {
            let instrument = try #require(venue.instrument(named: "BTC-USD"))
            let query = HistoryQuery(instrument, .candles(interval: "3m", since: Self.now, until: Self.now))
            let error = #expect(throws: VenueError.self) { try venue.request(for: query) }
            #expect(error?.code == .unsupported)
            #expect(error?.message.contains("3m") == true)
        }
    }

    @Test func `trades come oldest first, with the ids of the feed`() throws {
        let venue = Coinbase()
        let instrument = try #require(venue.instrument(named: "BTC-USD"))
        let query = HistoryQuery(instrument, .trades(limit: 2))
        let request = try venue.request(for: query)
        #expect(request.target == "/products/BTC-USD/trades?limit=2")
        let body =
            #"[{"time":"2023-11-14T22:13:20.5Z","trade_id":12,"price":"4.0","size":"5","side":"sell"},{"time":"2023-11-14T22:13:20.1Z","trade_id":11,"price":"4","size":"5","side":"buy"}]"#
        let page = try self.page(venue, query, request, body)
        #expect(page.events.compactMap { $0.payload.trade?.tradeID?.description } == ["11", "12"])
        #expect(page.events.compactMap { $0.payload.trade?.side } == [.sell, .buy])
        var harness = SessionHarness(venue, ["BTC-USD"], [.trade])
        let live = harness.receive(
            #"{"type":"match","product_id":"BTC-USD","time":"2023-11-14T22:13:20.1Z","trade_id":11,"price":"4","size":"5","side":"buy"}"#
        )
        #expect(live.events.first?.eventID == page.events.first?.eventID)
        let advanced = HistoryQuery(instrument, .trades(limit: 5000))
        #expect(
            try CoinbaseAdvanced().request(for: advanced).target
                == "/api/v3/brokerage/market/products/BTC-USD/ticker?limit=1000")
    }

    @Test func `candles of the Exchange are polled at the end of their interval`() throws {
        var harness = SessionHarness(Coinbase(), ["BTC-USD"], [.ohlcv], interval: "1m")
        // 22:13:20
        #expect(harness.open().notices.contains(.confirmed(stream: 0)))
        let request = try #require(harness.wait(.zero).requests.first)
        #expect(request.purpose == .recent(.ohlcv, 0))
        #expect(
            request.target
                == "/products/BTC-USD/candles?granularity=60&start=2023-11-14T22:12:00Z&end=2023-11-14T22:12:59Z")
        let output = harness.answer(request, "[[1699999980,1,3,1,2,4],[1699999920,1,3,1,2.0,4]]")
        #expect(output.candles.map { $0.timestamp.description } == ["2023-11-14T22:12:00Z"])
        #expect(output.candles.first?.isClosed == true)
        #expect(harness.wait(.seconds(41)).requests.isEmpty)
        #expect(harness.wait(.seconds(1)).requests.count == 1)
    }

    @Test func `an interval of candles that there is not is told of once, and is not called silent`() {
        for venue in [Coinbase() as any Venue, CoinbaseAdvanced()] {
            var harness = SessionHarness(venue, ["BTC-USD"], [.trade, .ohlcv], interval: "4h")
            let output = harness.open()
            #expect(output.codes == ["UNSUPPORTED_CHANNEL"])
            #expect(output.problems.first?.message.contains("4h") == true)
            _ = harness.close()
            #expect(harness.open(2).problems.isEmpty)
            #expect(harness.wait(.seconds(1)).heard == [1])
        }
    }
}
