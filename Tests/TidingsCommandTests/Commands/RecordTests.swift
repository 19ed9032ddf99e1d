import Foundation
import Testing
import Tidings

/// What `run --record` writes is what `simulate --recording` plays.
@Suite(.timeLimit(.minutes(3)), .serialized) struct RecordTests {
    private func collect(
        _ exchange: String, _ store: String, _ more: [String] = []
    ) throws -> Program {
        try Program(
            [
                "run", "--connector", "hyperliquid:BTC", "--endpoint", "hyperliquid=ws://\(exchange)/ws", "--store",
                store, "--listen", "127.0.0.1:0",
            ] + more)
    }

    /// What stands in a store of one type, without what depends on the moment.
    private func events(_ store: String, _ type: String) async throws -> [String] {
        let (status, output, error) = try await Program.run("query", "--store", store, "--type", type, "--json")
        #expect(status == 0, "\(error)")
        return try output.split(separator: "\n").map {
            let event = try JSONObject(json: String($0))["event"]?.object
            return "\(event?["event_id"]?.string ?? "-") \(event?["payload"]?.object?["price"] ?? .null)"
        }
    }

    @Test func `a session that was recorded is played again, event for event`() async throws {
        try await withFolder { folder in
            let frames = folder.appending(path: "frames").path
            let (first, second) = (folder.appending(path: "1.db").path, folder.appending(path: "2.db").path)
            let exchange = try Program([
                "simulate", "--venue", "hyperliquid", "--seed", "7", "--speed", "20", "--listen", "127.0.0.1:0",
            ])
            let recording = try self.collect(try await exchange.address(), first, ["--record", frames])
            let tail = try Program([
                "tail", "--url", "http://\(try await recording.address())", "--from", "start", "--type", "trade",
                "--limit", "20",
            ])
            #expect(await tail.waitUntilEnded() == 0)
            recording.interrupt()
            #expect(await recording.waitUntilEnded() == 0)
            exchange.interrupt()
            await exchange.waitUntilEnded()

            let files = try FileManager.default.contentsOfDirectory(atPath: frames)
            #expect(files.count == 1)
            let file = try #require(files.first)
            #expect(file.hasPrefix("hyperliquid-") && file.hasSuffix(".jsonl"))
            let text = try String(contentsOfFile: frames + "/" + file, encoding: .utf8)
            #expect(text.hasPrefix(#"{"recording":1,"venue":"hyperliquid"}"# + "\n"))
            #expect(text.contains(#""kind":"connect""#) && text.contains(#""kind":"sent""#))

            let trades = try await self.events(first, "trade")
            let replay = try Program([
                "simulate", "--venue", "hyperliquid", "--recording", "\(frames)/\(file)", "--speed", "max", "--listen",
                "127.0.0.1:0",
            ])
            let playing = try self.collect(try await replay.address(), second)
            let again = try Program([
                "tail", "--url", "http://\(try await playing.address())", "--from", "start", "--type", "trade",
                "--limit", "\(trades.count)",
            ])
            #expect(await again.waitUntilEnded() == 0)
            playing.interrupt()
            #expect(await playing.waitUntilEnded() == 0)
            replay.interrupt()
            await replay.waitUntilEnded()
            #expect(try await self.events(second, "trade") == trades)
        }
    }

    @Test func `a directory that cannot be written to is named`() async throws {
        let (status, output, error) = try await Program.run(
            "run", "--connector", "hyperliquid:BTC", "--record", "/dev/null/frames", "--store", "none", "--listen",
            "127.0.0.1:0")
        #expect(status == 1)
        #expect(output.isEmpty)
        #expect(error.contains("record: '/dev/null/frames' cannot be made"))
    }

    @Test(arguments: [
        (["hyperliquid.rest=ftp://x"], "--endpoint: 'ftp://x' is no HTTP address"),
        (["hyperliquid=nowhere"], "--endpoint: 'nowhere' cannot be used"),
        (["kraken.rest=http://127.0.0.1:1"], "--endpoint: there is no connector for 'kraken'"),
        (["hyperliquid"], "--endpoint: 'hyperliquid' must be VENUE=URL"),
    ])
    func `a wrong address ends with 64 and is named`(_ endpoints: [String], _ expected: String) async throws {
        let program = try Program(
            ["run", "--connector", "hyperliquid:BTC", "--store", "none", "--listen", "127.0.0.1:0"]
                + endpoints.flatMap { ["--endpoint", $0] })
        try program.closeInput()
        #expect(await program.waitUntilEnded() == 64)
        #expect(program.error.contains(expected), "\(program.error)")
    }
}
