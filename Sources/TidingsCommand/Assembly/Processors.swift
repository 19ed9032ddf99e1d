import Tidings

/// The processors of a configuration, attached to a bus.
struct Processors: Sendable {
    let derivers: [ProcessorService]
    /// Those at ingress that hold events back; to be run until the bus stops.
    let conflating: [ConflationProcessor]
    private let ingress: IngressChain

    init(
        _ configuration: [RunConfiguration.Deriving], ingress: IngressChain, conflating: [ConflationProcessor],
        bus: any EventBus
    ) {
        var names = ProcessorNames()
        self.derivers = configuration.map { Self.service($0, name: names.next($0.name), bus) }
        self.conflating = conflating
        self.ingress = ingress
    }

    private static func service(
        _ processor: RunConfiguration.Deriving, name: String, _ bus: any EventBus
    ) -> ProcessorService {
        // A trade that the store could not take the candle of is handled again.
        let options = SubscriptionOptions(name: name, retry: RetryPolicy(attempts: 5))
        switch processor {
        case .candles(let candles, let filter):
            return ProcessorService(CandleProcessor(candles, name: name), bus: bus, filter: filter, options: options)
        case .vwap(let window, let updates, let digits, let filter):
            let vwap = VWAPProcessor(window: window, updates: updates, digits: digits, name: name)
            return ProcessorService(vwap, bus: bus, filter: filter, options: options)
        case .priceAlert(let change, let window, let filter):
            let alerts = PriceAlertProcessor(change: change, window: window, name: name)
            return ProcessorService(alerts, bus: bus, filter: filter, options: options)
        }
    }

    /// What each has done, those at ingress first.
    var snapshots: [ProcessorSnapshot] {
        var snapshots = self.ingress.snapshots
        for conflation in self.conflating {
            guard let place = snapshots.firstIndex(where: { $0.name == conflation.name }) else { continue }
            snapshots[place].statistics.counters["lost"] = conflation.lost
        }
        return snapshots + self.derivers.map(\.snapshot)
    }

    /// Subscribes them all before anything is published, runs `body`, and stops them.
    func started(_ body: () async throws -> Void) async throws {
        let outcome: Result<Void, any Error>
        do {
            for processor in self.derivers { try await processor.start() }
            outcome = .success(try await body())
        } catch {
            outcome = .failure(error)
        }
        for processor in self.derivers { await processor.stop() }
        try outcome.get()
    }
}

/// Names for processors of one kind: `candles`, `candles 2`.
struct ProcessorNames {
    private var counts: [String: Int] = [:]

    mutating func next(_ kind: String) -> String {
        let count = self.counts[kind, default: 0] + 1
        self.counts[kind] = count
        return count == 1 ? kind : "\(kind) \(count)"
    }
}
