import Testing

@testable import Tidings
@testable import TidingsMarkets

@Suite struct HyperliquidVenueTests {
    @Test func `symbols are known by either spelling, in any case`() throws {
        let venue = try Venues.named("HYPERLIQUID")
        for name in ["BTC", "btc", "BTC-USD", "btc-usd"] {
            #expect(
                try venue.instruments(named: [name]) == [
                    Instrument(symbol: "BTC-USD", venueSymbol: "BTC", kind: .perpetual)
                ])
        }
        #expect(
            try venue.instruments(named: ["kPEPE"]) == [
                Instrument(symbol: "KPEPE-USD", venueSymbol: "kPEPE", kind: .perpetual)
            ])
        for name in ["", "BTC-EUR", "B T", "\"", "BTC/USD"] {
            #expect(throws: ConnectorError.self) { try venue.instruments(named: [name]) }
        }
    }

    @Test func `an unknown venue is refused with the names of those there are`() {
        let error = #expect(throws: ConnectorError.self) { try Venues.named("mtgox") }
        #expect(error?.message.contains("hyperliquid") == true)
    }

    private func instruments(_ text: String) throws(VenueError) -> [Instrument] {
        try text.withRawUTF8 { (bytes) throws(VenueError) in try Hyperliquid().instruments(from: bytes) }
    }

    @Test func `the list has what is not delisted, with the digits of sizes`() throws {
        let list = try self.instruments(
            #"{"universe":[{"szDecimals":5,"name":"BTC","maxLeverage":40},{"name":"MATIC","szDecimals":1,"isDelisted":true},{"name":"kPEPE","szDecimals":0}],"marginTables":[]}"#
        )
        #expect(list.map(\.symbol) == ["BTC-USD", "KPEPE-USD"])
        #expect(list.map(\.venueSymbol) == ["BTC", "kPEPE"])
        #expect(list.map(\.sizeScale) == [5, 0])
        #expect(list.allSatisfy { $0.kind == .perpetual })
        for text in ["", "null", "{}", #"{"universe":7}"#, #"{"universe":[7]}"#, "[]"] {
            #expect(throws: VenueError.self) { try self.instruments(text) }
        }
    }

    private func page(
        _ query: HistoryQuery, _ request: VenueRequest, _ body: String, at now: Timestamp
    ) throws(VenueError) -> HistoryPage {
        try body.withRawUTF8 { (bytes) throws(VenueError) in
            try Hyperliquid().page(of: query, request: request, from: bytes, at: now)
        }
    }

    @Test func `candles of the past come in pages, and the one that runs is not closed`() throws {
        let venue = Hyperliquid()
        let instrument = try #require(venue.instrument(named: "BTC"))
        let since = Timestamp(nanoseconds: 1_700_000_040_000_000_000)
        let until = since.advanced(by: .seconds(600 * 60))
        let query = HistoryQuery(instrument, .candles(interval: "1m", since: since, until: until))
        let request = try venue.request(for: query)
        #expect(request.body.contains(#""startTime":1700000040000,"endTime":1700036039999"#))
        let list = (0..<500).map { HyperliquidFeed.candle(1_700_000_040_000 + $0 * 60_000) }
        let now = since.advanced(by: .seconds(499 * 60 + 30))
        let page = try self.page(query, request, "[\(list.joined(separator: ","))]", at: now)
        #expect(page.events.count == 500)
        #expect(page.events.first?.payload.candle?.isClosed == true)
        #expect(page.events.last?.payload.candle?.isClosed == false)
        #expect(page.next?.body.contains(#""startTime":1700029980001,"#) == true)
        #expect(try self.page(query, request, "[]", at: now).next == nil)
        let unknown = HistoryQuery(instrument, .candles(interval: "7m", since: since, until: until))
        #expect(throws: VenueError.self) { try venue.request(for: unknown) }
    }

    @Test func `recent trades have the identifiers that the feed gives them`() throws {
        let venue = Hyperliquid()
        var feed = HyperliquidFeed()
        let live = feed.receive(HyperliquidFeed.trades([10, 20, 30])).events
        let query = HistoryQuery(try #require(venue.instrument(named: "BTC")), .trades(limit: 2))
        let page = try self.page(
            query, try venue.request(for: query), HyperliquidFeed.fills([30, 20, 10]), at: HyperliquidFeed.start)
        #expect(page.events.map(\.eventID) == live.suffix(2).map(\.eventID))
    }
}
