import Tidings

/// What is to be published, and what becomes of what the bus does not take.
extension FeedMachine {
    mutating func takePending() -> [StandardEvent] {
        if self.pending.isEmpty { return [] }
        let pending = self.pending
        self.pending = []
        return pending
    }

    /// Keeps what the bus would not take, for a while. `false` when that was long enough and it was given up.
    mutating func keep(_ rest: ArraySlice<StandardEvent>, at now: FeedMoment) -> Bool {
        let since = self.stalledSince ?? now.monotonic
        self.stalledSince = since
        guard now.monotonic - since >= self.maximumStall else {
            self.pending.insert(contentsOf: rest, at: 0)
            return true
        }
        // The bus is beyond help for now: better a reported gap than a feed that is ever further behind.
        let lost = Array(rest) + self.pending
        self.dropped += UInt64(lost.count)
        self.stalledSince = nil
        self.pending = [
            self.tell.error(
                "SEQUENCE_GAP", "\(lost.count) events were dropped because the bus was full for too long",
                ["dropped": .number(ExactDecimal(lost.count))])
        ]
        self.renewBooks(of: lost, at: now)
        return false
    }

    /// Whoever applies deltas has lost his book with one of them, and needs a snapshot; a snapshot needs nothing that went
    /// before it, so nothing is done where those are published.
    private mutating func renewBooks(of lost: [StandardEvent], at now: FeedMoment) {
        guard self.plan.book.kind == .delta else { return }
        var instruments: Set<Int> = []
        for event in lost where event.eventType == .orderBook {
            guard let symbol = event.payload.orderBook?.symbol else { continue }
            if let instrument = self.instrumentNumbers[symbol] { instruments.insert(instrument) }
        }
        for instrument in instruments.sorted() {
            guard let stream = self.plan.stream(.orderBook, of: instrument) else { continue }
            self.session?.resubscribe(to: stream, at: now.wall, into: &self.output)
        }
        self.take(at: now)
    }
}
