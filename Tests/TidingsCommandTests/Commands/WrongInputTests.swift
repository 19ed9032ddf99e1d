import Foundation
import Testing
import Tidings

@Suite(.timeLimit(.minutes(3))) struct WrongInputTests {
    /// A server in memory, interrupted afterwards.
    private func withServer(_ body: (String) async throws -> Void) async throws {
        let server = try Program(["run", "--store", "none", "--listen", "127.0.0.1:0"])
        try await body("http://\(try await server.address())")
        server.interrupt()
        #expect(await server.waitUntilEnded() == 0)
    }

    private func post(_ server: String, _ json: String) async throws -> (status: Int, body: String) {
        try await request(
            server + "/api/v1/events", method: "POST", contentType: "application/json", body: Data(json.utf8))
    }

    @Test func `an event without a type, with priority 11 or with NaN is refused in words`() async throws {
        try await self.withServer { server in
            let missing = try await self.post(server, #"{"source":"x"}"#)
            #expect(missing.status == 400)
            #expect(missing.body.contains(#""field":"event_type","message":"is required""#))
            let priority = try await self.post(server, #"{"event_type":"a","priority":11}"#)
            #expect(priority.status == 400)
            #expect(
                priority.body.contains(
                    #"{"code":"invalid_priority","field":"priority","message":"must be 1...10, was 11"}"#))
            let nan = try await self.post(server, #"{"event_type":"a","payload":{"x":NaN}}"#)
            #expect(nan.status == 400)
            #expect(nan.body.contains("NaN and Infinity are not JSON numbers"))
            let (_, events) = try await request(server + "/api/v1/events?type=a")
            #expect(events == #"{"events":[]}"#)
        }
    }

    @Test func `a body of 10 MB is refused and the server goes on`() async throws {
        try await self.withServer { server in
            let large = try await request(
                server + "/api/v1/events", method: "POST", contentType: "application/json",
                body: Data(repeating: UInt8(ascii: "a"), count: 10_000_000))
            #expect(large.status == 413)
            #expect(large.body.contains("8388608"))
            #expect(try await self.post(server, #"{"event_type":"a"}"#).status == 202)
        }
    }

    @Test func `a broken line in the middle of publish is told of and the others are sent`() async throws {
        try await self.withServer { server in
            let (status, output, error) = try await Program.run(
                "publish", "--url", server,
                input: """
                    {"event_type":"a","event_id":"one"}
                    {"event_type":
                    {"event_type":"a","priority":11}

                    {"event_type":"a","event_id":"five","payload":{"n":50000.00}}

                    """)
            #expect(status == 1)
            #expect(output == "one\nfive\n")
            #expect(error.contains("line 2: the JSON ends too early"))
            #expect(error.contains("line 3: priority: must be 1...10, was 11"))
            let (_, events) = try await request(server + "/api/v1/events?type=a")
            #expect(events.contains("50000.00"))
            #expect(events.contains(#""source":"cli""#))
        }
    }

    @Test func `an event published twice is said to be a duplicate`() async throws {
        try await self.withServer { server in
            let line = #"{"event_type":"a","event_id":"same"}"# + "\n"
            let (status, output, _) = try await Program.run("publish", "--url", server, "--json", input: line + line)
            #expect(status == 0)
            let results = try output.split(separator: "\n").map { try JSONObject(json: String($0)) }
            #expect(results.map { $0["status"]?.string } == ["accepted", "duplicate"])
            #expect(results[0]["offset"] != nil && results[0]["offset"] == results[1]["offset"])
        }
    }

    @Test func `a taken port is named`() async throws {
        try await self.withServer { server in
            let address = String(server.dropFirst("http://".count))
            let (status, _, error) = try await Program.run("run", "--store", "none", "--listen", address)
            #expect(status == 1)
            #expect(error.contains("\(address) is taken"))
        }
    }

    @Test func `an unwritable store, one that is none, and one that is in use are named`() async throws {
        try await withFolder { folder in
            let missing = folder.appending(path: "no/such/folder/x.db").path
            let unwritable = try await Program.run("run", "--store", missing, "--listen", "127.0.0.1:0")
            #expect(unwritable.status == 1)
            #expect(unwritable.error.contains(missing))

            let text = folder.appending(path: "notes.txt")
            try Data("these are notes, not a log; and there are a lot of them".utf8).write(to: text)
            let foreign = try await Program.run("run", "--store", text.path, "--listen", "127.0.0.1:0")
            #expect(foreign.status == 1)
            #expect(foreign.error.contains("is not an event log"))

            let store = folder.appending(path: "s.db").path
            let server = try Program(["run", "--store", store, "--listen", "127.0.0.1:0"])
            _ = try await server.address()
            let second = try await Program.run("run", "--store", store, "--listen", "127.0.0.1:0")
            #expect(second.status == 1)
            #expect(second.error.contains("is being written by process"))
            #expect(second.error.contains("--url"))
            server.interrupt()
            #expect(await server.waitUntilEnded() == 0)
        }
    }

    @Test(arguments: [
        (
            ["run", "--connector", "mtgox:BTC"],
            "'mtgox' is no venue; there are: binance, coinbase, coinbase-advanced, hyperliquid, kraken"
        ),
        (["run", "--connector", "hyperliquid"], "must be VENUE:SYMBOL"),
        (["run", "--listen", "8765"], "--listen"),
        (["run", "--bogus"], "--bogus"),
        (["query", "--store", "x.db", "--type", "a*b"], "--type"),
        (["query", "--store", "x.db", "--since", "yesterday"], "--since"),
        (["query", "--store", "x.db", "--limit", "0"], "--limit"),
        (["simulate", "--venue", "mtgox"], "mtgox"),
        (["simulate", "--venue", "hyperliquid", "--speed", "fast"], "speed"),
        (["simulate", "--venue", "hyperliquid", "--fault", "explode@3"], "explode"),
        (["tail", "--from", "soon"], "--from"),
        (["tail", "--url", "nowhere"], "--url"),
        (["publish", "--payload", "{}"], "--type"),
        (["bench", "everything"], "everything"),
    ])
    func `wrong words end with 64 and name what is wrong`(arguments: [String], expected: String) async throws {
        let program = try Program(arguments)
        try program.closeInput()
        #expect(await program.waitUntilEnded() == 64)
        #expect(program.error.contains(expected), "\(program.error)")
        #expect(program.output.isEmpty)
    }

    @Test func `a server that is not there is named`() async throws {
        for arguments in [["tail"], ["publish", "--type", "a"]] {
            let program = try Program(arguments + ["--url", "http://127.0.0.1:1"])
            try program.closeInput()
            #expect(await program.waitUntilEnded() == 1)
            #expect(program.error.contains("cannot reach"))
        }
    }

    @Test func `a configuration file with mistakes is refused with line and field`() async throws {
        try await withFolder { folder in
            let file = folder.appending(path: "tidings.yaml")
            try Data(
                """
                listen: 127.0.0.1:0
                stor:
                  file: x.db
                connectors:
                  - venue: hyperliquid
                    symbols: []
                heartbeat: often
                """.utf8
            ).write(to: file)
            let (status, _, error) = try await Program.run("run", "--config", file.path)
            #expect(status == 1)
            #expect(error.contains("tidings.yaml:2:1: stor: unknown setting; did you mean 'store'?"))
            #expect(error.contains("connectors[0].symbols: must name at least one symbol"))
            #expect(error.contains("tidings.yaml:7:12: heartbeat: must be a duration"))
        }
    }

    @Test func `a reader that goes away is no failure`() async throws {
        try await withFolder { folder in
            let store = folder.appending(path: "s.db").path
            let server = try Program(["run", "--store", store, "--listen", "127.0.0.1:0"])
            _ = try await server.address()
            server.interrupt()
            await server.waitUntilEnded()
            let script = "{ \(Program.path.path) query --store \(store); echo $? > \(folder.path)/status; } | true"
            let shell = try Program(["-c", script], executable: URL(filePath: "/bin/sh"))
            try shell.closeInput()
            await shell.waitUntilEnded()
            let status = try String(contentsOf: folder.appending(path: "status"), encoding: .utf8)
            #expect(status == "0\n")
        }
    }
}
