/// Something that happened in a generated market in its last tick. The index is the instrument's.
package enum MarketEvent: Hashable, Sendable {
    /// The fills of the last tick, see ``GeneratedInstrument/fills``.
    case trades(Int)
    case book(Int)
    case best(Int)
    case context(Int)
    case candles(Int)
    /// All prices.
    case mids
}
