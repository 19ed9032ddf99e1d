#if canImport(Glibc)
import Glibc
#else
import Darwin
#endif

/// What the system says of files that are too large.
enum FileSizeSignal {
    /// Makes a file that may not grow an error of the write, as a full disk is, rather than the end of the program.
    static func ignore() {
        signal(SIGXFSZ, SIG_IGN)
    }
}
