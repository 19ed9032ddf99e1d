import Foundation
import NIOCore
import Testing
import Tidings
import TidingsTestSupport
import TidingsWebSocket

/// Secrets are published in every way there is, and looked for wherever events go.
@Suite(.timeLimit(.minutes(2))) struct SecretScanTests {
    private static let secrets = (0..<12).map { "s3cr3t-value-number-\($0)-0123456789" }

    /// Events with a secret each, spelled and nested in different ways.
    private static var lines: [String] {
        let s = Self.secrets
        let payloads = [
            #"{"password":"\#(s[0])"}"#,
            #"{"user":{"login":{"apiKey":"\#(s[1])"}}}"#,
            #"{"list":[1,{"api-key":["\#(s[2])"]}]}"#,
            #"{"API_KEY":{"inner":"\#(s[3])"}}"#,
            #"{"Client.Secret":"\#(s[4])","set-cookie":"\#(s[5])"}"#,
            #"{"url":"https://user:\#(s[6])@shop.example.com/x"}"#,
            #"{"url":"https://shop.example.com/x?page=2&access_token=\#(s[7])"}"#,
            #"{"pass\u0077ord":"\#(s[8])"}"#,
            #"{"token":"\#(s[9])"}"#,
            #"{"headers":{"Authorization":"Bearer \#(s[10])"}}"#,
        ]
        let events = payloads.enumerated().map {
            #"{"event_type":"login.failed","event_id":"e\#($0)","source":"shop","payload":\#($1)}"#
        }
        // Beside the envelope's keys, too.
        return events + [
            #"{"event_type":"login.failed","event_id":"e10","source":"shop","payload":{},"session_id":"\#(s[11])"}"#
        ]
    }

    @Test func `no secret gets into the log, a stream, a terminal, the log lines or the dead letters`() async throws {
        let requests = Collector<String>()
        let listener = try await WebSocketListener.bind(
            onUpgrade: { _ in .refuse(WebSocketHandshake.Refusal(status: 404)) },
            onRequest: { request in
                requests.add(String(buffer: request.body))
                // An answer that quotes a secret, as servers' error pages do.
                return WebSocketListener.Response(status: 400, text: "bad password=\(Self.secrets[0])")
            })
        let folder = FileManager.default.temporaryDirectory.appending(path: "secrets-\(UUID().uuidString)")
        try FileManager.default.createDirectory(at: folder, withIntermediateDirectories: true)
        defer { try? FileManager.default.removeItem(at: folder) }
        let file = folder.appending(path: "tidings.yaml")
        try Data(
            """
            listen: 127.0.0.1:0
            store: {file: events.db}
            handlers:
              - webhook: {url: "http://127.0.0.1:\(listener.port)/hook", types: ["login.*"]}
            log: {level: debug}
            """.utf8
        ).write(to: file)
        let program = try Program(["run", "--config", file.path])
        let server = try await program.address()
        let tail = try Program(["tail", "--url", "http://\(server)", "--from", "start", "--limit", "11"])
        let json = try Program(["tail", "--url", "http://\(server)", "--from", "start", "--limit", "11", "--json"])
        let answer = try await request(
            "http://\(server)/api/v1/events", method: "POST", contentType: "application/x-ndjson",
            body: Data(Self.lines.joined(separator: "\n").utf8))
        #expect(answer.status == 202)
        #expect(await tail.waitUntilEnded() == 0)
        #expect(await json.waitUntilEnded() == 0)
        // Every event is a dead letter by the time that the program has stopped.
        _ = await requests.wait(for: Self.lines.count)
        program.interrupt()
        #expect(await program.waitUntilEnded() == 0)
        await listener.close()

        let letters = try Program([
            "dead-letters", "list", "--store", folder.appending(path: "events.db").path, "--json",
        ])
        #expect(await letters.waitUntilEnded() == 0)
        let query = try Program(["query", "--store", folder.appending(path: "events.db").path, "--json"])
        #expect(await query.waitUntilEnded() == 0)

        var places: [(String, Data)] = [
            ("the server's output", Data(program.output.utf8)), ("its log lines", Data(program.error.utf8)),
            ("tail", Data(tail.output.utf8)), ("tail --json", Data(json.output.utf8)),
            ("dead letters", Data(letters.output.utf8)), ("query", Data(query.output.utf8)),
            ("the webhook", Data(requests.values.joined().utf8)),
        ]
        for name in try FileManager.default.contentsOfDirectory(atPath: folder.path) where name != "tidings.yaml" {
            places.append((name, try Data(contentsOf: folder.appending(path: name))))
        }
        for (place, content) in places {
            for secret in Self.secrets {
                let found = content.range(of: Data(secret.utf8))
                let context = found.map { range in
                    String(decoding: content[max(range.lowerBound - 300, 0)..<range.upperBound], as: UTF8.self)
                }
                #expect(found == nil, "\(secret) is in \(place): \(context ?? "")")
            }
        }
        // What was looked through is not empty.
        #expect(letters.output.split(separator: "\n").count == Self.lines.count)
        #expect(query.output.contains("[redacted]"))
        #expect(json.output.contains("[redacted]"))
        #expect(requests.values.joined().contains("[redacted]"))
    }
}
