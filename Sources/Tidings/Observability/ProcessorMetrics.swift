public import CoreMetrics

/// Tells a metrics backend what processors count, as ``BusMetrics`` does for a bus: at each interval, and whenever
/// ``flush()`` is called.
///
/// | name | kind | labels | what |
/// |---|---|---|---|
/// | `tidings_processor_processed_total` | counter | `processor` | events that it was given |
/// | `tidings_processor_emitted_total` | counter | `processor` | events that it made or changed |
/// | `tidings_processor_filtered_total` | counter | `processor` | events for which it returned `nil` |
/// | `tidings_processor_failed_total` | counter | `processor` | events at which it threw |
/// | `tidings_processor_duration_seconds` | timer | `processor` | how long its calls took |
/// | `tidings_processor_counted_total` | counter | `processor`, `what` | what it counts itself, such as `late` trades |
///
/// Names are stable. At most 100 processors have labels of their own, the rest is `other`; processors of one name are one.
public final class ProcessorMetrics: Sendable {
    private struct State: ~Copyable {
        var names = BoundedLabels()
        var handles: [String: ProcessorHandles] = [:]
    }

    private let processors: @Sendable () -> [ProcessorSnapshot]
    private let interval: Duration
    private let factory: any MetricsFactory
    private let state = Locked(State())

    /// - Parameters:
    ///   - processors: asked at each report.
    ///   - interval: between two reports.
    ///   - factory: the backend; the one that the program was bootstrapped with unless given.
    public init(
        interval: Duration = .seconds(1), factory: any MetricsFactory = MetricsSystem.factory,
        processors: @escaping @Sendable () -> [ProcessorSnapshot]
    ) {
        self.processors = processors
        self.interval = interval
        self.factory = factory
    }

    /// Reports at each interval until the task is cancelled, and once more then.
    public func run() async {
        while !Task.isCancelled {
            self.flush()
            try? await Task.sleep(for: self.interval)
        }
        self.flush()
    }

    /// Reports what has changed since the last time, now. Safe to call from any thread.
    public func flush() {
        self.state.withLock { state in
            for processor in state.names.labelled(self.processors()) {
                state.handles[processor.name, default: ProcessorHandles(processor.name, self.factory)]
                    .advance(to: processor.statistics, self.factory)
            }
        }
    }
}

extension BoundedLabels {
    /// Processors by name: those of one name as one, and what has no label of its own under `other`.
    package mutating func labelled(_ processors: [ProcessorSnapshot]) -> [ProcessorSnapshot] {
        var labelled: [ProcessorSnapshot] = []
        for var processor in processors {
            processor.name = self.label(for: processor.name)
            if let place = labelled.firstIndex(where: { $0.name == processor.name }) {
                labelled[place].statistics.add(processor.statistics)
            } else {
                labelled.append(processor)
            }
        }
        return labelled
    }
}

/// What a backend is told of one processor.
private struct ProcessorHandles: Sendable {
    private let name: String
    private var processed: CounterHandle
    private var emitted: CounterHandle
    private var filtered: CounterHandle
    private var failed: CounterHandle
    private var counters: [String: CounterHandle] = [:]
    private let duration: Timer
    private var time = LatencyHistogram()

    init(_ name: String, _ factory: any MetricsFactory) {
        let labels = [("processor", name)]
        self.name = name
        self.processed = CounterHandle("tidings_processor_processed_total", labels, factory)
        self.emitted = CounterHandle("tidings_processor_emitted_total", labels, factory)
        self.filtered = CounterHandle("tidings_processor_filtered_total", labels, factory)
        self.failed = CounterHandle("tidings_processor_failed_total", labels, factory)
        self.duration = Timer(label: "tidings_processor_duration_seconds", dimensions: labels, factory: factory)
    }

    mutating func advance(to statistics: ProcessorStatistics, _ factory: any MetricsFactory) {
        self.processed.advance(to: statistics.processed)
        self.emitted.advance(to: statistics.emitted)
        self.filtered.advance(to: statistics.filtered)
        self.failed.advance(to: statistics.failed)
        for (what, count) in statistics.counters {
            self.counters[
                what,
                default: CounterHandle(
                    "tidings_processor_counted_total", [("processor", self.name), ("what", what)], factory)
            ].advance(to: count)
        }
        let calls = statistics.time.since(self.time)
        self.time = statistics.time
        calls.tell(self.duration)
    }
}
