import GRDBSQLite
package import Tidings

/// The same tables, indexes, settings and transactions through nothing but SQLite's C functions: what the log is measured
/// against. For one thread.
package final class SQLiteReference {
    /// Rows made ready beforehand, so that only SQLite's own work is timed.
    ///
    /// - Note: `@unchecked Sendable` is sound: everything is written in `init` only and freed in `deinit`.
    package final class Rows: @unchecked Sendable {
        struct Row {
            var id: (UInt64, UInt64)
            var type: Int64
            var symbol: Int64
            var source: Int64
            var time: Int64
            var json: UnsafeRawBufferPointer
        }

        let rows: ContiguousArray<Row>
        private let memory: UnsafeMutableRawBufferPointer

        package var count: Int { self.rows.count }

        /// - Parameter batches: events with UUIDs and without a cause; others are left out.
        package init(_ batches: [EventBatch]) {
            var numbers: [String: Int64] = [:]
            func number(_ text: String) -> Int64 {
                if let known = numbers[text] { return known }
                numbers[text] = Int64(numbers.count + 1)
                return Int64(numbers.count)
            }
            let byteCount = batches.reduce(0) { sum, batch in
                (0..<batch.count).reduce(sum) { $0 + batch.json.byteCount(at: $1) }
            }
            self.memory = .allocate(byteCount: max(byteCount, 1), alignment: 8)
            var rows = ContiguousArray<Row>()
            var end = 0
            for batch in batches {
                for index in 0..<batch.count {
                    let event = batch[index]
                    guard let id = event.eventID.uuid else { continue }
                    let count = batch.json.byteCount(at: index)
                    let target = UnsafeMutableRawBufferPointer(rebasing: self.memory[end..<(end + count)])
                    batch.json.withJSON(at: index) { target.copyMemory(from: $0) }
                    end += count
                    rows.append(
                        Row(
                            id: (id.high.bigEndian, id.low.bigEndian), type: number(event.eventType.rawValue),
                            symbol: number(event.symbol?.description ?? ""), source: number(event.source.description),
                            time: event.timestamp.nanoseconds, json: UnsafeRawBufferPointer(target)))
                }
            }
            self.rows = rows
        }

        deinit {
            self.memory.deallocate()
        }
    }

    private let connection: OpaquePointer
    private let insert: OpaquePointer
    private let mark: OpaquePointer
    private let begin: OpaquePointer
    private let commit: OpaquePointer
    private var offset: Int64 = 0

    /// Makes a new file.
    package init(_ configuration: SQLiteLogConfiguration) throws(EventLogError) {
        var opened: OpaquePointer?
        let flags = SQLITE_OPEN_READWRITE | SQLITE_OPEN_CREATE | SQLITE_OPEN_NOMUTEX
        guard sqlite3_open_v2(configuration.file, &opened, flags, nil) == SQLITE_OK, let connection = opened else {
            sqlite3_close(opened)
            throw EventLogError(.unusable, "\(configuration.file) cannot be opened")
        }
        do throws(EventLogError) {
            let script =
                ["PRAGMA page_size = \(Schema.pageSize)", "PRAGMA journal_mode = WAL"]
                + LogConnections.writerPragmas(configuration)
                + [LogConnections.synchronousPragma(configuration.durability), Schema.tables, Schema.indexes]
            try Self.check(sqlite3_exec(connection, script.joined(separator: ";"), nil, nil, nil), connection)
            self.insert = try Self.prepare(EventInserter.insert, connection)
            self.mark = try Self.prepare(TimeMarks.update, connection)
            self.begin = try Self.prepare("BEGIN IMMEDIATE", connection)
            self.commit = try Self.prepare("COMMIT", connection)
        } catch {
            sqlite3_close_v2(connection)
            throw error
        }
        self.connection = connection
    }

    deinit {
        for statement in [self.insert, self.mark, self.begin, self.commit] { sqlite3_finalize(statement) }
        sqlite3_close_v2(self.connection)
    }

    /// Appends some of the rows in one transaction.
    package func append(_ rows: Rows, _ range: Range<Int>) throws(EventLogError) {
        try self.step(self.begin)
        var offset = self.offset
        try rows.rows.withUnsafeBufferPointer { (rows) throws(EventLogError) in
            for index in range {
                let row = rows.baseAddress.unsafelyUnwrapped + index
                offset += 1
                sqlite3_bind_int64(self.insert, 1, offset)
                sqlite3_bind_blob(self.insert, 2, UnsafeRawPointer(row), 16, nil)
                sqlite3_bind_int64(self.insert, 3, row.pointee.type)
                sqlite3_bind_int64(self.insert, 4, row.pointee.symbol)
                sqlite3_bind_int64(self.insert, 5, row.pointee.source)
                sqlite3_bind_int64(self.insert, 6, row.pointee.time)
                sqlite3_bind_null(self.insert, 7)
                sqlite3_bind_blob(self.insert, 8, row.pointee.json.baseAddress, Int32(row.pointee.json.count), nil)
                try self.step(self.insert)
            }
        }
        if let last = range.last {
            sqlite3_bind_int64(self.mark, 1, offset / Schema.offsetsPerMark)
            sqlite3_bind_int64(self.mark, 2, rows.rows[last].time)
            sqlite3_bind_int64(self.mark, 3, rows.rows[last].time)
            sqlite3_bind_int64(self.mark, 4, offset)
            try self.step(self.mark)
        }
        try self.step(self.commit)
        self.offset = offset
    }

    /// Reads every row, touching what the log hands out; returns how many there were.
    package func readAll() throws(EventLogError) -> Int {
        let statement = try Self.prepare("SELECT offset, json FROM events ORDER BY offset", self.connection)
        defer { sqlite3_finalize(statement) }
        var count = 0
        var byteCount: Int64 = 0
        while sqlite3_step(statement) == SQLITE_ROW {
            count += 1
            byteCount &+= sqlite3_column_int64(statement, 0)
            if sqlite3_column_blob(statement, 1) != nil { byteCount &+= Int64(sqlite3_column_bytes(statement, 1)) }
        }
        return byteCount == 0 ? 0 : count
    }

    private func step(_ statement: OpaquePointer) throws(EventLogError) {
        let code = sqlite3_step(statement)
        sqlite3_reset(statement)
        if code != SQLITE_DONE { try Self.check(code, self.connection) }
    }

    private static func prepare(_ sql: String, _ connection: OpaquePointer) throws(EventLogError) -> OpaquePointer {
        var statement: OpaquePointer?
        try Self.check(sqlite3_prepare_v2(connection, sql, -1, &statement, nil), connection)
        guard let statement else { throw EventLogError(.inputOutput, "nothing to prepare in '\(sql)'") }
        return statement
    }

    private static func check(_ code: Int32, _ connection: OpaquePointer) throws(EventLogError) {
        if code == SQLITE_OK { return }
        throw EventLogError(.inputOutput, sqlite3_errmsg(connection).map { String(cString: $0) } ?? "error \(code)")
    }
}
