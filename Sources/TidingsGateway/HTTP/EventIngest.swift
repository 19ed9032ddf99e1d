import Synchronization
import Tidings

/// What became of an event that a client sent.
enum IngestOutcome: Sendable {
    /// In the log, at an offset.
    case accepted(offset: Int64?)
    /// Known before; with its offset, where the log has it.
    case duplicate(offset: Int64?)
    /// - field: where the reason is, as it is spelt in the event.
    case refused(code: String, field: String?, message: String)
    /// Nothing wrong with the event: the bus or its log does not take any at the moment.
    case unavailable(code: String, message: String)
}

/// The way of clients' events to the bus; returns when the log has committed them.
final class EventIngest: Sendable {
    private let bus: any EventBus
    private let log: any EventLog
    let access: AccessControl
    private let knownToLog = Atomic<UInt64>(0)
    /// Makes a span of each publishing.
    let tracer = EventTracer.current

    init(bus: any EventBus, log: any EventLog, access: AccessControl) {
        self.access = access
        self.bus = bus
        self.log = log
    }

    /// Events that were not published because the log had them already.
    var duplicates: UInt64 { self.knownToLog.load(ordering: .relaxed) }

    /// One outcome per event, in order. What the bus has forgotten and the log still knows is a duplicate, too.
    func publish(_ events: [StandardEvent]) async -> [IngestOutcome] {
        let known = (try? await self.log.offsets(of: events.map(\.eventID))) ?? [:]
        var outcomes: [IngestOutcome] = []
        outcomes.reserveCapacity(events.count)
        var rest = events[...]
        while !rest.isEmpty {
            let part = rest.prefix(EventBatch.capacity)
            rest = rest.dropFirst(part.count)
            await self.publish(part, known: known, into: &outcomes)
        }
        await self.locateDuplicates(events, &outcomes)
        return outcomes
    }

    private func publish(
        _ part: ArraySlice<StandardEvent>, known: [EventID: Int64], into outcomes: inout [IngestOutcome]
    ) async {
        let fresh = part.filter { known[$0.eventID] == nil }
        var results = await self.publishBatch(fresh)[...]
        for event in part {
            if let offset = known[event.eventID] {
                self.knownToLog.wrappingAdd(1, ordering: .relaxed)
                outcomes.append(.duplicate(offset: offset))
            } else if let result = results.popFirst() {
                outcomes.append(result)
            }
        }
    }

    private func publishBatch(_ events: [StandardEvent]) async -> [IngestOutcome] {
        guard !events.isEmpty else { return [] }
        do throws(EventBusError) {
            return try await self.bus.publish(EventBatch(events)).results.map { result in
                switch result {
                case .accepted(let offset): .accepted(offset: offset)
                case .duplicate(let offset): .duplicate(offset: offset)
                case .refused(let error): Self.outcome(error)
                }
            }
        } catch {
            return events.map { _ in Self.outcome(error) }
        }
    }

    private static func outcome(_ error: EventBusError) -> IngestOutcome {
        switch error.code {
        case .store, .stopped, .full, .disconnected: .unavailable(code: error.code.rawValue, message: error.message)
        default: .refused(code: error.code.rawValue, field: nil, message: error.message)
        }
    }

    /// A duplicate that the bus recognised by itself comes without its offset.
    private func locateDuplicates(_ events: [StandardEvent], _ outcomes: inout [IngestOutcome]) async {
        let places = outcomes.indices.filter { if case .duplicate(offset: nil) = outcomes[$0] { true } else { false } }
        guard !places.isEmpty else { return }
        let offsets = (try? await self.log.offsets(of: places.map { events[$0].eventID })) ?? [:]
        for place in places { outcomes[place] = .duplicate(offset: offsets[events[place].eventID]) }
    }
}
