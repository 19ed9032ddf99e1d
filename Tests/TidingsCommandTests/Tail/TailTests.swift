import Foundation
import Testing
import Tidings

/// `tidings tail` beside servers that come and go.
@Suite(.timeLimit(.minutes(2)), .serialized) struct TailTests {
    private static func post(_ address: String, _ ids: Range<Int>) async throws {
        let lines = ids.map { #"{"event_type":"custom","event_id":"e\#($0)","source":"t"}"# }
        let answer = try await request(
            "http://\(address)/api/v1/events", method: "POST", contentType: "application/x-ndjson",
            body: Data(lines.joined(separator: "\n").utf8))
        guard answer.status == 202 else { throw ProgramError(description: answer.body) }
    }

    private static func offset(_ line: String) throws -> Int64? {
        try JSONObject(json: line)["offset"]?.int.map(Int64.init)
    }

    private static func id(_ line: String) throws -> String? {
        try JSONObject(json: line)["event"]?.object?["event_id"]?.string
    }

    @Test func `a server that is killed under load and comes back costs tail no event, and none comes twice`()
        async throws
    {
        try await withFolder { folder in
            let store = folder.appending(path: "s.db").path
            var server = try Program(["run", "--store", store, "--listen", "127.0.0.1:0", "--quiet"])
            let address = try await server.address()
            let tail = try Program([
                "tail", "--url", "http://\(address)", "--from", "start", "--type", "custom", "--json",
            ])
            let count = 3000
            try await withThrowingTaskGroup(of: Void.self) { group in
                group.addTask {
                    // Sent again until it is taken, so that all of it is acknowledged once.
                    var next = 0
                    while next < count {
                        let end = min(next + 50, count)
                        do { try await Self.post(address, next..<end) } catch {
                            try await Task.sleep(for: .milliseconds(20))
                            continue
                        }
                        next = end
                    }
                }
                for share in [4, 2] {
                    await tail.wait { $0.contains("\"e\(count / share)\"") }
                    server.kill9()
                    await server.waitUntilEnded()
                    server = try Program(["run", "--store", store, "--listen", address, "--quiet"])
                    _ = try await server.address()
                }
                try await group.waitForAll()
            }
            await tail.wait { $0.contains("\"e\(count - 1)\"") }
            tail.interrupt()
            #expect(await tail.waitUntilEnded() == 0)
            let lines = tail.lines
            #expect(try lines.map(Self.id) == (0..<count).map { "e\($0)" })
            let offsets = try lines.compactMap(Self.offset)
            #expect(zip(offsets, offsets.dropFirst()).allSatisfy { $0 < $1 })
            #expect(tail.error.contains("connection lost ("))
            #expect(!tail.error.contains("missing"))
            server.terminate()
            #expect(await server.waitUntilEnded() == 0)
        }
    }

    @Test func `another log behind the same address is told of, and tail goes on with it`() async throws {
        var server = try Program(["run", "--store", "none", "--listen", "127.0.0.1:0", "--quiet"])
        let address = try await server.address()
        try await Self.post(address, 0..<10)
        let tail = try Program(["tail", "--url", "http://\(address)", "--from", "start", "--type", "custom", "--json"])
        await tail.wait { $0.contains("\"e9\"") }
        server.kill9()
        await server.waitUntilEnded()
        server = try Program(["run", "--store", "none", "--listen", address, "--quiet"])
        _ = try await server.address()
        try await Self.post(address, 100..<110)
        await tail.wait { $0.contains("\"e109\"") }
        tail.terminate()
        #expect(await tail.waitUntilEnded() == 0)
        #expect(tail.error.contains("the server has another log than before"))
        #expect(try tail.lines.map(Self.id) == ((0..<10).map { "e\($0)" } + (100..<110).map { "e\($0)" }))
        server.terminate()
        #expect(await server.waitUntilEnded() == 0)
    }

    @Test func `a server that is not there is an error that names it`() async throws {
        let tail = try await Program.run("tail", "--url", "http://127.0.0.1:1")
        #expect(tail.status == 1)
        #expect(tail.error.contains("127.0.0.1:1") && tail.error.contains("cannot reach the server"))
    }
}
