import GRDB
import GRDBSQLite
import Tidings

/// The table of dead letters as its writer knows it.
struct DeadLetterTable: ~Copyable {
    private let capacity: Int64
    /// How many there are; `nil` until it is asked for, or while it is in doubt.
    private var count: Int64?
    /// How many went for want of room since the log was opened.
    private(set) var evicted: UInt64 = 0

    static let put = """
        INSERT INTO dead_letters (id, event_id, event_offset, subscriber, first_error, last_error, attempts,
            first_failed_at, last_failed_at, json)
        VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?)
        ON CONFLICT (id) DO UPDATE SET event_id = excluded.event_id, event_offset = excluded.event_offset,
            subscriber = excluded.subscriber, first_error = excluded.first_error, last_error = excluded.last_error,
            attempts = excluded.attempts, first_failed_at = excluded.first_failed_at,
            last_failed_at = excluded.last_failed_at, json = excluded.json
        """

    /// How many letters one transaction of ``removeSlice(through:_:)`` deletes.
    private static let sliceCount = 4096

    init(capacity: Int) {
        self.capacity = Int64(max(capacity, 1))
    }

    mutating func put(_ letter: DeadLetter, _ db: Database) throws {
        do {
            var evicted: UInt64 = 0
            try db.inTransaction(.immediate) {
                let isNew = try !Self.isThere(letter.id, db)
                let put = try RawStatement.cached(db, Self.put)
                Self.bind(letter, to: put)
                try put.run()
                if isNew { evicted = try self.makeRoom(db) }
                return .commit
            }
            self.evicted += evicted
        } catch {
            self.count = nil
            throw error
        }
    }

    private static func bind(_ letter: DeadLetter, to put: RawStatement) {
        put.bind(copyOf: letter.id, at: 1)
        put.bind(copyOf: letter.event.eventID, at: 2)
        if let offset = letter.offset { put.bind(offset, at: 3) } else { put.bindNull(at: 3) }
        put.bind(copyOf: letter.subscriber, at: 4)
        put.bind(copyOf: letter.firstError, at: 5)
        put.bind(copyOf: letter.lastError, at: 6)
        put.bind(Int64(letter.attempts), at: 7)
        put.bind(copyOf: letter.firstFailedAt.description, at: 8)
        put.bind(copyOf: letter.lastFailedAt.description, at: 9)
        put.bind(copyOf: letter.event.json, at: 10)
    }

    /// Deletes the oldest letters beyond the capacity, as part of the transaction that added one; returns how many.
    private mutating func makeRoom(_ db: Database) throws -> UInt64 {
        // Counted once, after the insertion; from then on kept.
        let count = try self.count.map { $0 + 1 } ?? Self.count(db)
        let excess = count - self.capacity
        if excess > 0 {
            let delete = try RawStatement.cached(
                db, "DELETE FROM dead_letters WHERE id IN (SELECT id FROM dead_letters ORDER BY id LIMIT ?)")
            delete.bind(excess, at: 1)
            try delete.run()
        }
        self.count = min(count, self.capacity)
        return UInt64(max(excess, 0))
    }

    mutating func remove(_ id: EventID, _ db: Database) throws -> Bool {
        let delete = try RawStatement.cached(db, "DELETE FROM dead_letters WHERE id = ?")
        delete.bind(copyOf: id, at: 1)
        try delete.run()
        let isRemoved = db.changesCount > 0
        if isRemoved { self.count = self.count.map { $0 - 1 } }
        return isRemoved
    }

    /// Deletes the oldest letters up to one of them, so many that appending has not long to wait.
    mutating func removeSlice(through last: EventID, _ db: Database) throws -> (count: Int, isLast: Bool) {
        let delete = try RawStatement.cached(
            db,
            """
            DELETE FROM dead_letters WHERE id IN (
                SELECT id FROM dead_letters WHERE id <= ? ORDER BY id LIMIT \(Self.sliceCount))
            """)
        delete.bind(copyOf: last, at: 1)
        try delete.run()
        let deleted = db.changesCount
        self.count = self.count.map { $0 - Int64(deleted) }
        return (deleted, deleted < Self.sliceCount)
    }

    // MARK: Questions

    private static func isThere(_ id: EventID, _ db: Database) throws -> Bool {
        let find = try RawStatement.cached(db, "SELECT 1 FROM dead_letters WHERE id = ?")
        find.bind(copyOf: id, at: 1)
        return try find.firstInt() != nil
    }

    static func count(_ db: Database) throws -> Int64 {
        try RawStatement.cached(db, "SELECT count(*) FROM dead_letters").firstInt() ?? 0
    }

    static func newest(_ db: Database) throws -> EventID? {
        let find = try RawStatement.cached(db, "SELECT id FROM dead_letters ORDER BY id DESC LIMIT 1")
        defer { find.reset() }
        return try find.step() ? find.id(0) : nil
    }
}
