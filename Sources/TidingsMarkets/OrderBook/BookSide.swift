import Tidings

/// One side of a book: its levels by price, the best last, where changes are frequent and cost little.
///
/// Prices are held as whole numbers of one scale, so that a comparison is one of integers whatever digits each price came
/// with; what does not fit (an exponent, thirty digits) turns the side into a plain list of levels, which is right for any
/// number and slower, until it is emptied.
struct BookSide: Sendable {
    /// A level without references: 24 bytes.
    struct Entry: Sendable {
        /// The price at the side's scale; of asks with its sign turned, so that the best is the greatest on both sides.
        var key: Int64
        var size: Int64
        /// Digits after the point as they were received.
        var priceScale: UInt8
        var sizeScale: UInt8

        var volume: ExactDecimal { ExactDecimal(mantissa: self.size, scale: self.sizeScale) }
    }

    /// In rising order of keys; empty where the side is held as `plain`.
    private(set) var entries: [Entry] = []
    /// Digits after the point of every key.
    private(set) var scale: UInt8 = 0
    /// In the same order.
    private(set) var plain: [OrderBook.Level] = []
    private(set) var isPlain = false
    private let sign: Int64

    init(_ side: LocalBook.Side) {
        self.sign = side == .bid ? 1 : -1
    }

    var count: Int { self.isPlain ? self.plain.count : self.entries.count }

    /// The level of a rank, of which 0 is the best one.
    @inline(__always)
    func level(_ rank: Int) -> OrderBook.Level? {
        guard rank >= 0, rank < self.count else { return nil }
        if self.isPlain { return self.plain[self.plain.count - 1 - rank] }
        return self.level(of: self.entries[self.entries.count - 1 - rank])
    }

    @inline(__always)
    func level(of entry: Entry) -> OrderBook.Level {
        var mantissa = entry.key &* self.sign
        // Brings back the digits that were received: exact, as the key was made by this multiplication.
        if entry.priceScale != self.scale { mantissa /= Self.power(self.scale &- entry.priceScale) }
        return OrderBook.Level(price: ExactDecimal(mantissa: mantissa, scale: entry.priceScale), volume: entry.volume)
    }

    mutating func removeAll() {
        self.entries.removeAll(keepingCapacity: true)
        self.plain = []
        self.isPlain = false
        self.scale = 0
    }

    /// Forgets all but the best levels.
    mutating func cut(to depth: Int) {
        let surplus = self.count - max(0, depth)
        guard surplus > 0 else { return }
        if self.isPlain { self.plain.removeFirst(surplus) } else { self.entries.removeFirst(surplus) }
    }

    // MARK: Changes

    /// The size at a price is now this; zero: the level is gone.
    ///
    /// - Parameter hint: where the level before was found; changes mostly come in the order of their prices.
    @inline(__always)
    mutating func set(_ change: LevelList.Entry, hint: inout Int) {
        guard !self.isPlain, let key = self.key(change.price, change.priceScale) else {
            return self.setPlain(change.level)
        }
        let index = self.index(of: key, from: hint)
        hint = index
        let count = self.entries.count
        let isThere = index < count && self.entries[index].key == key
        let entry = Entry(
            key: key, size: change.size, priceScale: change.priceScale, sizeScale: change.sizeScale)
        if change.size == 0 {
            if isThere { self.entries.remove(at: index) }
        } else if isThere {
            self.entries[index] = entry
        } else {
            self.entries.insert(entry, at: index)
            if count >= LocalBook.maximumLevels { self.dropWorst() }
        }
    }

    @inline(never)
    private mutating func dropWorst() {
        self.cut(to: LocalBook.maximumLevels - LocalBook.maximumLevels / 8)
    }

    /// A price as a key; `nil` when it does not fit. A price with more digits than any before gives all keys more.
    @inline(__always)
    private mutating func key(_ price: Int64, _ scale: UInt8) -> Int64? {
        if scale == self.scale, price != .min { return price &* self.sign }
        return self.keyOfOtherScale(price, scale)
    }

    @inline(never)
    private mutating func keyOfOtherScale(_ price: Int64, _ scale: UInt8) -> Int64? {
        guard price != .min else { return nil }
        if scale > self.scale { guard self.rescale(to: scale) else { return nil } }
        guard let scaled = Self.scaled(price &* self.sign, by: self.scale &- scale) else { return nil }
        return scaled
    }

    private mutating func rescale(to scale: UInt8) -> Bool {
        let digits = scale - self.scale
        // The outermost keys are the ones that may not fit.
        for entry in [self.entries.first, self.entries.last] {
            if let entry, Self.scaled(entry.key, by: digits) == nil { return false }
        }
        if !self.entries.isEmpty {
            let factor = Self.power(digits)
            for index in self.entries.indices { self.entries[index].key &*= factor }
        }
        self.scale = scale
        return true
    }

    /// `key` times ten to the `digits`; `nil` when that does not fit.
    private static func scaled(_ key: Int64, by digits: UInt8) -> Int64? {
        guard digits <= 18 else { return key == 0 ? 0 : nil }
        let (product, isTooMuch) = key.multipliedReportingOverflow(by: Self.power(digits))
        return isTooMuch || product == .min ? nil : product
    }

