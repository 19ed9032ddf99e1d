import Foundation
import Tidings

/// The `tidings` program as a user starts it, with what it prints.
///
/// Started by `posix_spawn` rather than Foundation's `Process`, whose pipes are inherited by every other program started
/// meanwhile, so that a program's output does not end before theirs.
final class Program: Sendable {
    private struct State {
        var output: [UInt8] = []
        var error: [UInt8] = []
        var waiting: [(found: @Sendable (String) -> Bool, continuation: CheckedContinuation<Void, Never>)] = []
        var status: Int32?
        var waitingForEnd: [CheckedContinuation<Void, Never>] = []
    }

    /// Beside the test bundle, where the same build has put it.
    static let path = URL(filePath: CommandLine.arguments[0]).deletingLastPathComponent().appending(path: "tidings")

    private static let starting = Locked(false)

    let processID: pid_t
    private let input: FileHandle
    private let state = Locked(State())

    init(_ arguments: [String], executable: URL = Program.path) throws {
        let (input, output, error) = (try Self.makePipe(), try Self.makePipe(), try Self.makePipe())
        self.processID = try Self.spawn(
            executable.path, arguments, standard: [input.reading, output.writing, error.writing])
        for end in [input.reading, output.writing, error.writing] { close(end) }
        self.input = FileHandle(fileDescriptor: input.writing, closeOnDealloc: true)
        let (processID, state) = (self.processID, self.state)
        Thread.detachNewThread { Self.follow(processID, output.reading, error.reading, state) }
    }

    private static func makePipe() throws -> (reading: Int32, writing: Int32) {
        // No program may be started between the two steps, or it would inherit the pipe.
        try Self.starting.withLock { _ in
            var ends: [Int32] = [0, 0]
            guard pipe(&ends) == 0 else { throw ProgramError(description: "no pipe: \(errno)") }
            for end in ends { _ = fcntl(end, F_SETFD, FD_CLOEXEC) }
            return (ends[0], ends[1])
        }
    }

    private static func spawn(_ path: String, _ arguments: [String], standard: [Int32]) throws -> pid_t {
        var actions = posix_spawn_file_actions_t()
        posix_spawn_file_actions_init(&actions)
        defer { posix_spawn_file_actions_destroy(&actions) }
        for (target, source) in standard.enumerated() {
            posix_spawn_file_actions_adddup2(&actions, source, Int32(target))
        }
        var words: [UnsafeMutablePointer<CChar>?] = ([path] + arguments).map { strdup($0) }
        words.append(nil)
        defer { for word in words { free(word) } }
        var processID: pid_t = 0
        let result = Self.starting.withLock { _ in posix_spawn(&processID, path, &actions, nil, words, environ) }
        guard result == 0 else {
            throw ProgramError(description: "\(path) does not start: \(String(cString: strerror(result)))")
        }
        return processID
    }

    /// Collects what a program prints until it ends, on a thread of its own.
    private static func follow(_ processID: pid_t, _ output: Int32, _ error: Int32, _ state: Locked<State>) {
        var open = [output, error]
        while !open.isEmpty {
            var polled = open.map { pollfd(fd: $0, events: Int16(POLLIN), revents: 0) }
            poll(&polled, nfds_t(polled.count), -1)
            for entry in polled where entry.revents != 0 {
                var piece = [UInt8](repeating: 0, count: 65_536)
                let count = read(entry.fd, &piece, piece.count)
                if count > 0 {
                    Self.add(piece[..<count], isError: entry.fd == error, state)
                } else if count == 0 || errno != EINTR {
                    close(entry.fd)
                    open.removeAll { $0 == entry.fd }
                }
            }
        }
        var status: Int32 = 0
        while waitpid(processID, &status, 0) < 0 && errno == EINTR {}
        // The lower seven bits are the signal that ended it, if one did.
        let code = status & 0x7F == 0 ? (status >> 8) & 0xFF : 128 + status & 0x7F
        let woken = state.withLock { state in
            state.status = code
            let woken = state.waiting.map(\.continuation) + state.waitingForEnd
            state.waiting = []
            state.waitingForEnd = []
            return woken
        }
        for continuation in woken { continuation.resume() }
    }

    private static func add(_ piece: ArraySlice<UInt8>, isError: Bool, _ state: Locked<State>) {
        let woken = state.withLock { state in
            if isError { state.error += piece } else { state.output += piece }
            let output = String(decoding: state.output, as: UTF8.self)
            let woken = state.waiting.filter { $0.found(output) }
            state.waiting.removeAll { $0.found(output) }
            return woken
        }
        for waiter in woken { waiter.continuation.resume() }
    }

    var output: String { String(decoding: self.state.withLock { $0.output }, as: UTF8.self) }
    var error: String { String(decoding: self.state.withLock { $0.error }, as: UTF8.self) }
    var lines: [String] { self.output.split(separator: "\n").map(String.init) }

    /// Returns once the output satisfies a condition, or the program has ended.
    func wait(until found: @escaping @Sendable (String) -> Bool) async {
        await withCheckedContinuation { continuation in
            let isThere = self.state.withLock { state in
                if found(String(decoding: state.output, as: UTF8.self)) || state.status != nil { return true }
                state.waiting.append((found, continuation))
                return false
            }
            if isThere { continuation.resume() }
        }
    }

    /// The `HOST:PORT` that the program says it listens on.
    func address() async throws -> String {
        let prefix = "listening on "
        await self.wait { $0.contains(prefix) && $0.contains("\n") }
        guard let line = self.lines.first(where: { $0.hasPrefix(prefix) }) else {
            throw ProgramError(description: "the program does not listen: \(self.error)")
        }
        return String(line.dropFirst(prefix.count))
    }

    func write(_ text: String) throws {
        try self.input.write(contentsOf: Data(text.utf8))
    }

    func closeInput() throws {
        try self.input.close()
    }

    func interrupt() { kill(self.processID, SIGINT) }
    func terminate() { kill(self.processID, SIGTERM) }
    func kill9() { kill(self.processID, SIGKILL) }

    /// The exit status (128 and the signal, where one ended it), once everything the program printed is here.
    @discardableResult
    func waitUntilEnded() async -> Int32 {
        await withCheckedContinuation { continuation in
            let hasEnded = self.state.withLock { state in
                if state.status != nil { return true }
                state.waitingForEnd.append(continuation)
                return false
            }
            if hasEnded { continuation.resume() }
        }
        return self.state.withLock { $0.status ?? -1 }
    }

    /// Runs the program to its end.
    static func run(
        _ arguments: String..., input: String? = nil
    ) async throws -> (status: Int32, output: String, error: String) {
        let program = try Program(arguments)
        if let input { try program.write(input) }
        try program.closeInput()
        let status = await program.waitUntilEnded()
        return (status, program.output, program.error)
    }
}

struct ProgramError: Error, CustomStringConvertible {
    let description: String
}

/// A folder that is gone after the test.
func withFolder<Result>(_ body: (URL) async throws -> Result) async throws -> Result {
    let folder = FileManager.default.temporaryDirectory.appending(path: "tidings-test-\(UUID().uuidString)")
    try FileManager.default.createDirectory(at: folder, withIntermediateDirectories: true)
    defer { try? FileManager.default.removeItem(at: folder) }
    return try await body(folder)
}
