/// What a processor has done since it was made.
public struct ProcessorStatistics: Sendable {
    /// Events that it was given.
    public var processed: UInt64 = 0
    /// Events that it made, or changed, and that were published.
    public var emitted: UInt64 = 0
    /// Events for which it returned `nil`.
    public var filtered: UInt64 = 0
    /// Events, and passings of time, at which it threw.
    public var failed: UInt64 = 0
    /// How long its calls took.
    public var time = LatencyHistogram()
    /// What it counts itself; see ``Deriver/counters``.
    public var counters: [String: UInt64] = [:]

    public init() {}

    mutating func add(_ other: ProcessorStatistics) {
        self.processed += other.processed
        self.emitted += other.emitted
        self.filtered += other.filtered
        self.failed += other.failed
        self.time.add(other.time)
        self.counters.merge(other.counters) { $0 &+ $1 }
    }
}

/// The counts of one processor, from any thread.
final class ProcessorCounts: Sendable {
    private let state = Locked(ProcessorStatistics())

    /// A call is over.
    ///
    /// - Parameter start: monotonic nanoseconds.
    func count(since start: Int64, processed: UInt64 = 1, _ change: (inout ProcessorStatistics) -> Void) {
        let took = MonotonicClock.nanoseconds() - start
        self.state.withLock { statistics in
            statistics.processed &+= processed
            statistics.time.record(nanoseconds: took)
            change(&statistics)
        }
    }

    func change(_ change: (inout ProcessorStatistics) -> Void) {
        self.state.withLock { change(&$0) }
    }

    var statistics: ProcessorStatistics { self.state.withLock { $0 } }
}

/// One processor by its name: for metrics and whoever looks at a running program.
public struct ProcessorSnapshot: Sendable {
    public var name: String
    public var statistics: ProcessorStatistics

    public init(name: String, statistics: ProcessorStatistics) {
        self.name = name
        self.statistics = statistics
    }
}
