import Foundation
import Testing
import Tidings

/// The descriptions before other people's eyes: validators, and a fuzzer that holds a running server against them.
@Suite(.timeLimit(.minutes(15)))
struct DescriptionToolTests {
    private static let root = URL(filePath: #filePath).deletingLastPathComponent().deletingLastPathComponent()
        .deletingLastPathComponent().deletingLastPathComponent()

    private static let isLong = ProcessInfo.processInfo.environment["TIDINGS_LONG"] == "1"

    /// Where the Python tools are; nil, with a reason printed, where they cannot be installed.
    private static func tools() async throws -> URL? {
        let script = try Program(
            [Self.root.appending(path: "scripts/description-tools.sh").path], executable: URL(filePath: "/bin/sh"))
        try script.closeInput()
        if await script.waitUntilEnded() == 0 { return Self.root.appending(path: ".build/description-tools/bin") }
        print("skipped: the tools cannot be installed here: \(script.error.suffix(500))")
        return nil
    }

    /// Runs a tool to its end.
    private static func run(_ tool: URL, _ arguments: [String]) async throws {
        let program = try Program(arguments, executable: tool)
        try program.closeInput()
        let status = await program.waitUntilEnded()
        #expect(status == 0, "\(program.output.suffix(8000)) \(program.error.suffix(2000))")
        print(program.output.split(separator: "\n").suffix(3).joined(separator: "\n"))
    }

    private static func script(_ name: String) -> String { Self.root.appending(path: "Tests/Scripts/\(name)").path }

    private static func withServer(_ arguments: [String], _ body: (String) async throws -> Void) async throws {
        let server = try Program(arguments + ["--listen", "127.0.0.1:0"])
        do {
            try await body("http://" + (try await server.address()))
        } catch {
            server.kill9()
            await server.waitUntilEnded()
            throw error
        }
        server.terminate()
        #expect(await server.waitUntilEnded() == 0, "\(server.error.suffix(2000))")
    }

    @Test func `the descriptions are valid, and a live server sends what they say`() async throws {
        guard let tools = try await Self.tools() else { return }
        let python = tools.appending(path: "python")
        try await Self.withServer(["demo"]) { url in
            try await Self.run(python, [Self.script("check_descriptions.py"), url, TidingsVersion.current])
            try await Self.run(python, [Self.script("check_traffic.py"), url, Self.isLong ? "20000" : "1000"])
        }
    }

    /// Runs schemathesis, which leaves its notes beside itself.
    private static func fuzz(_ tools: URL, _ url: String, _ more: [String] = []) async throws {
        let settings = ["-C", tools.path, "SCHEMATHESIS_HOOKS=\(Self.script("schemathesis_hooks.py"))"]
        try await Self.run(
            URL(filePath: "/usr/bin/env"),
            settings + [tools.appending(path: "schemathesis").path] + Self.fuzzing(url) + more)
    }

    /// What schemathesis is to do. The stream is left out, as it has no end; ``check_traffic.py`` reads it.
    private static func fuzzing(_ url: String) -> [String] {
        var arguments = ["run", url + "/openapi.json", "--exclude-path", "/api/v1/stream", "--no-color"]
        arguments += ["--phases", "examples,coverage,fuzzing", "--request-timeout", "30"]
        // What is generated slowly is no fault of the server, on a machine that is busy with other tests.
        arguments += ["--suppress-health-check", "all", "--continue-on-failure"]
        if Self.isLong {
            return arguments + ["--max-examples", "200", "--max-time", "300", "--generation-database", "none"]
        }
        return arguments + ["--max-examples", "10", "--max-time", "10", "--generation-deterministic"]
    }

    @Test func `a fuzzer finds no contradiction between description and server`() async throws {
        guard let tools = try await Self.tools() else { return }
        try await Self.withServer(["demo"]) { url in
            try await Self.fuzz(tools, url)
        }
    }

    @Test func `a fuzzer finds no way around tokens`() async throws {
        guard let tools = try await Self.tools() else { return }
        try await withFolder { folder in
            let made = try await Program.run(
                "token", "create", "--name", "fuzzer", "--scope", "read,publish,admin", "--json")
            let token = try #require(try JSONObject(json: made.output)["token"]?.string)
            let entry = try #require(try JSONObject(json: made.output)["entry"])
            try "[\(entry)]".write(to: folder.appending(path: "tokens.yaml"), atomically: true, encoding: .utf8)
            let configuration = folder.appending(path: "tidings.yaml")
            try "store: {file: none}\naccess: {tokens: tokens.yaml}\n".write(
                to: configuration, atomically: true, encoding: .utf8)
            try await Self.withServer(["run", "--config", configuration.path]) { url in
                try await Self.fuzz(tools, url, ["--header", "Authorization: Bearer \(token)"])
            }
        }
    }
}
