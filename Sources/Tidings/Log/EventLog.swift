/// A log of events: numbered without gaps from 1, read from any offset, followed live.
///
/// One log belongs to one ``epoch``: an offset that somebody has seen never comes to mean another event within it.
/// All methods are safe to call from any thread. Appending happens in call order; one appender at a time.
public protocol EventLog: EventReader {
    /// Names the history that the offsets belong to; has no `-` in it. Changes when history was lost.
    var epoch: String { get }

    /// Earlier epochs of this log, each with the last offset that means the same event now as it did then. Whoever comes
    /// with an earlier epoch and an offset up to that one has lost nothing.
    var earlierEpochs: [String: Int64] { get }

    /// The oldest offset still there and the newest one committed.
    var bounds: LogBounds { get }

    /// Appends events and returns what became of each once they are durable, one outcome per selection, in order.
    ///
    /// An event whose `event_id` is in the log already is not appended again. Either all of the call is committed or
    /// none of it.
    func append(_ selections: [EventSelection]) async throws(EventLogError) -> [AppendOutcome]

    /// Events in the order asked for.
    func read(_ query: LogQuery) async throws(EventLogError) -> [LoggedEvent]

    /// The event with an id.
    func event(_ id: EventID) async throws(EventLogError) -> LoggedEvent?

    /// The offsets of those ids that the log knows.
    func offsets(of ids: [EventID]) async throws(EventLogError) -> [EventID: Int64]

    /// The lowest offset whose event is not older than `time`; one past the head when there is none.
    func offset(notBefore time: Timestamp) async throws(EventLogError) -> Int64

    /// Calls `observer` with everything committed from now on, in order, without gap or overlap to the bounds returned.
    ///
    /// The observer runs on the log's own thread and holds up the next commit: it must only pass things on.
    func follow(_ observer: @escaping @Sendable (CommittedBatch) -> Void) -> (token: LogObservation, bounds: LogBounds)

    /// Waits for what is being appended and releases everything. Appending afterwards is an error.
    func close() async

    /// The events that handlers gave up on; they live as long as the log does.
    var deadLetters: any DeadLetterStore { get }

    /// How far durable subscriptions have come in this log.
    var cursors: any DurableCursorStore { get }
}

extension EventLog {
    /// None: a log that has but one epoch.
    public var earlierEpochs: [String: Int64] { [:] }
}

/// The offsets that a log holds.
public struct LogBounds: Sendable, Hashable {
    /// The oldest offset that can still be read; one past the head while the log is empty.
    public var oldest: Int64
    /// The newest committed offset; 0 before the first event.
    public var head: Int64

    public init(oldest: Int64, head: Int64) {
        self.oldest = oldest
        self.head = head
    }
}

/// What became of the events of one selection.
public struct AppendOutcome: Sendable {
    /// The events that were appended, with consecutive offsets.
    public let committed: CommittedBatch?
    /// Places of events that the log knew already, and their offsets.
    public let duplicates: [Int: Int64]

    public init(committed: CommittedBatch?, duplicates: [Int: Int64] = [:]) {
        self.committed = committed
        self.duplicates = duplicates
    }
}

/// An event and its place in the log.
public struct LoggedEvent: Sendable {
    enum Content: Sendable {
        case event(StandardEvent)
        case json([UInt8])
    }

    public let offset: Int64
    private let content: Content

    public init(offset: Int64, event: StandardEvent) {
        self.offset = offset
        self.content = .event(event)
    }

    /// An event as the log keeps it, decoded only if asked for.
    package init(offset: Int64, json: [UInt8]) {
        self.offset = offset
        self.content = .json(json)
    }

    /// The event, decoded where the log keeps text.
    public func event() throws(EventDecodingError) -> StandardEvent {
        switch self.content {
        case .event(let event): return event
        case .json(let bytes):
            let outcome: Result<StandardEvent, EventDecodingError> = bytes.withUnsafeBytes { bytes in
                do throws(EventDecodingError) {
                    return .success(
                        try StandardEvent(
                            json: bytes, defaults: EventDecodingDefaults(source: "log", maximumByteCount: .max)))
                } catch {
                    return .failure(error)
                }
            }
            return try outcome.get()
        }
    }

    /// The event's JSON where the log keeps text; nothing is encoded for asking.
    var keptJSON: [UInt8]? {
        guard case .json(let bytes) = self.content else { return nil }
        return bytes
    }

    /// The event's JSON; valid only inside `body`.
    package func withJSON<Result>(_ body: (UnsafeRawBufferPointer) -> Result) -> Result {
        switch self.content {
        case .json(let bytes): return bytes.withUnsafeBytes(body)
        case .event(let event):
            var writer = JSONWriter()
            writer.write(event)
            return writer.withBytes(body)
        }
    }
}

/// What to read from a log.
public struct LogQuery: Sendable {
    public enum Order: Sendable {
        case ascending
        case descending
    }

    public var filter: EventFilter
    /// Only offsets above this one.
    public var after: Int64
    /// Only offsets up to this one.
    public var through: Int64
    public var order: Order
    /// At most this many events.
    public var limit: Int

    public init(
        filter: EventFilter = .all, after: Int64 = 0, through: Int64 = .max, order: Order = .ascending,
        limit: Int = 1000
    ) {
        self.filter = filter
        self.after = after
        self.through = through
        self.order = order
        self.limit = limit
    }
}

/// Why a log did not do what it was asked to.
public struct EventLogError: Error, Sendable, CustomStringConvertible {
    public struct Code: RawRepresentable, Hashable, Sendable {
        public let rawValue: String

        public init(rawValue: String) {
            self.rawValue = rawValue
        }

        /// It was closed.
        public static let closed = Code(rawValue: "closed")
        /// Another process writes to it.
        public static let locked = Code(rawValue: "locked")
        /// The file is no log, or cannot be opened or written.
        public static let unusable = Code(rawValue: "unusable")
        /// There is no room on the disk.
        public static let diskFull = Code(rawValue: "disk_full")
        /// Anything else that went wrong while reading or writing.
        public static let inputOutput = Code(rawValue: "input_output")
    }

    public let code: Code
    public let message: String

    public init(_ code: Code, _ message: String) {
        self.code = code
        self.message = message
    }

    public var description: String { self.message }
}
