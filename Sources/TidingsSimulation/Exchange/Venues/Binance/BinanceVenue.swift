internal import Tidings

/// Binance's spot market: streams by name, a book from numbered updates on an HTTP snapshot.
///
/// https://github.com/binance/binance-spot-api-docs: web-socket-streams.md, rest-api.md.
struct BinanceVenue: SimulatedVenue {
    let name = "binance"

    let instruments = [
        Instrument(
            symbol: "BTCUSDT", priceScale: 2, tick: 1, sizeScale: 5, startPrice: 10_505_501, usualSize: 12_000,
            tradeRate: 6, depth: 100),
        Instrument(
            symbol: "ETHUSDT", priceScale: 2, tick: 1, sizeScale: 4, startPrice: 325_042, usualSize: 30_000,
            tradeRate: 4, depth: 100),
        Instrument(
            symbol: "SOLUSDT", priceScale: 2, tick: 1, sizeScale: 3, startPrice: 18_234, usualSize: 40_000,
            tradeRate: 2, depth: 100),
        Instrument(
            symbol: "ETHBTC", priceScale: 5, tick: 1, sizeScale: 4, startPrice: 3_094, usualSize: 20_000,
            tradeRate: 1, depth: 100),
    ]

    /// "The WebSocket server will send a ping frame every 20 seconds."
    let pingInterval: Duration? = .seconds(20)

    let brokenFrame = Array(#"{"e":"trade","E":1672515782136,"s":"BTCUSDT","t":12345,"p":"0.0"#.utf8)

    func bookTopic(of symbol: String) -> Topic { Topic("depth", symbol) }

    func tradeTopics(of symbol: String) -> [Topic] { [Topic("trade", symbol), Topic("aggTrade", symbol)] }

    /// Who asks for single trades of a recording that has aggregated ones gets those.
    func alternatives(to topic: Topic) -> [Topic] {
        topic.channel == "trade" ? [Topic("aggTrade", topic.symbol)] : []
    }

    /// Nothing: a stream tells what happens from now on.
    func first(of topic: Topic, from snapshot: any VenueSnapshot, for client: SimulatedClient) -> [[UInt8]] { [] }

    /// The candles there are.
    static let intervals = CandleInterval.allCases

    /// What the stream `btcusdt@depth@100ms` is about. All speeds are one.
    func topic(ofStream name: String) -> Topic {
        let parts = name.split(separator: "@", omittingEmptySubsequences: false)
        // Any name is accepted; of what does not exist nothing comes.
        let unknown = Topic("unknown", "", name)
        guard (2...3).contains(parts.count), !parts[0].isEmpty else { return unknown }
        let symbol = parts[0].uppercased()
        let kind = parts[1]
        if parts.count == 3 {
            guard kind.hasPrefix("depth"), parts[2] == "100ms" || parts[2] == "1000ms" else { return unknown }
        }
        switch kind {
        case "trade", "aggTrade", "bookTicker", "ticker", "depth", "depth5", "depth10", "depth20":
            return Topic(String(kind), symbol)
        default:
            guard kind.hasPrefix("kline_") else { return unknown }
            let interval = String(kind.dropFirst(6))
            return CandleInterval(rawValue: interval) == nil ? unknown : Topic("kline", symbol, interval)
        }
    }
}

// MARK: Recorded frames

extension BinanceVenue {
    func role(of frame: UnsafeRawBufferPointer) -> FrameRole {
        guard let object = jsonObject(frame) else { return .everyone }
        if let stream = object["stream"]?.string { return .data(self.topic(ofStream: stream)) }
        if object["result"] != nil || object["id"] != nil { return .answer }
        guard let symbol = object["s"]?.string else { return .everyone }
        switch object["e"]?.string {
        case "trade": return .data(Topic("trade", symbol))
        case "aggTrade": return .data(Topic("aggTrade", symbol))
        case "24hrTicker": return .data(Topic("ticker", symbol))
        case "depthUpdate": return .data(Topic("depth", symbol))
        case "kline": return .data(Topic("kline", symbol, object["k"]?.object?["i"]?.string ?? ""))
        case nil: return object["B"] != nil && object["A"] != nil ? .data(Topic("bookTicker", symbol)) : .everyone
        default: return .everyone
        }
    }

    private func data(of frame: UnsafeRawBufferPointer) -> JSONObject? {
        guard let object = jsonObject(frame) else { return nil }
        return object["data"]?.object ?? object
    }

    func bookChange(in frame: UnsafeRawBufferPointer) -> BookChange? {
        guard let data = self.data(of: frame), data["e"]?.string == "depthUpdate", let symbol = data["s"]?.string,
            let first = data["U"]?.int.flatMap({ UInt64(exactly: $0) }),
            let last = data["u"]?.int.flatMap({ UInt64(exactly: $0) }), first <= last
        else { return nil }
        return BookChange(
            symbol: symbol, bids: bookLevels(data["b"]), asks: bookLevels(data["a"]), first: first, last: last)
    }

    func bookChange(inResponse text: UnsafeRawBufferPointer, to uri: String) -> BookChange? {
        let target = RequestTarget(uri)
        guard target.path == "/api/v3/depth", let symbol = target["symbol"], let object = jsonObject(text),
            let last = object["lastUpdateId"]?.int.flatMap({ UInt64(exactly: $0) })
        else { return nil }
        return BookChange(
            symbol: symbol, isSnapshot: true, bids: bookLevels(object["bids"]), asks: bookLevels(object["asks"]),
            last: last)
    }

    func trades(in frame: UnsafeRawBufferPointer) -> [TradeRecord] {
        guard let data = self.data(of: frame), let kind = data["e"]?.string, kind == "trade" || kind == "aggTrade",
            let id = data[kind == "trade" ? "t" : "a"]?.int.flatMap({ UInt64(exactly: $0) }),
            let price = data["p"]?.string, let size = data["q"]?.string,
            let time = data["T"]?.int.flatMap({ Int64(exactly: $0) }), let isMaker = data["m"]?.bool
        else { return [] }
        return [
            TradeRecord(id: id, price: price, size: size, isBuy: !isMaker, time: time.multiplied(by: 1_000_000))
        ]
    }

    func corrupted(_ frame: UnsafeRawBufferPointer, from snapshot: any VenueSnapshot) -> [UInt8]? {
        guard let change = self.bookChange(in: frame), let price = crossingPrice(change) else { return nil }
        return inserting(#"["\#(price)","1.00000000"]"#, afterFirst: #""b":["#, in: frame)
    }
}

extension Int64 {
    /// Clamped to what 64 bits hold.
    func multiplied(by factor: Int64) -> Int64 {
        let (product, overflow) = self.multipliedReportingOverflow(by: factor)
        if !overflow { return product }
        return (self < 0) == (factor < 0) ? .max : .min
    }
}
