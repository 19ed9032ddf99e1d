import Foundation
import Testing
import Tidings

@testable import TidingsCommand

@Suite(.timeLimit(.minutes(3))) struct TraceTests {
    /// A run of a scraper whose second step fails, and what another program made of it.
    private static let run = """
        {"event_id":"run","event_type":"workflow.start","timestamp":"2026-11-20T10:30:00.000Z","source":"books","payload":{"workflow":"books","item":"SKU-1","steps":2}}
        {"event_id":"found","event_type":"selector.found","timestamp":"2026-11-20T10:30:00.0124Z","source":"books","payload":{"scraper":"books","item":"SKU-1","name":"title","count":1,"duration_ms":0.42},"correlation_id":"run","parent_event_id":"step-0"}
        {"event_id":"step-0","event_type":"workflow.step","timestamp":"2026-11-20T10:30:00.003Z","source":"books","payload":{"workflow":"books","item":"SKU-1","index":0,"status":"completed","duration_ms":840},"correlation_id":"run","parent_event_id":"run"}
        {"event_id":"step-1","event_type":"workflow.step","timestamp":"2026-11-20T10:30:00.85Z","source":"books","payload":{"workflow":"books","item":"SKU-1","index":1,"status":"failed","duration_ms":1240},"correlation_id":"run","parent_event_id":"run"}
        {"event_id":"failure","event_type":"extraction.error","timestamp":"2026-11-20T10:30:02.08Z","source":"books","payload":{"scraper":"books","item":"SKU-1","error_code":"TIMEOUT","message":"no \\u001b[2Jprice"},"correlation_id":"run","parent_event_id":"step-1"}
        {"event_id":"told","event_type":"notification.sent","timestamp":"2026-11-20T10:30:02.1Z","source":"pager","payload":{"to":"ops"},"parent_event_id":"failure"}
        {"event_id":"orphan","event_type":"custom","timestamp":"2026-11-20T10:31:00Z","source":"pager","parent_event_id":"nobody"}

        """

    /// A running server with those events in its store.
    private func withServer(_ body: (_ url: String, _ store: String) async throws -> Void) async throws {
        try await withFolder { folder in
            let store = folder.appending(path: "s.db").path
            let server = try Program(["run", "--store", store, "--listen", "127.0.0.1:0"])
            let url = "http://\(try await server.address())"
            let (status, _, error) = try await Program.run("publish", "--url", url, input: Self.run)
            #expect(status == 0, "\(error)")
            try await body(url, store)
            server.interrupt()
            #expect(await server.waitUntilEnded() == 0)
        }
    }

    @Test func `the tree is drawn from its root, with the event asked for marked, from server and store alike`()
        async throws
    {
        try await self.withServer { url, store in
            for place in [["--url", url], ["--store", store]] {
                let program = try Program(["trace", "failure"] + place)
                #expect(await program.waitUntilEnded() == 0, "\(program.error)")
                // A heartbeat may have any offset among theirs.
                let lines = program.lines.map { $0.prefix(2) + $0.dropFirst($0.hasPrefix("6 events") ? 2 : 3) }
                #expect(
                    lines.joined(separator: "\n") == """
                               +0 ms  workflow.start              books  SKU-1  steps=2
                               +3 ms  ├─ workflow.step            books  SKU-1  index=0 status=completed  (840 ms)
                            +12.4 ms  │  └─ selector.found        books  SKU-1  name=title count=1  (0.42 ms)
                             +850 ms  └─ workflow.step            books  SKU-1  index=1 status=failed  (1.24 s)
                        →    +2.08 s     └─ extraction.error      books  SKU-1  error_code=TIMEOUT message=no �[2Jprice
                              +2.1 s        └─ notification.sent  pager  to=ops
                        6 events within 2.1 s of 2026-11-20T10:30:00.000Z
                        """)
                #expect(program.error.isEmpty)
            }
        }
    }

    @Test func `the JSON is that of the server, on one line`() async throws {
        try await self.withServer { url, store in
            let (_, body) = try await request(url + "/api/v1/events/found/tree")
            for place in [["--url", url], ["--store", store]] {
                let program = try Program(["trace", "found", "--json"] + place)
                #expect(await program.waitUntilEnded() == 0, "\(program.error)")
                #expect(program.output == body + "\n")
            }
        }
    }

    @Test func `a tree that is incomplete says so`() async throws {
        try await self.withServer { url, _ in
            let (status, output, _) = try await Program.run("trace", "orphan", "--url", url)
            #expect(status == 0)
            #expect(output.split(separator: "\n").first?.hasSuffix("  +0 ms  custom  pager") == true)
            #expect(output.split(separator: "\n").last?.hasPrefix("incomplete: ") == true)
        }
    }

    @Test func `an event that is not there, a server that is not there and a store that is none end with 1`()
        async throws
    {
        try await self.withServer { url, store in
            for (place, expected) in [
                (["--url", url], "there is no event nobody/? at \(url)"),
                (["--store", store], "there is no event nobody/? in \(store)"),
                (["--url", "http://127.0.0.1:1"], "cannot reach http://127.0.0.1:1"),
                (["--store", store + ".missing"], store + ".missing"),
                (["--url", url + "/elsewhere"], "There is nothing at /elsewhere"),
                (["--url", url.replacing("http:", with: "https:")], "cannot reach"),
            ] {
                let program = try Program(["trace", "nobody/?"] + place)
                #expect(await program.waitUntilEnded() == 1)
                #expect(program.error.contains(expected), "\(program.error)")
                #expect(program.output.isEmpty)
            }
        }
    }

    @Test(arguments: [
        (["trace"], "event-id"), (["trace", "x"], "--store, --url"),
        (["trace", "x", "--store", "a.db", "--url", "http://127.0.0.1:1"], "not both"),
        (["trace", "x", "--url", "nowhere"], "--url: 'nowhere'"), (["trace", "", "--store", "a.db"], "event-id"),
        (["trace", String(repeating: "x", count: 129), "--store", "a.db"], "1 to 128 bytes"),
        (["trace", "x", "--store", "a.db", "--depth", "3"], "--depth"),
    ])
    func `wrong words end with 64 and name what is wrong`(arguments: [String], expected: String) async throws {
        let program = try Program(arguments)
        #expect(await program.waitUntilEnded() == 64)
        #expect(program.error.contains(expected), "\(program.error)")
        #expect(program.output.isEmpty)
    }

    @Test func `the help has an example`() async throws {
        let (status, output, _) = try await Program.run("trace", "--help")
        #expect(status == 0)
        #expect(output.contains("Example: tidings trace "))
    }
}
