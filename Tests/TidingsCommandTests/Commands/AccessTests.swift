import Foundation
import Testing
import Tidings
import TidingsGateway
import Yams

@testable import TidingsCommand

/// Tokens as a user makes and uses them: real programs, a real token file.
@Suite(.timeLimit(.minutes(2)))
struct AccessTests {
    private struct Made {
        let token: String
        let entry: String
    }

    private static func create(_ arguments: String...) async throws -> Made {
        let program = try Program(["token", "create"] + arguments)
        try program.closeInput()
        #expect(await program.waitUntilEnded() == 0, "\(program.error)")
        let lines = program.output.split(separator: "\n", omittingEmptySubsequences: false).map(String.init)
        #expect(lines[1].isEmpty)
        return Made(token: lines[0], entry: lines.dropFirst(2).joined(separator: "\n"))
    }

    @Test func `a token is printed once, and its entry has only the hash`() async throws {
        let made = try await Self.create(
            "--name", "graf: #1", "--scope", "read,publish", "--scope", "admin", "--type", "trade,login.*", "--symbol",
            "BTC-USD", "--expires", "90d")
        #expect(!made.entry.contains(made.token))
        var reader = YAMLReader(file: "tokens.yaml")
        let entries = AccessTokenFile.read(made.entry, &reader)
        #expect(reader.problems.isEmpty)
        let entry = try #require(entries.first)
        #expect(entry.name == "graf: #1")
        #expect(entry.sha256 == SHA256Sum(of: made.token))
        #expect(entry.scopes == [.read, .publish, .admin])
        #expect(entry.types == ["trade", "login.*"])
        #expect(entry.symbols == ["BTC-USD"])
        #expect(entry.expires.map { $0 > Timestamp.now().advanced(by: .seconds(89 * 86_400)) } == true)

        let json = try await Program.run("token", "create", "--name", "n", "--scope", "read", "--json")
        let object = try JSONObject(json: json.output)
        let token = try #require(object["token"]?.string)
        #expect(object["entry"]?.object?["sha256"]?.string == SHA256Sum(of: token).hex)
    }

    @Test(arguments: [
        (["--name", "n", "--scope", "write"], "--scope: must be read, publish or admin, was 'write'"),
        (["--name", "n", "--scope", ""], "--scope: must name at least one"),
        (["--name", "", "--scope", "read"], "--name: must have 1 to 128 bytes"),
        (["--name", "n", "--scope", "read", "--type", "a b"], "--type: must be a type or a pattern"),
        (["--name", "n", "--scope", "read", "--expires", "2001-01-01"], "--expires: must be a time to come"),
        (["--name", "n"], "--scope"),
    ])
    func `wrong usage is told`(_ arguments: [String], _ message: String) async throws {
        let program = try Program(["token", "create"] + arguments)
        try program.closeInput()
        #expect(await program.waitUntilEnded() == 64)
        #expect(program.error.contains(message), "\(program.error)")
        #expect(program.output.isEmpty)
    }

    // MARK: The file

    private static func problems(_ yaml: String) -> [String] {
        var reader = YAMLReader(file: "tokens.yaml")
        _ = AccessTokenFile.read(yaml, &reader)
        return reader.problems.map(\.description)
    }

