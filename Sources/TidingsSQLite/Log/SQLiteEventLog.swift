import GRDB
import GRDBSQLite
public import Logging
public import Tidings

/// A durable event log in one SQLite file.
///
/// Appending runs on one thread of its own and reading on a few others, so that callers never block a thread of Swift's
/// concurrency. One process writes a file at a time; others read it through ``SQLiteEventReader``. All methods are safe
/// to call from any thread. ``close()`` has to be called: a log that is not closed gets a new epoch when it is opened
/// again, unless its durability is `full`.
public final class SQLiteEventLog: EventLog {
    /// What the writer's thread owns.
    private struct Writer: ~Copyable {
        let lock: FileLock
        var inserter: EventInserter
    }

    private enum State: ~Copyable {
        case open(Writer)
        case closed
    }

    public let epoch: String
    public let earlierEpochs: [String: Int64]
    /// The path of the file, absolute and free of links.
    public let file: String
    private let database: DatabasePool
    let reads: LogReads
    /// Only the writer's thread ever takes it.
    let letters: Locked<DeadLetterTable>
    private let feed: CommitFeed
    private let thread: WorkerThreads
    private let logger: Logger
    /// Only the writer's thread ever takes it.
    private let state: Locked<State>

    /// Opens the log, making the file if there is none.
    ///
    /// - Throws: `locked` when another process writes to it, naming that process; `unusable` when the file is no log,
    ///   of a newer version, damaged, or cannot be opened or written.
    public static func open(
        _ configuration: SQLiteLogConfiguration, logger: Logger = Logger(label: "tidings.log")
    ) async throws(EventLogError) -> SQLiteEventLog {
        let thread = WorkerThreads(count: 1)
        do throws(EventLogError) {
            return try await thread.run { () throws(EventLogError) in
                try SQLiteEventLog(configuration, logger: logger, thread: thread)
            }
        } catch {
            await thread.stop()
            throw error
        }
    }

    private init(
        _ configuration: SQLiteLogConfiguration, logger: Logger, thread: WorkerThreads
    ) throws(EventLogError) {
        let file = LogFile(configuration.file)
        // First of all, so that nothing is left beside what is no log.
        try file.inspect()
        let lock = try FileLock(besides: file.path)
        let session: LogSession
        do {
            self.database = try LogConnections.openForWriting(file, configuration)
            session = try Self.beginSession(self.database, configuration.durability)
        } catch {
            throw EventLogError(error, file: file.path)
        }
        self.file = file.path
        self.epoch = session.epoch
        self.earlierEpochs = session.earlierEpochs
        self.feed = CommitFeed(bounds: LogBounds(oldest: session.oldest, head: session.head))
        self.reads = LogReads(
            database: self.database, threads: WorkerThreads(count: configuration.readers), file: file.path)
        self.letters = Locked(DeadLetterTable(capacity: configuration.maximumDeadLetters))
        self.thread = thread
        self.logger = logger
        self.state = Locked(.open(Writer(lock: lock, inserter: EventInserter(head: session.head))))
        logger.debug("Event log opened", metadata: [LogKey.file: "\(file.path)", LogKey.count: "\(session.head)"])
    }

    private static func beginSession(
        _ database: DatabasePool, _ durability: SQLiteLogConfiguration.Durability
    ) throws -> LogSession {
        do {
            return try database.writeWithoutTransaction { db in
                var session: LogSession?
                try db.inTransaction(.immediate) {
                    session = try LogSession.begin(db, durability: durability)
                    return .commit
                }
                try db.execute(sql: LogConnections.synchronousPragma(durability))
                guard let session else { throw EventLogError(.inputOutput, "the log could not be marked as open") }
                return session
            }
        } catch {
            // The first error is the one to tell.
            try? database.close()
            throw error
        }
    }

    public var bounds: LogBounds { self.feed.bounds }

    // MARK: Writing

    /// Appends events in one transaction; see ``EventLog/append(_:)``. Calls are carried out one after the other, in
    /// the order in which they were made.
    ///
    /// - Throws: `diskFull`, `closed` or another error; then nothing of the call is in the log, which stays usable.
    public func append(_ selections: [EventSelection]) async throws(EventLogError) -> [AppendOutcome] {
        try await self.thread.run { () throws(EventLogError) in
            let outcomes = try self.write { db, inserter in try inserter.append(selections, db) }
            self.feed.publish(outcomes.compactMap(\.committed))
            return outcomes
        }
    }

