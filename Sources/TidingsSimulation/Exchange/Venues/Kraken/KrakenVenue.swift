internal import Tidings

/// Kraken's WebSocket v2: numbers as JSON numbers, books with a checksum, an acknowledgement for each symbol.
///
/// https://docs.kraken.com/api/docs/websocket-v2/
struct KrakenVenue: SimulatedVenue {
    let name = "kraken"

    let instruments = [
        Instrument(
            symbol: "BTC/USD", priceScale: 1, tick: 1, sizeScale: 8, startPrice: 1_050_550, usualSize: 12_000_000,
            tradeRate: 4, depth: 100),
        Instrument(
            symbol: "ETH/USD", priceScale: 2, tick: 1, sizeScale: 8, startPrice: 325_042, usualSize: 300_000_000,
            tradeRate: 3, depth: 100),
        Instrument(
            symbol: "SOL/USD", priceScale: 2, tick: 1, sizeScale: 8, startPrice: 18_234, usualSize: 4_000_000_000,
            tradeRate: 2, depth: 100),
        Instrument(
            symbol: "ETH/BTC", priceScale: 5, tick: 1, sizeScale: 8, startPrice: 3_094, usualSize: 200_000_000,
            tradeRate: 1, depth: 100),
    ]

    let brokenFrame = Array(#"{"channel":"trade","type":"update","data":[{"symbol":"BTC/USD","pri"#.utf8)

    func bookTopic(of symbol: String) -> Topic { Topic("book", symbol) }

    func tradeTopics(of symbol: String) -> [Topic] { [Topic("trade", symbol)] }

    static let depths = [10, 25, 100, 500, 1000]

    /// The candles there are, by their minutes.
    static let intervals: [(minutes: Int, interval: CandleInterval)] = [
        (1, .oneMinute), (5, .fiveMinutes), (15, .fifteenMinutes), (30, .thirtyMinutes), (60, .oneHour),
        (240, .fourHours), (1440, .oneDay), (10_080, .oneWeek),
    ]

    static func interval(minutes: Int) -> CandleInterval? {
        self.intervals.first { $0.minutes == minutes }?.interval
    }

    /// The spelling in use here of a symbol that may be given with Kraken's old names: `XBT/USD`, `XXBTZUSD`, `BTCUSD`.
    static func symbol(_ text: String, among symbols: [String]) -> String? {
        if symbols.contains(text) { return text }
        let wanted = self.plain(text)
        return symbols.first { self.plain($0) == wanted || self.restName(of: $0) == text.uppercased() }
    }

    /// Without a slash, and with today's names of BTC and DOGE.
    private static func plain(_ text: String) -> String {
        text.uppercased().replacing("/", with: "").replacing("XBT", with: "BTC").replacing("XDG", with: "DOGE")
    }

    /// What REST answers call a pair: `XXBTZUSD` of `BTC/USD`.
    static func restName(of symbol: String) -> String {
        let parts = symbol.split(separator: "/").map { String($0) }
        guard parts.count == 2 else { return symbol }
        let names = parts.map { self.restName(ofAsset: $0) }
        // Only where both have an old name are they put together with it.
        if names[0].utf8.count == 4, names[1].utf8.count == 4, names != parts { return names[0] + names[1] }
        return self.oldName(parts[0]) + self.oldName(parts[1])
    }

    static func oldName(_ asset: String) -> String {
        switch asset {
        case "BTC": "XBT"
        case "DOGE": "XDG"
        default: asset
        }
    }

    static func restName(ofAsset asset: String) -> String {
        switch asset {
        case "BTC", "XBT": "XXBT"
        case "ETH", "LTC", "XMR", "XRP", "XLM", "ZEC", "ETC", "REP", "MLN": "X" + asset
        case "DOGE", "XDG": "XXDG"
        case "USD", "EUR", "GBP", "JPY", "CAD", "AUD": "Z" + asset
        default: asset
        }
    }
}

// MARK: Recorded frames

extension KrakenVenue {
    func role(of frame: UnsafeRawBufferPointer) -> FrameRole {
        guard let object = jsonObject(frame) else { return .everyone }
        if let method = object["method"]?.string {
            guard method == "subscribe", object["success"]?.bool == true, let result = object["result"]?.object,
                let channel = result["channel"]?.string
            else { return .answer }
            return .acknowledgement([
                self.topic(channel, result["symbol"]?.string ?? "", interval: result["interval"]?.int)
            ])
        }
        let first = object["data"]?.array?.first?.object
        switch object["channel"]?.string {
        case "book", "trade", "ticker", "ohlc":
            guard let symbol = first?["symbol"]?.string else { return .everyone }
            return .data(self.topic(object["channel"]?.string ?? "", symbol, interval: first?["interval"]?.int))
        case "instrument": return .data(Topic("instrument"))
        default: return .everyone
        }
    }