    @Test func `what is wrong in a token file is told with file, line and field`() {
        let hash = SHA256Sum(of: "x").hex
        #expect(Self.problems("- {name: a, sha256: \(hash), scopes: [read]}") == [])
        #expect(
            Self.problems("- {name: a, sha256: \(hash), scopes: read, types: [], symbols: null, expires: 2030-01-01}")
                == [])
        #expect(Self.problems("[]") == [])
        #expect(Self.problems("") == ["tokens.yaml:1:1: is empty; write [] for a file without tokens"])
        #expect(Self.problems("name: a") == ["tokens.yaml:1:1: must be a list of tokens"])
        #expect(
            Self.problems("- name: a\n  sha256: the-token-itself\n  scopes: [read]")
                == ["tokens.yaml:2:11: [0].sha256: must be the SHA-256 of the token, 64 hex digits"])
        #expect(
            Self.problems("- name: a\n  sha256: \(hash)\n  scopes: [read, write]\n  scope: x") == [
                "tokens.yaml:4:3: [0].scope: unknown setting; did you mean 'scopes'?",
                "tokens.yaml:3:18: [0].scopes[1]: must be read, publish or admin, was 'write'",
            ])
        #expect(
            Self.problems("- {sha256: \(hash), scopes: [read]}\n- {name: a, sha256: \(hash), scopes: []}") == [
                "tokens.yaml:1:3: [0].name: is required",
                "tokens.yaml:2:\(hash.count + 31): [1].scopes: must name at least one of read, publish, admin",
            ])
        let entry = "- {name: a, sha256: \(hash), scopes: [read]"
        #expect(Self.problems("\(entry)}\n\(entry)}") == ["tokens.yaml:2:21: [1].sha256: stands twice"])
        #expect(
            Self.problems("\(entry), types: [a b]}")[0].hasSuffix(
                "[0].types[0]: must be a type or a pattern such as login.*, was 'a b'"))
        #expect(
            Self.problems("\(entry), expires: soon}")[0].hasSuffix(
                "[0].expires: must be an RFC 3339 time or a date, was 'soon'"))
    }

    @Test func `the configuration names the files, and nothing else`() throws {
        func read(_ yaml: String) -> (RunConfiguration, [String]) {
            var reader = YAMLReader(file: "tidings.yaml")
            let configuration = RunConfiguration(yaml: yaml, directory: "/etc/tidings", &reader)
            return (configuration, reader.problems.map(\.description))
        }
        let (configuration, problems) = read(
            """
            access:
              tokens: tokens.yaml
              jwt: {jwks: keys.json, audience: tidings}
              origins: ["https://dash.example.com"]
            """)
        #expect(problems.isEmpty)
        #expect(
            configuration.access
                == AccessFiles(tokens: "/etc/tidings/tokens.yaml", jwks: "/etc/tidings/keys.json", audience: "tidings"))
        #expect(configuration.origins == ["https://dash.example.com"])
        #expect(read("access: {jwt: {audience: a}}").1 == ["tidings.yaml:1:15: access.jwt.jwks: is required"])
        #expect(
            read("access: {token: a}").1 == ["tidings.yaml:1:10: access.token: unknown setting; did you mean 'tokens'?"]
        )
        #expect(
            read("access: {origins: [dash.example.com]}").1 == [
                "tidings.yaml:1:20: access.origins[0]: must be an origin such as https://dash.example.com, was 'dash.example.com'"
            ])
    }

    // MARK: A server

    private static func configuration(_ folder: URL, _ entries: String) throws -> (file: String, tokens: URL) {
        let tokens = folder.appending(path: "tokens.yaml")
        try Data(entries.utf8).write(to: tokens)
        let file = folder.appending(path: "tidings.yaml")
        try Data("access: {tokens: tokens.yaml}\nstore: {file: none}\n".utf8).write(to: file)
        return (file.path, tokens)
    }

    @Test func `a server asks for tokens, and the commands show theirs`() async throws {
        try await withFolder { folder in
            let writer = try await Self.create("--name", "writer", "--scope", "publish")
            let reader = try await Self.create("--name", "reader", "--scope", "read,admin", "--type", "custom")
            let (file, tokens) = try Self.configuration(folder, writer.entry + reader.entry)
            let server = try Program(["run", "--config", file, "--listen", "127.0.0.1:0", "--quiet"])
            let url = try await "http://\(server.address())"
            let secret = folder.appending(path: "reader.token")
            try Data((reader.token + "\n").utf8).write(to: secret)

            let refused = try await Program.run("publish", "--url", url, "--type", "custom")
            #expect(refused.status == 1)
            #expect(refused.error.contains("An access token is needed"))
            let wrong = try await Program.run("publish", "--url", url, "--type", "custom", "--token", reader.token)
            #expect(wrong.status == 1)
            #expect(wrong.error.contains("scope 'publish'"))
            let sent = try await Program.run(
                "publish", "--url", url, "--type", "custom", "--token", writer.token, "--json")
            #expect(sent.status == 0, "\(sent.error)")
            let id = try #require(try JSONObject(json: sent.output)["event_id"]?.string)

            let tail = try Program([
                "tail", "--url", url, "--token-file", secret.path, "--from", "start", "--limit", "1", "--json",
            ])
            #expect(await tail.waitUntilEnded() == 0, "\(tail.error)")
            #expect(tail.output.contains(id))
            let trace = try await Program.run("trace", id, "--url", url, "--token-file", secret.path, "--json")
            #expect(trace.status == 0, "\(trace.error)")
            let letters = try await Program.run("dead-letters", "list", "--url", url, "--token-file", secret.path)
            #expect(letters.status == 0, "\(letters.error)")
            let both = try await Program.run("tail", "--url", url, "--token", "a", "--token-file", secret.path)
            #expect(both.status == 64)
            let none = try await Program.run("tail", "--url", url)
            #expect(none.status == 1)
            let missing = try await Program.run("tail", "--url", url, "--token-file", "/none")
            #expect(missing.status == 1)
            #expect(missing.error.contains("--token-file: /none cannot be read"))

            // A bad file changes nothing; one without the token ends it, for open streams as well.
            let open = try Program([
                "tail", "--url", url, "--token-file", secret.path, "--from", "start", "--json",
            ])
            try Data("- {name: x".utf8).write(to: tokens)
            await Self.eventually { server.error.contains("cannot be used") }
            #expect(server.error.contains("tokens.yaml:"))
            let still = try await Program.run("publish", "--url", url, "--type", "custom", "--token", writer.token)
            #expect(still.status == 0)
            await open.wait { !$0.isEmpty }
            try Data(writer.entry.utf8).write(to: tokens)
            #expect(await open.waitUntilEnded() == 1)
            #expect(!open.error.isEmpty)

            server.interrupt()
            #expect(await server.waitUntilEnded() == 0)
            for token in [writer.token, reader.token] {
                for text in [server.error, server.output, refused.error, wrong.error, open.error, none.error] {
                    #expect(!text.contains(token))
                }
            }
        }
    }

    @Test func `a server does not start with a wrong token file, or beyond loopback without any`() async throws {
        try await withFolder { folder in
            let (file, _) = try Self.configuration(folder, "- {name: a, sha256: x, scopes: [read]}")
            let wrong = try await Program.run("run", "--config", file, "--listen", "127.0.0.1:0")
            #expect(wrong.status == 1)
            #expect(wrong.error.contains("tokens.yaml:1:21: [0].sha256: must be the SHA-256"), "\(wrong.error)")
            let beyond = try await Program.run("run", "--store", "none", "--listen", "0.0.0.0:0")
            #expect(beyond.status == 1)
            #expect(beyond.error.contains("access.tokens"))

            let made = try await Self.create("--name", "n", "--scope", "read")
            let (good, _) = try Self.configuration(folder, made.entry)
            let server = try Program(["run", "--config", good, "--listen", "0.0.0.0:0", "--quiet"])
            let address = try await server.address()
            #expect(address.hasPrefix("0.0.0.0:"))
            server.interrupt()
            #expect(await server.waitUntilEnded() == 0)
        }
    }

    private static func eventually(_ condition: () -> Bool) async {
        let deadline = ContinuousClock.now + .seconds(20)
        while !condition(), ContinuousClock.now < deadline { try? await Task.sleep(for: .milliseconds(10)) }
        #expect(condition())
    }
}
