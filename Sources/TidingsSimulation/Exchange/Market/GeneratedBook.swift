/// Both sides of a generated order book: the instrument's number of levels each, best first, never crossed, never
/// empty.
package struct GeneratedBook: Equatable, Sendable {
    package struct Level: Equatable, Sendable {
        /// In units of the instrument's last digit.
        package var price: Int64
        package var size: Int64
        package var orders: Int64
    }

    package private(set) var bids: [Level] = []
    package private(set) var asks: [Level] = []
    private let tick: Int64
    private let usualSize: Int64
    private let depth: Int

    /// A book with its best bid at `bid` and its best ask at `ask`.
    init(instrument: Instrument, bid: Int64, ask: Int64, random: inout SeededGenerator) {
        self.tick = instrument.tick
        self.usualSize = instrument.usualSize
        self.depth = instrument.depth
        self.move(bid: bid, ask: ask, random: &random)
    }

    /// Moves the best prices, and lets some of the other levels change.
    mutating func move(bid: Int64, ask: Int64, random: inout SeededGenerator) {
        self.rebuild(\.bids, best: bid, direction: -1, random: &random)
        self.rebuild(\.asks, best: ask, direction: 1, random: &random)
    }

    private mutating func rebuild(
        _ side: WritableKeyPath<GeneratedBook, [Level]>, best: Int64, direction: Int64, random: inout SeededGenerator
    ) {
        var levels = self[keyPath: side].filter { ($0.price - best) * direction >= 0 }
        if levels.first?.price != best { levels.insert(self.level(best, random: &random), at: 0) }
        while levels.count < self.depth {
            let last = levels.last?.price ?? best
            levels.append(self.level(last + direction * self.tick * random.number(1...2), random: &random))
        }
        levels.removeLast(levels.count - self.depth)
        for _ in 0..<2 {
            let index = Int(random.number(0...Int64(self.depth - 1)))
            levels[index] = self.level(levels[index].price, random: &random)
        }
        self[keyPath: side] = levels
    }

    private func level(_ price: Int64, random: inout SeededGenerator) -> Level {
        let orders = 1 + Int64(max(0, random.normal() * 4 + 2))
        let size = Double(self.usualSize) * Double(orders) * (0.2 + 2.5 * random.unit() * random.unit())
        return Level(price: price, size: max(1, Int64(size)), orders: orders)
    }

    /// Fills an order against the book, level by level, and takes away what was filled. One level always stays.
    /// - Returns: price and size of each fill.
    mutating func fill(isBuy: Bool, size: Int64) -> [(price: Int64, size: Int64)] {
        let side: WritableKeyPath<GeneratedBook, [Level]> = isBuy ? \.asks : \.bids
        var levels = self[keyPath: side]
        var rest = size
        var fills: [(price: Int64, size: Int64)] = []
        while rest > 0, let best = levels.first {
            if best.size > rest {
                levels[0].size -= rest
                levels[0].orders = min(best.orders, levels[0].size)
                fills.append((best.price, rest))
                rest = 0
            } else if levels.count > self.depth / 2 {
                levels.removeFirst()
                fills.append((best.price, best.size))
                rest -= best.size
            } else {
                rest = 0
            }
        }
        self[keyPath: side] = levels
        return fills
    }
}

/// How a generated book changed in a step: the levels that are new or other, with size 0 for those that are gone.
package struct GeneratedBookChange: Equatable, Sendable {
    /// The numbers of its first and last level's change.
    package var first: UInt64
    package var last: UInt64
    package var bids: [GeneratedBook.Level]
    package var asks: [GeneratedBook.Level]
}

extension GeneratedBook {
    /// What a client has to be told that keeps the best `depth` levels a side and knows `old`. A level that only
    /// moved beyond the depth is not told of: the client cuts it off by itself.
    package func changes(from old: GeneratedBook, depth: Int = .max) -> (bids: [Level], asks: [Level]) {
        (
            Self.changes(from: old.bids, to: self.bids, depth: depth, isBetter: >),
            Self.changes(from: old.asks, to: self.asks, depth: depth, isBetter: <)
        )
    }

    private static func changes(
        from old: [Level], to new: [Level], depth: Int, isBetter: (Int64, Int64) -> Bool
    ) -> [Level] {
        var changes: [Level] = []
        var before = old.prefix(depth)[...]
        var all = new[...]
        // Both are in order: one walk through both.
        while let level = all.first {
            if let gone = before.first, isBetter(gone.price, level.price) {
                changes.append(Level(price: gone.price, size: 0, orders: 0))
                before.removeFirst()
                continue
            }
            let isTold = new.count - all.count < depth
            if before.first?.price == level.price {
                if isTold, before.first?.size != level.size { changes.append(level) }
                before.removeFirst()
            } else if isTold {
                changes.append(level)
            }
            all.removeFirst()
        }
        return changes + before.map { Level(price: $0.price, size: 0, orders: 0) }
    }
}
