extension StandardEvent {
    /// What the event says in a few words for a person, on one line.
    public var summary: String {
        switch self.eventType {
        case .trade: self.payload.trade.map(Self.describe) ?? self.described
        case .ticker: self.payload.ticker.map(Self.describe) ?? self.described
        case .orderBook: self.payload.orderBook.map(Self.describe) ?? self.described
        case .ohlcv: self.payload.candle.map(Self.describe) ?? self.described
        case .connectorStatus: self.describe("state", "reason", "attempt", "retry_in_ms")
        case .error: self.describe("error_code", "message")
        default: self.described
        }
    }

    /// What the event is about: its symbol, or its item.
    public var subject: String? {
        self.symbol?.description ?? self.payload.item
    }

    private static func describe(_ trade: Trade) -> String {
        let side = trade.side.map { $0.rawValue.padded(to: 5) } ?? ""
        return "\(side)\(trade.volume) @ \(trade.price)"
    }

    private static func describe(_ ticker: Ticker) -> String {
        var parts: [String] = []
        if let price = ticker.price { parts.append("last \(price)") }
        if let bid = ticker.bid { parts.append("bid \(bid)" + (ticker.bidVolume.map { " x \($0)" } ?? "")) }
        if let ask = ticker.ask { parts.append("ask \(ask)" + (ticker.askVolume.map { " x \($0)" } ?? "")) }
        if let volume = ticker.volume { parts.append("volume \(volume)") }
        return parts.joined(separator: "  ")
    }

    private static func describe(_ book: OrderBook) -> String {
        func side(_ level: OrderBook.Level?) -> String { level.map { "\($0.price) x \($0.volume)" } ?? "-" }
        return "\(side(book.bestBid)) | \(side(book.bestAsk))  \(book.bids.count)+\(book.asks.count) levels"
            + (book.kind == .delta ? " changed" : "")
    }

    private static func describe(_ candle: Candle) -> String {
        "\(candle.interval)  o \(candle.open)  h \(candle.high)  l \(candle.low)  c \(candle.close)  v \(candle.volume)"
            + (candle.isClosed == true ? "  closed" : "")
    }

    /// The values of some members, without their names.
    private func describe(_ keys: String...) -> String {
        let members = self.payload.object.members
        return keys.compactMap { key in
            guard let value = members.last(where: { $0.key == key })?.value else { return nil }
            switch value {
            case .string(let text): return text
            case .null: return nil
            default: return "\(key) \(value)"
            }
        }.joined(separator: "  ")
    }

    /// All members but the subject, as `name=value`.
    private var described: String {
        self.payload.object.members
            .filter { $0.key != "symbol" && $0.key != "item" }
            .map { key, value in
                if case .string(let text) = value { return "\(key)=\(text)" }
                return "\(key)=\(value)"
            }
            .joined(separator: " ")
    }
}

extension String {
    /// The text with spaces behind it up to a width.
    package func padded(to width: Int) -> String {
        let missing = width - self.count
        return missing > 0 ? self + String(repeating: " ", count: missing) : self
    }
}
