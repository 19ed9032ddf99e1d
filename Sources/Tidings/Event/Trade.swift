/// One trade of a venue: the payload of a `trade` event.
public struct Trade: Sendable, Equatable {
    /// `BASE-QUOTE` in capitals.
    public var symbol: Name
    public var price: ExactDecimal
    /// How much of the base changed hands.
    public var volume: ExactDecimal
    /// The venue's time.
    public var timestamp: Timestamp?
    /// The taker's side.
    public var side: TradeSide?
    public var tradeID: TradeID?
    public var context: MarketContext

    public init(
        symbol: Name,
        price: ExactDecimal,
        volume: ExactDecimal,
        timestamp: Timestamp? = nil,
        side: TradeSide? = nil,
        tradeID: TradeID? = nil,
        context: MarketContext = MarketContext()
    ) {
        self.symbol = symbol
        self.price = price
        self.volume = volume
        self.timestamp = timestamp
        self.side = side
        self.tradeID = tradeID
        self.context = context
    }
}

extension JSONWriter {
    package mutating func write(_ trade: borrowing Trade) {
        self.literal("{\"symbol\":")
        self.write(trade.symbol)
        self.literal(",\"price\":")
        self.write(trade.price)
        self.literal(",\"volume\":")
        self.write(trade.volume)
        if let timestamp = trade.timestamp {
            self.literal(",\"timestamp\":")
            self.write(timestamp)
        }
        switch trade.side {
        case .buy: self.literal(",\"side\":\"buy\"")
        case .sell: self.literal(",\"side\":\"sell\"")
        case nil: break
        }
        if let tradeID = trade.tradeID {
            self.literal(",\"trade_id\":")
            self.write(tradeID)
        }
        self.write(trade.context)
        self.write(byte: UInt8(ascii: "}"))
    }

    private mutating func write(_ id: TradeID) {
        switch id.storage {
        case .number(let number):
            self.write(byte: UInt8(ascii: "\""))
            self.write(number)
            self.write(byte: UInt8(ascii: "\""))
        case .text(let text):
            self.write(string: text.value)
        }
    }

    /// The members that end every market payload, each with its comma.
    package mutating func write(_ context: MarketContext) {
        if let venueSymbol = context.venueSymbol {
            self.literal(",\"venue_symbol\":")
            self.write(venueSymbol)
        }
        switch context.instrument {
        case .spot: self.literal(",\"instrument\":\"spot\"")
        case .perpetual: self.literal(",\"instrument\":\"perpetual\"")
        case nil: break
        }
        if let receivedAt = context.receivedAt {
            self.literal(",\"received_at\":")
            self.write(receivedAt)
        }
    }
}
