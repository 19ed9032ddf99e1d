public import Tidings

/// Reads the log of another process, or one that nobody has open, without changing it.
///
/// Works beside a running writer and sees what it has committed by the time of each call. All methods are safe to call
/// from any thread; reads run one after the other. ``close()`` has to be called.
public struct SQLiteEventReader: EventReader {
    /// The path of the file, absolute and free of links.
    public let file: String
    private let reads: LogReads

    /// Opens a log for reading.
    ///
    /// - Throws: `unusable` when there is no file, or it is no log, of another version, or cannot be read.
    public static func open(file path: String) async throws(EventLogError) -> SQLiteEventReader {
        let file = LogFile(path)
        let threads = WorkerThreads(count: 1)
        do throws(EventLogError) {
            let database = try await threads.run { () throws(EventLogError) in
                do {
                    return try LogConnections.openForReading(file)
                } catch {
                    throw EventLogError(error, file: file.path)
                }
            }
            return SQLiteEventReader(
                file: file.path, reads: LogReads(database: database, threads: threads, file: file.path))
        } catch {
            await threads.stop()
            throw error
        }
    }

    /// Names the history that the newest offsets belong to.
    public func epoch() async throws(EventLogError) -> String {
        try await self.reads.epoch()
    }

    /// The oldest offset still there and the newest one committed.
    public func bounds() async throws(EventLogError) -> LogBounds {
        try await self.reads.bounds()
    }

    /// Events in the order asked for.
    public func read(_ query: LogQuery) async throws(EventLogError) -> [LoggedEvent] {
        try await self.reads.page(query, maximumByteCount: .max).events
    }

    /// Events in the order asked for, a page at a time: memory stays flat however many there are.
    public func pages(_ query: LogQuery) -> LogPages {
        LogPages(query, from: self.reads)
    }

    /// The event with an id.
    public func event(_ id: EventID) async throws(EventLogError) -> LoggedEvent? {
        try await self.reads.event(id)
    }

    /// The offsets of those ids that the log knows.
    public func offsets(of ids: [EventID]) async throws(EventLogError) -> [EventID: Int64] {
        try await self.reads.offsets(of: ids)
    }

    /// The lowest offset whose event is not older than `time`; one past the head when there is none.
    public func offset(notBefore time: Timestamp) async throws(EventLogError) -> Int64 {
        try await self.reads.offset(notBefore: time)
    }

    /// Dead letters, oldest first, that follow `id`; see ``DeadLetterStore/letters(after:limit:)``.
    public func deadLetters(after id: EventID? = nil, limit: Int) async throws(EventLogError) -> [DeadLetter] {
        try await self.reads.deadLetters(after: id, limit: limit)
    }

    public func deadLetter(_ id: EventID) async throws(EventLogError) -> DeadLetter? {
        try await self.reads.deadLetter(id)
    }

    /// How many dead letters there are.
    public func deadLetterCount() async throws(EventLogError) -> Int {
        try await self.reads.deadLetterCount()
    }

    /// Waits for what is being read and releases the file.
    public func close() async {
        await self.reads.closeDatabase()
    }
}
