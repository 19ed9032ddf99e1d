import Foundation
import Testing
import Tidings
import TidingsTestSupport

/// The main job as a user does it: real programs, real sockets, a real file.
@Suite(
    .timeLimit(.minutes(3)), .serialized,
    .enabled(
        if: Recording.isThere("hyperliquid-btc.jsonl"), "../shared/recordings/hyperliquid-btc.jsonl is not here"))
struct EndToEndTests {
    private static let recording = Recording.folder.appending(path: "hyperliquid-btc.jsonl").path

    private func simulate(port: String = "0", speed: String = "max", faults: [String] = []) throws -> Program {
        try Program(
            [
                "simulate", "--venue", "hyperliquid", "--recording", Self.recording, "--speed", speed, "--listen",
                "127.0.0.1:\(port)",
            ] + faults.flatMap { ["--fault", $0] })
    }

    private func collect(from exchange: String, store: String) throws -> Program {
        try Program([
            "run", "--connector", "hyperliquid:BTC", "--endpoint", "hyperliquid=ws://\(exchange)/ws", "--store", store,
            "--listen", "127.0.0.1:0",
        ])
    }

    /// The logged events of a type, read by `tidings query` beside the running server.
    private func query(_ store: String, _ type: String) async throws -> [JSONObject] {
        let (status, output, error) = try await Program.run("query", "--store", store, "--type", type, "--json")
        #expect(status == 0, "\(error)")
        return try output.split(separator: "\n").map { try JSONObject(json: String($0)) }
    }

    /// Follows a type from the start of the log.
    private func follow(_ type: String, at server: String, limit: Int? = nil) throws -> Program {
        try Program(
            ["tail", "--url", "http://\(server)", "--from", "start", "--type", type, "--json"]
                + (limit.map { ["--limit", "\($0)"] } ?? []))
    }

    @Test func `a recorded session arrives whole: 64 trades and 45 books, digit for digit, in log and stream`()
        async throws
    {
        try await withFolder { folder in
            let store = folder.appending(path: "s.db").path
            let exchange = try self.simulate()
            let server = try self.collect(from: try await exchange.address(), store: store)
            let address = try await server.address()

            let statuses = try self.follow("connector_status", at: address)
            let tail = try Program([
                "tail", "--url", "http://\(address)", "--from", "start", "--type", "trade", "--symbol", "BTC-USD",
                "--limit", "64", "--json",
            ])
            #expect(await tail.waitUntilEnded() == 0)
            let streamed = try tail.lines.map { try JSONObject(json: $0) }
            let offsets = streamed.compactMap { $0["offset"]?.int }
            #expect(offsets.count == 64)
            #expect(zip(offsets, offsets.dropFirst()).allSatisfy { $0 < $1 })

            #expect(try await self.follow("order_book", at: address, limit: 45).waitUntilEnded() == 0)
            let trades = try await self.query(store, "trade")
            let books = try await self.query(store, "order_book")
            #expect(trades.count == 64)
            #expect(books.count == 45)
            #expect(trades == streamed)

            let fills = try Recording("hyperliquid-btc.jsonl").received
                .compactMap { try JSONSerialization.jsonObject(with: Data($0.utf8)) as? [String: Any] }
                .filter { $0["channel"] as? String == "trades" }
                .flatMap { $0["data"] as? [[String: Any]] ?? [] }
            for (logged, fill) in zip(trades, fills) {
                let payload = try #require(logged["event"]?.object?["payload"]?.object)
                #expect(payload["price"]?.description == fill["px"] as? String)
                #expect(payload["volume"]?.description == fill["sz"] as? String)
                #expect(payload["side"]?.string == (fill["side"] as? String == "B" ? "buy" : "sell"))
                #expect(payload["trade_id"]?.string == (fill["tid"] as? NSNumber)?.stringValue)
                let time = (fill["time"] as? NSNumber).flatMap { Timestamp(milliseconds: $0.int64Value) }
                #expect(payload["timestamp"]?.string == time?.description)
                #expect(logged["event"]?.object?["timestamp"]?.string == time?.description)
            }

            // The exchange dies and comes back on the same port: it plays everything again, and nothing is published twice.
            let port = try #require((try await exchange.address()).split(separator: ":").last.map(String.init))
            exchange.kill9()
            await exchange.waitUntilEnded()
            let again = try self.simulate(port: port)
            _ = try await again.address()
            await statuses.wait { $0.components(separatedBy: "\"subscribed\"").count == 5 }
            #expect(try await self.query(store, "trade").count == 64)
            #expect(try await self.query(store, "order_book").count == 45)
            let states = try await self.query(store, "connector_status").map(Self.state)
            #expect(states.starts(with: ["connecting", "connected", "subscribed", "subscribed", "reconnecting"]))
            #expect(states.suffix(4) == ["connecting", "connected", "subscribed", "subscribed"])

            server.interrupt()
            #expect(await server.waitUntilEnded() == 0)
            #expect(try await self.query(store, "connector_status").last.map(Self.state) == "stopped")
            // The follower would look for the server for ever.
            statuses.interrupt()
            #expect(await statuses.waitUntilEnded() == 0)
            again.interrupt()
            #expect(await again.waitUntilEnded() == 0)
        }
    }

