import Tidings

/// Decides which `order_book` events a symbol's book makes: the best levels, when they have changed, not more often than
/// wanted. A machine: the book comes in, an event comes out.
struct BookPublisher: Sendable {
    private let plan: BookPlan
    private let source: Name
    private let symbol: Name
    private let venueSymbol: Name
    private let kind: InstrumentKind
    /// What was told last.
    private var bids: [OrderBook.Level] = []
    private var asks: [OrderBook.Level] = []
    /// The venue's time of the last event, or of the frame that made it.
    private var lastTime: Int64 = .min
    /// Nothing has been told since the book began anew: the next event is a snapshot.
    private var isFresh = true
    /// A change that waits for its time.
    private var waiting: (sequence: UInt64?, timestamp: Timestamp?)?

    init(_ plan: BookPlan, source: Name, instrument: Instrument) {
        self.plan = plan
        self.source = source
        self.symbol = Name(instrument.symbol)
        self.venueSymbol = Name(instrument.venueSymbol)
        self.kind = instrument.kind
    }

    /// The book was built anew: the next event is a snapshot, even where deltas are wanted.
    mutating func restart() {
        self.isFresh = true
    }

    /// The book after a frame. `nil` where the best levels are as they were, or it is too early.
    ///
    /// - Parameters:
    ///   - sequence: the venue's number of the update.
    ///   - timestamp: the venue's time of it.
    mutating func update(
        _ book: LocalBook, sequence: UInt64?, timestamp: Timestamp?, receivedAt: Timestamp
    ) -> StandardEvent? {
        self.waiting = (sequence, timestamp)
        return self.tick(book, at: receivedAt)
    }

    /// Time has passed: a change that waited may go now.
    mutating func tick(_ book: LocalBook, at now: Timestamp) -> StandardEvent? {
        guard let (sequence, timestamp) = self.waiting else { return nil }
        let wait = Int64(self.plan.interval / .nanoseconds(1))
        if wait > 0, self.lastTime != .min, now.nanoseconds - self.lastTime < wait { return nil }
        self.waiting = nil
        let (bids, asks) = (book.best(self.plan.depth, .bid), book.best(self.plan.depth, .ask))
        if !self.isFresh, bids == self.bids, asks == self.asks { return nil }
        let isDelta = self.plan.kind == .delta && !self.isFresh
        let payload = OrderBook(
            symbol: self.symbol, kind: isDelta ? .delta : .snapshot,
            bids: isDelta ? Self.changes(from: self.bids, to: bids) { $0 > $1 } : bids,
            asks: isDelta ? Self.changes(from: self.asks, to: asks) { $0 < $1 } : asks,
            bestBid: bids.first, bestAsk: asks.first, sequence: sequence, timestamp: timestamp,
            context: MarketContext(venueSymbol: self.venueSymbol, instrument: self.kind, receivedAt: now))
        self.bids = bids
        self.asks = asks
        self.lastTime = now.nanoseconds
        self.isFresh = false
        let moment = timestamp ?? now
        return StandardEvent(
            eventType: .orderBook, source: self.source, payload: .orderBook(payload), timestamp: moment,
            eventID: EventID(at: moment, hash: self.hash(payload, moment)))
    }

    /// What makes one list of best levels out of another: changed and new levels, and those that are gone with size zero.
    private static func changes(
        from old: [OrderBook.Level], to new: [OrderBook.Level], isBetter: (ExactDecimal, ExactDecimal) -> Bool
    ) -> [OrderBook.Level] {
        var changes: [OrderBook.Level] = []
        var (before, after) = (old[...], new[...])
        while let left = before.first ?? after.first {
            guard let first = before.first, let second = after.first else {
                let isGone = !before.isEmpty
                changes.append(isGone ? OrderBook.Level(price: left.price, volume: .zero) : left)
                if isGone { before.removeFirst() } else { after.removeFirst() }
                continue
            }
            if first.price == second.price {
                if first.volume != second.volume { changes.append(second) }
                before.removeFirst()
                after.removeFirst()
            } else if isBetter(first.price, second.price) {
                changes.append(OrderBook.Level(price: first.price, volume: .zero))
                before.removeFirst()
            } else {
                changes.append(second)
                after.removeFirst()
            }
        }
        return changes
    }

    /// Venue, symbol, time and levels: the same book of the same moment has the same identifier, wherever it is read.
    private func hash(_ book: OrderBook, _ moment: Timestamp) -> StableHash {
        var hash = StableHash()
        self.source.withUTF8 { hash.combine($0) }
        hash.combine(book.kind == .delta ? "order_book.delta" : "order_book")
        self.venueSymbol.withUTF8 { hash.combine($0) }
        hash.combine(moment.nanoseconds)
        for side in [book.bids, book.asks] {
            hash.combine(UInt64(side.count))
            for level in side {
                hash.combine(level.price)
                hash.combine(level.volume)
            }
        }
        return hash
    }
}
