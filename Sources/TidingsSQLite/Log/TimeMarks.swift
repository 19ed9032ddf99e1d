import GRDB
import Tidings

/// The way from a time to an offset without an index: the earliest and the latest timestamp of every
/// ``Schema/offsetsPerMark`` offsets, and the last of those offsets that was given out.
struct TimeMarks {
    private var mark: Int64 = -1
    private var earliest = Int64.max
    private var latest = Int64.min
    private var lastOffset: Int64 = 0

    static let update = """
        INSERT INTO time_marks (mark, earliest, latest, last_offset) VALUES (?, ?, ?, ?)
        ON CONFLICT (mark) DO UPDATE SET earliest = min(earliest, excluded.earliest),
            latest = max(latest, excluded.latest), last_offset = excluded.last_offset
        """

    /// Notes an appended event; offsets come in order.
    @inline(__always)
    mutating func note(_ offset: Int64, _ time: Int64, _ db: Database) throws {
        let mark = offset / Schema.offsetsPerMark
        if mark != self.mark {
            try self.write(db)
            self.mark = mark
            self.earliest = .max
            self.latest = .min
        }
        self.earliest = min(self.earliest, time)
        self.latest = max(self.latest, time)
        self.lastOffset = offset
    }

    /// Writes what was noted; at the end of each transaction.
    func write(_ db: Database) throws {
        guard self.mark >= 0 else { return }
        let statement = try RawStatement.cached(db, Self.update)
        statement.bind(self.mark, at: 1)
        statement.bind(self.earliest, at: 2)
        statement.bind(self.latest, at: 3)
        statement.bind(self.lastOffset, at: 4)
        try statement.run()
    }

    // MARK: Reading

    /// The offsets between which all events of a time range lie, `nil` when there are none; there may be others.
    static func range(since: Timestamp?, until: Timestamp?, _ db: Database) throws -> ClosedRange<Int64>? {
        var low: Int64 = 1
        var high = Int64.max
        if let since {
            let sql = "SELECT mark FROM time_marks WHERE latest >= ? ORDER BY mark LIMIT 1"
            guard let mark = try Int64.fetchOne(db, sql: sql, arguments: [since.nanoseconds]) else { return nil }
            low = max(mark &* Schema.offsetsPerMark, 1)
        }
        if let until {
            let sql = "SELECT last_offset FROM time_marks WHERE earliest < ? ORDER BY mark DESC LIMIT 1"
            guard let last = try Int64.fetchOne(db, sql: sql, arguments: [until.nanoseconds]) else { return nil }
            high = last
        }
        return low <= high ? low...high : nil
    }

    /// The lowest offset whose event is not older than `time`.
    static func offset(notBefore time: Timestamp, _ db: Database) throws -> Int64? {
        // A mark may still tell of an event that was deleted, hence the loop.
        let marks = try Int64.fetchCursor(
            db, sql: "SELECT mark FROM time_marks WHERE latest >= ? ORDER BY mark", arguments: [time.nanoseconds])
        let first = try db.makeStatement(
            sql: "SELECT offset FROM events WHERE offset >= ? AND offset < ? AND time >= ? ORDER BY offset LIMIT 1")
        while let mark = try marks.next() {
            let low = mark &* Schema.offsetsPerMark
            let offset = try Int64.fetchOne(
                first, arguments: [low, low &+ Schema.offsetsPerMark, time.nanoseconds])
            if let offset { return offset }
        }
        return nil
    }
}
