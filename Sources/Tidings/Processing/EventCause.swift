/// What a derived event keeps of the event that led to it. Small: for those that gather many events into one.
public struct EventCause: Sendable {
    public let eventID: EventID
    public let correlationID: EventID
    public let timestamp: Timestamp
    /// What a chain of causes says of the event.
    let link: CauseLink

    public init(_ event: StandardEvent) {
        self.eventID = event.eventID
        self.correlationID = event.correlationID
        self.timestamp = event.timestamp
        self.link = CauseLink(event)
    }
}

extension EventCause: Hashable {
    public static func == (left: EventCause, right: EventCause) -> Bool {
        left.eventID == right.eventID && left.correlationID == right.correlationID && left.timestamp == right.timestamp
    }

    public func hash(into hasher: inout Hasher) {
        hasher.combine(self.eventID)
    }
}

/// Makes what a processor returned a consequence of what it was given.
///
/// A new identifier becomes one that replays and other processes arrive at too, and a time that was left at "now" becomes
/// the cause's: so processing the same events again gives the same events, but for `processed_at` and
/// `processing_time_ms`. What the processor chose itself stays.
struct Derivation {
    let processor: String
    /// As whom the processor is subscribed.
    let subscriber: String
    private let mark = EventID.mark
    private let startedAt = Timestamp.now()
    private let start = MonotonicClock.nanoseconds()

    /// - Parameter subscriber: the processor's name unless given.
    init(of processor: String, as subscriber: String? = nil) {
        self.processor = processor
        self.subscriber = subscriber ?? processor
    }

    /// - Parameters:
    ///   - index: which of the outputs of this cause it is.
    ///   - salt: more that tells the output apart from others of this cause.
    func derive(
        _ output: StandardEvent, from cause: EventCause, index: Int, salt: @autoclosure () -> UInt64 = 0
    ) -> StandardEvent {
        var event = output
        let isOwnCorrelation = output.correlationID == output.eventID
        if output.eventID.wasMade(since: self.mark) {
            var hash = StableHash()
            hash.combine(cause.eventID)
            hash.combine(self.processor)
            hash.combine(UInt64(index))
            hash.combine(salt())
            event.eventID = EventID(at: cause.timestamp, hash: hash)
            if output.timestamp >= self.startedAt && output.timestamp <= Timestamp.now() {
                event.timestamp = cause.timestamp
            }
        }
        if isOwnCorrelation { event.correlationID = cause.correlationID }
        if event.parentEventID == nil { event.parentEventID = cause.eventID }
        return event
    }

    /// Since processing began.
    var elapsed: Duration { .nanoseconds(MonotonicClock.nanoseconds() - self.start) }
}

extension StableHash {
    fileprivate mutating func combine(_ id: EventID) {
        if let (high, low) = id.uuid {
            self.combine(high)
            self.combine(low)
        } else {
            self.combine(id.description)
        }
    }
}
