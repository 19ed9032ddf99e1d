import NIOConcurrencyHelpers

/// The observers of a log, told of every commit in order; and the bounds that go with it.
///
/// For implementers of ``EventLog``: registering and committing exclude each other, so an observer sees everything above
/// the head it was given, once.
package final class CommitFeed: Sendable {
    private struct State {
        var bounds: LogBounds
        var observers: [(id: UInt64, call: @Sendable (CommittedBatch) -> Void)] = []
        var nextID: UInt64 = 0
    }

    private let state: Locked<State>
    /// Held while observers are called, so that commits are told one after the other.
    private let order = NIOLock()

    package init(bounds: LogBounds) {
        self.state = Locked(State(bounds: bounds))
    }

    package var bounds: LogBounds {
        self.state.withLock { $0.bounds }
    }

    package func follow(
        _ observer: @escaping @Sendable (CommittedBatch) -> Void
    ) -> (token: LogObservation, bounds: LogBounds) {
        self.order.withLock {
            self.state.withLock { state in
                let id = state.nextID
                state.nextID += 1
                state.observers.append((id, observer))
                return (LogObservation(feed: self, id: id), state.bounds)
            }
        }
    }

    /// Makes commits visible: moves the head and tells every observer.
    package func publish(_ batches: [CommittedBatch]) {
        self.order.withLock {
            let observers = self.state.withLock { state in
                for batch in batches where batch.count > 0 {
                    state.bounds.head = batch.lastOffset
                }
                return state.observers
            }
            for batch in batches where batch.count > 0 {
                for observer in observers { observer.call(batch) }
            }
        }
    }

    /// Notes that everything below `oldest` was deleted.
    package func moveOldest(to oldest: Int64) {
        self.state.withLock { $0.bounds.oldest = max($0.bounds.oldest, oldest) }
    }

    fileprivate func remove(_ id: UInt64) {
        self.state.withLock { state in state.observers.removeAll { $0.id == id } }
    }
}

/// Somebody following a log. Ends when ``cancel()`` is called.
public final class LogObservation: Sendable {
    private let feed: CommitFeed
    private let id: UInt64

    init(feed: CommitFeed, id: UInt64) {
        self.feed = feed
        self.id = id
    }

    /// Stops the calls; one that is under way may still end.
    public func cancel() {
        self.feed.remove(self.id)
    }
}
