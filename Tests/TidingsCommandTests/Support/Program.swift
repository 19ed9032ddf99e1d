import Foundation
import Tidings

/// The `tidings` program as a user starts it, with what it prints.
final class Program: Sendable {
    private struct State {
        var output = ""
        var error = ""
        var waiting: [(found: @Sendable (String) -> Bool, continuation: CheckedContinuation<Void, Never>)] = []
        var status: Int32?
        var waitingForEnd: [CheckedContinuation<Void, Never>] = []
    }

    /// Beside the test bundle, where the same build has put it.
    static let path = URL(filePath: CommandLine.arguments[0]).deletingLastPathComponent().appending(path: "tidings")

    private let process = Process()
    private let state = Locked(State())
    private let input = Pipe()

    /// - Note: only `start`, `terminationHandler` and `processIdentifier` of the process are used after this.
    init(_ arguments: [String], environment: [String: String] = [:], directory: URL? = nil) throws {
        self.process.executableURL = Self.path
        self.process.arguments = arguments
        self.process.currentDirectoryURL = directory
        self.process.environment = ProcessInfo.processInfo.environment.merging(environment) { $1 }
        let (output, error) = (Pipe(), Pipe())
        self.process.standardInput = self.input
        self.process.standardOutput = output
        self.process.standardError = error
        // The handlers run until the pipes end, after which nothing more can come.
        let ends = Locked(0)
        let end: @Sendable () -> Void = { [state] in
            let isLast = ends.withLock { count in
                count += 1
                return count == 3
            }
            if isLast { Self.finish(state) }
        }
        output.fileHandleForReading.readabilityHandler = { [state] handle in
            let data = handle.availableData
            if data.isEmpty {
                handle.readabilityHandler = nil
                end()
            } else {
                Self.add(data, to: \.output, state)
            }
        }
        error.fileHandleForReading.readabilityHandler = { [state] handle in
            let data = handle.availableData
            if data.isEmpty {
                handle.readabilityHandler = nil
                end()
            } else {
                Self.add(data, to: \.error, state)
            }
        }
        self.process.terminationHandler = { [state] process in
            state.withLock { $0.status = process.terminationStatus }
            end()
        }
        try self.process.run()
    }

    private static func add(_ data: Data, to path: WritableKeyPath<State, String> & any Sendable, _ state: Locked<State>) {
        let woken = state.withLock { state in
            state[keyPath: path] += String(decoding: data, as: UTF8.self)
            let output = state.output
            let woken = state.waiting.filter { $0.found(output) }
            state.waiting.removeAll { $0.found(output) }
            return woken
        }
        for waiter in woken { waiter.continuation.resume() }
    }

    private static func finish(_ state: Locked<State>) {
        let (woken, ended) = state.withLock { state in
            let result = (state.waiting, state.waitingForEnd)
            state.waiting = []
            state.waitingForEnd = []
            return result
        }
        for waiter in woken { waiter.continuation.resume() }
        for waiter in ended { waiter.resume() }
    }

    var output: String { self.state.withLock { $0.output } }
    var error: String { self.state.withLock { $0.error } }
    var lines: [String] { self.output.split(separator: "\n").map(String.init) }

    /// Returns once the output satisfies a condition, or the program has ended.
    func wait(until found: @escaping @Sendable (String) -> Bool) async {
        await withCheckedContinuation { continuation in
            let isThere = self.state.withLock { state in
                if found(state.output) || state.status != nil { return true }
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
        try self.input.fileHandleForWriting.write(contentsOf: Data(text.utf8))
    }

    func closeInput() throws {
        try self.input.fileHandleForWriting.close()
    }

    func interrupt() { kill(self.process.processIdentifier, SIGINT) }
    func kill9() { kill(self.process.processIdentifier, SIGKILL) }

    /// The exit status, once the program has ended and everything it printed is here.
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
        _ arguments: String..., input: String? = nil, environment: [String: String] = [:]
    ) async throws -> (status: Int32, output: String, error: String) {
        let program = try Program(arguments, environment: environment)
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
