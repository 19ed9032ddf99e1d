import Testing

@testable import Tidings
@testable import TidingsMarkets

@Suite struct BinanceVenueTests {
    private let venue = Binance()
    private let bitcoin = Instrument(symbol: "BTC-USDT", venueSymbol: "BTCUSDT")
    private let now = Timestamp(nanoseconds: 1_700_000_000_000_000_000)

    // MARK: Symbols

    @Test(arguments: [
        ("BTC-USDT", "BTC-USDT", "BTCUSDT"), ("btc-usdt", "BTC-USDT", "BTCUSDT"), ("BTCUSDT", "BTC-USDT", "BTCUSDT"),
        ("btcusdt", "BTC-USDT", "BTCUSDT"), ("ETHBTC", "ETH-BTC", "ETHBTC"), ("BTCFDUSD", "BTC-FDUSD", "BTCFDUSD"),
        ("BTCTUSD", "BTC-TUSD", "BTCTUSD"), ("USDTTRY", "USDT-TRY", "USDTTRY"), ("RUNEEUR", "RUNE-EUR", "RUNEEUR"),
        ("1000SATSUSDT", "1000SATS-USDT", "1000SATSUSDT"), ("WBTCBTC", "WBTC-BTC", "WBTCBTC"),
        ("ABC-NEWQUOTE", "ABC-NEWQUOTE", "ABCNEWQUOTE"), ("币安人生-USDT", "币安人生-USDT", "币安人生USDT"),
    ])
    func `symbols are known by either spelling, in any case`(name: String, symbol: String, venueSymbol: String) {
        #expect(self.venue.instrument(named: name) == Instrument(symbol: symbol, venueSymbol: venueSymbol))
    }

    @Test(arguments: [
        "", "-", "USDT", "BTC", "BTC-", "-USDT", "BTC-USDT-X", "BTC/USDT", "B T-USDT", "\"-USDT", "BTC_USDT",
        "A&symbol=B-USDT", String(repeating: "A", count: 50) + "-USDT",
    ])
    func `what cannot be a symbol is none`(name: String) {
        #expect(self.venue.instrument(named: name) == nil)
    }

    @Test func `symbols in queries are escaped`() {
        #expect(Binance.escaped("BTCUSDT") == "BTCUSDT")
        #expect(Binance.escaped("币&\u{7}") == "%E5%B8%81%26%07")
    }

    @Test func `the venue is found by its name`() throws {
        #expect(try Venues.named("Binance").name == "binance")
        #expect(self.venue.limits.connectionLife == .seconds(86_400))
        #expect(self.venue.limits.requestWeight == 6000)
        #expect(self.venue.limits.messagesPerSecond < 5)
    }

    private func instruments(_ answer: String) throws -> [Instrument] {
        try Array(answer.utf8).withUnsafeBytes { try self.venue.instruments(from: $0) }
    }

