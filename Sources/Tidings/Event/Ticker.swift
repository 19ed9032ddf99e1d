/// The state of a market in a few numbers: the payload of a `ticker` event. Holds what the venue's frame carried.
public struct Ticker: Sendable, Equatable {
    public var symbol: Name
    /// The last price, or the mark price where the frame carries that.
    public var price: ExactDecimal?
    /// Traded in the last 24 hours, in the base.
    public var volume: ExactDecimal?
    public var bid: ExactDecimal?
    public var ask: ExactDecimal?
    public var bidVolume: ExactDecimal?
    public var askVolume: ExactDecimal?
    /// The venue's time.
    public var timestamp: Timestamp?
    public var context: MarketContext

    public init(
        symbol: Name,
        price: ExactDecimal? = nil,
        volume: ExactDecimal? = nil,
        bid: ExactDecimal? = nil,
        ask: ExactDecimal? = nil,
        bidVolume: ExactDecimal? = nil,
        askVolume: ExactDecimal? = nil,
        timestamp: Timestamp? = nil,
        context: MarketContext = MarketContext()
    ) {
        self.symbol = symbol
        self.price = price
        self.volume = volume
        self.bid = bid
        self.ask = ask
        self.bidVolume = bidVolume
        self.askVolume = askVolume
        self.timestamp = timestamp
        self.context = context
    }
}

extension JSONWriter {
    package mutating func write(_ ticker: Ticker) {
        self.literal("{\"symbol\":")
        self.write(ticker.symbol)
        self.member(",\"price\":", ticker.price)
        self.member(",\"volume\":", ticker.volume)
        self.member(",\"bid\":", ticker.bid)
        self.member(",\"ask\":", ticker.ask)
        self.member(",\"bid_volume\":", ticker.bidVolume)
        self.member(",\"ask_volume\":", ticker.askVolume)
        if let timestamp = ticker.timestamp {
            self.literal(",\"timestamp\":")
            self.write(timestamp)
        }
        self.write(ticker.context)
        self.write(byte: UInt8(ascii: "}"))
    }

    /// Writes a member, or nothing when there is no number.
    @inline(__always)
    package mutating func member(_ prefix: StaticString, _ number: ExactDecimal?) {
        guard let number else { return }
        self.literal(prefix)
        self.write(number)
    }
}
