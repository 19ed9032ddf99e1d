/// An event whose handler gave up on it: kept until somebody retries or discards it.
public struct DeadLetter: Sendable, Equatable {
    /// Names this letter; made when the handler first gave up. Letters are told in the order of their ids, which for the
    /// ids that are made here is that of time.
    public let id: EventID
    public let event: StandardEvent
    /// Where the event stands in the log, where that is known.
    public var offset: Int64?
    /// The name of the subscription whose handler failed.
    public let subscriber: String
    /// Cut to ``maximumErrorByteCount`` bytes, as ``lastError`` is.
    public let firstError: String
    public var lastError: String {
        didSet { self.lastError = Self.bounded(self.lastError) }
    }
    /// Calls made, over all retries.
    public var attempts: Int
    public let firstFailedAt: Timestamp
    public var lastFailedAt: Timestamp

    /// Errors quote what they failed on; a letter keeps this much of them.
    public static let maximumErrorByteCount = 4096

    public init(
        id: EventID = EventID(), event: StandardEvent, offset: Int64? = nil, subscriber: String, firstError: String,
        lastError: String, attempts: Int, firstFailedAt: Timestamp, lastFailedAt: Timestamp
    ) {
        self.id = id
        self.event = event
        self.offset = offset
        self.subscriber = subscriber
        self.firstError = Self.bounded(firstError)
        self.lastError = Self.bounded(lastError)
        self.attempts = attempts
        self.firstFailedAt = firstFailedAt
        self.lastFailedAt = lastFailedAt
    }

    private static func bounded(_ text: String) -> String {
        guard text.utf8.count > Self.maximumErrorByteCount else { return text }
        let mark = "…"
        var end = text.utf8.index(text.startIndex, offsetBy: Self.maximumErrorByteCount - mark.utf8.count)
        // Not through the middle of a character.
        while end.samePosition(in: text.unicodeScalars) == nil { end = text.utf8.index(before: end) }
        return text[..<end] + mark
    }
}
