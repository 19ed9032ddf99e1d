import Logging
import Tidings
import TidingsGateway

#if canImport(Glibc)
import Glibc
#else
import Darwin
#endif

/// Reads the access files again when they have changed. What cannot be used is logged, and what was there before stays.
struct AccessWatcher: Sendable {
    let files: AccessFiles
    let policy: AccessPolicy
    let logger: Logger
    private let loaded: [FileStamp?]

    /// How often the files are looked at. A file is read once it was the same twice, as it may be half written.
    private static let interval = Duration.milliseconds(500)

    /// Reads the files for the first time.
    init(_ files: AccessFiles, logger: Logger) async throws(ConfigurationErrors) {
        self.files = files
        self.logger = logger
        // Taken before: what changes while it is read is read again.
        self.loaded = files.all.map { FileStamp($0) }
        self.policy = AccessPolicy(try await files.load())
    }

    /// Watches until cancelled.
    func run() async {
        var known = self.loaded
        var last = known
        while (try? await Task.sleep(for: Self.interval)) != nil {
            let now = self.files.all.map { FileStamp($0) }
            defer { last = now }
            guard now != known, now == last else { continue }
            known = now
            do throws(ConfigurationErrors) {
                let credentials = try await self.files.load()
                self.policy.replace(with: credentials)
                self.logger.info(
                    "The access files were read again", metadata: [LogKey.count: "\(credentials.tokens.count)"])
            } catch {
                self.logger.error(
                    "The access files cannot be used, what they said before still counts",
                    metadata: [LogKey.error: "\(error)"])
            }
        }
    }
}

/// Which version of a file is there.
private struct FileStamp: Equatable {
    private let device: UInt64
    private let inode: UInt64
    private let size: Int64
    private let seconds: Int64
    private let nanoseconds: Int64

    /// nil when there is none.
    init?(_ path: String) {
        var status = stat()
        guard stat(path, &status) == 0 else { return nil }
        #if canImport(Glibc)
        let time = status.st_mtim
        #else
        let time = status.st_mtimespec
        #endif
        self.device = UInt64(truncatingIfNeeded: status.st_dev)
        self.inode = UInt64(status.st_ino)
        self.size = Int64(status.st_size)
        self.seconds = Int64(time.tv_sec)
        self.nanoseconds = Int64(time.tv_nsec)
    }
}
