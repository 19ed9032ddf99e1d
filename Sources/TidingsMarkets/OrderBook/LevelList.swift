public import Tidings

/// Levels as a frame brings them, in memory that is used again and again.
///
/// A frame is read into such a list and applied when all of it made sense: no book is ever left half changed.
public struct LevelList: Sendable {
    /// A level without references.
    struct Entry: Sendable {
        var price: Int64
        var size: Int64
        var priceScale: UInt8
        var sizeScale: UInt8

        /// For an entry whose numbers are compact.
        @inline(__always)
        var level: OrderBook.Level {
            OrderBook.Level(
                price: ExactDecimal(mantissa: self.price, scale: self.priceScale),
                volume: ExactDecimal(mantissa: self.size, scale: self.sizeScale))
        }
    }

    /// Marks an entry whose level is among the long ones, at the index that its price is.
    private static let long = UInt8.max

    private(set) var entries: [Entry] = []
    /// Levels with a number that is held as text.
    private var long: [OrderBook.Level] = []

    public init() {}

    public init(_ levels: some Sequence<OrderBook.Level>) {
        for level in levels { self.append(price: level.price, size: level.volume) }
    }

    public var count: Int { self.entries.count }
    public var isEmpty: Bool { self.entries.isEmpty }
    /// Whether every number is held as mantissa and scale.
    var isCompact: Bool { self.long.isEmpty }

    public subscript(_ index: Int) -> OrderBook.Level {
        let entry = self.entries[index]
        return self.longLevel(of: entry) ?? entry.level
    }

    @inline(__always)
    func longLevel(of entry: Entry) -> OrderBook.Level? {
        entry.priceScale == Self.long ? self.long[Int(entry.price)] : nil
    }

    @inline(__always)
    public mutating func append(price: ExactDecimal, size: ExactDecimal) {
        if let (price, priceScale) = price.compact, let (size, sizeScale) = size.compact, priceScale != Self.long {
            self.entries.append(Entry(price: price, size: size, priceScale: priceScale, sizeScale: sizeScale))
        } else {
            self.entries.append(Entry(price: Int64(self.long.count), size: 0, priceScale: Self.long, sizeScale: 0))
            self.long.append(OrderBook.Level(price: price, volume: size))
        }
    }

    @inline(__always)
    mutating func append(_ entry: Entry) {
        self.entries.append(entry)
    }

    /// Forgets the levels and keeps the memory.
    @inline(__always)
    public mutating func removeAll() {
        self.entries.removeAll(keepingCapacity: true)
        if !self.long.isEmpty { self.long.removeAll() }
    }
}
