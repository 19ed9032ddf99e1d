import GRDB
import GRDBSQLite
import Tidings

extension LogReads {
    /// The offset is looked up where the letter came without one.
    private static let columns = """
        id, coalesce(event_offset, (SELECT offset FROM events WHERE events.id = dead_letters.event_id)), subscriber,
            first_error, last_error, attempts, first_failed_at, last_failed_at, json
        """

    func deadLetters(after id: EventID?, limit: Int) async throws(EventLogError) -> [DeadLetter] {
        try await self.run { db in
            guard try Self.hasDeadLetters(db) else { return [] }
            let condition = id == nil ? "" : "WHERE id > ?2"
            let rows = try RawStatement.cached(
                db, "SELECT \(Self.columns) FROM dead_letters \(condition) ORDER BY id LIMIT ?1")
            defer { rows.reset() }
            rows.bind(Int64(max(limit, 0)), at: 1)
            if let id { rows.bind(copyOf: id, at: 2) }
            var letters: [DeadLetter] = []
            while try rows.step() { letters.append(try self.letter(rows)) }
            return letters
        }
    }

    func deadLetter(_ id: EventID) async throws(EventLogError) -> DeadLetter? {
        try await self.run { db in
            guard try Self.hasDeadLetters(db) else { return nil }
            let find = try RawStatement.cached(db, "SELECT \(Self.columns) FROM dead_letters WHERE id = ?")
            defer { find.reset() }
            find.bind(copyOf: id, at: 1)
            return try find.step() ? try self.letter(find) : nil
        }
    }

    func deadLetterCount() async throws(EventLogError) -> Int {
        try await self.run { db in try Self.hasDeadLetters(db) ? Int(DeadLetterTable.count(db)) : 0 }
    }

    /// Not so in a file that only an older version has written. Asked each time, and the file itself: what GRDB remembers
    /// of its tables misses those that another process adds.
    private static func hasDeadLetters(_ db: Database) throws -> Bool {
        let find = try RawStatement.cached(
            db, "SELECT 1 FROM sqlite_master WHERE type = 'table' AND name = 'dead_letters'")
        return try find.firstInt() != nil
    }

    private func letter(_ row: RawStatement) throws -> DeadLetter {
        guard let id = row.id(0) else {
            throw EventLogError(.unusable, "\(self.file): a dead letter has no id: the file is damaged")
        }
        guard let event = try? StandardEvent(json: row.text(8), defaults: .stored),
            let firstFailedAt = Timestamp(row.text(6)), let lastFailedAt = Timestamp(row.text(7))
        else {
            throw EventLogError(
                .unusable, "\(self.file): the dead letter \(id) is damaged; removing it lets the others be read")
        }
        return DeadLetter(
            id: id, event: event, offset: row.isNull(1) ? nil : row.int(1), subscriber: row.text(2),
            firstError: row.text(3), lastError: row.text(4), attempts: Int(row.int(5)), firstFailedAt: firstFailedAt,
            lastFailedAt: lastFailedAt)
    }
}
