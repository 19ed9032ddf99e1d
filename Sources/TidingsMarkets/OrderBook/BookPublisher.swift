import Tidings

/// Decides which `order_book` events a symbol's book makes: the best levels, when they have changed, not more often than
/// wanted. A machine: the book comes in, an event comes out.
///
/// Changed means another price or another size among the best levels; other digits of the same number are no change.
/// Where deltas are wanted, applying them to the last snapshot gives exactly the best levels of the book.
struct BookPublisher: Sendable {
    /// A frame whose change has not been told.
    private struct Frame {
        var sequence: UInt64?
        var timestamp: Timestamp?
        var receivedAt: Timestamp
    }

    private let plan: BookPlan
    private let depth: Int
    private let interval: Int64
    private let source: Name
    private let symbol: Name
    private let venueSymbol: Name
    private let kind: InstrumentKind
    private var bids = BestLevels()
    private var asks = BestLevels()
    /// When the last event was made.
    private var lastTime: Int64?
    /// Nothing has been told since the book began anew: the next event is a snapshot.
    private var isFresh = true
    private var waiting: Frame?

    init(_ plan: BookPlan, source: Name, instrument: Instrument) {
        self.plan = plan
        self.depth = max(1, plan.depth)
        let interval = plan.interval / .nanoseconds(1)
        self.interval = interval > 0 ? Int64(exactly: interval.rounded()) ?? .max : 0
        self.source = source
        self.symbol = Name(instrument.symbol)
        self.venueSymbol = Name(instrument.venueSymbol)
        self.kind = instrument.kind
    }

    /// The book was built anew: the next event is a snapshot, even where deltas are wanted, and what waited is forgotten.
    /// A book that is as it was told before makes no event.
    mutating func restart() {
        self.isFresh = true
        self.waiting = nil
    }

    /// The book after a frame. `nil` where the best levels are as they were, or it is too early.
    ///
    /// - Parameters:
    ///   - sequence: the venue's number of the update.
    ///   - timestamp: the venue's time of it.
    @inline(__always)
    mutating func update(
        _ book: LocalBook, sequence: UInt64?, timestamp: Timestamp?, receivedAt: Timestamp
    ) -> StandardEvent? {
        let frame = Frame(sequence: sequence, timestamp: timestamp, receivedAt: receivedAt)
        if self.isTooEarly(receivedAt) {
            self.waiting = frame
            return nil
        }
        self.waiting = nil
        if self.isTold(book) { return nil }
        return self.tell(book, of: frame, at: receivedAt)
    }

    /// Time has passed: a change that waited may go now, with the numbers and times of the newest frame.
    mutating func tick(_ book: LocalBook, at now: Timestamp) -> StandardEvent? {
        guard let frame = self.waiting, !self.isTooEarly(now) else { return nil }
        self.waiting = nil
        if self.isTold(book) { return nil }
        return self.tell(book, of: frame, at: now)
    }

    private func isTold(_ book: LocalBook) -> Bool {
        self.bids.areSame(as: book.bids, depth: self.depth) && self.asks.areSame(as: book.asks, depth: self.depth)
    }

    private func isTooEarly(_ now: Timestamp) -> Bool {
        guard self.interval > 0, let last = self.lastTime else { return false }
        let (passed, overflows) = now.nanoseconds.subtractingReportingOverflow(last)
        // A clock that was put back starts the time anew.
        return !overflows && passed >= 0 && passed < self.interval
    }

    private mutating func tell(_ book: LocalBook, of frame: Frame, at now: Timestamp) -> StandardEvent {
        let isDelta = self.plan.kind == .delta && !self.isFresh
        let (oldBids, oldAsks) = isDelta ? (self.bids.levels, self.asks.levels) : ([], [])
        self.bids.take(book.bids, depth: self.depth)
        self.asks.take(book.asks, depth: self.depth)
        self.lastTime = now.nanoseconds
        self.isFresh = false
        let (bids, asks) = (self.bids.levels, self.asks.levels)
        let payload = OrderBook(
            symbol: self.symbol, kind: isDelta ? .delta : .snapshot,
            bids: isDelta ? Self.changes(from: oldBids, to: bids, .bid) : bids,
            asks: isDelta ? Self.changes(from: oldAsks, to: asks, .ask) : asks,
            bestBid: bids.first, bestAsk: asks.first, sequence: frame.sequence, timestamp: frame.timestamp,
            context: MarketContext(venueSymbol: self.venueSymbol, instrument: self.kind, receivedAt: frame.receivedAt))
        let moment = frame.timestamp ?? frame.receivedAt
        return StandardEvent(
            eventType: .orderBook, source: self.source, payload: .orderBook(payload), timestamp: moment,
            eventID: EventID(at: moment, hash: self.hash(payload, moment)))
    }

    /// What makes one list of best levels out of another, best first: changed and new levels, and those that are gone
    /// with size zero.
    private static func changes(
        from old: [OrderBook.Level], to new: [OrderBook.Level], _ side: LocalBook.Side
    ) -> [OrderBook.Level] {
        var changes: [OrderBook.Level] = []
        var (left, right) = (0, 0)
        while left < old.count || right < new.count {
            if left < old.count, right < new.count, old[left].price == new[right].price {
                if old[left].volume != new[right].volume { changes.append(new[right]) }
                left += 1
                right += 1
            } else if right == new.count
                || (left < old.count
                    && (side == .bid ? old[left].price > new[right].price : old[left].price < new[right].price))
            {
                changes.append(OrderBook.Level(price: old[left].price, volume: .zero))
                left += 1
            } else {
                changes.append(new[right])
                right += 1
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
        hash.combine(UInt64(book.bids.count))
        for level in book.bids { Self.combine(level, into: &hash) }
        hash.combine(UInt64(book.asks.count))
        for level in book.asks { Self.combine(level, into: &hash) }
        return hash
    }

    @inline(__always)
    private static func combine(_ level: OrderBook.Level, into hash: inout StableHash) {
        guard let (price, priceScale) = level.price.compact, let (size, sizeScale) = level.volume.compact else {
            hash.combine(level.price.description)
            hash.combine(level.volume.description)
            return
        }
        hash.combine(price)
        hash.combine(size)
        hash.combine(UInt64(priceScale) &<< 8 | UInt64(sizeScale))
    }
}
