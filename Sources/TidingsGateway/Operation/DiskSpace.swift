#if canImport(Glibc)
import Glibc
#else
import Darwin
#endif

/// How much room a file system has.
struct DiskSpace: Equatable {
    /// What this user may still write, in bytes.
    var free: UInt64
    var total: UInt64

    /// Less than this is worth a warning, and less than that is as good as full; both in bytes. On a small file system a
    /// tenth, and a fiftieth, of it.
    private static let warning: UInt64 = 1 << 30
    private static let failure: UInt64 = 32 << 20

    init(free: UInt64, total: UInt64) {
        self.free = free
        self.total = total
    }

    /// nil when the system does not say.
    init?(folder: String) {
        var status = statvfs()
        guard statvfs(folder, &status) == 0 else { return nil }
        let block = UInt64(status.f_frsize)
        self.init(
            free: UInt64(status.f_bavail).multipliedReportingOverflow(by: block).partialValue,
            total: UInt64(status.f_blocks).multipliedReportingOverflow(by: block).partialValue)
    }

    var status: ReadinessCheck.Status {
        if self.free < min(Self.failure, self.total / 50) { return .fail }
        return self.free < min(Self.warning, self.total / 10) ? .warn : .pass
    }
}

extension ReadinessCheck {
    /// Whether the file system that a folder is on has room for more: `disk`.
    ///
    /// It warns below 1 GiB or a tenth of the file system, whichever is less, and fails below 32 MiB or a fiftieth. Asks the
    /// system, which does not wait for the disk.
    public static func disk(folder: String) -> ReadinessCheck {
        guard let space = DiskSpace(folder: folder) else {
            return ReadinessCheck("disk", .warn, reason: "\(folder): the system does not say how much room there is")
        }
        let reason = "\(folder): \(space.free >> 20) MiB of \(space.total >> 20) MiB are free"
        return ReadinessCheck("disk", space.status, reason: space.status == .pass ? nil : reason)
    }
}
