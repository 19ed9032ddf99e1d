/// Something that happened in a generated market in its last tick. The index is the instrument's.
package enum MarketEvent: Hashable, Sendable {
    /// The fills of the last tick, see ``GeneratedInstrument/fills``.
    case trades(Int)
    case book(Int)
    /// The book is another than after the last tick, see ``GeneratedInstrument/change``. Clients that are told every
    /// one of these know the book at any moment.
    case bookChange(Int)
    case best(Int)
    case context(Int)
    case candles(Int)
    /// A second ended, and with it perhaps a candle.
    case second(Int)
    /// All prices.
    case mids
}
