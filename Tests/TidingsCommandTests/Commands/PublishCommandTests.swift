import Foundation
import Testing
import Tidings

/// `tidings publish` against servers that are busy, go away and come back.
@Suite(.timeLimit(.minutes(3)))
struct PublishCommandTests {
    private static func ids(_ store: String) async throws -> [String] {
        let (status, output, error) = try await Program.run("query", "--store", store, "--json")
        #expect(status == 0, "\(error)")
        return try output.split(separator: "\n").compactMap {
            try JSONObject(json: String($0))["event"]?.object?["event_id"]?.string
        }
    }

    private static func lines(_ range: Range<Int>) -> String {
        range.map { #"{"event_id":"e-\#($0)","event_type":"custom"}"# + "\n" }.joined()
    }

    @Test func `a busy server is waited for, and gets every event once and in order`() async throws {
        try await withFolder { folder in
            let store = folder.appending(path: "s.db").path
            let file = folder.appending(path: "tidings.yaml")
            try "limits: {publish_rate: 100, publish_wait: 1ms}\nheartbeat: 1h\n".write(
                to: file, atomically: true, encoding: .utf8)
            let server = try Program([
                "run", "--config", file.path, "--store", store, "--listen", "127.0.0.1:0",
            ])
            let address = try await server.address()
            let (status, output, error) = try await Program.run(
                "publish", "--url", "http://\(address)", input: Self.lines(0..<300) + "broken\n")
            #expect(status == 1)
            #expect(output.split(separator: "\n").map(String.init) == (0..<300).map { "e-\($0)" })
            #expect(error.contains("the server is busy, trying again in"))
            #expect(error.contains("line 301: "))
            server.interrupt()
            await server.waitUntilEnded()
            #expect(try await Self.ids(store).filter { $0.hasPrefix("e-") } == (0..<300).map { "e-\($0)" })
        }
    }

    @Test func `a server that is killed and comes back gets the rest, and nothing twice`() async throws {
        try await withFolder { folder in
            let store = folder.appending(path: "s.db").path
            let server = try Program(["run", "--store", store, "--listen", "127.0.0.1:0"])
            let address = try await server.address()
            let publisher = try Program(["publish", "--url", "http://\(address)"])
            try publisher.write(Self.lines(0..<500))
            await publisher.wait { $0.contains("e-499\n") }
            server.kill9()
            await server.waitUntilEnded()
            try publisher.write(Self.lines(500..<1000))
            let again = try Program(["run", "--store", store, "--listen", address])
            _ = try await again.address()
            try publisher.write(Self.lines(1000..<1500))
            try publisher.closeInput()
            #expect(await publisher.waitUntilEnded() == 0, "\(publisher.error)")
            #expect(publisher.lines == (0..<1500).map { "e-\($0)" })
            again.interrupt()
            await again.waitUntilEnded()
            #expect(try await Self.ids(store).filter { $0.hasPrefix("e-") } == (0..<1500).map { "e-\($0)" })
        }
    }

    @Test func `a server that does not come back ends it, and what was not sent is named`() async throws {
        try await withFolder { folder in
            let server = try Program(["run", "--store", "none", "--listen", "127.0.0.1:0"])
            let address = try await server.address()
            let publisher = try Program(["publish", "--url", "http://\(address)"])
            try publisher.write(Self.lines(0..<10))
            await publisher.wait { $0.contains("e-9\n") }
            server.kill9()
            await server.waitUntilEnded()
            try publisher.write(Self.lines(10..<20))
            #expect(await publisher.waitUntilEnded() == 1)
            #expect(publisher.error.contains("line 11 and what follows was not sent"), "\(publisher.error)")
            let (status, _, error) = try await Program.run("publish", "--url", "http://\(address)", "--type", "a")
            #expect(status == 1)
            #expect(error.contains("connection refused"))
        }
    }
}
