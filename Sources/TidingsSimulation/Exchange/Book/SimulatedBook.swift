/// One level of a book, in the venue's own digits.
package struct BookLevel: Equatable, Sendable {
    package var price: String
    package var size: String

    package init(_ price: String, _ size: String) {
        self.price = price
        self.size = size
    }
}

/// What a frame or an HTTP answer says about a book.
package struct BookChange: Equatable, Sendable {
    package var symbol: String
    /// Whether it is the whole book rather than what changed.
    package var isSnapshot: Bool
    /// A size of zero takes a level away.
    package var bids: [BookLevel]
    package var asks: [BookLevel]
    /// The numbers of the first and last update in it, where the venue numbers them.
    package var first: UInt64?
    package var last: UInt64?

    package init(
        symbol: String, isSnapshot: Bool = false, bids: [BookLevel] = [], asks: [BookLevel] = [],
        first: UInt64? = nil, last: UInt64? = nil
    ) {
        self.symbol = symbol
        self.isSnapshot = isSnapshot
        self.bids = bids
        self.asks = asks
        self.first = first
        self.last = last
    }
}

/// The book that the simulator keeps of an exchange it plays: all there is to know, best levels first.
package struct SimulatedBook: Equatable, Sendable {
    fileprivate struct Side: Equatable, Sendable {
        var levels: [BookLevel] = []
        /// The prices of `levels`, negative for bids, so that both sides ascend.
        var keys: [Int128] = []
    }

    package let symbol: String
    /// The last update's number; 0 where updates have none.
    package var sequence: UInt64
    private var bidSide = Side()
    private var askSide = Side()

    package init(symbol: String, sequence: UInt64 = 0) {
        self.symbol = symbol
        self.sequence = sequence
    }

    /// A book that is known whole, best levels first.
    package init(symbol: String, sequence: UInt64, bids: [BookLevel], asks: [BookLevel]) {
        self.init(symbol: symbol, sequence: sequence)
        self.apply(BookChange(symbol: symbol, isSnapshot: true, bids: bids, asks: asks, last: sequence), limit: .max)
    }

    package var bids: [BookLevel] { self.bidSide.levels }
    package var asks: [BookLevel] { self.askSide.levels }

    /// Takes a change over; afterwards there are at most `limit` levels a side. A level whose numbers cannot be read is
    /// passed over.
    package mutating func apply(_ change: BookChange, limit: Int = .max) {
        if change.isSnapshot {
            self.bidSide = Side()
            self.askSide = Side()
        }
        if let last = change.last { self.sequence = last }
        for level in change.bids { self.bidSide.set(level, sign: -1) }
        for level in change.asks { self.askSide.set(level, sign: 1) }
        self.bidSide.cut(limit)
        self.askSide.cut(limit)
    }

    /// Which place among the bids or asks a price has, counted from the best.
    package func place(of price: String, isBid: Bool) -> Int? {
        guard let units = DecimalUnits(price) else { return nil }
        let side = isBid ? self.bidSide : self.askSide
        let key = isBid ? -units.count : units.count
        let place = side.place(of: key)
        return place < side.keys.count && side.keys[place] == key ? place : nil
    }
}

extension SimulatedBook.Side {
    fileprivate func place(of key: Int128) -> Int {
        var low = 0
        var high = self.keys.count
        while low < high {
            let middle = (low + high) / 2
            if self.keys[middle] < key { low = middle + 1 } else { high = middle }
        }
        return low
    }

    fileprivate mutating func set(_ level: BookLevel, sign: Int128) {
        guard let price = DecimalUnits(level.price), let size = DecimalUnits(level.size) else { return }
        let key = price.count * sign
        // Snapshots come in order.
        let place = (self.keys.last.map { $0 < key } ?? true) ? self.keys.count : self.place(of: key)
        let isThere = place < self.keys.count && self.keys[place] == key
        if size.isZero {
            guard isThere else { return }
            self.keys.remove(at: place)
            self.levels.remove(at: place)
        } else if isThere {
            self.levels[place] = level
        } else {
            self.keys.insert(key, at: place)
            self.levels.insert(level, at: place)
        }
    }

    fileprivate mutating func cut(_ limit: Int) {
        guard self.keys.count > limit else { return }
        self.keys.removeLast(self.keys.count - limit)
        self.levels.removeLast(self.levels.count - limit)
    }
}
