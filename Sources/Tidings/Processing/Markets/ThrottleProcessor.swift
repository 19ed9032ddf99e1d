/// Lets at most one event of each source, type and symbol pass in each interval of event time: the first.
///
/// Attached at ingress it filters for everybody; in a ``ProcessorService`` for what follows in its chain. Changes of an
/// order book (`kind: delta`) always pass: a book with one missing is wrong. The same events leave the same ones.
public struct ThrottleProcessor: Processor, IngressProcessor {
    public let name: String
    private let slots: StreamSlots
    private let last: Shared

    private final class Shared: Sendable {
        let table: Locked<RecentTable<StreamSlots.Key, Int64>>

        init(capacity: Int) {
            self.table = Locked(RecentTable(capacity: capacity))
        }
    }

    /// - Parameters:
    ///   - filter: which events; others pass.
    ///   - capacity: the most streams at a time; the one not seen for longest goes.
    public init(_ filter: EventFilter, every interval: Duration, name: String = "throttle", capacity: Int = 10_000) {
        self.name = name
        self.slots = StreamSlots(filter: filter, every: interval)
        self.last = Shared(capacity: capacity)
    }

    public func process(_ event: StandardEvent) throws -> StandardEvent? {
        guard let (key, slot) = self.slots.slot(of: event) else { return event }
        return self.last.table.withLock { table in
            let place = table.place(of: key, make: { .min })
            guard slot > table[place] else { return nil }
            table[place] = slot
            return event
        }
    }
}
