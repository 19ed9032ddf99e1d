public import Tidings

/// What is traded at a venue, by its two names.
public struct Instrument: Sendable, Hashable {
    /// `BASE-QUOTE` in capitals.
    public let symbol: String
    /// The venue's own spelling.
    public let venueSymbol: String
    public let kind: InstrumentKind
    /// Digits after the point of its prices, where the venue says so.
    public let priceScale: Int?
    /// Digits after the point of its sizes, where the venue says so.
    public let sizeScale: Int?

    public init(
        symbol: String, venueSymbol: String, kind: InstrumentKind = .spot, priceScale: Int? = nil, sizeScale: Int? = nil
    ) {
        self.symbol = symbol
        self.venueSymbol = venueSymbol
        self.kind = kind
        self.priceScale = priceScale
        self.sizeScale = sizeScale
    }
}
