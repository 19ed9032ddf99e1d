import GRDB

/// Deletes the oldest events, a few at a time so that appending has not long to wait.
enum Retention {
    struct Slice: Sendable {
        let count: Int
        /// The oldest offset left; one past the head when nothing is.
        let oldest: Int64
        let isLast: Bool
    }

    private static let sliceCount: Int64 = 4096

    static func deleteSlice(before offset: Int64, _ db: Database) throws -> Slice {
        let (oldest, head) = try LogSession.bounds(db)
        let end = min(offset, head + 1)
        let sliceEnd = min(end, oldest + Self.sliceCount)
        guard oldest < end else { return Slice(count: 0, oldest: oldest, isLast: true) }
        var count = 0
        try db.inTransaction(.immediate) {
            // First of all the highest number is noted, which the last event would take with it.
            try db.execute(sql: "UPDATE log_state SET high_water = max(high_water, ?)", arguments: [head])
            try db.execute(sql: "DELETE FROM events WHERE offset < ?", arguments: [sliceEnd])
            count = db.changesCount
            try db.execute(
                sql: "DELETE FROM time_marks WHERE mark < ?", arguments: [sliceEnd / Schema.offsetsPerMark])
            return .commit
        }
        return Slice(count: count, oldest: sliceEnd, isLast: sliceEnd == end)
    }
}
