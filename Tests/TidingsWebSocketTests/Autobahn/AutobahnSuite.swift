import Foundation
import Testing

#if canImport(Glibc)
import Glibc
#else
import Darwin
#endif

/// The Autobahn test suite (https://github.com/crossbario/autobahn-testsuite): some 500 cases of RFC 6455 and RFC 7692,
/// played against a server or a client. `scripts/autobahn.sh` installs it under .build.
struct AutobahnSuite {
    /// What came of a case.
    struct Verdict {
        let number: String
        let behavior: String
        let close: String

        /// `NON-STRICT`: as right, but noticed later than it might have been. `INFORMATIONAL`: there is no right and wrong.
        var isGood: Bool {
            let good: Set<String> = ["OK", "NON-STRICT", "INFORMATIONAL"]
            return good.contains(self.behavior) && good.contains(self.close)
        }
    }

    /// The cases that take seconds: framing, pings, reserved bits, opcodes, fragments, UTF-8, closing, and the first of
    /// compression.
    static let quickCases = [
        "1.*", "2.*", "3.*", "4.*", "5.*", "6.*", "7.*", "10.*", "12.1.1", "12.1.2", "12.2.1", "13.1.1", "13.3.1",
        "13.7.1",
    ]
    /// Messages of many megabytes, and compression of many kinds of text with many kinds of offers.
    static let longCases = [
        "9.*", "12.1.1", "12.1.2", "12.1.3", "12.1.4", "12.1.5", "12.2.1", "12.2.2", "12.3.1", "12.4.1", "12.5.1",
        "13.1.1",
        "13.2.1", "13.3.1", "13.4.1", "13.5.1", "13.6.1", "13.7.1",
    ]
    static let isLong = ProcessInfo.processInfo.environment["TIDINGS_LONG"] != nil
    static var cases: [String] { self.isLong ? Self.quickCases + Self.longCases : Self.quickCases }

    private let program: URL
    private let folder: URL

    /// nil, with the reason printed, where it cannot be installed. Its Python is built from source, which takes minutes:
    /// only the long run installs it, the others use it where it is.
    static let installed: AutobahnSuite? = {
        let root = URL(filePath: #filePath).deletingLastPathComponent().appending(path: "../../..").standardizedFileURL
        let program = root.appending(path: ".build/autobahn/wstest").path
        guard Self.isLong || FileManager.default.isExecutableFile(atPath: program) else {
            print("Autobahn's cases are skipped: scripts/autobahn.sh installs them, and so does make test-all")
            return nil
        }
        let script = Process()
        let output = Pipe()
        script.executableURL = root.appending(path: "scripts/autobahn.sh")
        script.standardOutput = output
        script.standardError = output
        guard (try? script.run()) != nil else { return nil }
        let text = output.fileHandleForReading.readDataToEndOfFile()
        script.waitUntilExit()
        guard script.terminationStatus == 0 else {
            print("Autobahn's cases are skipped: \(String(decoding: text, as: UTF8.self))")
            return nil
        }
        return AutobahnSuite(
            program: root.appending(path: ".build/autobahn/wstest"),
            folder: FileManager.default.temporaryDirectory.appending(path: "tidings-autobahn"))
    }()

    /// Plays cases against a server and returns what came of them.
    func test(server url: String) async throws -> [Verdict] {
        let out = try self.makeFolder("server")
        defer { try? FileManager.default.removeItem(at: out) }
        let process = try self.start(
            "fuzzingclient", ["servers": [["agent": "tidings", "url": url]], "outdir": out.path, "cases": Self.cases],
            out)
        await process.ended()
        return try Self.verdicts(in: out)
    }

    /// Waits for clients at a port while `body` runs, which connects one for each case, and returns what came of them.
    func test(onPort port: Int, client body: (_ url: String) async throws -> Void) async throws -> [Verdict] {
        let out = try self.makeFolder("client")
        defer { try? FileManager.default.removeItem(at: out) }
        let url = "ws://127.0.0.1:\(port)"
        let process = try self.start("fuzzingserver", ["url": url, "outdir": out.path, "cases": Self.cases], out)
        do {
            try await body(url)
        } catch {
            await process.kill()
            throw error
        }
        await process.kill()
        return try Self.verdicts(in: out)
    }

    private func makeFolder(_ name: String) throws -> URL {
        let out = self.folder.appending(path: "\(name)-\(UUID().uuidString)")
        try FileManager.default.createDirectory(at: out, withIntermediateDirectories: true)
        return out
    }

    private func start(_ mode: String, _ settings: [String: Any], _ out: URL) throws -> SuiteProcess {
        var settings = settings
        settings["exclude-cases"] = [String]()
        settings["exclude-agent-cases"] = [String: String]()
        let file = out.appending(path: "settings.json")
        try JSONSerialization.data(withJSONObject: settings).write(to: file)
        // Port 0: no web pages besides.
        let pages = mode == "fuzzingserver" ? ["-u", "0"] : []
        return try SuiteProcess(self.program, ["-m", mode, "-s", file.path] + pages, in: out)
    }

    private static func verdicts(in out: URL) throws -> [Verdict] {
        let index = try Data(contentsOf: out.appending(path: "index.json"))
        let object = try #require(try JSONSerialization.jsonObject(with: index) as? [String: [String: [String: Any]]])
        return object.values.flatMap { cases in
            cases.map { number, verdict in
                Verdict(
                    number: number, behavior: verdict["behavior"] as? String ?? "none",
                    close: verdict["behaviorClose"] as? String ?? "none")
            }
        }
    }
}

/// A run of the suite; what it prints is thrown away.
private final class SuiteProcess: Sendable {
    private let process: Process
    private let end: AsyncStream<Void>

    init(_ program: URL, _ arguments: [String], in folder: URL) throws {
        let (end, continuation) = AsyncStream<Void>.makeStream()
        self.end = end
        self.process = Process()
        self.process.executableURL = program
        self.process.arguments = arguments
        self.process.currentDirectoryURL = folder
        self.process.standardOutput = FileHandle.nullDevice
        self.process.standardError = FileHandle.nullDevice
        self.process.terminationHandler = { _ in continuation.finish() }
        try self.process.run()
    }

    func ended() async {
        for await _ in self.end {}
    }

    /// The suite's server does not heed a request to end.
    func kill() async {
        Glibc.kill(self.process.processIdentifier, SIGKILL)
        await self.ended()
    }
}
