/// Filters events that say again what one of the last ones has said: by a key of your own, beyond the `event_id` that every
/// bus looks at. Events without a key pass.
public struct DeduplicationProcessor: Processor, IngressProcessor {
    public let name: String
    private let key: @Sendable (StandardEvent) -> String?
    private let known: Shared

    private struct Fingerprint: Hashable {
        let high: UInt64
        let low: UInt64
    }

    private struct State: ~Copyable {
        var young: Set<Fingerprint> = []
        var old: Set<Fingerprint> = []
    }

    private final class Shared: Sendable {
        let state = Locked(State())
    }

    private let capacity: Int

    /// - Parameters:
    ///   - window: at least this many keys are remembered, and at most twice as many.
    ///   - key: what two events have in common that are the same; quick, and without side effects.
    public init(
        window: Int = 65_536, name: String = "dedupe", by key: @escaping @Sendable (StandardEvent) -> String?
    ) {
        self.name = name
        self.key = key
        self.capacity = max(1, window)
        self.known = Shared()
    }

    /// By fields: `type`, `source`, `timestamp`, or any member of the payload. An event that has none of the payload's
    /// members named passes.
    public init(fields: [String], filter: EventFilter = .all, window: Int = 65_536, name: String = "dedupe") {
        let envelope: Set<String> = ["type", "source", "timestamp"]
        let members = fields.filter { !envelope.contains($0) }
        self.init(window: window, name: name) { event in
            guard filter.matches(event) else { return nil }
            var parts: [String] = []
            var found = members.isEmpty
            let object = members.isEmpty ? nil : event.payload.object
            for field in fields {
                switch field {
                case "type": parts.append(event.eventType.rawValue)
                case "source": parts.append(event.source.description)
                case "timestamp" where object?["timestamp"] == nil: parts.append("\(event.timestamp.nanoseconds)")
                default:
                    let value = object?[field]
                    found = found || value != nil
                    parts.append(value?.description ?? "")
                }
            }
            return found ? parts.joined(separator: "\u{0}") : nil
        }
    }

    public func process(_ event: StandardEvent) throws -> StandardEvent? {
        guard let key = self.key(event) else { return event }
        var hash = StableHash()
        hash.combine(key)
        let (high, low) = hash.finish()
        let fingerprint = Fingerprint(high: high, low: low)
        return self.known.state.withLock { state in
            if state.young.contains(fingerprint) || state.old.contains(fingerprint) { return nil }
            if state.young.count >= self.capacity {
                state.old = state.young
                state.young = []
            }
            state.young.insert(fingerprint)
            return event
        }
    }
}
