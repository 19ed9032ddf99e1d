import GRDB
public import Tidings

/// Cursors of durable subscriptions in the file of the log that they point into, so that no crash leaves them ahead of
/// it.
struct SQLiteDurableCursorStore: DurableCursorStore {
    let log: SQLiteEventLog

    func cursor(of subscription: String) async throws(EventLogError) -> DurableCursor? {
        let file = self.log.file
        return try await self.log.reads.run { db in
            let find = try RawStatement.cached(
                db, "SELECT low_water, acknowledged FROM cursors WHERE subscription = ?")
            find.bind(copyOf: subscription, at: 1)
            defer { find.reset() }
            guard try find.step() else { return nil }
            guard let acknowledged = OffsetList.decode(find.bytes(1)) else {
                throw EventLogError(.unusable, "\(file): the cursor of '\(subscription)' is damaged")
            }
            return DurableCursor(lowWater: find.int(0), acknowledged: acknowledged)
        }
    }

    func save(_ cursor: DurableCursor, of subscription: String) async throws(EventLogError) {
        try await self.log.writing { db in
            let save = try RawStatement.cached(
                db,
                """
                INSERT INTO cursors (subscription, low_water, acknowledged) VALUES (?, ?, ?)
                ON CONFLICT (subscription) DO UPDATE SET low_water = excluded.low_water,
                    acknowledged = excluded.acknowledged
                """)
            save.bind(copyOf: subscription, at: 1)
            save.bind(cursor.lowWater, at: 2)
            save.bind(copyOf: OffsetList.encode(cursor.acknowledged), at: 3)
            try save.run()
        }
    }

    func removeCursor(of subscription: String) async throws(EventLogError) {
        try await self.log.writing { db in
            let delete = try RawStatement.cached(db, "DELETE FROM cursors WHERE subscription = ?")
            delete.bind(copyOf: subscription, at: 1)
            try delete.run()
        }
    }
}

extension SQLiteEventLog {
    public var cursors: any DurableCursorStore { SQLiteDurableCursorStore(log: self) }
}
