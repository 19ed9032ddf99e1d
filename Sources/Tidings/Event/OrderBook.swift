/// The best levels of an order book, or what changed in them: the payload of an `order_book` event.
public struct OrderBook: Sendable, Equatable {
    public struct Level: Sendable, Equatable {
        public var price: ExactDecimal
        /// Zero in a delta: the level is gone.
        public var volume: ExactDecimal

        public init(price: ExactDecimal, volume: ExactDecimal) {
            self.price = price
            self.volume = volume
        }
    }

    public enum Kind: String, Sendable, CaseIterable {
        /// All levels down to the chosen depth.
        case snapshot
        /// Changed levels only.
        case delta
    }

    public var symbol: Name
    public var kind: Kind
    /// Best first. The best of the whole book is ``bestBid``, which a delta need not contain.
    public var bids: [Level]
    /// Best first.
    public var asks: [Level]
    public var bestBid: Level?
    public var bestAsk: Level?
    /// The venue's number of the update.
    public var sequence: UInt64?
    /// The venue's time.
    public var timestamp: Timestamp?
    public var context: MarketContext

    public init(
        symbol: Name,
        kind: Kind = .snapshot,
        bids: [Level],
        asks: [Level],
        bestBid: Level?,
        bestAsk: Level?,
        sequence: UInt64? = nil,
        timestamp: Timestamp? = nil,
        context: MarketContext = MarketContext()
    ) {
        self.symbol = symbol
        self.kind = kind
        self.bids = bids
        self.asks = asks
        self.bestBid = bestBid
        self.bestAsk = bestAsk
        self.sequence = sequence
        self.timestamp = timestamp
        self.context = context
    }
}

extension JSONWriter {
    package mutating func write(_ book: OrderBook) {
        self.literal("{\"symbol\":")
        self.write(book.symbol)
        self.member(",\"bid\":", book.bestBid?.price)
        self.member(",\"ask\":", book.bestAsk?.price)
        self.member(",\"bid_volume\":", book.bestBid?.volume)
        self.member(",\"ask_volume\":", book.bestAsk?.volume)
        self.literal(",\"bids\":")
        self.write(book.bids)
        self.literal(",\"asks\":")
        self.write(book.asks)
        switch book.kind {
        case .snapshot: self.literal(",\"kind\":\"snapshot\"")
        case .delta: self.literal(",\"kind\":\"delta\"")
        }
        if let sequence = book.sequence {
            self.literal(",\"sequence\":")
            self.write(sequence)
        }
        if let timestamp = book.timestamp {
            self.literal(",\"timestamp\":")
            self.write(timestamp)
        }
        self.write(book.context)
        self.write(byte: UInt8(ascii: "}"))
    }

    private mutating func write(_ levels: [OrderBook.Level]) {
        self.write(byte: UInt8(ascii: "["))
        var isFirst = true
        for level in levels {
            if case .compact(let price, let priceScale) = level.price.storage,
                case .compact(let volume, let volumeScale) = level.volume.storage
            {
                self.fill(2 * ByteCursor.longestDecimal + 4) { cursor in
                    if !isFirst { cursor.byte(UInt8(ascii: ",")) }
                    cursor.byte(UInt8(ascii: "["))
                    cursor.decimal(mantissa: price, scale: priceScale)
                    cursor.byte(UInt8(ascii: ","))
                    cursor.decimal(mantissa: volume, scale: volumeScale)
                    cursor.byte(UInt8(ascii: "]"))
                }
                isFirst = false
                continue
            }
            if isFirst { self.literal("[") } else { self.literal(",[") }
            isFirst = false
            self.write(level.price)
            self.write(byte: UInt8(ascii: ","))
            self.write(level.volume)
            self.write(byte: UInt8(ascii: "]"))
        }
        self.write(byte: UInt8(ascii: "]"))
    }
}
