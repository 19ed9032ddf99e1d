/// Lets at most one event of each source, type and symbol pass in each interval of event time: the newest.
///
/// Attach it at ingress. An event is held until one of a later interval comes, or until ``release(at:)`` says that its
/// interval is over; then it passes under an identifier of its own, made of the one it had, which replays arrive at too.
/// Changes of an order book (`kind: delta`) always pass: a book with one missing is wrong.
public final class ConflationProcessor: Processor, IngressProcessor {
    public let name: String
    private let slots: StreamSlots
    private let interval: Int64
    private let state: Locked<State>

    private struct Held {
        var event: StandardEvent?
        var slot: Int64
        /// Our clock when it was first looked for.
        var seenAt: Int64?
    }

    private struct State: ~Copyable {
        var streams: RecentTable<StreamSlots.Key, Held>
        /// What was released and comes by again.
        var released: Set<EventID> = []
        var lost: UInt64 = 0
    }

    /// Events that were chosen and did not pass: the bus had no room, or their stream had to make some.
    public var lost: UInt64 { self.state.withLock { $0.lost } }

    /// - Parameters:
    ///   - filter: which events; others pass.
    ///   - capacity: the most streams at a time; the one not seen for longest goes, with what is held of it.
    public init(_ filter: EventFilter, every interval: Duration, name: String = "conflate", capacity: Int = 10_000) {
        self.name = name
        self.slots = StreamSlots(filter: filter, every: interval)
        self.interval = max(1, interval.clampedNanoseconds)
        self.state = Locked(State(streams: RecentTable(capacity: capacity)))
    }

    public func process(_ event: StandardEvent) throws -> StandardEvent? {
        guard let (key, slot) = self.slots.slot(of: event) else { return event }
        return self.state.withLock { state in
            if state.released.remove(event.eventID) != nil { return event }
            var lost: UInt64 = 0
            let place = state.streams.place(
                of: key, make: { Held(event: nil, slot: .min) }, leaving: { if $0.event != nil { lost += 1 } })
            state.lost += lost
            let held = state.streams[place]
            // Of an interval that is over: what was chosen stands.
            if slot < held.slot { return nil }
            state.streams[place] = Held(event: event, slot: slot, seenAt: nil)
            return slot > held.slot ? held.event.map { self.renamed($0) } : nil
        }
    }

    /// What is held and whose interval is over by our clock, to be published by the caller: it will pass.
    public func release(at now: Timestamp) -> [StandardEvent] {
        self.state.withLock { state in
            var events: [StandardEvent] = []
            for place in state.streams.indices {
                guard let event = state.streams[place].event else { continue }
                guard let seenAt = state.streams[place].seenAt else {
                    state.streams[place].seenAt = now.nanoseconds
                    continue
                }
                guard now.nanoseconds >= seenAt.clampedSum(self.interval.clampedSum(MarketClock.grace)) else {
                    continue
                }
                state.streams[place].event = nil
                let renamed = self.renamed(event)
                state.released.insert(renamed.eventID)
                events.append(renamed)
            }
            return events
        }
    }

    /// What was released and how many of it did not come by.
    private func forget(_ events: [StandardEvent]) {
        self.state.withLock { state in
            for event in events where state.released.remove(event.eventID) != nil { state.lost += 1 }
        }
    }

    /// Everything that is held, whether its interval is over or not.
    public func drain() -> [StandardEvent] {
        self.state.withLock { state in
            var events: [StandardEvent] = []
            for place in state.streams.indices {
                guard let event = state.streams[place].event else { continue }
                state.streams[place].event = nil
                let renamed = self.renamed(event)
                state.released.insert(renamed.eventID)
                events.append(renamed)
            }
            return events
        }
    }

    /// Publishes what is due, again and again, until the task is cancelled, and then what is left.
    public func run(on bus: any EventBus) async {
        while !Task.isCancelled {
            try? await Task.sleep(for: .milliseconds(50))
            self.publish(self.release(at: .now()), on: bus)
        }
        self.publish(self.drain(), on: bus)
    }

    /// Taken or not, it is not waited for: the newest of the next interval is on its way.
    private func publish(_ events: [StandardEvent], on bus: any EventBus) {
        for start in stride(from: 0, to: events.count, by: EventBatch.capacity) {
            _ = try? bus.tryPublish(EventBatch(events[start..<min(start + EventBatch.capacity, events.count)]))
        }
        self.forget(events)
    }

    /// The event that was held has been seen by whoever tells duplicates apart.
    private func renamed(_ event: StandardEvent) -> StandardEvent {
        var hash = StableHash()
        hash.combine(self.name)
        event.eventID.combine(into: &hash)
        var renamed = event
        if event.correlationID == event.eventID { renamed.correlationID = EventID(at: event.timestamp, hash: hash) }
        renamed.eventID = EventID(at: event.timestamp, hash: hash)
        return renamed
    }
}
