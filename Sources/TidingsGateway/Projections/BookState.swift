import Tidings

/// One book as its events tell it: the last snapshot and what has changed since. Put together when it is asked for.
struct BookState {
    private var snapshot: OrderBook?
    private var changes: [OrderBook] = []
    /// Of the last event.
    private var sequence: UInt64?
    private var timestamp: Timestamp
    /// Why the book is not to be relied on.
    private(set) var trouble: String?

    /// So many changes wait before they are put into the snapshot.
    private static let mostChanges = 64
    /// The most levels of a side: a foreign producer's changes may add without end.
    private static let mostLevels = 10_000

    /// - Parameter timestamp: of the event, for a book without a time of its own.
    init(_ book: OrderBook, at timestamp: Timestamp) {
        self.timestamp = timestamp
        self.apply(book, at: timestamp)
    }

    mutating func apply(_ book: OrderBook, at timestamp: Timestamp) {
        self.sequence = book.sequence
        self.timestamp = book.timestamp ?? timestamp
        self.trouble = nil
        if book.kind == .snapshot {
            self.snapshot = book
            self.snapshot?.bids.removeAll { $0.volume == .zero }
            self.snapshot?.asks.removeAll { $0.volume == .zero }
            self.changes = []
        } else {
            self.changes.append(book)
            guard self.changes.count >= Self.mostChanges else { return }
            if self.snapshot == nil { self.changes.removeFirst(Self.mostChanges / 2) } else { self.fold() }
        }
    }

    /// Puts an earlier state under changes that came without one.
    mutating func base(on earlier: BookState) {
        guard self.snapshot == nil, earlier.snapshot != nil else { return }
        self.snapshot = earlier.snapshot
        self.changes = earlier.changes + self.changes
    }

    mutating func fail(_ reason: String) {
        self.trouble = reason
    }

    /// The book can be relied on again, as it stood.
    mutating func recover() {
        self.trouble = nil
    }

    /// The whole book; `nil` before the first snapshot.
    mutating func book() -> OrderBook? {
        self.fold()
        guard var book = self.snapshot else { return nil }
        book.sequence = self.sequence
        book.timestamp = self.timestamp
        return book
    }

    private mutating func fold() {
        guard var book = self.snapshot, !self.changes.isEmpty else { return }
        for change in self.changes {
            for level in change.bids { Self.set(level, in: &book.bids) { $0 > $1 } }
            for level in change.asks { Self.set(level, in: &book.asks) { $0 < $1 } }
        }
        self.changes = []
        self.snapshot = book
    }

    private static func set(
        _ level: OrderBook.Level, in side: inout [OrderBook.Level], isBetter: (ExactDecimal, ExactDecimal) -> Bool
    ) {
        var (low, high) = (0, side.count)
        while low < high {
            let middle = (low + high) / 2
            if isBetter(side[middle].price, level.price) { low = middle + 1 } else { high = middle }
        }
        let isThere = low < side.count && side[low].price == level.price
        if level.volume == .zero {
            if isThere { side.remove(at: low) }
        } else if isThere {
            side[low] = level
        } else {
            side.insert(level, at: low)
            if side.count > Self.mostLevels { side.removeLast() }
        }
    }
}