    /// Deletes every event below an offset; the numbers are never given out again. The room in the file is used for what
    /// is appended later. Appending goes on meanwhile.
    ///
    /// - Returns: how many events were deleted.
    @discardableResult
    public func deleteEvents(before offset: Int64) async throws(EventLogError) -> Int {
        var deleted = 0
        while true {
            let (count, isDone) = try await self.thread.run { () throws(EventLogError) in
                let slice = try self.write { db, _ in try Retention.deleteSlice(before: offset, db) }
                self.feed.moveOldest(to: slice.oldest)
                return (slice.count, slice.isLast)
            }
            deleted += count
            if isDone { return deleted }
        }
    }

    /// Runs `body` on the writer's thread, between appends.
    func writing<Value: Sendable>(
        _ body: @escaping @Sendable (Database) throws -> Value
    ) async throws(EventLogError) -> Value {
        try await self.thread.run { () throws(EventLogError) in try self.write { db, _ in try body(db) } }
    }

    /// Runs `body` with what the writer's thread owns; only called on that thread.
    private func write<Value>(
        _ body: (Database, inout EventInserter) throws -> Value
    ) throws(EventLogError) -> Value {
        try self.state.withLock { state throws(EventLogError) in
            switch consume state {
            case .closed:
                state = .closed
                throw EventLogError(.closed, "the event log \(self.file) is closed")
            case .open(var writer):
                let outcome = self.write(&writer, body)
                state = .open(writer)
                return try outcome.get()
            }
        }
    }

    private func write<Value>(
        _ writer: inout Writer, _ body: (Database, inout EventInserter) throws -> Value
    ) -> Result<Value, EventLogError> {
        self.database.writeWithoutTransaction { db in
            do {
                return .success(try body(db, &writer.inserter))
            } catch {
                let systemError = db.sqliteConnection.map { sqlite3_system_errno($0) } ?? 0
                return .failure(EventLogError(error, file: self.file, systemError: systemError))
            }
        }
    }

    /// Waits for what is being appended, marks the log as closed properly, and releases the file.
    public func close() async {
        await self.reads.threads.stop()
        // Fails only when the thread has ended already, by an earlier call.
        try? await self.thread.run { () throws(EventLogError) in self.closeNow() }
        await self.thread.stop()
    }

    private func closeNow() {
        self.state.withLock { state in
            guard case .open(let writer) = consume state else {
                state = .closed
                return
            }
            do {
                try self.database.writeWithoutTransaction { db in
                    // Whatever the durability, a log that says it was closed has to be whole.
                    try db.execute(sql: "PRAGMA synchronous = FULL")
                    try LogSession.end(db)
                    _ = try db.checkpoint(.truncate)
                }
            } catch {
                self.logger.warning(
                    "The event log could not be closed properly",
                    metadata: [LogKey.file: "\(self.file)", LogKey.error: "\(error)"])
            }
            // The writer has to be the last to close: it alone may take the -wal away.
            self.database.invalidateReadOnlyConnections()
            do {
                try self.database.close()
            } catch {
                self.logger.warning(
                    "The event log could not be closed",
                    metadata: [LogKey.file: "\(self.file)", LogKey.error: "\(error)"])
            }
            _ = consume writer
            state = .closed
        }
    }

    // MARK: Reading

    public func read(_ query: LogQuery) async throws(EventLogError) -> [LoggedEvent] {
        try await self.reads.page(query, maximumByteCount: .max).events
    }

    /// Events in the order asked for, a page at a time: memory stays flat however many there are.
    public func pages(_ query: LogQuery) -> LogPages {
        LogPages(query, from: self.reads)
    }

    public func event(_ id: EventID) async throws(EventLogError) -> LoggedEvent? {
        try await self.reads.event(id)
    }

    public func offsets(of ids: [EventID]) async throws(EventLogError) -> [EventID: Int64] {
        try await self.reads.offsets(of: ids)
    }

    public func offset(notBefore time: Timestamp) async throws(EventLogError) -> Int64 {
        try await self.reads.offset(notBefore: time)
    }

    public func follow(
        _ observer: @escaping @Sendable (CommittedBatch) -> Void
    ) -> (token: LogObservation, bounds: LogBounds) {
        self.feed.follow(observer)
    }
}
