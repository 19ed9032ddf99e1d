#if canImport(Glibc)
import Glibc
#endif

/// What this process uses, by the names that Prometheus' own libraries use. Linux tells; elsewhere there is nothing.
struct MetricsExpositionProcess {
    var cpuSeconds: Double?
    var residentBytes: UInt64?
    var virtualBytes: UInt64?
    var openFiles: Int?
    var maximumFiles: UInt64?
    /// Seconds since 1970.
    var startedAt: Double?

    func write(to text: inout MetricsExpositionText) {
        if let value = self.cpuSeconds {
            text.single(
                "process_cpu_seconds_total", .counter, "Total user and system CPU time spent in seconds.", value)
        }
        if let value = self.openFiles {
            text.single("process_open_fds", .gauge, "Number of open file descriptors.", value)
        }
        if let value = self.maximumFiles {
            text.single("process_max_fds", .gauge, "Maximum number of open file descriptors.", value)
        }
        if let value = self.virtualBytes {
            text.single("process_virtual_memory_bytes", .gauge, "Virtual memory size in bytes.", value)
        }
        if let value = self.residentBytes {
            text.single("process_resident_memory_bytes", .gauge, "Resident memory size in bytes.", value)
        }
        if let value = self.startedAt {
            text.single(
                "process_start_time_seconds", .gauge,
                "Start time of the process since unix epoch in seconds.", value)
        }
    }
}

#if os(Linux) && canImport(Glibc)
extension MetricsExpositionProcess {
    /// This process, now.
    static func current() -> MetricsExpositionProcess {
        var process = MetricsExpositionProcess()
        let ticks = Double(sysconf(Int32(_SC_CLK_TCK)))
        // Behind the name, which stands in brackets and may hold anything: the state is field 3.
        if let text = self.read("/proc/self/stat"), let end = text.lastIndex(of: ")") {
            let fields = text[text.index(after: end)...].split(separator: " ")
            func field(_ number: Int) -> Double? { fields.count > number - 3 ? Double(fields[number - 3]) : nil }
            if let user = field(14), let system = field(15) { process.cpuSeconds = (user + system) / ticks }
            if let start = field(22), let booted = self.bootTime { process.startedAt = booted + start / ticks }
            process.virtualBytes = field(23).map { UInt64($0) }
            process.residentBytes = field(24).map { UInt64($0) * UInt64(sysconf(Int32(_SC_PAGESIZE))) }
        }
        process.openFiles = self.openFileCount
        var limit = rlimit()
        if getrlimit(__rlimit_resource_t(RLIMIT_NOFILE.rawValue), &limit) == 0 {
            process.maximumFiles = UInt64(limit.rlim_cur)
        }
        return process
    }

    /// When the machine was started, in seconds since 1970.
    private static var bootTime: Double? {
        let line = self.read("/proc/stat")?.split(separator: "\n").first { $0.hasPrefix("btime ") }
        return line.flatMap { Double($0.dropFirst(6)) }
    }

    private static var openFileCount: Int? {
        guard let directory = opendir("/proc/self/fd") else { return nil }
        defer { closedir(directory) }
        var count = 0
        while readdir(directory) != nil { count += 1 }
        // Without the two for the directory and its parent, and the one it is read through.
        return max(count - 3, 0)
    }

    /// The beginning of a file that the kernel makes.
    private static func read(_ path: String) -> String? {
        let descriptor = open(path, O_RDONLY | O_CLOEXEC)
        guard descriptor >= 0 else { return nil }
        defer { close(descriptor) }
        var bytes: [UInt8] = []
        var part = [UInt8](repeating: 0, count: 16 << 10)
        while bytes.count < 1 << 20 {
            let count = Glibc.read(descriptor, &part, part.count)
            guard count > 0 else { break }
            bytes += part[..<count]
        }
        return String(decoding: bytes, as: UTF8.self)
    }
}
#else
extension MetricsExpositionProcess {
    static func current() -> MetricsExpositionProcess { MetricsExpositionProcess() }
}
#endif
