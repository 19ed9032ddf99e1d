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

/// The files and sockets that a process may have open.
enum Descriptors {
    /// Takes as many as the system allows: what a shell gives by default (1,024) is too few for a server with clients.
    static func raise() {
        var limit = rlimit()
        #if canImport(Glibc)
        let resource = __rlimit_resource_t(RLIMIT_NOFILE.rawValue)
        #else
        let resource = RLIMIT_NOFILE
        #endif
        guard getrlimit(resource, &limit) == 0, limit.rlim_cur < limit.rlim_max else { return }
        limit.rlim_cur = limit.rlim_max
        setrlimit(resource, &limit)
    }
}
