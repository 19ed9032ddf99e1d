import GRDB
import GRDBSQLite
import Tidings

#if canImport(Glibc)
import Glibc
#else
import Darwin
#endif

/// Opens connections to the file of a log.
enum LogConnections {
    /// One connection to write and a few to read beside it.
    static func openForWriting(_ file: LogFile, _ configuration: SQLiteLogConfiguration) throws -> DatabasePool {
        try file.prepareForWriting()
        var options = Configuration()
        options.label = "tidings.log"
        options.maximumReaderCount = max(configuration.readers, 1)
        options.busyMode = .timeout(5)
        options.persistentReadOnlyConnections = true
        let readerCache = configuration.readerPageCache
        options.prepareDatabase { db in
            try db.execute(sql: "PRAGMA cache_size = -\(max(readerCache >> 10, 64))")
        }
        let pool = try DatabasePool(path: file.path, configuration: options)
        do {
            try Self.prepare(pool, file, configuration)
        } catch {
            // The first error is the one to tell.
            try? pool.close()
            throw error
        }
        return pool
    }

    private static func prepare(
        _ pool: DatabasePool, _ file: LogFile, _ configuration: SQLiteLogConfiguration
    ) throws {
        let migrator = Schema.migrator
        if try pool.read({ db in try migrator.hasBeenSuperseded(db) }) {
            throw EventLogError(.unusable, "\(file.path) was written by a newer version of Tidings")
        }
        try pool.writeWithoutTransaction { db in
            // Until the session is marked as open: see LogSession.
            try db.execute(sql: "PRAGMA synchronous = FULL")
        }
        try migrator.migrate(pool)
        try pool.writeWithoutTransaction { db in
            for pragma in Self.writerPragmas(configuration) { try db.execute(sql: pragma) }
        }
    }

    /// What makes the writer fast; the bare reference uses the same.
    static func writerPragmas(_ configuration: SQLiteLogConfiguration) -> [String] {
        var pragmas = [
            "PRAGMA cache_size = -\(max(configuration.pageCache >> 10, 64))",
            // The log is copied into the file every 32 MiB rather than every 8: fewer pages are written twice.
            "PRAGMA wal_autocheckpoint = 4096",
            "PRAGMA journal_size_limit = \(64 << 20)",
            "PRAGMA temp_store = MEMORY",
        ]
        if let limit = configuration.maximumFileSize {
            pragmas.append("PRAGMA max_page_count = \(max(limit / Schema.pageSize, 1))")
        }
        return pragmas
    }

    static func synchronousPragma(_ durability: SQLiteLogConfiguration.Durability) -> String {
        switch durability {
        case .full: "PRAGMA synchronous = FULL"
        case .normal: "PRAGMA synchronous = NORMAL"
        case .off: "PRAGMA synchronous = OFF"
        }
    }

    /// One connection that changes nothing, beside a writer in another process or without one.
    static func openForReading(_ file: LogFile) throws -> DatabaseQueue {
        try file.prepareForReading()
        var options = Configuration()
        options.label = "tidings.log.reader"
        options.readonly = true
        options.busyMode = .timeout(5)
        let queue: DatabaseQueue
        do {
            queue = try Self.checked(DatabaseQueue(path: file.path, configuration: options), file)
        } catch let error as DatabaseError
            where error.resultCode == .SQLITE_CANTOPEN || error.resultCode == .SQLITE_READONLY
        {
            // Neither -shm nor the right to make one: without a -wal the file is whole, and nobody writes it.
            guard access(file.path + "-wal", F_OK) != 0 else { throw error }
            let address = "file:\(Self.percentEncoded(file.path))?immutable=1"
            queue = try Self.checked(DatabaseQueue(path: address, configuration: options), file)
        }
        return queue
    }

    private static func checked(_ queue: DatabaseQueue, _ file: LogFile) throws -> DatabaseQueue {
        try queue.read { db in
            let migrator = Schema.migrator
            if try migrator.hasBeenSuperseded(db) {
                throw EventLogError(.unusable, "\(file.path) was written by a newer version of Tidings")
            }
            // Later ones only added tables, which readers do without.
            guard try migrator.appliedIdentifiers(db).contains(Schema.firstMigration) else {
                throw EventLogError(
                    .unusable, "\(file.path) was written by an older version of Tidings; open it with `tidings run`")
            }
        }
        return queue
    }

    private static func percentEncoded(_ path: String) -> String {
        var encoded = ""
        for byte in path.utf8 {
            switch byte {
            case UInt8(ascii: "a")...UInt8(ascii: "z"), UInt8(ascii: "A")...UInt8(ascii: "Z"),
                UInt8(ascii: "0")...UInt8(ascii: "9"), UInt8(ascii: "/"), UInt8(ascii: "."), UInt8(ascii: "-"),
                UInt8(ascii: "_"):
                encoded.unicodeScalars.append(Unicode.Scalar(byte))
            default:
                let digits = String(byte, radix: 16, uppercase: true)
                encoded += "%" + (digits.count == 1 ? "0" : "") + digits
            }
        }
        return encoded
    }
}
