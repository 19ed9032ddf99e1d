import GRDB
import GRDBSQLite
import Tidings

#if canImport(Glibc)
import Glibc
#else
import Darwin
#endif

/// The file of a log, looked at before SQLite touches it, so that a foreign file is left as it is.
struct LogFile: Sendable {
    let path: String

    /// - Parameter path: made absolute and free of links, so that every way to the file finds the same lock.
    init(_ path: String) {
        self.path = Self.resolved(path)
    }

    /// Checks that the file is a log, or makes an empty one where there is none.
    func prepareForWriting() throws {
        if try self.inspect() { return }
        // The header says whose file it is before anything else is in it.
        var configuration = Configuration()
        configuration.prepareDatabase { db in
            try db.execute(sql: "PRAGMA page_size = \(Schema.pageSize)")
            try db.execute(sql: "PRAGMA application_id = \(Schema.applicationID)")
        }
        try DatabaseQueue(path: self.path, configuration: configuration).close()
    }

    /// Checks that there is a log to read.
    func prepareForReading() throws(EventLogError) {
        guard try self.inspect() else {
            throw EventLogError(.unusable, "there is no event log at \(self.path)")
        }
    }

    /// Whether the file holds a log already; throws when it holds something else.
    @discardableResult
    func inspect() throws(EventLogError) -> Bool {
        var status = stat()
        if stat(self.path, &status) == 0, status.st_mode & S_IFMT == S_IFDIR {
            throw EventLogError(.unusable, "\(self.path) is a directory")
        }
        let descriptor = open(self.path, O_RDONLY | O_CLOEXEC)
        guard descriptor >= 0 else {
            let reason = errno
            if reason == ENOENT { return false }
            throw EventLogError(.unusable, "\(self.path) cannot be read: \(describeSystemError(reason))")
        }
        defer { _ = close(descriptor) }
        var header = [UInt8](repeating: 0, count: 100)
        let count = pread(descriptor, &header, header.count, 0)
        guard count >= 0 else {
            throw EventLogError(.unusable, "\(self.path) cannot be read: \(describeSystemError(errno))")
        }
        if count == 0 { return false }
        guard count == header.count, header.starts(with: Array("SQLite format 3\0".utf8)) else {
            throw EventLogError(.unusable, "\(self.path) is not an event log: it is no SQLite database")
        }
        let applicationID = header[68..<72].reduce(UInt32(0)) { $0 << 8 | UInt32($1) }
        guard applicationID == UInt32(Schema.applicationID) else {
            throw EventLogError(.unusable, "\(self.path) is a database of another program, not an event log")
        }
        return true
    }

    private static func resolved(_ path: String) -> String {
        if let whole = realpath(path, nil) {
            defer { free(whole) }
            return String(cString: whole)
        }
        let name = path.split(separator: "/").last.map(String.init) ?? path
        let directory = String(path.dropLast(name.utf8.count))
        guard let resolved = realpath(directory.isEmpty ? "." : directory, nil) else { return path }
        defer { free(resolved) }
        let prefix = String(cString: resolved)
        return prefix == "/" ? "/\(name)" : "\(prefix)/\(name)"
    }
}

/// What the operating system calls an error.
func describeSystemError(_ code: Int32) -> String {
    strerror(code).map { String(cString: $0) } ?? "error \(code)"
}
