import DequeModule
import Synchronization
import Tidings

/// What the log has committed and one event loop has not yet sent: references to batches, bounded. Whoever commits puts
/// them in, and is told when the loop has to be woken.
///
/// When it is full it forgets them all and says so: the loop then reads them back from the log.
final class StreamMailbox: Sendable {
    private struct State: ~Copyable {
        var batches = Deque<CommittedBatch>()
        var hasMissed = false
        var isAwake = false
    }

    private let state = Locked(State())
    private let position = Atomic<Int64>(0)
    private let dropped = Atomic<UInt64>(0)
    private let closedAsSlow = Atomic<UInt64>(0)
    private let sent = Atomic<UInt64>(0)
    private let latency = Locked(LatencyHistogram())

    private static let capacity = 4096

    /// Takes a batch in; returns whether the event loop has to be woken.
    func offer(_ batch: CommittedBatch) -> Bool {
        self.state.withLock { state in
            if state.batches.count >= Self.capacity {
                state.batches.removeAll()
                state.hasMissed = true
            }
            if !state.hasMissed || state.batches.last.map({ $0.lastOffset + 1 == batch.firstOffset }) ?? true {
                state.batches.append(batch)
            }
            defer { state.isAwake = true }
            return !state.isAwake
        }
    }

    /// The batches of one turn, of about so many events; or the news that some were missed.
    func take(_ events: Int) -> (batches: [CommittedBatch], hasMissed: Bool, hasMore: Bool) {
        self.state.withLock { state in
            if state.hasMissed {
                state.hasMissed = false
                state.isAwake = false
                return ([], true, false)
            }
            var taken: [CommittedBatch] = []
            var count = 0
            while count < events, let batch = state.batches.popFirst() {
                taken.append(batch)
                count += batch.count
            }
            state.isAwake = !state.batches.isEmpty
            return (taken, false, state.isAwake)
        }
    }

    /// Whether what it holds goes on right after an offset.
    func continues(from offset: Int64) -> Bool {
        self.state.withLock { state in
            !state.hasMissed && state.batches.first.map { $0.firstOffset <= offset + 1 } ?? false
        }
    }

    // MARK: Counters

    func note(position: Int64) {
        self.position.store(position, ordering: .relaxed)
    }

    func count(dropped: UInt64) {
        self.dropped.wrappingAdd(dropped, ordering: .relaxed)
    }

    func countSlowClient() {
        self.closedAsSlow.wrappingAdd(1, ordering: .relaxed)
    }

    /// - Parameter sent: all events sent so far.
    func note(sent: UInt64) {
        self.sent.store(sent, ordering: .relaxed)
    }

    /// Notes how long events waited between publishing and being sent.
    func note(latency nanoseconds: Int64, times: UInt64) {
        self.latency.withLock { $0.record(nanoseconds: nanoseconds, times: times) }
    }

    /// Events sent to clients, and how long they waited.
    var traffic: (sent: UInt64, latency: LatencyHistogram) {
        (self.sent.load(ordering: .relaxed), self.latency.withLock { $0 })
    }

    /// How far the event loop has come, how many events its clients lost, and how many it closed for being too slow.
    var counters: (position: Int64, dropped: UInt64, closedAsSlow: UInt64) {
        (
            self.position.load(ordering: .relaxed), self.dropped.load(ordering: .relaxed),
            self.closedAsSlow.load(ordering: .relaxed)
        )
    }
}
