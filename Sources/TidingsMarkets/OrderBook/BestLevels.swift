import Tidings

/// The best levels of one side as they were told last: notices cheaply whether they are still the same.
struct BestLevels: Sendable {
    /// Best first.
    private(set) var levels: [OrderBook.Level] = []
    /// The same as the side held them, best last.
    private var entries: [BookSide.Entry] = []
    private var scale: UInt8 = 0

    /// Whether the best levels of a side have the same prices and sizes, whatever their digits.
    func areSame(as side: BookSide, depth: Int) -> Bool {
        let count = min(depth, side.count)
        guard count == self.levels.count else { return false }
        if side.isPlain || side.scale != self.scale || self.entries.count != count {
            return (0..<count).allSatisfy { side.level($0) == self.levels[$0] }
        }
        let skipped = side.entries.count - count
        var index = count - 1
        while index >= 0 {
            let (left, right) = (side.entries[skipped &+ index], self.entries[index])
            guard left.key == right.key else { return false }
            if left.sizeScale == right.sizeScale {
                guard left.size == right.size else { return false }
            } else if left.volume != right.volume {
                return false
            }
            index &-= 1
        }
        return true
    }

    mutating func take(_ side: BookSide, depth: Int) {
        self.levels = side.best(depth)
        self.entries.removeAll(keepingCapacity: true)
        self.entries.append(contentsOf: side.entries.suffix(self.levels.count))
        self.scale = side.scale
    }
}
