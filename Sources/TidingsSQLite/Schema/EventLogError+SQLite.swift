import GRDB
import GRDBSQLite
import Tidings

#if canImport(Glibc)
import Glibc
#else
import Darwin
#endif

extension EventLogError {
    /// What went wrong with a file, in words that say what to do about it.
    ///
    /// - Parameter systemError: the operating system's last error on the connection, 0 when not known.
    init(_ error: any Error, file: String, systemError: Int32 = 0) {
        if let known = error as? EventLogError {
            self = known
            return
        }
        guard let error = error as? DatabaseError else {
            self.init(.inputOutput, "\(file): \(error)")
            return
        }
        let detail = error.message ?? "SQLite error \(error.extendedResultCode.rawValue)"
        let reason = systemError == 0 ? detail : describeSystemError(systemError)
        switch error.resultCode {
        case .SQLITE_FULL:
            self.init(.diskFull, "\(file) cannot grow: there is no room left")
        case .SQLITE_IOERR where systemError == ENOSPC || systemError == EDQUOT:
            self.init(.diskFull, "\(file) cannot grow: \(reason)")
        case .SQLITE_READONLY:
            self.init(.unusable, "\(file) cannot be written: the file or its file system is read-only")
        case .SQLITE_NOTADB:
            self.init(.unusable, "\(file) is not an event log: \(detail)")
        case .SQLITE_CORRUPT:
            self.init(.unusable, "\(file) is damaged: \(detail)")
        case .SQLITE_CANTOPEN, .SQLITE_PERM, .SQLITE_AUTH:
            self.init(.unusable, "\(file) cannot be opened: \(reason)")
        case .SQLITE_BUSY, .SQLITE_LOCKED:
            self.init(.locked, "\(file) is locked by another program: \(detail)")
        case .SQLITE_MISUSE:
            self.init(.closed, "the event log \(file) is closed")
        default:
            self.init(.inputOutput, "\(file): \(reason)")
        }
    }
}
