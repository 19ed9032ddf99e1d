import Testing

@testable import Tidings
@testable import TidingsSimulation

@Suite struct GeneratedMarketTests {
    private let venue = HyperliquidVenue()
    private let start: Int64 = 1_700_000_000_000

    private func market(seed: UInt64 = 1) -> GeneratedMarket {
        GeneratedMarket(instruments: self.venue.instruments, seed: seed, start: self.start)
    }

    /// What a client of everything gets in so many steps.
    private func frames(seed: UInt64, steps: Int) -> [String] {
        var source = GeneratedSource(self.market(seed: seed), venue: self.venue)
        var topics: Set<Topic> = [Topic("allMids")]
        for coin in ["BTC", "ETH", "SOL"] {
            for channel in ["trades", "l2Book", "bbo", "activeAssetCtx"] { topics.insert(Topic(channel, coin)) }
            topics.insert(Topic("candle", coin, "1m"))
        }
        source.select(topics)
        var frames: [String] = []
        for _ in 0..<steps { source.advance { frames.append(String(decoding: $0, as: UTF8.self)) } }
        return frames
    }

    @Test func `the same seed gives the same frames, another gives others`() {
        #expect(self.frames(seed: 7, steps: 200) == self.frames(seed: 7, steps: 200))
        #expect(self.frames(seed: 7, steps: 200) != self.frames(seed: 8, steps: 200))
    }

