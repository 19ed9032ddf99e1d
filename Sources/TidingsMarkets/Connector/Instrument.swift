/// What is traded at a venue, by its two names.
public struct Instrument: Sendable, Hashable {
    /// `BASE-QUOTE` in capitals.
    public let symbol: String
    /// The venue's own spelling.
    public let venueSymbol: String

    public init(symbol: String, venueSymbol: String) {
        self.symbol = symbol
        self.venueSymbol = venueSymbol
    }
}
