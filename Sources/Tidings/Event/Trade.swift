/// One trade of a venue: the payload of a `trade` event.
///
/// Kept as plain bytes as long as its names are interned and its numbers compact, which is what connectors make.
public struct Trade: Sendable {
    @usableFromInline var packed: PackedTrade
    @usableFromInline var texts: TradeTexts?

    @inline(__always)
    init(packed: PackedTrade, texts: TradeTexts?) {
        self.packed = packed
        self.texts = texts
    }

    /// - Parameters:
    ///   - volume: how much of the base changed hands.
    ///   - timestamp: the venue's time.
    ///   - side: the taker's.
    @inlinable
    public init(
        symbol: Name,
        price: ExactDecimal,
        volume: ExactDecimal,
        timestamp: Timestamp? = nil,
        side: TradeSide? = nil,
        tradeID: TradeID? = nil,
        context: MarketContext = MarketContext()
    ) {
        let packed = PackedTrade(
            symbol: symbol, price: price, volume: volume, timestamp: timestamp, side: side, tradeID: tradeID,
            context: context)
        self.packed = packed
        self.texts =
            packed.needsTexts
            ? TradeTexts.make(
                symbol: symbol.text, price: price.text, volume: volume.text, tradeID: tradeID?.text,
                venueSymbol: context.venueSymbol?.text) : nil
    }

    /// `BASE-QUOTE` in capitals.
    public var symbol: Name {
        get { self.texts?.symbol.map { Name(text: $0) } ?? Name(number: self.packed.symbol) }
        set { self.change { $0.symbol = newValue } }
    }

    public var price: ExactDecimal {
        get {
            self.texts?.price.map { ExactDecimal(text: $0) }
                ?? ExactDecimal(mantissa: self.packed.price, scale: self.packed.priceScale)
        }
        set { self.change { $0.price = newValue } }
    }

    /// How much of the base changed hands.
    public var volume: ExactDecimal {
        get {
            self.texts?.volume.map { ExactDecimal(text: $0) }
                ?? ExactDecimal(mantissa: self.packed.volume, scale: self.packed.volumeScale)
        }
        set { self.change { $0.volume = newValue } }
    }

    /// The venue's time.
    public var timestamp: Timestamp? {
        get {
            self.packed.timestampPrecision.map { Timestamp(nanoseconds: self.packed.timestamp, precision: $0) }
        }
        set { self.packed.set(timestamp: newValue) }
    }

    /// The taker's side.
    public var side: TradeSide? {
        get { self.packed.side }
        set { self.packed.side = newValue }
    }

    public var tradeID: TradeID? {
        get {
            guard self.packed.flags.contains(.hasTradeID) else { return nil }
            return self.texts?.tradeID.map { TradeID(text: $0) } ?? TradeID(self.packed.tradeID)
        }
        set { self.change { $0.tradeID = newValue } }
    }

    public var context: MarketContext {
        get {
            MarketContext(
                venueSymbol: self.venueSymbol, instrument: self.packed.instrument,
                receivedAt: self.packed.receivedPrecision.map {
                    Timestamp(nanoseconds: self.packed.receivedAt, precision: $0)
                })
        }
        set { self.change { $0.context = newValue } }
    }

    var venueSymbol: Name? {
        guard self.packed.flags.contains(.hasVenueSymbol) else { return nil }
        return self.texts?.venueSymbol.map { Name(text: $0) } ?? Name(number: self.packed.venueSymbol)
    }

    /// The fields that may be texts, to put the trade together anew.
    private struct Parts {
        var symbol: Name
        var price: ExactDecimal
        var volume: ExactDecimal
        var tradeID: TradeID?
        var context: MarketContext
    }

    private mutating func change(_ body: (inout Parts) -> Void) {
        var parts = Parts(
            symbol: self.symbol, price: self.price, volume: self.volume, tradeID: self.tradeID, context: self.context)
        body(&parts)
        self = Trade(
            symbol: parts.symbol, price: parts.price, volume: parts.volume, timestamp: self.timestamp, side: self.side,
            tradeID: parts.tradeID, context: parts.context)
    }
}

extension Trade: Equatable {
    public static func == (left: Trade, right: Trade) -> Bool {
        left.symbol == right.symbol && left.price == right.price && left.volume == right.volume
            && left.timestamp == right.timestamp && left.side == right.side && left.tradeID == right.tradeID
            && left.context == right.context
    }
}

extension JSONWriter {
    package mutating func write(_ trade: borrowing Trade) {
        if trade.texts == nil { return self.write(trade.packed) }
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

    /// A trade without texts.
    @inline(__always)
    mutating func write(_ trade: PackedTrade) {
        let symbol = Name.table.quoted(UInt32(trade.symbol))
        let venueSymbol = trade.flags.contains(.hasVenueSymbol) ? Name.table.quoted(UInt32(trade.venueSymbol)) : nil
        let room = 256 + 2 * (ByteCursor.longestDecimal + ByteCursor.longestTimestamp)
        self.fill(room + symbol.count + (venueSymbol?.count ?? 0)) { cursor in
            cursor.literal("{\"symbol\":")
            cursor.shortBytes(symbol)
            cursor.literal(",\"price\":")
            cursor.decimal(mantissa: trade.price, scale: trade.priceScale)
            cursor.literal(",\"volume\":")
            cursor.decimal(mantissa: trade.volume, scale: trade.volumeScale)
            if let precision = trade.timestampPrecision {
                cursor.literal(",\"timestamp\":")
                cursor.timestamp(trade.timestamp, precision)
            }
            switch trade.side {
            case .buy: cursor.literal(",\"side\":\"buy\"")
            case .sell: cursor.literal(",\"side\":\"sell\"")
            case nil: break
            }
            if trade.flags.contains(.hasTradeID) {
                cursor.literal(",\"trade_id\":\"")
                cursor.number(trade.tradeID)
                cursor.byte(UInt8(ascii: "\""))
            }
            if let venueSymbol {
                cursor.literal(",\"venue_symbol\":")
                cursor.shortBytes(venueSymbol)
            }
            switch trade.instrument {
            case .spot: cursor.literal(",\"instrument\":\"spot\"")
            case .perpetual: cursor.literal(",\"instrument\":\"perpetual\"")
            case nil: break
            }
            if let precision = trade.receivedPrecision {
                cursor.literal(",\"received_at\":")
                cursor.timestamp(trade.receivedAt, precision)
            }
            cursor.byte(UInt8(ascii: "}"))
        }
    }

    package mutating func write(_ id: TradeID) {
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
