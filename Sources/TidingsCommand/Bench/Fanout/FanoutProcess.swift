import CFanoutBench
import Foundation
import Tidings

/// A process of the bench, which is told what to do by lines and answers by lines.
final class FanoutProcess {
    private let process = Process()
    private let input = Pipe()
    private let output = Pipe()
    private var rest: [UInt8] = []
    private let role: String

    init(_ role: BenchPeerCommand.Role, _ arguments: [String]) throws {
        self.role = role.rawValue
        self.process.executableURL = URL(fileURLWithPath: try Self.program())
        self.process.arguments = ["bench-peer", role.rawValue] + arguments
        self.process.standardInput = self.input
        self.process.standardOutput = self.output
        try self.process.run()
    }

    private static func program() throws -> String {
        #if os(Linux)
        return try FileManager.default.destinationOfSymbolicLink(atPath: "/proc/self/exe")
        #else
        throw CommandError("bench fanout: needs Linux (epoll)")
        #endif
    }

    /// Closes its input, which it ends with.
    func end() {
        try? self.input.fileHandleForWriting.close()
        self.process.waitUntilExit()
    }

    func tell(_ order: String) throws {
        try self.input.fileHandleForWriting.write(contentsOf: Data((order + "\n").utf8))
    }

    /// The numbers of the next line, which has to begin with a word.
    func answer(_ word: String) throws -> [Int] {
        while true {
            if let end = self.rest.firstIndex(of: UInt8(ascii: "\n")) {
                let line = String(decoding: self.rest[..<end], as: UTF8.self)
                self.rest.removeSubrange(...end)
                let words = line.split(separator: " ")
                guard words.first.map(String.init) == word else {
                    throw CommandError("bench fanout: \(self.role) said '\(line)', not '\(word)'")
                }
                return words.dropFirst().compactMap { Int($0) }
            }
            let data = self.output.fileHandleForReading.availableData
            guard !data.isEmpty else { throw CommandError("bench fanout: \(self.role) ended before '\(word)'") }
            self.rest += data
        }
    }

    func ask(_ order: String) throws -> [Int] {
        try self.tell(order)
        return try self.answer(order)
    }

    /// CPU seconds used so far.
    var cpuSeconds: Double { Double(fanout_cpu_nanoseconds(self.process.processIdentifier)) / 1e9 }

    /// Bytes of memory that are resident.
    var residentBytes: Int {
        let path = "/proc/\(self.process.processIdentifier)/status"
        guard let status = try? String(contentsOfFile: path, encoding: .utf8) else { return 0 }
        let line = status.split(separator: "\n").first { $0.hasPrefix("VmRSS:") }
        return (line?.split(whereSeparator: { $0 == " " || $0 == "\t" }).dropFirst().first.flatMap { Int($0) } ?? 0)
            << 10
    }
}

/// A server and its clients.
final class FanoutRig {
    let server: FanoutProcess
    let clients: FanoutProcess
    /// Bytes that the server had resident before there were clients.
    let bytesBefore: Int
    private let plan: FanoutPlan
    private let progress: String

    /// Returns once every client has subscribed.
    init(_ role: BenchPeerCommand.Role, _ plan: FanoutPlan, stamped: Bool = false) throws {
        self.plan = plan
        self.progress = FileManager.default.temporaryDirectory.path + "/tidings-bench-\(UUID().uuidString)"
        let common = ["--progress", self.progress, "--clients", "\(plan.clients)", "--filters", "\(plan.filters)"]
        self.server = try FanoutProcess(role, common)
        let port = try self.server.answer("listening").first ?? 0
        self.bytesBefore = self.server.residentBytes
        self.clients = try FanoutProcess(
            .clients, common + ["--port", "\(port)"] + (stamped ? ["--stamped"] : []))
        _ = try self.clients.answer("ready")
    }

    func end() {
        self.clients.end()
        self.server.end()
        try? FileManager.default.removeItem(atPath: self.progress)
    }

    /// What one window came to.
    struct Window {
        var deliveriesPerSecond: Double
        var cpuSecondsPerMillion: Double
        /// Nanoseconds; 0 where events have no time.
        var p99: Int
    }

    /// Lets the server send for so long and measures all but the beginning.
    func measure(_ order: String, for time: Duration, stamped: Bool) async throws -> Window {
        let before = try self.clients.ask("count")
        try self.server.tell(order)
        try await Task.sleep(for: time / 8)
        if stamped { _ = try self.clients.ask("latency") }
        let (start, cpuStart) = (try self.clients.ask("count"), self.server.cpuSeconds)
        try await Task.sleep(for: time * 7 / 8)
        let (end, cpuEnd) = (try self.clients.ask("count"), self.server.cpuSeconds)
        let latency = stamped ? try self.clients.ask("latency") : [0, 0, 0, 0]
        let sent = try self.server.ask("stop", answeredBy: "stopped").first ?? 0
        // Whatever is under way arrives before the next window; nothing may be missing.
        var last = try self.clients.ask("count")
        let deadline = ContinuousClock.now + .seconds(10)
        while last[0] - before[0] < sent * self.plan.clients, ContinuousClock.now < deadline {
            try await Task.sleep(for: .milliseconds(5))
            last = try self.clients.ask("count")
        }
        guard last[0] - before[0] == sent * self.plan.clients, last[2] == 0, last[3] == 0 else {
            throw CommandError(
                "bench fanout: \(sent) events to \(self.plan.clients) clients came to \(last[0] - before[0]) "
                    + "deliveries, \(last[2]) gaps, \(last[3]) closed")
        }
        let count = Double(end[0] - start[0])
        return Window(
            deliveriesPerSecond: count / (Double(end[1] - start[1]) / 1e9),
            cpuSecondsPerMillion: (cpuEnd - cpuStart) / max(count, 1) * 1e6, p99: latency[2])
    }
}

extension FanoutProcess {
    func ask(_ order: String, answeredBy word: String) throws -> [Int] {
        try self.tell(order)
        return try self.answer(word)
    }
}
