/// What is traded in a generated market, and in which steps.
package struct Instrument: Hashable, Sendable {
    /// The venue's spelling.
    package var symbol: String
    /// Digits after the point of a price.
    package var priceScale: UInt8
    /// The smallest step of a price, in units of the last digit.
    package var tick: Int64
    /// Digits after the point of a size.
    package var sizeScale: UInt8
    /// What it costs in the beginning, in units of the last digit.
    package var startPrice: Int64
    /// A usual size of an order, in units of the last digit.
    package var usualSize: Int64
    /// Trades a second, on average.
    package var tradeRate: Double

    package init(
        symbol: String, priceScale: UInt8, tick: Int64, sizeScale: UInt8, startPrice: Int64, usualSize: Int64,
        tradeRate: Double
    ) {
        self.symbol = symbol
        self.priceScale = priceScale
        self.tick = tick
        self.sizeScale = sizeScale
        self.startPrice = startPrice
        self.usualSize = usualSize
        self.tradeRate = tradeRate
    }
}
