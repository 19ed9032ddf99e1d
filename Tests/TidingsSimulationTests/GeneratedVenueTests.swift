import Testing

@testable import Tidings
@testable import TidingsSimulation

/// Made-up markets in each venue's manner of speaking, without sockets.
@Suite struct GeneratedVenueTests {
    static let names = ["binance", "coinbase", "coinbase-advanced", "kraken"]

    private func source(_ venue: any SimulatedVenue, seed: UInt64) -> GeneratedSource {
        GeneratedSource(
            GeneratedMarket(instruments: venue.instruments, seed: seed, start: 1_700_000_000_123), venue: venue)
    }

    private func frames(_ source: inout GeneratedSource) -> [String] {
        var frames: [String] = []
        source.advance { frames.append(String(decoding: $0, as: UTF8.self)) }
        return frames
    }

    @Test(arguments: names)
    func `a snapshot taken at any moment and what follows make the book that is`(name: String) throws {
        let venue = try SimulatedVenues.named(name)
        var random = SeededGenerator(seed: 77)
        for round in 0..<6 {
            let client = VenueClient(venue, venue.instruments[round % venue.instruments.count].symbol)
            let depth = [10, 25, 100][round % 3]
            var source = self.source(venue, seed: UInt64(round))
            for _ in 0..<random.number(0...200) { source.advance { _ in } }
            var state = SimulatedClient(subscriptions: client.topics)
            state.depths[venue.bookTopic(of: client.symbol)] = depth
            source.select(state)
            var book = SimulatedBook(symbol: client.symbol)
            if name == "binance" {
                // Over HTTP, as its clients have to.
                book = try #require(Self.depth(venue, source.snapshot, client.symbol))
            } else {
                source.begin(venue.bookTopic(of: client.symbol)) { frame in
                    if let change = venue.bookChange(in: frame) { book.apply(change) }
                }
            }
            for _ in 0..<random.number(50...200) {
                for frame in self.frames(&source) {
                    guard let change = client.bookChange(frame) else { continue }
                    if name == "binance" { #expect(change.first == book.sequence + 1) }
                    book.apply(change, limit: name == "kraken" ? depth : .max)
                    #expect(!VenueClient.isCrossed(book))
                    if name == "kraken" {
                        #expect(VenueClient.checksum(frame) == CRC32.checksum(bids: book.bids, asks: book.asks))
                    }
                }
            }
            var truth = try #require(source.snapshot.book(of: client.symbol))
            if name == "kraken" {
                truth = SimulatedBook(
                    symbol: client.symbol, sequence: 0, bids: Array(truth.bids.prefix(depth)),
                    asks: Array(truth.asks.prefix(depth)))
            }
            #expect(book.numbers == truth.numbers)
        }
    }

    /// The book that `GET /api/v3/depth` gives.
    static func depth(
        _ venue: any SimulatedVenue, _ snapshot: any VenueSnapshot, _ symbol: String, isFirst: Bool = false
    ) -> SimulatedBook? {
        let uri = "/api/v3/depth?symbol=\(symbol)&limit=5000"
        let response = venue.respond(to: VenueRequest(uri: uri, isFirst: { _ in isFirst }), from: snapshot)
        guard let change = response.body.withUnsafeBytes({ venue.bookChange(inResponse: $0, to: uri) }) else {
            return nil
        }
        var book = SimulatedBook(symbol: symbol)
        book.apply(change)
        return book
    }

    @Test(arguments: names)
    func `trades are numbered without a hole, and HTTP has the same`(name: String) throws {
        let venue = try SimulatedVenues.named(name)
        let client = VenueClient(venue)
        var source = self.source(venue, seed: 3)
        source.select(SimulatedClient(subscriptions: client.topics))
        var trades: [TradeRecord] = []
        for _ in 0..<1000 { for frame in self.frames(&source) { trades += client.trades(frame) } }
        #expect(trades.count > 100)
        #expect(zip(trades, trades.dropFirst()).allSatisfy { $0.id + 1 == $1.id && $0.time <= $1.time })
        let known = source.snapshot.trades(of: client.symbol)
        let numbers = trades.map { [DecimalUnits($0.price), DecimalUnits($0.size)] }
        #expect(known.suffix(trades.count).map { [DecimalUnits($0.price), DecimalUnits($0.size)] } == numbers)
        #expect(known.suffix(trades.count).map(\.isBuy) == trades.map(\.isBuy))
        let response = venue.respond(to: VenueRequest(uri: client.tradesPath), from: source.snapshot)
        let text = String(decoding: response.body, as: UTF8.self)
        #expect(response.status == 200)
        for trade in trades.suffix(100) { #expect(text.contains("\(trade.id)")) }
    }

    @Test func `the tape keeps ten thousand trades and more, and no hole in them`() throws {
        var instrument = BinanceVenue().instruments[0]
        instrument.tradeRate = 20
        instrument.depth = 20
        var market = GeneratedMarket(instruments: [instrument], seed: 4, start: 0)
        let first = market.instruments[0].tape.nextNumber
        while market.instruments[0].tape.nextNumber < first + 11_000 { _ = market.step() }
        let all = market.instruments[0].tape.all.map(\.number)
        #expect(all.count > 10_000 && all.count < 10_500)
        #expect(zip(all, all.dropFirst()).allSatisfy { $0 + 1 == $1 })
    }

    @Test(arguments: names)
    func `every frame and every answer is whole JSON`(name: String) throws {
        let venue = try SimulatedVenues.named(name)
        var source = self.source(venue, seed: 5)
        var topics: Set<Topic> = [Topic("heartbeats"), Topic("instrument")]
        for instrument in venue.instruments {
            let symbol = instrument.symbol
            for channel in [
                "depth", "depth5", "trade", "aggTrade", "bookTicker", "ticker", "level2", "matches", "heartbeat",
                "market_trades", "candles", "ticker_batch", "book",
            ] {
                topics.insert(Topic(channel, symbol))
            }
            topics.insert(Topic("kline", symbol, "1s"))
            topics.insert(Topic("ohlc", symbol, "1"))
        }
        var client = SimulatedClient(subscriptions: topics)
        source.select(client)
        var kinds: Set<String> = []
        func check(_ frame: String) throws {
            let object = try JSONObject(json: frame)
            let kind = object["e"] ?? object["type"] ?? .string("")
            kinds.insert("\(object["channel"]?.string ?? "") \(kind.string ?? "")")
        }
        for _ in 0..<600 { for frame in self.frames(&source) { try check(frame) } }
        var first: [String] = []
        for topic in topics { source.begin(topic) { first.append(String(decoding: $0, as: UTF8.self)) } }
        for frame in first { try check(frame) }
        for frame in venue.heartbeats(for: &client, isIdle: true, isPlaying: true, from: source.snapshot) {
            try check(String(decoding: frame, as: UTF8.self))
        }
        #expect(kinds.count >= 5, "\(kinds)")
        for path in [
            "/api/v3/exchangeInfo", "/api/v3/klines?symbol=BTCUSDT&interval=1m", "/api/v3/aggTrades?symbol=BTCUSDT",
            "/products", "/products/BTC-USD", "/products/BTC-USD/candles?granularity=60",
            "/api/v3/brokerage/market/products",
            "/api/v3/brokerage/market/products/BTC-USD/candles?granularity=ONE_MINUTE",
            "/0/public/AssetPairs", "/0/public/OHLC?pair=XBTUSD&interval=1", VenueClient(venue).bookPath,
            VenueClient(venue).tradesPath, "/nothing",
        ] {
            let response = venue.respond(to: VenueRequest(uri: path), from: source.snapshot)
            let value = response.body.withUnsafeBytes { jsonValue($0) }
            #expect(value != nil, "\(path): \(String(decoding: response.body, as: UTF8.self).prefix(300))")
        }
    }

    @Test func `Binance tells the end of a candle with the second that ends it`() throws {
        let venue = BinanceVenue()
        var source = self.source(venue, seed: 6)
        source.select(SimulatedClient(subscriptions: [Topic("kline", "BTCUSDT", "1m")]))
        var closed: [JSONObject] = []
        for _ in 0..<3000 {
            for frame in self.frames(&source) {
                let candle = try JSONObject(json: frame)["k"]?.object
                if let candle, candle["x"]?.bool == true { closed.append(candle) }
            }
        }
        #expect(closed.count == 2 || closed.count == 3)
        #expect(Set(closed.compactMap { $0["t"]?.int }).count == closed.count)
    }

    @Test func `CRC32 is the one of Kraken's own example`() {
        let asks = [
            ("45285.2", "0.00100000"), ("45286.4", "1.54571953"), ("45286.6", "1.54571109"), ("45289.6", "1.54560911"),
            ("45290.2", "0.15890660"), ("45291.8", "1.54553491"), ("45294.7", "0.04454749"), ("45296.1", "0.35380000"),
            ("45297.5", "0.09945542"), ("45299.5", "0.18772827"),
        ].map { BookLevel($0, $1) }
        let bids = [
            ("45283.5", "0.10000000"), ("45283.4", "1.54582015"), ("45282.1", "0.10000000"), ("45281.0", "0.10000000"),
            ("45280.3", "1.54592586"), ("45279.0", "0.07990000"), ("45277.6", "0.03310103"), ("45277.5", "0.30000000"),
            ("45277.3", "1.54602737"), ("45276.6", "0.15445238"),
        ].map { BookLevel($0, $1) }
        #expect(CRC32.checksum(bids: bids, asks: asks) == 3_310_070_434)
    }

    @Test func `decimal texts are read and written without loss`() {
        for text in ["0.00000001", "123456789.00000001", "0", "5", "0.1", "99999997.5"] {
            #expect(DecimalUnits(text)?.text() == text)
        }
        #expect(DecimalUnits("1.50")?.text(digits: 2) == "1.50")
        for text in ["", ".", "-", "1e5", "1.2.3", "x", "1234567890123456789"] { #expect(DecimalUnits(text) == nil) }
        #expect(decimalText(-5, scale: 3) == "-0.005")
        #expect(decimalText(12, scale: 1, digits: 4) == "1.2000")
        #expect(decimalText(12, scale: 0, digits: 2) == "12.00")
        #expect(decimalDigits(of: "0.05000") == 2 && decimalDigits(of: "7") == 0)
    }
}