    @Test func `a copy goes on as the original does`() {
        var market = self.market()
        for _ in 0..<100 { _ = market.step() }
        var copy = market
        for _ in 0..<100 { #expect(copy.step() == market.step()) }
        #expect(copy.instruments.map(\.recentFills) == market.instruments.map(\.recentFills))
    }

    @Test func `a minute has a believable number of frames of every kind`() throws {
        var counts: [String: Int] = [:]
        for frame in self.frames(seed: 3, steps: 1200) {
            let object = try JSONObject(json: frame)
            counts[object["channel"]?.string ?? "", default: 0] += 1
        }
        #expect((300...900).contains(counts["trades"] ?? 0), "\(counts)")
        #expect((300...360).contains(counts["l2Book"] ?? 0), "\(counts)")
        #expect((170...190).contains(counts["activeAssetCtx"] ?? 0), "\(counts)")
        #expect((59...61).contains(counts["allMids"] ?? 0), "\(counts)")
        #expect((300...900).contains(counts["bbo"] ?? 0), "\(counts)")
        #expect(counts["candle"] == counts["trades"], "\(counts)")
    }

    @Test func `books have twenty levels a side, in order, and never cross`() {
        var market = self.market(seed: 5)
        for _ in 0..<5000 {
            let events = market.step()
            for case .book(let index) in events {
                let book = market.instruments[index].book
                #expect(book.bids.count == 20 && book.asks.count == 20)
                #expect(zip(book.bids, book.bids.dropFirst()).allSatisfy { $0.price > $1.price })
                #expect(zip(book.asks, book.asks.dropFirst()).allSatisfy { $0.price < $1.price })
                #expect((book.bids + book.asks).allSatisfy { $0.size > 0 && $0.orders > 0 && $0.price > 0 })
                #expect((book.bids.first?.price ?? .max) < (book.asks.first?.price ?? .min))
            }
        }
    }

    @Test func `prices walk, but do not run away`() {
        var market = self.market(seed: 11)
        var seen: Set<Int64> = []
        for _ in 0..<72_000 {
            _ = market.step()
            if let price = market.instruments[0].best?.bid.price { seen.insert(price) }
        }
        let start = market.instruments[0].instrument.startPrice
        #expect(seen.count > 20)
        #expect((seen.min() ?? 0) > start * 9 / 10 && (seen.max() ?? 0) < start * 11 / 10, "\(seen.min() ?? 0)")
    }

    @Test func `trades, candles and volume agree`() throws {
        var market = self.market(seed: 2)
        var fills: [GeneratedInstrument.Fill] = []
        for _ in 0..<6000 {
            _ = market.step()
            fills += market.instruments[1].fills
        }
        #expect(Set(fills.map(\.id)).count == fills.count)
        #expect(fills.allSatisfy { $0.id < 1 << 50 && $0.buyer != $0.seller && $0.size > 0 })
        #expect(zip(fills, fills.dropFirst()).allSatisfy { $0.time <= $1.time })
        let candles = market.instruments[1].candles.candles(.oneMinute).filter { $0.start >= self.start + 60_000 }
        #expect(candles.count >= 2)
        for candle in candles {
            let inside = fills.filter { candle.start <= $0.time && $0.time < candle.end }
            #expect(candle.volume == inside.reduce(0) { $0 + $1.size })
            #expect(candle.trades == Int64(inside.count))
            #expect(candle.open == inside.first?.price && candle.close == inside.last?.price)
            #expect(candle.high == inside.map(\.price).max() && candle.low == inside.map(\.price).min())
        }
    }

    @Test func `frames have the venue's shape, with numbers as text`() throws {
        var byChannel: [String: JSONObject] = [:]
        for frame in self.frames(seed: 9, steps: 100) {
            let object = try JSONObject(json: frame)
            byChannel[object["channel"]?.string ?? ""] = object
        }
        let trade = byChannel["trades"]?["data"]?.array?.first?.object
        #expect(trade?.members.map(\.key) == ["coin", "side", "px", "sz", "hash", "time", "tid", "users"])
        #expect(["A", "B"].contains(trade?["side"]?.string))
        #expect(trade?["hash"]?.string?.utf8.count == 66)
        #expect(trade?["users"]?.array?.map { $0.string?.utf8.count } == [42, 42])
        #expect(trade?["tid"]?.int != nil)
        let book = byChannel["l2Book"]?["data"]?.object
        #expect(book?.members.map(\.key) == ["coin", "time", "levels"])
        #expect(book?["levels"]?.array?.map { $0.array?.count } == [20, 20])
        let level = book?["levels"]?.array?.first?.array?.first?.object
        #expect(level?.members.map(\.key) == ["px", "sz", "n"])
        #expect(level?["px"]?.string?.contains(".") == true)
        #expect(byChannel["bbo"]?["data"]?.object?["bbo"]?.array?.count == 2)
        let context = byChannel["activeAssetCtx"]?["data"]?.object?["ctx"]?.object
        for key in [
            "funding", "openInterest", "prevDayPx", "dayNtlVlm", "premium", "oraclePx", "markPx", "midPx", "dayBaseVlm",
        ] {
            #expect(context?[key]?.string.flatMap { ExactDecimal($0) } != nil, "\(key)")
        }
        let candle = byChannel["candle"]?["data"]?.object
        #expect(candle?.members.map(\.key) == ["t", "T", "s", "i", "o", "c", "h", "l", "v", "n"])
        #expect(candle?["T"]?.int == (candle?["t"]?.int ?? 0) + 59_999)
        #expect(byChannel["allMids"]?["data"]?.object?["mids"]?.object?["SOL"]?.string != nil)
    }

    @Test func `candles of every interval hold their time`() {
        // 2024-02-29T12:34:56Z, a Thursday.
        let time: Int64 = 1_709_210_096_000
        for interval in CandleInterval.allCases {
            let (start, end) = interval.bounds(of: time)
            #expect(start <= time && time < end)
            #expect(interval.bounds(of: start) == (start, end) && interval.bounds(of: end - 1) == (start, end))
            #expect(interval.bounds(of: end).start == end)
        }
        #expect(CandleInterval.oneMonth.bounds(of: time) == (1_706_745_600_000, 1_709_251_200_000))
        #expect(CandleInterval.oneWeek.bounds(of: time) == (1_708_905_600_000, 1_709_510_400_000))
        #expect(CandleInterval.oneHour.bounds(of: time).start == 1_709_208_000_000)
    }
}
