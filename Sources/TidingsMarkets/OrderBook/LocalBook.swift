public import Tidings

/// Every known level of an order book, by price. A value; no I/O, no time.
///
/// Prices and sizes keep their digits; prices are told apart by value, so that `1.5` replaces `1.50`. A change costs a
/// short search and moves the better levels by one place: little near the best price. Not more than ``maximumLevels``
/// a side: a side that grows beyond them loses its worst eighth.
public struct LocalBook: Sendable, Equatable {
    public enum Side: Sendable, CaseIterable {
        case bid
        case ask
    }

    /// The most levels of a side.
    public static let maximumLevels = 50_000

    var bids = BookSide(.bid)
    var asks = BookSide(.ask)

    public init() {}

    /// - Parameters: levels in any order; those of size zero are left out, of several with one price the last counts.
    public init(bids: [OrderBook.Level], asks: [OrderBook.Level]) {
        self.replace(bids: LevelList(bids), asks: LevelList(asks))
    }

    public var bestBid: OrderBook.Level? { self.bids.level(0) }
    public var bestAsk: OrderBook.Level? { self.asks.level(0) }

    /// Whether a buyer offers what a seller asks for, or more.
    public var isCrossed: Bool {
        guard let bid = self.bestBid, let ask = self.bestAsk else { return false }
        return bid.price >= ask.price
    }

    public func count(_ side: Side) -> Int {
        side == .bid ? self.bids.count : self.asks.count
    }

    /// The best levels of a side, best first.
    public func best(_ count: Int, _ side: Side) -> [OrderBook.Level] {
        side == .bid ? self.bids.best(count) : self.asks.best(count)
    }

    /// The level of a rank, of which 0 is the best one.
    public func level(_ rank: Int, _ side: Side) -> OrderBook.Level? {
        side == .bid ? self.bids.level(rank) : self.asks.level(rank)
    }

    // MARK: Changes

    /// The size at a price is now this; zero: the level is gone.
    @inline(__always)
    public mutating func set(_ side: Side, price: ExactDecimal, size: ExactDecimal) {
        switch side {
        case .bid: self.bids.set(price, size)
        case .ask: self.asks.set(price, size)
        }
    }

    /// Changes of one side, in their order; size zero: the level is gone.
    public mutating func apply(_ changes: LevelList, to side: Side) {
        switch side {
        case .bid: self.bids.apply(changes)
        case .ask: self.asks.apply(changes)
        }
    }

    /// Replaces the whole book. Levels may come in any order, but are soonest loaded when sorted; those of size zero are
    /// left out, of several with one price the last counts.
    public mutating func replace(bids: LevelList, asks: LevelList) {
        self.bids.load(bids)
        self.asks.load(asks)
    }

    /// Forgets every level and keeps the memory.
    public mutating func removeAll() {
        self.bids.removeAll()
        self.asks.removeAll()
    }

    /// Forgets what is beyond the best `depth` levels of each side.
    public mutating func cut(to depth: Int) {
        self.bids.cut(to: depth)
        self.asks.cut(to: depth)
    }

    public static func == (left: LocalBook, right: LocalBook) -> Bool {
        left.bids == right.bids && left.asks == right.asks
    }
}

extension BookSide {
    func best(_ count: Int) -> [OrderBook.Level] {
        if self.isPlain { return self.plain.suffix(max(0, count)).reversed() }
        let total = self.entries.count
        return (0..<min(max(0, count), total)).map { self.level(of: self.entries[total &- 1 &- $0]) }
    }

    @inline(__always)
    mutating func set(_ price: ExactDecimal, _ size: ExactDecimal) {
        guard let (mantissa, scale) = price.compact, let (volume, volumeScale) = size.compact else {
            return self.setPlain(OrderBook.Level(price: price, volume: size))
        }
        var hint = self.count
        self.set(
            LevelList.Entry(price: mantissa, size: volume, priceScale: scale, sizeScale: volumeScale), hint: &hint)
    }

    mutating func apply(_ changes: LevelList) {
        var hint = self.count
        for change in changes.entries {
            if let long = changes.longLevel(of: change) {
                self.setPlain(long)
            } else {
                self.set(change, hint: &hint)
            }
        }
    }
}
