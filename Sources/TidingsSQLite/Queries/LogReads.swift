import GRDB
import GRDBSQLite
import Tidings

/// Reading a log: the same for the process that writes it and for others.
struct LogReads: Sendable {
    let database: any DatabaseReader
    let threads: WorkerThreads
    let file: String

    /// Runs `body` with a connection, on a thread of its own, in one snapshot.
    func run<Value: Sendable>(
        _ body: @escaping @Sendable (Database) throws -> Value
    ) async throws(EventLogError) -> Value {
        try await self.threads.run { () throws(EventLogError) in
            do {
                return try self.database.read { db in
                    do {
                        return try body(db)
                    } catch {
                        let systemError = db.sqliteConnection.map { sqlite3_system_errno($0) } ?? 0
                        throw EventLogError(error, file: self.file, systemError: systemError)
                    }
                }
            } catch {
                throw EventLogError(error, file: self.file)
            }
        }
    }

    /// Events in the order asked for, until `maximumByteCount` is passed.
    func page(_ query: LogQuery, maximumByteCount: Int) async throws(EventLogError) -> LogPage {
        try await self.run { db in
            guard query.limit > 0, let search = try LogSearch(query, db) else {
                return LogPage(events: [], isLast: true)
            }
            return try search.page(limit: query.limit, maximumByteCount: maximumByteCount, db)
        }
    }

    func event(_ id: EventID) async throws(EventLogError) -> LoggedEvent? {
        try await self.run { db in
            let find = try RawStatement.cached(db, "SELECT offset, json FROM events WHERE id = ?")
            find.bind(copyOf: id, at: 1)
            defer { find.reset() }
            return try find.step() ? LoggedEvent(offset: find.int(0), json: find.bytes(1)) : nil
        }
    }

    func offsets(of ids: [EventID]) async throws(EventLogError) -> [EventID: Int64] {
        try await self.run { db in
            var found: [EventID: Int64] = [:]
            for id in ids { found[id] = try EventInserter.offset(of: id, db) }
            return found
        }
    }

    func offset(notBefore time: Timestamp) async throws(EventLogError) -> Int64 {
        try await self.run { db in
            try TimeMarks.offset(notBefore: time, db) ?? LogSession.bounds(db).head + 1
        }
    }

    func bounds() async throws(EventLogError) -> LogBounds {
        try await self.run { db in
            let (oldest, head) = try LogSession.bounds(db)
            return LogBounds(oldest: oldest, head: head)
        }
    }

    func epoch() async throws(EventLogError) -> String {
        try await self.run { db in try LogSession.epoch(db) ?? "" }
    }
}

extension LogReads {
    /// Waits for what is being read and closes the connections; for those who own them.
    func closeDatabase() async {
        // A connection that will not close is given back when the process ends, as it would be anyway.
        try? await self.threads.run { () throws(EventLogError) in try? self.database.close() }
        await self.threads.stop()
    }
}
