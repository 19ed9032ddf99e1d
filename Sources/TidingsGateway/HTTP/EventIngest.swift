import Synchronization
import Tidings

/// What became of an event that a client sent.
enum IngestOutcome: Sendable, Equatable {
    /// In the log, at an offset.
    case accepted(offset: Int64?)
    /// Known before; with its offset, where the log has it.
    case duplicate(offset: Int64?)
    /// - field: where the reason is, as it is spelt in the event.
    case refused(code: String, field: String?, message: String)
    /// Nothing wrong with the event: the log did not take it.
    case unavailable(IngestStop)

    var isInLog: Bool {
        switch self {
        case .accepted, .duplicate: true
        case .refused, .unavailable: false
        }
    }
}

/// What became of events that were sent together.
struct IngestRun: Sendable {
    /// Of the first events, in order.
    var outcomes: [IngestOutcome] = []
    /// Why the rest was not tried; nil when all were.
    var stop: IngestStop?
}

/// The way of clients' events to the bus; returns when the log has committed them.
final class EventIngest: Sendable {
    let log: any EventLog
    let rates: PublishRates
    /// How long to wait for room on the bus.
    let patience: Duration
    private let bus: any EventBus
    let access: AccessControl
    private let inFlight = InFlightRuns()
    private let knownToLog = Atomic<UInt64>(0)
    /// Makes a span of each publishing.
    let tracer = EventTracer.current

    init(
        bus: any EventBus, log: any EventLog, access: AccessControl, rate: Double? = nil,
        patience: Duration = .seconds(5)
    ) {
        self.access = access
        self.bus = bus
        self.log = log
        self.rates = PublishRates(rate: rate)
        self.patience = patience
    }

    /// Events that were not published because the log had them already.
    var duplicates: UInt64 { self.knownToLog.load(ordering: .relaxed) }

    /// Publishes events in order, as many as the sender may and as there is room for: what was published is a prefix.
    func publish(_ events: [StandardEvent], of sender: IngestSender) async -> IngestRun {
        let granted = self.rates.take(events.count, of: sender)
        var run = IngestRun()
        if granted > 0 { run = await self.publish(granted == events.count ? events : Array(events[..<granted])) }
        if run.stop == nil, granted < events.count, let rate = self.rates.rate {
            run.stop = .rateLimit(rate, retryAfter: self.rates.delay(for: events.count - granted, of: sender))
        }
        self.rates.giveBack(granted - run.outcomes.count, of: sender)
        return run
    }

    /// What the bus has forgotten and the log still knows is a duplicate, too.
    private func publish(_ events: [StandardEvent]) async -> IngestRun {
        var run = await self.publishOnce(events)
        // What the bus knows and the log does not is either gone from the log, or on its way there in another request,
        // and that one may fail yet. More than a few rounds need as many requests with the same event, all failing.
        var rounds = 0
        while rounds < 4 {
            rounds += 1
            let places = run.outcomes.indices.filter { run.outcomes[$0] == .duplicate(offset: nil) }
            if places.isEmpty { break }
            let others = self.inFlight.runs(with: Set(places.map { events[$0].eventID }))
            for other in others { await other.wait() }
            let again = await self.publishOnce(places.map { events[$0] })
            for (place, outcome) in zip(places, again.outcomes) { run.outcomes[place] = outcome }
            if let stop = again.stop {
                for place in places.dropFirst(again.outcomes.count) { run.outcomes[place] = .unavailable(stop) }
            }
            if others.isEmpty { break }
        }
        return run
    }

    private func publishOnce(_ events: [StandardEvent]) async -> IngestRun {
        let ids = events.map(\.eventID)
        let known = (try? await self.log.offsets(of: ids)) ?? [:]
        let fresh = known.isEmpty ? events : events.filter { known[$0.eventID] == nil }
        let current = self.inFlight.begin(ids)
        let published = await self.publishFresh(fresh)
        self.inFlight.end(current)
        var run = published
        if !known.isEmpty { run.outcomes = self.merge(ids, known, published.outcomes) }
        await self.locateDuplicates(ids, &run.outcomes)
        return run
    }

    /// The outcomes of all events, up to the first that was not tried.
    private func merge(
        _ ids: [EventID], _ known: [EventID: Int64], _ outcomes: [IngestOutcome]
    ) -> [IngestOutcome] {
        var merged: [IngestOutcome] = []
        merged.reserveCapacity(ids.count)
        var rest = outcomes[...]
        for id in ids {
            if let offset = known[id] {
                self.knownToLog.wrappingAdd(1, ordering: .relaxed)
                merged.append(.duplicate(offset: offset))
            } else if let outcome = rest.popFirst() {
                merged.append(outcome)
            } else {
                break
            }
        }
        return merged
    }

    private func publishFresh(_ events: [StandardEvent]) async -> IngestRun {
        guard !events.isEmpty else { return IngestRun() }
        var batches: [EventBatch] = []
        var rest = events[...]
        while !rest.isEmpty {
            batches.append(EventBatch(rest.prefix(EventBatch.capacity)))
            rest = rest.dropFirst(EventBatch.capacity)
        }
        var run = IngestRun()
        run.outcomes.reserveCapacity(events.count)
        for (batch, result) in zip(batches, await self.bus.publish(batches, patience: self.patience)) {
            switch result {
            case .success(let report):
                for index in 0..<report.count { run.outcomes.append(Self.outcome(report[index])) }
            case .failure(let error):
                if let stop = IngestStop(error) {
                    run.stop = stop
                    return run
                }
                run.outcomes += Array(repeating: Self.outcome(.refused(error)), count: batch.count)
            }
        }
        return run
    }

    private static func outcome(_ result: PublishResult) -> IngestOutcome {
        switch result {
        case .accepted(let offset): .accepted(offset: offset)
        case .duplicate(let offset): .duplicate(offset: offset)
        case .refused(let error):
            IngestStop(error).map { .unavailable($0) }
                ?? .refused(code: error.code.rawValue, field: nil, message: error.message)
        }
    }

    /// A duplicate that the bus recognised by itself comes without its offset.
    private func locateDuplicates(_ ids: [EventID], _ outcomes: inout [IngestOutcome]) async {
        let places = outcomes.indices.filter { outcomes[$0] == .duplicate(offset: nil) }
        guard !places.isEmpty else { return }
        let offsets = (try? await self.log.offsets(of: places.map { ids[$0] })) ?? [:]
        for place in places { outcomes[place] = .duplicate(offset: offsets[ids[place]]) }
    }
}