    private static func state(_ logged: JSONObject) -> String {
        logged["event"]?.object?["payload"]?.object?["state"]?.string ?? ""
    }

    @Test func `a process started anew on the same store repeats no trade`() async throws {
        try await withFolder { folder in
            let store = folder.appending(path: "s.db").path
            let exchange = try self.simulate()
            let address = try await exchange.address()
            for _ in 0..<2 {
                let server = try self.collect(from: address, store: store)
                let listening = try await server.address()
                while true {
                    let (_, body) = try await request("http://\(listening)/api/v1/connectors")
                    let connector = try JSONObject(json: body)["connectors"]?.array?.first?.object
                    // 55 frames, two confirmations.
                    if let messages = connector?["messages"]?.int, messages >= 57 { break }
                    await Task.yield()
                }
                server.interrupt()
                #expect(await server.waitUntilEnded() == 0)
            }
            #expect(try await self.query(store, "trade").count == 64)
            #expect(try await self.query(store, "order_book").count == 45)
            exchange.interrupt()
            await exchange.waitUntilEnded()
        }
    }

    @Test func `the demo prints its events as JSON if asked to, and an interrupt ends it well`() async throws {
        let demo = try Program(["demo", "--listen", "127.0.0.1:0", "--json"])
        await demo.wait { output in
            ["\"listening\"", "\"event_type\":\"trade\"", "\"event_type\":\"order_book\""]
                .allSatisfy { output.contains($0) }
        }
        demo.interrupt()
        #expect(await demo.waitUntilEnded() == 0)
        #expect(demo.error.isEmpty)
        let lines = try demo.lines.map { try JSONObject(json: $0) }
        #expect(lines.contains { $0["listening"] != nil })
        #expect(lines.contains { $0["event_type"] == "order_book" })
    }

    @Test func `kill -9 loses nothing that was acknowledged`() async throws {
        try await withFolder { folder in
            let store = folder.appending(path: "s.db").path
            var acknowledged: Set<String> = []
            for round in 0..<3 {
                let server = try Program(["run", "--store", store, "--listen", "127.0.0.1:0"])
                let address = try await server.address()
                let publisher = try Program(["publish", "--url", "http://\(address)"])
                for number in 0..<2000 {
                    try publisher.write(#"{"event_type":"custom","payload":{"round":\#(round),"n":\#(number)}}"# + "\n")
                    if number == 500 {
                        await publisher.wait { !$0.isEmpty }
                        server.kill9()
                        break
                    }
                }
                try? publisher.closeInput()
                await publisher.waitUntilEnded()
                await server.waitUntilEnded()
                acknowledged.formUnion(publisher.lines)
            }
            #expect(!acknowledged.isEmpty)
            let kept = try await self.query(store, "custom").compactMap { $0["event"]?.object?["event_id"]?.string }
            #expect(acknowledged.isSubset(of: kept))
            #expect(Set(kept).count == kept.count)
        }
    }
}
