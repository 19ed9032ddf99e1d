import DequeModule

/// A log that keeps the newest events in memory and forgets the oldest.
public final class MemoryEventLog: EventLog {
    private struct State: ~Copyable {
        var batches = Deque<CommittedBatch>()
        var count = 0
        var offsets: [EventID: Int64] = [:]
        var isClosed = false
    }

    public let epoch: String
    private let capacity: Int
    private let state: Locked<State>
    private let feed = CommitFeed(bounds: LogBounds(oldest: 1, head: 0))
    public let deadLetters: any DeadLetterStore
    public let cursors: any DurableCursorStore = MemoryDurableCursorStore()

    /// - Parameters:
    ///   - capacity: how many events are kept, give or take a batch.
    ///   - deadLetterCapacity: how many dead letters are kept.
    public init(capacity: Int = 100_000, deadLetterCapacity: Int = 10_000) {
        self.capacity = max(capacity, 1)
        self.epoch = String(UInt64.random(in: .min ... .max), radix: 16)
        let state = Locked(State())
        self.state = state
        self.deadLetters = MemoryDeadLetterStore(capacity: deadLetterCapacity) { id in
            state.withLock { $0.offsets[id] }
        }
    }

    public var bounds: LogBounds { self.feed.bounds }

    public func append(_ selections: [EventSelection]) async throws(EventLogError) -> [AppendOutcome] {
        try self.appendNow(selections)
    }

    private func appendNow(_ selections: [EventSelection]) throws(EventLogError) -> [AppendOutcome] {
        try self.state.withLock { state throws(EventLogError) in
            guard !state.isClosed else { throw EventLogError(.closed, "the log is closed") }
            var outcomes: [AppendOutcome] = []
            var next = self.feed.bounds.head + 1
            for selection in selections {
                var mask: UInt64 = 0
                var duplicates: [Int: Int64] = [:]
                let first = next
                for index in selection.indices {
                    let id = selection.batch.events[index].eventID
                    if let known = state.offsets[id] {
                        duplicates[index] = known
                    } else {
                        mask |= 1 << UInt64(index)
                        state.offsets[id] = next
                        next += 1
                    }
                }
                guard mask != 0 else {
                    outcomes.append(AppendOutcome(committed: nil, duplicates: duplicates))
                    continue
                }
                let committed = CommittedBatch(EventSelection(selection.batch, mask: mask), firstOffset: first)
                state.batches.append(committed)
                state.count += committed.count
                outcomes.append(AppendOutcome(committed: committed, duplicates: duplicates))
            }
            while let oldest = state.batches.first, state.count - oldest.count >= self.capacity {
                state.batches.removeFirst()
                state.count -= oldest.count
                for event in oldest.selection { state.offsets[event.eventID] = nil }
                self.feed.moveOldest(to: oldest.lastOffset + 1)
            }
            // Under the lock, so that observers hear of commits in offset order.
            self.feed.publish(outcomes.compactMap(\.committed))
            return outcomes
        }
    }

    public func read(_ query: LogQuery) async throws(EventLogError) -> [LoggedEvent] {
        let batches = self.overlapping(after: query.after, through: query.through)
        let ordered = query.order == .ascending ? batches : batches.reversed()
        var found: [LoggedEvent] = []
        for batch in ordered {
            let indices = Array(batch.selection.indices)
            for index in query.order == .ascending ? indices : indices.reversed() {
                let offset = batch.offset(at: index)
                guard offset > query.after, offset <= query.through else { continue }
                let event = batch.selection.batch.events[index]
                guard query.filter.matches(event) else { continue }
                found.append(LoggedEvent(offset: offset, event: event))
                if found.count >= query.limit { return found }
            }
        }
        return found
    }

    /// The batches that may hold offsets above `after` and up to `through`.
    private func overlapping(after: Int64, through: Int64) -> [CommittedBatch] {
        self.state.withLock { state in
            var low = state.batches.startIndex
            var high = state.batches.endIndex
            while low < high {
                let middle = (low + high) / 2
                if state.batches[middle].lastOffset <= after { low = middle + 1 } else { high = middle }
            }
            return state.batches[low...].prefix { $0.firstOffset <= through }.map { $0 }
        }
    }

    public func event(_ id: EventID) async throws(EventLogError) -> LoggedEvent? {
        guard let offset = self.state.withLock({ $0.offsets[id] }) else { return nil }
        return try await self.read(LogQuery(after: offset - 1, through: offset, limit: 1)).first
    }

    public func offsets(of ids: [EventID]) async throws(EventLogError) -> [EventID: Int64] {
        self.state.withLock { state in
            var found: [EventID: Int64] = [:]
            for id in ids { found[id] = state.offsets[id] }
            return found
        }
    }

    public func offset(notBefore time: Timestamp) async throws(EventLogError) -> Int64 {
        let bounds = self.bounds
        for batch in self.overlapping(after: 0, through: .max) {
            for index in batch.selection.indices where batch.selection.batch.events[index].timestamp >= time {
                return batch.offset(at: index)
            }
        }
        return bounds.head + 1
    }

    public func follow(
        _ observer: @escaping @Sendable (CommittedBatch) -> Void
    ) -> (token: LogObservation, bounds: LogBounds) {
        self.feed.follow(observer)
    }

    public func close() async {
        self.state.withLock { $0.isClosed = true }
    }
}
