/// Which stream of events one belongs to, and which slot of event time: slots are whole multiples of an interval, so that
/// what is chosen in one does not depend on when the program was started.
struct StreamSlots: Sendable {
    struct Key: Hashable {
        let type: EventType
        let source: Name
        let symbol: Name?
    }

    private let filter: EventFilter
    private let length: Int64

    init(filter: EventFilter, every interval: Duration) {
        self.filter = filter
        self.length = max(1, interval.clampedNanoseconds)
    }

    /// `nil` for what is left alone: other events, and changes of a book, none of which may be missing.
    func slot(of event: StandardEvent) -> (key: Key, slot: Int64)? {
        guard self.filter.matches(event) else { return nil }
        if event.eventType == .orderBook, event.payload.orderBook?.kind == .delta { return nil }
        let key = Key(type: event.eventType, source: event.source, symbol: event.symbol)
        let (slot, rest) = event.timestamp.nanoseconds.quotientAndRemainder(dividingBy: self.length)
        return (key, rest < 0 ? slot - 1 : slot)
    }
}
