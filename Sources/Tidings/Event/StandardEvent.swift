/// One thing that happened: the envelope that every producer, bus, log and client shares.
///
/// A plain value. Creating one allocates nothing when its texts are known names and its payload is a trade.
public struct StandardEvent: Sendable {
    /// Unique for the event; see ``EventID``.
    public var eventID: EventID
    public var eventType: EventType
    /// When it occurred, UTC.
    public var timestamp: Timestamp
    /// Where it comes from: a connector, a scraper, a program.
    public var source: Name
    public var payload: Payload
    /// What belongs together shares it. An event without a cause is its own correlation.
    public var correlationID: EventID
    /// The event that led to this one.
    public var parentEventID: EventID?
    public var priority: EventPriority
    /// What most events do not have.
    var details: Details?

    /// The seldom used fields, behind one reference.
    final class Details: Sendable {
        let processedAt: Timestamp?
        let processingTimeMs: ExactDecimal?
        let extra: JSONObject?

        init?(processedAt: Timestamp?, processingTimeMs: ExactDecimal?, extra: JSONObject?) {
            if processedAt == nil && processingTimeMs == nil && extra?.isEmpty ?? true { return nil }
            self.processedAt = processedAt
            self.processingTimeMs = processingTimeMs
            self.extra = extra.flatMap { $0.isEmpty ? nil : $0 }
        }
    }

    /// A new event.
    ///
    /// - Parameters:
    ///   - eventID: a new UUIDv7 unless given.
    ///   - timestamp: now unless given.
    ///   - correlationID: the event's own id unless given; inside a handler the bus makes it that of the current event.
    @inline(__always)
    public init(
        eventType: EventType,
        source: Name,
        payload: Payload,
        priority: EventPriority = .normal,
        timestamp: Timestamp? = nil,
        eventID: EventID? = nil,
        correlationID: EventID? = nil,
        parentEventID: EventID? = nil
    ) {
        let timestamp = timestamp ?? Timestamp.now()
        let eventID = eventID ?? EventID(at: timestamp)
        self.eventID = eventID
        self.eventType = eventType
        self.timestamp = timestamp
        self.source = source
        self.payload = payload
        self.correlationID = correlationID ?? eventID
        self.parentEventID = parentEventID
        self.priority = priority
        self.details = nil
    }

    /// A new event; the same as the initialiser, by the name that the Python framework uses.
    public static func create(
        eventType: EventType,
        source: Name,
        payload: Payload,
        priority: EventPriority = .normal,
        timestamp: Timestamp? = nil,
        correlationID: EventID? = nil,
        parentEventID: EventID? = nil
    ) -> StandardEvent {
        StandardEvent(
            eventType: eventType, source: source, payload: payload, priority: priority, timestamp: timestamp,
            correlationID: correlationID, parentEventID: parentEventID)
    }
}

// MARK: Seldom used fields

extension StandardEvent {
    /// When a processor was done with it.
    public var processedAt: Timestamp? { self.details?.processedAt }

    /// Milliseconds spent in `process`.
    public var processingTimeMs: ExactDecimal? { self.details?.processingTimeMs }

    /// What stands in the JSON beside the ten known keys, in its order.
    public var extra: JSONObject? {
        get { self.details?.extra }
        set {
            self.details = Details(
                processedAt: self.processedAt, processingTimeMs: self.processingTimeMs, extra: newValue)
        }
    }

    mutating func setProcessing(at moment: Timestamp?, timeMs: ExactDecimal?) {
        self.details = Details(processedAt: moment, processingTimeMs: timeMs, extra: self.extra)
    }

    /// Notes that processing ended now and took `duration`, to the microsecond.
    public mutating func markProcessed(at moment: Timestamp = .now(), after duration: Duration) {
        let parts = duration.components
        let microseconds = parts.seconds &* 1_000_000 &+ parts.attoseconds / 1_000_000_000_000
        self.setProcessing(at: moment, timeMs: ExactDecimal(mantissa: microseconds, scale: 3))
    }

    /// Notes that processing ended now; the time since the event occurred counts as processing.
    public mutating func markProcessed(at moment: Timestamp = .now()) {
        self.markProcessed(at: moment, after: moment.duration(since: self.timestamp))
    }

    /// The payload's symbol, where there is one.
    @inline(__always)
    public var symbol: Name? { self.payload.symbol }
}

extension StandardEvent: Equatable {
    public static func == (left: StandardEvent, right: StandardEvent) -> Bool {
        left.eventID == right.eventID && left.eventType == right.eventType && left.timestamp == right.timestamp
            && left.source == right.source && left.correlationID == right.correlationID
            && left.parentEventID == right.parentEventID && left.priority == right.priority
            && left.payload == right.payload && left.processedAt == right.processedAt
            && left.processingTimeMs == right.processingTimeMs && left.extra == right.extra
    }
}
