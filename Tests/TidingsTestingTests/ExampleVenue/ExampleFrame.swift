import Tidings
import TidingsMarkets

/// What the exchange sends, and what of it becomes an event.
struct ExampleFrame {
    let object: JSONObject

    init(_ object: JSONObject) {
        self.object = object
    }

    var type: String { self.object["type"]?.string ?? "" }
    var channel: String { self.object["channel"]?.string ?? "" }
    var market: String { self.object["market"]?.string ?? "" }
    var isWholeBook: Bool { self.object["whole"]?.bool == true }
    /// The number of a trade or of a book update.
    var number: UInt64? { self.object["number"]?.int.flatMap { UInt64(exactly: $0) } }

    var time: Timestamp? {
        self.object["time"]?.int.flatMap { Int64(exactly: $0) }.flatMap { Timestamp(milliseconds: $0) }
    }

    func levels(_ side: String) -> [OrderBook.Level] {
        (self.object[side]?.array ?? []).compactMap { level in
            guard let level = level.array, level.count == 2, let price = level[0].string.flatMap({ ExactDecimal($0) }),
                let size = level[1].string.flatMap({ ExactDecimal($0) })
            else { return nil }
            return OrderBook.Level(price: price, volume: size)
        }
    }

    private func number(_ key: String) -> ExactDecimal? {
        self.object[key]?.string.flatMap { ExactDecimal($0) }
    }

    /// `nil` when something is missing.
    func trade(of instrument: Instrument, _ receivedAt: Timestamp) -> StandardEvent? {
        guard let number = self.number, let time = self.time, let price = self.number("price"),
            let size = self.number("size")
        else { return nil }
        let trade = Trade(
            symbol: Name(instrument.symbol), price: price, volume: size, timestamp: time,
            side: self.object["taker"]?.string.flatMap { TradeSide(rawValue: $0) }, tradeID: TradeID(number),
            context: Self.context(instrument, receivedAt))
        return StandardEvent(
            eventType: .trade, source: "example", payload: .trade(trade), timestamp: time,
            eventID: Self.id("example.trade", instrument, time, number))
    }

    func ticker(of instrument: Instrument, _ receivedAt: Timestamp) -> StandardEvent? {
        guard let number = self.number, let time = self.time, let bid = self.number("bid"), let ask = self.number("ask")
        else { return nil }
        let ticker = Ticker(
            symbol: Name(instrument.symbol), bid: bid, ask: ask, timestamp: time,
            context: Self.context(instrument, receivedAt))
        return StandardEvent(
            eventType: .ticker, source: "example", payload: .ticker(ticker), timestamp: time,
            eventID: Self.id("example.ticker", instrument, time, number))
    }

    private static func context(_ instrument: Instrument, _ receivedAt: Timestamp) -> MarketContext {
        MarketContext(venueSymbol: Name(instrument.venueSymbol), instrument: instrument.kind, receivedAt: receivedAt)
    }

    /// The same frame has the same identifier wherever and whenever it is read.
    private static func id(_ kind: String, _ instrument: Instrument, _ time: Timestamp, _ number: UInt64) -> EventID {
        var hash = StableHash()
        hash.combine(kind)
        hash.combine(instrument.venueSymbol)
        hash.combine(time.nanoseconds)
        hash.combine(number)
        return EventID(at: time, hash: hash)
    }
}
