public import Tidings

/// Every known level of an order book, by price. A value; no I/O, no time.
///
/// Prices and sizes keep their digits. Finding a level costs a binary search, changing one near the best price next to
/// nothing more.
public struct LocalBook: Sendable, Equatable {
    public enum Side: Sendable, CaseIterable {
        case bid
        case ask
    }

    /// Each with its best level last, where changes are frequent.
    private var bids: [OrderBook.Level] = []
    private var asks: [OrderBook.Level] = []

    public init() {}

    /// - Parameters: levels in any order; those of size zero are left out, of several with one price the last counts.
    public init(bids: [OrderBook.Level], asks: [OrderBook.Level]) {
        for level in bids { self.set(.bid, price: level.price, size: level.volume) }
        for level in asks { self.set(.ask, price: level.price, size: level.volume) }
    }

    public var bestBid: OrderBook.Level? { self.bids.last }
    public var bestAsk: OrderBook.Level? { self.asks.last }

    /// Whether a buyer offers what a seller asks for, or more.
    public var isCrossed: Bool {
        guard let bid = self.bids.last, let ask = self.asks.last else { return false }
        return bid.price >= ask.price
    }

    public func count(_ side: Side) -> Int {
        side == .bid ? self.bids.count : self.asks.count
    }

    /// The best levels of a side, best first.
    public func best(_ count: Int, _ side: Side) -> [OrderBook.Level] {
        (side == .bid ? self.bids : self.asks).suffix(count).reversed()
    }

    /// The size at a price is now this; zero: the level is gone.
    public mutating func set(_ side: Side, price: ExactDecimal, size: ExactDecimal) {
        switch side {
        case .bid: Self.set(&self.bids, price, size) { $0 < $1 }
        case .ask: Self.set(&self.asks, price, size) { $0 > $1 }
        }
    }

    /// Forgets what is beyond the best `depth` levels of each side.
    public mutating func cut(to depth: Int) {
        if self.bids.count > depth { self.bids.removeFirst(self.bids.count - depth) }
        if self.asks.count > depth { self.asks.removeFirst(self.asks.count - depth) }
    }

    private static func set(
        _ levels: inout [OrderBook.Level], _ price: ExactDecimal, _ size: ExactDecimal,
        precedes: (ExactDecimal, ExactDecimal) -> Bool
    ) {
        var (low, high) = (0, levels.count)
        while low < high {
            let middle = (low + high) / 2
            if precedes(levels[middle].price, price) { low = middle + 1 } else { high = middle }
        }
        let isThere = low < levels.count && levels[low].price == price
        if size == .zero {
            if isThere { levels.remove(at: low) }
        } else if isThere {
            levels[low] = OrderBook.Level(price: price, volume: size)
        } else {
            levels.insert(OrderBook.Level(price: price, volume: size), at: low)
        }
    }
}