    func topic(_ channel: String, _ symbol: String, interval: Int?) -> Topic {
        switch channel {
        case "ohlc": Topic(channel, symbol, "\(interval ?? 1)")
        case "instrument": Topic(channel)
        default: Topic(channel, symbol)
        }
    }

    func bookChange(in frame: UnsafeRawBufferPointer) -> BookChange? {
        guard let object = jsonObject(frame), object["channel"]?.string == "book",
            let data = object["data"]?.array?.first?.object, let symbol = data["symbol"]?.string
        else { return nil }
        return BookChange(
            symbol: symbol, isSnapshot: object["type"]?.string == "snapshot", bids: self.levels(data["bids"]),
            asks: self.levels(data["asks"]))
    }

    private func levels(_ value: JSONValue?) -> [BookLevel] {
        (value?.array ?? []).compactMap { level in
            guard let level = level.object, let price = level["price"]?.number, let size = level["qty"]?.number else {
                return nil
            }
            return BookLevel(price.description, size.description)
        }
    }

    /// As the acknowledgement names it; 10 where it names none.
    func bookDepth(inAcknowledgement frame: UnsafeRawBufferPointer) -> Int? {
        jsonObject(frame)?["result"]?.object?["depth"]?.int ?? 10
    }

    func trades(in frame: UnsafeRawBufferPointer) -> [TradeRecord] {
        guard let object = jsonObject(frame), object["channel"]?.string == "trade" else { return [] }
        let trades = (object["data"]?.array ?? []).compactMap { value -> TradeRecord? in
            guard let trade = value.object, let id = trade["trade_id"]?.int.flatMap({ UInt64(exactly: $0) }),
                let price = trade["price"]?.number, let size = trade["qty"]?.number,
                let time = trade["timestamp"]?.string.flatMap({ Timestamp($0) })
            else { return nil }
            return TradeRecord(
                id: id, price: price.description, size: size.description, isBuy: trade["side"]?.string == "buy",
                time: time.nanoseconds)
        }
        return trades.sorted { $0.id < $1.id }
    }

    /// The recorded one with this request's number.
    func acknowledgement(recorded: [UInt8], made: [UInt8]) -> [UInt8] {
        guard recorded.last == UInt8(ascii: "}"),
            let id = made.withUnsafeBytes({ jsonObject($0) })?["req_id"],
            recorded.withUnsafeBytes({ jsonObject($0) })?["req_id"] == nil
        else { return recorded }
        return recorded.dropLast() + Array(#","req_id":\#(id)}"#.utf8)
    }

    /// Another digit in a size among the ten levels that the checksum is over.
    func corrupted(_ frame: UnsafeRawBufferPointer, from snapshot: any VenueSnapshot) -> [UInt8]? {
        guard let change = self.bookChange(in: frame), let book = snapshot.book(of: change.symbol) else { return nil }
        for (levels, isBid) in [(change.bids, true), (change.asks, false)] {
            for level in levels where DecimalUnits(level.size)?.isZero == false {
                guard let place = book.place(of: level.price, isBid: isBid), place < 10 else { continue }
                let bytes = Array(frame)
                guard let price = bytes.firstRange(of: Array(level.price.utf8)),
                    let size = bytes[price.upperBound...].firstRange(of: Array(level.size.utf8))
                else { continue }
                var changed = bytes
                let last = size.upperBound - 1
                changed[last] = bytes[last] == UInt8(ascii: "9") ? UInt8(ascii: "8") : bytes[last] + 1
                return changed
            }
        }
        return nil
    }
}
