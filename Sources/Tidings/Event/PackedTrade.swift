/// The fields of a ``Trade`` as plain bytes; copying them counts no references.
@usableFromInline
struct PackedTrade: Sendable {
    @usableFromInline var price: Int64
    @usableFromInline var volume: Int64
    @usableFromInline var timestamp: Int64
    @usableFromInline var receivedAt: Int64
    @usableFromInline var tradeID: UInt64
    /// ``Name/notInterned`` when the symbol is among the texts.
    @usableFromInline var symbol: UInt16
    @usableFromInline var venueSymbol: UInt16
    @usableFromInline var priceScale: UInt8
    @usableFromInline var volumeScale: UInt8
    @usableFromInline var side: TradeSide?
    @usableFromInline var instrument: InstrumentKind?
    /// How precisely the times are known; `nil` without one.
    @usableFromInline var timestampPrecision: Timestamp.Precision?
    @usableFromInline var receivedPrecision: Timestamp.Precision?
    @usableFromInline var flags: Flags

    @usableFromInline
    struct Flags: OptionSet, Sendable {
        @usableFromInline let rawValue: UInt8

        @inlinable
        @inline(__always)
        init(rawValue: UInt8) {
            self.rawValue = rawValue
        }

        @inlinable static var hasTradeID: Flags { Flags(rawValue: 1) }
        @inlinable static var hasVenueSymbol: Flags { Flags(rawValue: 2) }
        /// These are the fields of the JSON object that stands beside it.
        @inlinable static var isKnown: Flags { Flags(rawValue: 32) }
        // What is among the texts.
        @inlinable static var tradeIDIsText: Flags { Flags(rawValue: 4) }
        @inlinable static var priceIsText: Flags { Flags(rawValue: 8) }
        @inlinable static var volumeIsText: Flags { Flags(rawValue: 16) }
    }

    /// All zeros, as it stands beside a payload of another kind.
    @inlinable
    @inline(__always)
    init() {
        self.price = 0
        self.volume = 0
        self.timestamp = 0
        self.receivedAt = 0
        self.tradeID = 0
        self.symbol = 0
        self.venueSymbol = 0
        self.priceScale = 0
        self.volumeScale = 0
        self.side = nil
        self.instrument = nil
        self.timestampPrecision = nil
        self.receivedPrecision = nil
        self.flags = []
    }
}

extension PackedTrade {
    @inlinable
    @inline(__always)
    init(
        symbol: Name, price: ExactDecimal, volume: ExactDecimal, timestamp: Timestamp?, side: TradeSide?,
        tradeID: TradeID?, context: MarketContext
    ) {
        var flags: Flags = []
        if price.text != nil { flags.formUnion(.priceIsText) }
        if volume.text != nil { flags.formUnion(.volumeIsText) }
        if tradeID != nil { flags.formUnion(.hasTradeID) }
        if tradeID?.text != nil { flags.formUnion(.tradeIDIsText) }
        if context.venueSymbol != nil { flags.formUnion(.hasVenueSymbol) }
        self.price = price.compact?.mantissa ?? 0
        self.volume = volume.compact?.mantissa ?? 0
        self.timestamp = timestamp?.nanoseconds ?? 0
        self.receivedAt = context.receivedAt?.nanoseconds ?? 0
        self.tradeID = tradeID?.number ?? 0
        self.symbol = symbol.number
        self.venueSymbol = context.venueSymbol?.number ?? 0
        self.priceScale = price.compact?.scale ?? 0
        self.volumeScale = volume.compact?.scale ?? 0
        self.side = side
        self.instrument = context.instrument
        self.timestampPrecision = timestamp?.precision
        self.receivedPrecision = context.receivedAt?.precision
        self.flags = flags
    }

    /// Whether anything is among the texts.
    @inlinable
    @inline(__always)
    var needsTexts: Bool {
        self.symbol == Name.notInterned || !self.flags.isDisjoint(with: [.tradeIDIsText, .priceIsText, .volumeIsText])
            || (self.flags.contains(.hasVenueSymbol) && self.venueSymbol == Name.notInterned)
    }

    @inlinable
    @inline(__always)
    mutating func set(timestamp: Timestamp?) {
        self.timestamp = timestamp?.nanoseconds ?? 0
        self.timestampPrecision = timestamp?.precision
    }

    @inlinable
    @inline(__always)
    mutating func set(receivedAt: Timestamp?) {
        self.receivedAt = receivedAt?.nanoseconds ?? 0
        self.receivedPrecision = receivedAt?.precision
    }

    @inlinable
    @inline(__always)
    mutating func set(tradeID: TradeID?) {
        guard let tradeID else { return }
        self.flags.insert(.hasTradeID)
        switch tradeID.storage {
        case .number(let number): self.tradeID = number
        case .text: self.flags.insert(.tradeIDIsText)
        }
    }

    @inlinable
    @inline(__always)
    mutating func set(venueSymbol: Name?) {
        guard let venueSymbol else { return }
        self.flags.insert(.hasVenueSymbol)
        self.venueSymbol = venueSymbol.number
    }
}

/// What of a trade is no interned name and no compact number.
@usableFromInline
final class TradeTexts: Sendable {
    @usableFromInline let symbol: SharedText?
    @usableFromInline let price: SharedText?
    @usableFromInline let volume: SharedText?
    @usableFromInline let tradeID: SharedText?
    @usableFromInline let venueSymbol: SharedText?

    @inline(__always)
    init(
        symbol: SharedText?, price: SharedText?, volume: SharedText?, tradeID: SharedText?, venueSymbol: SharedText?
    ) {
        self.symbol = symbol
        self.price = price
        self.volume = volume
        self.tradeID = tradeID
        self.venueSymbol = venueSymbol
    }

    /// `nil` when there is none.
    @usableFromInline
    @inline(never)
    static func make(
        symbol: SharedText?, price: SharedText?, volume: SharedText?, tradeID: SharedText?, venueSymbol: SharedText?
    ) -> TradeTexts? {
        if symbol == nil && price == nil && volume == nil && tradeID == nil && venueSymbol == nil { return nil }
        return TradeTexts(symbol: symbol, price: price, volume: volume, tradeID: tradeID, venueSymbol: venueSymbol)
    }
}
