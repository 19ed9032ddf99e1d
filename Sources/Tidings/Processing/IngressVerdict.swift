/// What ingress wants changed in a batch; where nothing is, there is no verdict at all.
package struct IngressVerdict: Sendable {
    /// Events that take the place of others, by place.
    package private(set) var replacements: [Int: StandardEvent] = [:]
    /// Those that go no further.
    package private(set) var rejections: [IngressRejection] = []
    /// One bit for each of the rejections.
    package private(set) var refused: UInt64 = 0

    package init() {}

    /// Why, by place, as publishers are told.
    package var refusals: [Int: EventBusError] {
        Dictionary(uniqueKeysWithValues: self.rejections.map { ($0.index, $0.error) })
    }

    /// A batch's events with the replacements in their places; refused ones are still among them.
    package func apply(to events: some Sequence<StandardEvent>) -> ContiguousArray<StandardEvent> {
        var events = ContiguousArray(events)
        for (index, event) in self.replacements where events.indices.contains(index) { events[index] = event }
        return events
    }

    mutating func replace(at index: Int, by event: StandardEvent) {
        self.replacements[index] = event
    }

    mutating func reject(_ rejection: IngressRejection) {
        self.rejections.append(rejection)
        self.refused |= 1 << UInt64(rejection.index)
    }
}

/// One event that ingress did not let through.
package struct IngressRejection: Sendable {
    /// Its place in the batch.
    package let index: Int
    /// `filtered` or `refused`; the message names the field, and holds no secrets.
    package let error: EventBusError
    /// What is wrong, as a path such as `payload.price`, where it is one field.
    package let field: String?
    /// Who would not have it; `nil` for the limits.
    package let processor: String?
    /// The `error` event that tells of it; `nil` when the event was only filtered, or is itself an `error`, so that a
    /// rejected report makes no further one.
    package let report: StandardEvent?

    /// The limits' or a processor's judgement.
    init(
        of event: borrowing StandardEvent, at index: Int, code: String, field: String?, problem: String,
        processor: String? = nil
    ) {
        self.index = index
        self.field = field
        self.processor = processor
        let message = field.map { "\($0): \(problem)" } ?? "\(processor ?? "ingress"): \(problem)"
        self.error = EventBusError(.refused, message)
        self.report =
            event.eventType == .error
            ? nil : Self.report(on: event, code: code, message: message, field: field, processor: processor)
    }

    /// A processor's `nil`.
    init(filteredBy processor: String, at index: Int) {
        self.index = index
        self.field = nil
        self.processor = processor
        self.error = EventBusError(.filtered, "\(processor) filtered the event out")
        self.report = nil
    }

    private static func report(
        on event: borrowing StandardEvent, code: String, message: String, field: String?, processor: String?
    ) -> StandardEvent {
        var details: [(String, JSONValue)] = [
            ("event_id", .string(event.eventID.description)), ("event_type", .string(event.eventType.rawValue)),
            ("source", .string(event.source.description)),
        ]
        if let field { details.append(("field", .string(field))) }
        if let processor { details.append(("processor", .string(processor))) }
        var report = StandardEvent.error(
            code: code, message: message, source: "tidings", details: JSONObject(details))
        // The event itself is nowhere to be found, so it cannot be a parent; what it belonged to can be.
        report.correlationID = event.correlationID
        return report
    }
}

extension EventBusError.Code {
    /// A processor at ingress returned `nil` for the event: it goes to nobody.
    public static let filtered = Self(rawValue: "filtered")
}