    @Test func `the list has what is traded on the spot market, with its digits`() throws {
        let list = try self.instruments(
            #"{"timezone":"UTC","serverTime":1,"rateLimits":[{}],"exchangeFilters":[],"symbols":[{"symbol":"ETHBTC","status":"TRADING","baseAsset":"ETH","quoteAsset":"BTC","isSpotTradingAllowed":true,"filters":[{"filterType":"PRICE_FILTER","minPrice":"0.00001000","tickSize":"0.00001000"},{"filterType":"LOT_SIZE","stepSize":"0.00010000"},{"filterType":"X"}],"permissions":["SPOT"]},{"symbol":"OLDBTC","status":"BREAK","baseAsset":"OLD","quoteAsset":"BTC"},{"symbol":"LEVBTC","status":"TRADING","baseAsset":"LEV","quoteAsset":"BTC","isSpotTradingAllowed":false},{"quoteAsset":"USDT","baseAsset":"BTC","symbol":"BTCUSDT","status":"TRADING","filters":[{"tickSize":"1.00000000","filterType":"PRICE_FILTER"}]},{},7]}"#
        )
        #expect(
            list == [
                Instrument(symbol: "ETH-BTC", venueSymbol: "ETHBTC", priceScale: 5, sizeScale: 4),
                Instrument(symbol: "BTC-USDT", venueSymbol: "BTCUSDT", priceScale: 0),
            ])
    }

    @Test(arguments: ["", "[]", "{}", #"{"symbols":7}"#, #"{"symbols":[}"#, #"{"code":-1,"msg":"x"}"#])
    func `a list that makes no sense is an error`(answer: String) {
        #expect(throws: VenueError.self) { try self.instruments(answer) }
    }

    // MARK: History

    private func candles(_ interval: String, _ since: Int64, _ until: Int64) -> HistoryQuery {
        HistoryQuery(
            self.bitcoin,
            .candles(
                interval: interval, since: Timestamp(nanoseconds: since), until: Timestamp(nanoseconds: until)))
    }

    private func page(_ query: HistoryQuery, _ request: VenueRequest, _ answer: String) throws -> HistoryPage {
        try Array(answer.utf8).withUnsafeBytes {
            try self.venue.page(of: query, request: request, from: $0, at: self.now)
        }
    }

    @Test func `candles are asked for by their starts, the last one not included`() throws {
        let request = try self.venue.request(for: self.candles("1m", 1_000_000_001, 61_000_000_000))
        #expect(
            request.target
                == "/api/v3/klines?symbol=BTCUSDT&interval=1m&startTime=1001&endTime=60999&limit=1000")
        #expect(request.weight == 2)
        for interval in Binance.intervals {
            #expect(throws: Never.self) { try self.venue.request(for: self.candles(interval, 0, 1)) }
        }
    }

    @Test(arguments: [("7m", 0, 1), ("1M ", 0, 1), ("", 0, 1), ("1m", 5, 5), ("1m", 6, 5)] as [(String, Int64, Int64)])
    func `candles that there are not are refused`(interval: String, since: Int64, until: Int64) {
        #expect(throws: VenueError.self) { try self.venue.request(for: self.candles(interval, since, until)) }
    }

    @Test func `a candle of the past is that of the feed`() throws {
        let query = self.candles("1m", 1_672_515_780_000_000_000, 1_672_515_840_000_000_000)
        let page = try self.page(
            query, try self.venue.request(for: query),
            #"[[1672515780000,"0.0010","0.0025","0.0015","0.0020","1000",1672515839999,"1.0000",100,"500","0.500","0"]]"#
        )
        var feed = BinanceFeed(channels: [.ohlcv])
        feed.receive(
            #"{"e":"kline","E":1672515840000,"s":"BTCUSDT","k":{"t":1672515780000,"T":1672515839999,"s":"BTCUSDT","i":"1m","o":"0.0010","c":"0.0020","h":"0.0025","l":"0.0015","v":"1000","n":100,"x":true}}"#
        )
        #expect(page.events.map(\.eventID) == feed.output.events.map(\.eventID))
        #expect(page.events.first?.payload.candle?.isClosed == true)
        #expect(page.events.first?.payload.candle?.trades == 100)
        #expect(page.next == nil)
    }

    @Test func `a full page of candles has a next one, which begins behind it`() throws {
        func rows(_ range: Range<Int>) -> String {
            "[\(range.map { #"[\#($0 * 1000),"1","1","1","1","1",\#($0 * 1000 + 999),"1",1,"1","1","0"]"# }.joined(separator: ","))]"
        }
        let query = self.candles("1s", 0, 1_500_000_000_000)
        let first = try self.venue.request(for: query)
        let page = try self.page(query, first, rows(0..<1000))
        #expect(page.events.count == 1000)
        let next = try #require(page.next)
        #expect(next.target.contains("startTime=999001&endTime=1499999"))
        let last = try self.page(query, next, rows(1000..<1500))
        #expect(last.events.count == 500)
        #expect(last.next == nil)
        // A venue that gives the same again and again is not asked for ever.
        let stuck = try self.page(query, next, rows(0..<1000))
        #expect(stuck.next == nil)
    }

    @Test func `trades of the past are those of the feed, oldest first`() throws {
        let query = HistoryQuery(self.bitcoin, .trades(limit: 2))
        let request = try self.venue.request(for: query)
        #expect(request.target == "/api/v3/trades?symbol=BTCUSDT&limit=2")
        #expect(request.weight == 25)
        let page = try self.page(query, request, BinanceFeed.past([9, 7, 8]))
        var feed = BinanceFeed(channels: [.trade])
        feed.trade(8)
        feed.trade(9)
        #expect(page.events.map(\.eventID) == feed.output.events.map(\.eventID))
        let many = try self.venue.request(for: HistoryQuery(self.bitcoin, .trades(limit: 100_000)))
        #expect(many.target.hasSuffix("limit=1000"))
    }

    @Test(arguments: ["", "{}", "[", "[7]", #"[{"id":1}]"#, "[[1]]", #"{"code":-1121,"msg":"Invalid symbol."}"#])
    func `history that makes no sense is an error`(answer: String) throws {
        for query in [self.candles("1m", 0, 60_000_000_000), HistoryQuery(self.bitcoin, .trades(limit: 5))] {
            let request = try self.venue.request(for: query)
            #expect(throws: VenueError.self) { try self.page(query, request, answer) }
        }
    }
}