    @inline(__always)
    private static func power(_ digits: UInt8) -> Int64 {
        // Beyond 18 only a zero has been let in.
        Int64(truncatingIfNeeded: powerOfTen(min(18, Int(digits))))
    }

    /// Where a key is or belongs: steps of growing length from the hint, then halving.
    @inline(__always)
    private func index(of key: Int64, from hint: Int) -> Int {
        self.entries.withUnsafeBufferPointer { entries in
            let count = entries.count
            var (low, high) = (0, count)
            var place = min(max(hint, 0), count)
            var step = 1
            if place < count, entries[place].key < key {
                low = place &+ 1
                while true {
                    place = low &+ step
                    guard place < count else { break }
                    guard entries[place].key < key else {
                        high = place
                        break
                    }
                    low = place &+ 1
                    step &*= 2
                }
            } else {
                high = place
                while true {
                    place = high &- step
                    guard place >= 0 else { break }
                    guard entries[place].key >= key else {
                        low = place &+ 1
                        break
                    }
                    high = place
                    step &*= 2
                }
            }
            while low < high {
                let middle = (low &+ high) &>> 1
                if entries[middle].key < key { low = middle &+ 1 } else { high = middle }
            }
            return low
        }
    }
}

/// Numbers of any form.
extension BookSide {
    /// Gives up whole numbers of one scale.
    private mutating func makePlain() {
        guard !self.isPlain else { return }
        self.plain = self.entries.map { self.level(of: $0) }
        self.entries = []
        self.isPlain = true
    }

    @inline(never)
    mutating func setPlain(_ change: OrderBook.Level) {
        self.makePlain()
        var (low, high) = (0, self.plain.count)
        while low < high {
            let middle = (low + high) / 2
            if self.precedes(self.plain[middle].price, change.price) { low = middle + 1 } else { high = middle }
        }
        let isThere = low < self.plain.count && self.plain[low].price == change.price
        if change.volume == .zero {
            if isThere { self.plain.remove(at: low) }
        } else if isThere {
            self.plain[low] = change
        } else {
            self.plain.insert(change, at: low)
            if self.plain.count > LocalBook.maximumLevels { self.dropWorst() }
        }
    }

    private func precedes(_ left: ExactDecimal, _ right: ExactDecimal) -> Bool {
        self.sign > 0 ? left < right : right < left
    }

    /// Replaces everything. Of several levels with one price the last counts.
    mutating func load(_ list: LevelList) {
        self.removeAll()
        guard list.isCompact, self.loadKeys(of: list) else { return self.loadPlain(list) }
        if self.entries.count > LocalBook.maximumLevels { self.cut(to: LocalBook.maximumLevels) }
    }

    /// Makes entries of a list, in order; `false` where a price does not fit a key.
    private mutating func loadKeys(of list: LevelList) -> Bool {
        self.scale = list.entries.reduce(0) { max($0, $1.priceScale) }
        self.entries.reserveCapacity(list.count)
        // Snapshots are sorted, one way or the other, and have no level of size zero.
        var (isRising, isFalling, hasNone) = (true, true, false)
        var last: Int64?
        for entry in list.entries {
            guard let key = self.key(entry.price, entry.priceScale) else { return false }
            if let last {
                if key <= last { isRising = false }
                if key >= last { isFalling = false }
            }
            last = key
            if entry.size == 0 { hasNone = true }
            self.entries.append(
                Entry(key: key, size: entry.size, priceScale: entry.priceScale, sizeScale: entry.sizeScale))
        }
        if !isRising {
            if isFalling { self.entries.reverse() } else { self.sortEntries() }
        }
        if hasNone { self.entries.removeAll { $0.size == 0 } }
        return true
    }

    private mutating func sortEntries() {
        let given = self.entries
        let order = given.indices.sorted { (given[$0].key, $0) < (given[$1].key, $1) }
        self.entries.removeAll(keepingCapacity: true)
        for index in order {
            if self.entries.last?.key == given[index].key { self.entries.removeLast() }
            self.entries.append(given[index])
        }
    }

    private mutating func loadPlain(_ list: LevelList) {
        self.makePlain()
        let levels = (0..<list.count).map { list[$0] }
        let order = levels.indices.sorted { left, right in
            if self.precedes(levels[left].price, levels[right].price) { return true }
            return left < right && !self.precedes(levels[right].price, levels[left].price)
        }
        for index in order {
            if self.plain.last?.price == levels[index].price { self.plain.removeLast() }
            self.plain.append(levels[index])
        }
        self.plain.removeAll { $0.volume == .zero }
        if self.plain.count > LocalBook.maximumLevels { self.cut(to: LocalBook.maximumLevels) }
    }
}

extension BookSide: Equatable {
    static func == (left: BookSide, right: BookSide) -> Bool {
        guard left.count == right.count else { return false }
        for rank in 0..<left.count where left.level(rank) != right.level(rank) { return false }
        return true
    }
}
