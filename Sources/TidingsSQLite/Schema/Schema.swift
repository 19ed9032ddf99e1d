import GRDB

/// The tables of the file, and how a file becomes one of ours.
///
/// Names are interned into small tables without rowids, so that an event row holds numbers only. `symbols` numbers pairs
/// of a symbol and the venue's spelling: asking for either spelling is asking for a few of those numbers.
enum Schema {
    /// Written into the file's header: `TDNG`.
    static let applicationID: Int32 = 0x5444_4E47

    /// How many offsets share one row of `time_marks`.
    static let offsetsPerMark: Int64 = 2048

    static let pageSize = 8192

    /// The tables as the first migration makes them.
    static let tables = """
        CREATE TABLE events (
            offset INTEGER PRIMARY KEY,
            id BLOB NOT NULL,
            type INTEGER NOT NULL,
            symbol INTEGER,
            source INTEGER NOT NULL,
            time INTEGER NOT NULL,
            correlation BLOB,
            json BLOB NOT NULL
        );
        CREATE TABLE event_types (text TEXT PRIMARY KEY NOT NULL, number INTEGER NOT NULL) WITHOUT ROWID;
        CREATE TABLE sources (text TEXT PRIMARY KEY NOT NULL, number INTEGER NOT NULL) WITHOUT ROWID;
        CREATE TABLE symbols (
            symbol BLOB NOT NULL,
            venue_symbol BLOB NOT NULL,
            number INTEGER NOT NULL,
            PRIMARY KEY (symbol, venue_symbol)
        ) WITHOUT ROWID;
        CREATE TABLE time_marks (
            mark INTEGER PRIMARY KEY,
            earliest INTEGER NOT NULL,
            latest INTEGER NOT NULL,
            last_offset INTEGER NOT NULL
        );
        CREATE TABLE epochs (epoch TEXT NOT NULL, first_offset INTEGER NOT NULL);
        CREATE TABLE log_state (
            id INTEGER PRIMARY KEY CHECK (id = 1),
            high_water INTEGER NOT NULL,
            open_durability TEXT
        );
        INSERT INTO log_state (id, high_water) VALUES (1, 0);
        """

    /// The four that appending pays for. An event that is its own correlation, as most are, has no entry in the third.
    static let indexes = """
        CREATE UNIQUE INDEX events_by_id ON events (id);
        CREATE INDEX events_by_type ON events (type, offset);
        CREATE INDEX events_by_symbol ON events (symbol, offset) WHERE symbol IS NOT NULL;
        CREATE INDEX events_by_correlation ON events (correlation) WHERE correlation IS NOT NULL;
        """

    /// What lies beside the log: the events that handlers gave up on, and how far durable subscriptions have come.
    ///
    /// Ids are as in `events`: texts, or UUIDs as 16 bytes, which sort as the core does. Times are kept as they are
    /// written, because that tells their precision.
    static let handlerTables = """
        CREATE TABLE dead_letters (
            id BLOB PRIMARY KEY NOT NULL,
            event_id BLOB NOT NULL,
            event_offset INTEGER,
            subscriber TEXT NOT NULL,
            first_error TEXT NOT NULL,
            last_error TEXT NOT NULL,
            attempts INTEGER NOT NULL,
            first_failed_at TEXT NOT NULL,
            last_failed_at TEXT NOT NULL,
            json TEXT NOT NULL
        );
        CREATE TABLE cursors (
            subscription TEXT PRIMARY KEY NOT NULL,
            low_water INTEGER NOT NULL,
            acknowledged BLOB NOT NULL
        );
        """

    /// A file that has been through this one has events to read.
    static let firstMigration = "1 events"

    static var migrator: DatabaseMigrator {
        var migrator = DatabaseMigrator()
        migrator.registerMigration(Self.firstMigration) { db in
            try db.execute(sql: Self.tables)
            try db.execute(sql: Self.indexes)
        }
        // No table refers to another: a large file need not be searched for what is missing.
        migrator.registerMigration("2 dead letters and cursors", foreignKeyChecks: .immediate) { db in
            try db.execute(sql: Self.handlerTables)
        }
        return migrator
    }
}
