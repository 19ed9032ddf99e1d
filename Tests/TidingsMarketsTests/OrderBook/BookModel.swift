import TidingsSimulation

@testable import Tidings
@testable import TidingsMarkets

/// A book as simple as can be: what the real one is compared with.
struct BookModel {
    private(set) var bids: [ExactDecimal: OrderBook.Level] = [:]
    private(set) var asks: [ExactDecimal: OrderBook.Level] = [:]

    mutating func set(_ side: LocalBook.Side, _ price: ExactDecimal, _ size: ExactDecimal) {
        let level = size == .zero ? nil : OrderBook.Level(price: price, volume: size)
        switch side {
        case .bid:
            self.bids[price] = nil
            self.bids[price] = level
        case .ask:
            self.asks[price] = nil
            self.asks[price] = level
        }
    }

    mutating func cut(to depth: Int) {
        for level in self.best(.max, .bid).dropFirst(depth) { self.bids[level.price] = nil }
        for level in self.best(.max, .ask).dropFirst(depth) { self.asks[level.price] = nil }
    }

    func best(_ count: Int, _ side: LocalBook.Side) -> [OrderBook.Level] {
        let sorted =
            side == .bid
            ? self.bids.values.sorted { $0.price > $1.price } : self.asks.values.sorted { $0.price < $1.price }
        return Array(sorted.prefix(count))
    }
}

/// Levels as texts, so that digits are compared and not only values.
func digits(_ levels: [OrderBook.Level]) -> [String] {
    levels.map { "\($0.price) \($0.volume)" }
}

/// Random levels around a few hundred prices, so that they meet.
struct LevelGenerator {
    var random: SeededGenerator
    /// Whether numbers come with exponents and as many digits as they like.
    var hasLongNumbers = false

    mutating func below(_ bound: UInt64) -> UInt64 { self.random.next() % bound }

    mutating func side() -> LocalBook.Side { self.below(2) == 0 ? .bid : .ask }

    mutating func price() -> ExactDecimal {
        let ticks = Int64(1000 + self.below(300))
        if self.hasLongNumbers, self.below(10) == 0 {
            return ExactDecimal("\(ticks)e-1") ?? .zero
        }
        // The same price with one, two or five digits after the point.
        switch self.below(8) {
        case 0: return ExactDecimal(mantissa: ticks * 10, scale: 2)
        case 1: return ExactDecimal(mantissa: ticks * 10_000, scale: 5)
        case 2 where ticks % 10 == 0: return ExactDecimal(mantissa: ticks / 10)
        default: return ExactDecimal(mantissa: ticks, scale: 1)
        }
    }

    mutating func size() -> ExactDecimal {
        if self.below(3) == 0 { return self.below(2) == 0 ? .zero : ExactDecimal(mantissa: 0, scale: 8) }
        if self.hasLongNumbers, self.below(10) == 0 { return ExactDecimal("2.5e-3") ?? .zero }
        let tenths = Int64(1 + self.below(4))
        return self.below(2) == 0
            ? ExactDecimal(mantissa: tenths, scale: 1) : ExactDecimal(mantissa: tenths * 100, scale: 3)
    }
}
