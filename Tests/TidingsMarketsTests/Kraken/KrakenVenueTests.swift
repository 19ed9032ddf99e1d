import Testing

@testable import Tidings
@testable import TidingsMarkets

@Suite struct KrakenVenueTests {
    @Test(arguments: [
        ("BTC-USD", "BTC-USD", "BTC/USD"), ("btc-usd", "BTC-USD", "BTC/USD"), ("XBT/USD", "BTC-USD", "BTC/USD"),
        ("BTC/USD", "BTC-USD", "BTC/USD"), ("XBTUSD", "BTC-USD", "BTC/USD"), ("XXBTZUSD", "BTC-USD", "BTC/USD"),
        ("OCEAN/XBT", "OCEAN-BTC", "OCEAN/BTC"), ("XDG/EUR", "DOGE-EUR", "DOGE/EUR"), ("xmrusd", "XMR-USD", "XMR/USD"),
        ("XETHXXBT", "ETH-BTC", "ETH/BTC"), ("USDTUSD", "USDT-USD", "USDT/USD"), ("ETHUSDT", "ETH-USDT", "ETH/USDT"),
        ("AAPLx/USD", "AAPLX-USD", "AAPLx/USD"),
    ])
    func `a symbol is known by every spelling`(name: String, symbol: String, wire: String) throws {
        let instrument = try #require(Kraken().instrument(named: name))
        #expect(instrument.symbol == symbol)
        #expect(instrument.venueSymbol == wire)
        #expect(instrument.kind == .spot)
    }

    @Test(arguments: ["", "USD", "-", "/", "BTC-", "/USD", "A/B/C", "B T/USD", "BTC\"/USD", "BTC", "💶/USD"])
    func `what cannot be a pair is none`(name: String) {
        #expect(Kraken().instrument(named: name) == nil)
    }

    private func instruments(_ text: String) throws(VenueError) -> [Instrument] {
        try text.withRawUTF8 { (bytes) throws(VenueError) in try Kraken().instruments(from: bytes) }
    }

    @Test func `the list has what is online, with its digits`() throws {
        let text =
            #"{"error":[],"result":{"XXBTZUSD":{"altname":"XBTUSD","wsname":"XBT/USD","base":"XXBT","pair_decimals":1,"lot_decimals":8,"fees":[[0,0.4]],"status":"online"},"XDGEUR":{"wsname":"XDG/EUR","pair_decimals":7,"lot_decimals":8,"status":"cancel_only"},"ETHDAI":{"wsname":"ETH/DAI","pair_decimals":5,"lot_decimals":8}}}"#
        let list = try self.instruments(text)
        #expect(list.map(\.symbol) == ["BTC-USD", "ETH-DAI"])
        #expect(list.first?.venueSymbol == "BTC/USD")
        #expect(list.first?.priceScale == 1)
        #expect(list.first?.sizeScale == 8)
        #expect(Kraken().instrumentsRequest.target == "/0/public/AssetPairs")
    }

    @Test func `a refusal has the venue's words, and nonsense is unreadable`() {
        let refused = #expect(throws: VenueError.self) {
            try self.instruments(#"{"error":["EGeneral:Too many requests"]}"#)
        }
        #expect(refused?.code == .refused)
        #expect(refused?.message.contains("Too many requests") == true)
        for text in ["", "[]", "{}", #"{"result":{}} x"#, #"{"error":[],"result":[]}"#] {
            #expect(throws: VenueError.self) { try self.instruments(text) }
        }
    }

    @Test func `candles of the past are closed but for the last`() throws {
        let venue = Kraken()
        let instrument = try #require(venue.instrument(named: "BTC-USD"))
        let since = Timestamp(nanoseconds: 1_696_436_400_000_000_000)
        let query = HistoryQuery(
            instrument, .candles(interval: "1h", since: since, until: since.advanced(by: .seconds(4 * 3600))))
        let request = try venue.request(for: query)
        #expect(request.target == "/0/public/OHLC?pair=XBTUSD&interval=60&since=1696436399")
        let rows = (-1..<5).map {
            #"[\#(1_696_436_400 + $0 * 3600),"30306.1","30306.2","30305.7","30305.7","30306.1","3.39243896",23]"#
        }
        let body = #"{"error":[],"result":{"XXBTZUSD":[\#(rows.joined(separator: ","))],"last":1688672160}}"#
        let page = try body.withRawUTF8 { (bytes) throws(VenueError) in
            try venue.page(of: query, request: request, from: bytes, at: since)
        }
        #expect(page.events.count == 4)
        #expect(page.events.first?.timestamp == since)
        #expect(page.events.allSatisfy { $0.payload.candle?.isClosed == true })
        #expect(page.events.first?.payload.candle?.volume.description == "3.39243896")
        let unknown = HistoryQuery(instrument, .candles(interval: "2h", since: since, until: since))
        #expect(throws: VenueError.self) { try venue.request(for: unknown) }
    }
}
