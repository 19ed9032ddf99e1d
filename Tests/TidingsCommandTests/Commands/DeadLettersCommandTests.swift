import Foundation
import Testing
import Tidings
import TidingsSQLite

@Suite(.timeLimit(.minutes(3))) struct DeadLettersCommandTests {
    private func letter(_ number: UInt64, error: String = "connection refused") -> DeadLetter {
        let event = StandardEvent(
            eventType: "price_alert", source: "alerts",
            payload: ["symbol": "BTC-USD", "price": .number(ExactDecimal(mantissa: 5_000_000, scale: 2))],
            priority: .high, eventID: EventID(high: 2, low: number))
        return DeadLetter(
            id: EventID(high: 1, low: number), event: event, subscriber: "webhook", firstError: "first error",
            lastError: error, attempts: 5, firstFailedAt: Timestamp.now().advanced(by: .seconds(-7300)),
            lastFailedAt: Timestamp.now().advanced(by: .seconds(-125)))
    }

    /// A store with some letters in it.
    private func withStore(
        _ letters: [DeadLetter], _ body: (String) async throws -> Void
    ) async throws {
        try await withFolder { folder in
            let store = folder.appending(path: "s.db").path
            let log = try await SQLiteEventLog.open(SQLiteLogConfiguration(file: store))
            for letter in letters { try await log.deadLetters.put(letter) }
            await log.close()
            try await body(store)
        }
    }

    @Test func `letters are listed as a table for people and as JSON lines for programs`() async throws {
        let letters = [self.letter(1), self.letter(2, error: "\u{1B}[31mred\nsecond line")]
        try await self.withStore(letters) { store in
            let (status, output, error) = try await Program.run("dead-letters", "list", "--store", store)
            #expect(status == 0, "\(error)")
            let lines = output.split(separator: "\n").map(String.init)
            #expect(lines.count == 3)
            #expect(lines[0].split(separator: " ") == ["ID", "AGE", "TYPE", "SUBSCRIBER", "ATTEMPTS", "LAST", "ERROR"])
            #expect(
                lines[1].split(separator: " ", omittingEmptySubsequences: true)
                    == [
                        "00000000-0000-0001-0000-000000000001", "2m", "price_alert", "webhook", "5", "connection",
                        "refused",
                    ]
            )
            // Columns stand below one another, and nothing of an error steers the terminal.
            let place = try #require(lines[0].range(of: "LAST ERROR")).lowerBound
            #expect(lines[1][place...] == "connection refused")
            #expect(lines[2][place...] == "\u{FFFD}[31mred\u{FFFD}second line")

            let json = try await Program.run("dead-letters", "list", "--store", store, "--json")
            #expect(json.status == 0)
            #expect(json.output == letters.map { $0.json + "\n" }.joined())
            let one = try await Program.run("dead-letters", "list", "--store", store, "--json", "--limit", "1")
            #expect(one.output == letters[0].json + "\n")
        }
    }

    @Test func `showing a letter prints everything`() async throws {
        let letter = self.letter(1, error: "line one\nline two")
        try await self.withStore([letter]) { store in
            let (status, output, _) = try await Program.run(
                "dead-letters", "show", letter.id.description, "--store", store)
            #expect(status == 0)
            for text in [
                letter.id.description, letter.event.eventID.description, "webhook", "first error", "line one",
                "line two",
                "(2m ago)", "(2h ago)", "price_alert", "\"price\": 50000.00", "not in the log",
            ] {
                #expect(output.contains(text), "\(text) in \(output)")
            }
            let json = try await Program.run(
                "dead-letters", "show", letter.id.description, "--store", store, "--json")
            #expect(json.output == letter.json + "\n")
            let missing = try await Program.run("dead-letters", "show", "nobody", "--store", store)
            #expect(missing.status == 1)
            #expect(missing.error.contains("there is no dead letter nobody in \(store)"))
        }
    }

    @Test func `purging a store prints how many there were, and nothing is left`() async throws {
        try await self.withStore((1...3).map { self.letter($0) }) { store in
            let (status, output, _) = try await Program.run("dead-letters", "purge", "--store", store)
            #expect(status == 0)
            #expect(output == "purged 3 dead letters\n")
            let again = try await Program.run("dead-letters", "purge", "--store", store, "--json")
            #expect(again.output == "{\"purged\":0}\n")
            let list = try await Program.run("dead-letters", "list", "--store", store)
            #expect(list.status == 0)
            #expect(list.output.isEmpty)
            #expect(list.error == "no dead letters\n")
        }
    }

    @Test func `a running server is asked, and its store is read but not purged beside it`() async throws {
        let letters = (1...120).map { self.letter(UInt64($0)) }
        try await self.withStore(letters) { store in
            let server = try Program(["run", "--store", store, "--listen", "127.0.0.1:0"])
            let url = "http://\(try await server.address())"
            let fromServer = try await Program.run("dead-letters", "list", "--url", url, "--json")
            let fromStore = try await Program.run("dead-letters", "list", "--store", store, "--json")
            #expect(fromServer.output == letters.map { $0.json + "\n" }.joined())
            #expect(fromStore.output == fromServer.output)
            let some = try await Program.run("dead-letters", "list", "--url", url, "--json", "--limit", "70")
            #expect(some.output == letters.prefix(70).map { $0.json + "\n" }.joined())
            let table = try await Program.run("dead-letters", "list", "--url", url)
            #expect(table.output.split(separator: "\n").count == 121)

            let id = letters[4].id.description
            #expect(
                try await Program.run("dead-letters", "show", id, "--url", url, "--json").output
                    == letters[4].json + "\n")
            let missing = try await Program.run("dead-letters", "show", "no/body", "--url", url)
            #expect(missing.status == 1)
            #expect(missing.error.contains("there is no dead letter no/body"))

            // The server of this test has no handler of that name: a conflict, told for each.
            let retried = try await Program.run("dead-letters", "retry", id, "nobody", "--url", url)
            #expect(retried.status == 1)
            #expect(retried.output.isEmpty)
            let problems = retried.error.split(separator: "\n")
            #expect(problems.count == 2)
            #expect(problems.first?.hasPrefix("\(id): ") ?? false)
            #expect(problems.last == "nobody: There is no dead letter nobody")

            let beside = try await Program.run("dead-letters", "purge", "--store", store)
            #expect(beside.status == 1)
            #expect(beside.error.contains("is being written by process"))
            #expect(beside.error.contains("--url"))
            let purged = try await Program.run("dead-letters", "purge", "--url", url)
            #expect(purged.status == 0)
            #expect(purged.output == "purged 120 dead letters\n")
            server.interrupt()
            #expect(await server.waitUntilEnded() == 0)
        }
    }

    /// The letters of a server, once they are as wanted.
    private func letters(
        of server: String, until isWanted: ([DeadLetter]) -> Bool
    ) async throws -> [DeadLetter] {
        var letters: [DeadLetter] = []
        for _ in 0..<500 {
            let (_, output, _) = try await Program.run("dead-letters", "list", "--url", server, "--json")
            letters = try output.split(separator: "\n").compactMap { DeadLetter(try JSONObject(json: String($0))) }
            if isWanted(letters) { return letters }
        }
        Issue.record("the letters never were as wanted: \(letters)")
        return letters
    }

    @Test func `what a handler gave up survives kill -9, and retrying goes through that handler again`() async throws {
        try await withFolder { folder in
            let store = folder.appending(path: "s.db").path
            let file = folder.appending(path: "tidings.yaml")
            try Data(
                """
                listen: 127.0.0.1:0
                store:
                  file: s.db
                handlers:
                  - webhook:
                      url: http://127.0.0.1:1/
                      name: alerts
                      types: [price_alert]
                      retries:
                        attempts: 1
                """.utf8
            ).write(to: file)
            var server = try Program(["run", "--config", file.path])
            var url = "http://\(try await server.address())"
            let (_, published, _) = try await Program.run(
                "publish", "--url", url, "--type", "price_alert", "--source", "me", "--payload", #"{"price":50000.00}"#)
            let first = try await self.letters(of: url) { $0.count == 1 }
            #expect(first.first?.subscriber == "alerts")
            #expect(first.first?.attempts == 1)
            #expect(first.first.map { "\($0.event.eventID)\n" } == published)
            #expect(first.first?.offset != nil)
            server.kill9()
            await server.waitUntilEnded()

            let (_, left, _) = try await Program.run("dead-letters", "list", "--store", store, "--json")
            #expect(left == first.map { $0.json + "\n" }.joined())
            server = try Program(["run", "--config", file.path])
            url = "http://\(try await server.address())"
            let id = try #require(first.first).id
            let retried = try await Program.run("dead-letters", "retry", "\(id)", "--url", url)
            #expect(retried.status == 0)
            #expect(retried.output == "retried \(id)\n")
            let second = try await self.letters(of: url) { $0.first?.attempts == 2 }
            #expect(second.map(\.id) == [id])
            #expect(second.first?.firstFailedAt == first.first?.firstFailedAt)
            server.interrupt()
            #expect(await server.waitUntilEnded() == 0)
        }
    }

    @Test(arguments: [
        (["retry", "x", "--store", "s.db"], "retry needs --url"),
        (["retry", "x"], "retry needs --url"),
        (["retry", "--url", "http://127.0.0.1:1"], "<id>"),
        (["list"], "which store or server"),
        (["purge"], "which store or server"),
        (["list", "--store", "s.db", "--url", "http://127.0.0.1:1"], "give one of them"),
        (["list", "--url", "nowhere"], "--url"),
        (["list", "--store", "s.db", "--limit", "0"], "--limit"),
        (["show", "--store", "s.db"], "<id>"),
        (["show", String(repeating: "x", count: 129), "--store", "s.db"], "1 to 128 bytes"),
        (["discard"], "discard"),
    ])
    func `wrong words end with 64 and name what is wrong`(arguments: [String], expected: String) async throws {
        let program = try Program(["dead-letters"] + arguments)
        try program.closeInput()
        #expect(await program.waitUntilEnded() == 64)
        #expect(program.error.contains(expected), "\(program.error)")
        #expect(program.output.isEmpty)
    }

    @Test func `a store that is not there and a server that is not there are named, and none is made`() async throws {
        try await withFolder { folder in
            let store = folder.appending(path: "none.db").path
            for words in [["list"], ["show", "x"], ["purge"]] {
                let program = try Program(["dead-letters"] + words + ["--store", store])
                try program.closeInput()
                #expect(await program.waitUntilEnded() == 1)
                #expect(program.error.contains("there is no event log at"))
                #expect(!FileManager.default.fileExists(atPath: store))
            }
            for words in [["list"], ["show", "x"], ["purge"], ["retry", "x"]] {
                let program = try Program(["dead-letters"] + words + ["--url", "http://127.0.0.1:1"])
                try program.closeInput()
                #expect(await program.waitUntilEnded() == 1)
                #expect(program.error.contains("cannot reach http://127.0.0.1:1: connection refused"))
            }
        }
    }

    @Test func `every part has help with an example`() async throws {
        for words in [[], ["list"], ["show"], ["retry"], ["purge"]] {
            let program = try Program(["dead-letters"] + words + ["--help"])
            try program.closeInput()
            #expect(await program.waitUntilEnded() == 0)
            #expect(program.output.contains("Example: tidings dead-letters"))
        }
    }
}
