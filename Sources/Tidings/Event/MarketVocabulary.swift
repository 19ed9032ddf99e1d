/// Which side the taker of a trade was on.
public enum TradeSide: String, Sendable, Hashable {
    case buy
    case sell
}

/// What is traded under a symbol.
public enum InstrumentKind: String, Sendable, Hashable {
    case spot
    case perpetual
}

/// A venue's own number or text for a trade; always text in JSON.
public struct TradeID: Sendable, Hashable, CustomStringConvertible {
    @usableFromInline
    enum Storage: Sendable {
        case number(UInt64)
        case text(SharedText)
    }

    @usableFromInline let storage: Storage

    @inlinable
    @inline(__always)
    public init(_ number: UInt64) {
        self.storage = .number(number)
    }

    /// The text of an identifier that is no number.
    @inlinable
    @inline(__always)
    var text: SharedText? {
        guard case .text(let text) = self.storage else { return nil }
        return text
    }

    @inline(__always)
    init(text: SharedText) {
        self.storage = .text(text)
    }

    public init(_ text: String) {
        // Only a number that is written back the same way may be held as one.
        if let number = UInt64(text), text.utf8.allSatisfy({ $0 &- UInt8(ascii: "0") < 10 }),
            text.utf8.first != UInt8(ascii: "0") || text.utf8.count == 1
        {
            self.storage = .number(number)
        } else {
            self.storage = .text(SharedText(text))
        }
    }

    /// The identifier as a number, where the venue counts its trades.
    @inlinable
    public var number: UInt64? {
        guard case .number(let number) = self.storage else { return nil }
        return number
    }

    public var description: String {
        switch self.storage {
        case .number(let number): "\(number)"
        case .text(let text): text.value
        }
    }

    public static func == (left: TradeID, right: TradeID) -> Bool {
        switch (left.storage, right.storage) {
        case (.number(let left), .number(let right)): left == right
        case (.text(let left), .text(let right)): left == right
        default: false
        }
    }

    public func hash(into hasher: inout Hasher) {
        switch self.storage {
        case .number(let number): hasher.combine(number)
        case .text(let text): hasher.combine(text)
        }
    }
}

/// What every market payload says beside its numbers.
public struct MarketContext: Sendable, Equatable {
    /// The venue's own spelling of the symbol.
    public var venueSymbol: Name?
    public var instrument: InstrumentKind?
    /// When our socket read it.
    public var receivedAt: Timestamp?

    @inlinable
    public init(venueSymbol: Name? = nil, instrument: InstrumentKind? = nil, receivedAt: Timestamp? = nil) {
        self.venueSymbol = venueSymbol
        self.instrument = instrument
        self.receivedAt = receivedAt
    }
}
