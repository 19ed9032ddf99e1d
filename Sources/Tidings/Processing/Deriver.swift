/// Makes any number of events out of those it is given, and more as time passes: candles, averages, alerts.
///
/// May be stateful: its ``ProcessorService`` makes one call after the other. Each call is quick and does not block. What
/// it throws is a failed handling of the event.
public protocol Deriver: NamedProcessor {
    /// How often ``advance(to:output:)`` is called; `nil` for never.
    var interval: Duration? { get }

    /// Takes an event in. What is emitted is published with this event as its parent, unless another cause is named.
    mutating func process(_ event: StandardEvent, output: inout DerivedEvents) throws

    /// Time has passed. What is emitted has to name its cause: the last event that contributed to it.
    mutating func advance(to now: Timestamp, output: inout DerivedEvents) throws

    /// What it counts besides what went in and came out, such as events that came too late, by name.
    var counters: [String: UInt64] { get }
}

extension Deriver {
    public var interval: Duration? { nil }

    public mutating func advance(to now: Timestamp, output: inout DerivedEvents) throws {}

    public var counters: [String: UInt64] { [:] }
}

/// Where a ``Deriver`` puts what it makes.
public struct DerivedEvents {
    private let derivation: Derivation
    /// The event being processed; `nil` when time passes.
    private let input: EventCause?
    /// What has been emitted, ready to be published but for the time it took.
    private(set) var events: [StandardEvent] = []
    /// The identifiers that outputs were made with, where they got others.
    private var renamed: [EventID: EventID] = [:]

    init(derivation: Derivation, input: EventCause?) {
        self.derivation = derivation
        self.input = input
    }

    /// Emits an event as a consequence of the one being processed.
    ///
    /// While time passes there is none: then the event is its own cause, and a replay makes another identifier for it.
    public mutating func emit(_ event: StandardEvent) {
        guard let input = self.input else {
            self.events.append(event)
            return
        }
        self.emit(event, because: input)
    }

    /// Emits an event as a consequence of the last one that contributed to it.
    public mutating func emit(_ event: StandardEvent, because cause: EventCause) {
        // Of one cause there may be several outputs at several times: those that are not made of the input of this call are
        // told apart by what they say.
        let isOfInput = cause == self.input
        var derived = self.derivation.derive(
            event, from: cause, index: isOfInput ? self.events.count : 0, salt: isOfInput ? 0 : event.contentHash)
        if self.input == nil {
            // What is made while an event is handled gets its chain from the bus: it is to look the same.
            derived.causes = CauseChain(subscriber: self.derivation.subscriber, handling: cause.link)
        }
        if derived.eventID != event.eventID { self.renamed[event.eventID] = derived.eventID }
        if let parent = event.parentEventID, let name = self.renamed[parent] { derived.parentEventID = name }
        self.events.append(derived)
    }

    /// The events, marked as processed.
    consuming func finish() -> [StandardEvent] {
        guard !self.events.isEmpty else { return [] }
        let (now, elapsed) = (Timestamp.now(), self.derivation.elapsed)
        for index in self.events.indices { self.events[index].markProcessed(at: now, after: elapsed) }
        return self.events
    }
}

extension StandardEvent {
    /// Type and payload as 64 bits.
    fileprivate var contentHash: UInt64 {
        var writer = JSONWriter()
        writer.write(self.eventType)
        writer.write(self.payload)
        var hash = StableHash()
        writer.withBytes { hash.combine($0) }
        return hash.finish().high
    }
}
