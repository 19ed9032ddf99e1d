import Tidings

#if canImport(Glibc)
import Glibc
#else
import Darwin
#endif

/// The right to write a log: a lock on the file `-lock` beside it, which holds the number of the process that has it.
///
/// The operating system gives the lock back when the process ends, however it ends; the file stays and means nothing by
/// itself.
struct FileLock: ~Copyable {
    private let descriptor: Int32

    /// - Throws: `locked`, naming the process that writes to the log; `unusable` when the lock cannot be made.
    init(besides file: String) throws(EventLogError) {
        let path = file + "-lock"
        let descriptor = open(path, O_RDWR | O_CREAT | O_CLOEXEC, 0o644)
        guard descriptor >= 0 else {
            throw EventLogError(.unusable, "\(file) cannot be written: \(describeSystemError(errno))")
        }
        guard flock(descriptor, LOCK_EX | LOCK_NB) == 0 else {
            let reason = errno
            let holder = Self.holder(descriptor)
            _ = close(descriptor)
            guard reason == EWOULDBLOCK else {
                throw EventLogError(.unusable, "\(path) cannot be locked: \(describeSystemError(reason))")
            }
            throw EventLogError(
                .locked, "\(file) is being written by \(holder); use --url to talk to that process instead")
        }
        self.descriptor = descriptor
        let text = "\(getpid())\n"
        // Only for people and for the message above: the lock holds without it.
        _ = ftruncate(descriptor, 0)
        _ = text.withCString { pwrite(descriptor, $0, strlen($0), 0) }
    }

    deinit {
        _ = close(self.descriptor)
    }

    private static func holder(_ descriptor: Int32) -> String {
        var bytes = [UInt8](repeating: 0, count: 24)
        let count = pread(descriptor, &bytes, bytes.count, 0)
        let digits = bytes.prefix(max(count, 0)).prefix { $0 >= 0x30 && $0 <= 0x39 }
        return digits.isEmpty ? "another process" : "process \(String(decoding: digits, as: UTF8.self))"
    }
}
