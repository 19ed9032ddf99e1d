import GRDB

/// From opening a log for writing to closing it: which epoch its offsets belong to, and where they go on.
struct LogSession {
    let epoch: String
    /// Earlier epochs, each with the last offset that means the same event now as it did then.
    let earlierEpochs: [String: Int64]
    let oldest: Int64
    let head: Int64

    /// Marks the log as open. It gets a new epoch when it is new, and when whoever had it last did not close it and
    /// may have lost what was acknowledged: at every durability but `full`.
    ///
    /// Has to reach the disk before anything is appended, whatever the durability.
    static func begin(_ db: Database, durability: SQLiteLogConfiguration.Durability) throws -> LogSession {
        let (oldest, head) = try Self.bounds(db)
        let interrupted = try String.fetchOne(db, sql: "SELECT open_durability FROM log_state")
        var epoch = try Self.epoch(db)
        if let interrupted, interrupted != SQLiteLogConfiguration.Durability.full.rawValue { epoch = nil }
        if epoch == nil {
            // What a power cut takes from a write-ahead log is its end: what is left is what was there. At `off` nobody
            // knows, so nothing of what was before counts as the same.
            let isPrefix = interrupted != SQLiteLogConfiguration.Durability.off.rawValue
            try db.execute(
                sql: "INSERT INTO epochs (epoch, first_offset) VALUES (?, ?)",
                arguments: [Self.newEpoch(), isPrefix ? head + 1 : 1])
            epoch = try Self.epoch(db)
        }
        try db.execute(sql: "UPDATE log_state SET open_durability = ?", arguments: [durability.rawValue])
        return LogSession(epoch: epoch ?? "", earlierEpochs: try Self.earlierEpochs(db), oldest: oldest, head: head)
    }

    /// More restarts than anybody stays away for.
    private static let mostEarlierEpochs = 1000

    private static func earlierEpochs(_ db: Database) throws -> [String: Int64] {
        let rows = try Row.fetchAll(
            db, sql: "SELECT epoch, first_offset FROM epochs ORDER BY rowid DESC LIMIT ?",
            arguments: [Self.mostEarlierEpochs + 1])
        var lastOffsets: [String: Int64] = [:]
        var last = Int64.max
        for row in rows {
            let (epoch, first): (String, Int64) = (row[0], row[1])
            if last != .max { lastOffsets[epoch] = last }
            last = min(last, first - 1)
        }
        return lastOffsets
    }

    /// Marks the log as closed properly.
    static func end(_ db: Database) throws {
        try db.execute(sql: "UPDATE log_state SET open_durability = NULL")
    }

    /// The epoch that the newest offsets belong to.
    static func epoch(_ db: Database) throws -> String? {
        try String.fetchOne(db, sql: "SELECT epoch FROM epochs ORDER BY rowid DESC LIMIT 1")
    }

    /// More than a million events a second would reach in a thousand centuries: whatever is above it is damage.
    private static let highestOffset: Int64 = 1 << 62

    static let headQuery = """
        SELECT max(
            coalesce((SELECT offset FROM events ORDER BY offset DESC LIMIT 1), 0),
            coalesce((SELECT last_offset FROM time_marks ORDER BY mark DESC LIMIT 1), 0),
            (SELECT high_water FROM log_state))
        """

    /// The oldest offset still there and the newest ever given out; an offset is not given out again when its event is
    /// deleted.
    static func bounds(_ db: Database) throws -> (oldest: Int64, head: Int64) {
        let head = try Int64.fetchOne(db, sql: Self.headQuery) ?? 0
        guard (0...Self.highestOffset).contains(head) else {
            throw DatabaseError(resultCode: .SQLITE_CORRUPT, message: "the newest offset is \(head)")
        }
        let oldest = try Int64.fetchOne(db, sql: "SELECT offset FROM events ORDER BY offset LIMIT 1")
        return (oldest ?? head + 1, head)
    }

    private static func newEpoch() -> String {
        let digits = String(UInt64.random(in: .min ... .max), radix: 16)
        return String(repeating: "0", count: 16 - digits.count) + digits
    }
}
