internal import Tidings

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
    /// Levels a side of its book.
    package var depth: Int

    package init(
        symbol: String, priceScale: UInt8, tick: Int64, sizeScale: UInt8, startPrice: Int64, usualSize: Int64,
        tradeRate: Double, depth: Int = 20
    ) {
        self.symbol = symbol
        self.priceScale = priceScale
        self.tick = tick
        self.sizeScale = sizeScale
        self.startPrice = startPrice
        self.usualSize = usualSize
        self.tradeRate = tradeRate
        self.depth = max(1, depth)
    }
}

extension Instrument {
    /// With zeros up to at least `digits` digits after the point.
    package func priceText(_ price: Int64, digits: Int = 0) -> String {
        decimalText(price, scale: self.priceScale, digits: digits)
    }

    package func sizeText(_ size: Int64, digits: Int = 0) -> String {
        decimalText(size, scale: self.sizeScale, digits: digits)
    }

    /// Money, in units of price times size, rounded to `digits` digits.
    package func moneyText(_ money: Double, digits: UInt8 = 8) -> String {
        let units = money / Double(powerOfTen(Int(self.priceScale + self.sizeScale)))
        return decimalText(Int64(min(units * Double(powerOfTen(Int(digits))), 9e18)), scale: digits)
    }
}
