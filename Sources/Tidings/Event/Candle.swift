/// Open, high, low, close and volume of an interval: the payload of an `ohlcv` event.
public struct Candle: Sendable, Equatable {
    public var symbol: Name
    /// Such as `1m`, `5m`, `1h`, `1d`.
    public var interval: Name
    public var open: ExactDecimal
    public var high: ExactDecimal
    public var low: ExactDecimal
    public var close: ExactDecimal
    public var volume: ExactDecimal
    /// How many trades it is made of.
    public var trades: UInt64?
    /// Whether nothing will be added any more.
    public var isClosed: Bool?
    /// When the interval starts.
    public var timestamp: Timestamp
    /// The venue the candle was made from, where we made it.
    public var origin: Name?
    public var context: MarketContext

    public init(
        symbol: Name,
        interval: Name,
        open: ExactDecimal,
        high: ExactDecimal,
        low: ExactDecimal,
        close: ExactDecimal,
        volume: ExactDecimal,
        trades: UInt64? = nil,
        isClosed: Bool? = nil,
        timestamp: Timestamp,
        origin: Name? = nil,
        context: MarketContext = MarketContext()
    ) {
        self.symbol = symbol
        self.interval = interval
        self.open = open
        self.high = high
        self.low = low
        self.close = close
        self.volume = volume
        self.trades = trades
        self.isClosed = isClosed
        self.timestamp = timestamp
        self.origin = origin
        self.context = context
    }
}

extension JSONWriter {
    package mutating func write(_ candle: Candle) {
        self.literal("{\"symbol\":")
        self.write(candle.symbol)
        self.literal(",\"interval\":")
        self.write(candle.interval)
        self.member(",\"open\":", candle.open)
        self.member(",\"high\":", candle.high)
        self.member(",\"low\":", candle.low)
        self.member(",\"close\":", candle.close)
        self.member(",\"volume\":", candle.volume)
        if let trades = candle.trades {
            self.literal(",\"trades\":")
            self.write(trades)
        }
        if let isClosed = candle.isClosed {
            self.literal(",\"closed\":")
            self.write(isClosed)
        }
        self.literal(",\"timestamp\":")
        self.write(candle.timestamp)
        self.write(candle.context)
        if let origin = candle.origin {
            self.literal(",\"of\":")
            self.write(origin)
        }
        self.write(byte: UInt8(ascii: "}"))
    }
}
