/// Where an event log lies on the disk, and how safely.
public struct SQLiteLogConfiguration: Sendable {
    /// What a crash may cost.
    ///
    /// A process that is killed loses nothing acknowledged at ``full`` and ``normal``. A power cut or a crash of the
    /// operating system loses nothing acknowledged at ``full`` only.
    public enum Durability: String, Sendable, CaseIterable {
        /// Every commit is on the disk before it is acknowledged (`synchronous = FULL`).
        case full
        /// A commit is in the operating system's hands when it is acknowledged (`synchronous = NORMAL`): a power cut may
        /// cost the newest ones, and leaves a sound file without them.
        case normal
        /// The disk is never waited for (`synchronous = OFF`): a killed process still loses nothing acknowledged, but a
        /// power cut may damage the file.
        case off
    }

    /// The path of the file; made when it is not there, together with `-wal`, `-shm` and `-lock` beside it.
    public var file: String
    public var durability: Durability = .normal
    /// Bytes of the file that the writer keeps in memory.
    public var pageCache: Int = 64 << 20
    /// How many reads run side by side.
    public var readers: Int = 2
    /// Bytes of the file that each reader keeps in memory.
    public var readerPageCache: Int = 8 << 20
    /// Appending fails as on a full disk rather than let the file grow beyond this many bytes; `nil` for no limit.
    public var maximumFileSize: Int?

    /// How many dead letters are kept; beyond it the oldest go.
    public var maximumDeadLetters: Int = 1_000_000

    public init(file: String) {
        self.file = file
    }
}
