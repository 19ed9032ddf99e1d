import Foundation
import NIOCore
import Testing
import Tidings

@testable import TidingsGateway

/// Throws broken requests at a gateway; afterwards it has to answer as before, with no more memory and no connection left.
///
/// About 3 s; a minute and another seed each time with `TIDINGS_LONG=1`.
@Suite(.timeLimit(.minutes(3)), .serialized)
struct NetworkFuzzTests {
    private static let isLong = ProcessInfo.processInfo.environment["TIDINGS_LONG"] == "1"

    /// Requests that are in order, to be broken.
    private static let seeds: [String] = [
        "GET /livez HTTP/1.1\r\nHost: x\r\n\r\n",
        "GET /api/v1/events?limit=3&type=trade&order=desc HTTP/1.1\r\nHost: x\r\nAccept: */*\r\n\r\n",
        "POST /api/v1/events HTTP/1.1\r\nHost: x\r\nContent-Type: application/json\r\nContent-Length: 23\r\n\r\n"
            + #"{"event_type":"custom"}"#,
        "POST /api/v1/events?ids=true HTTP/1.1\r\nHost: x\r\nContent-Type: application/x-ndjson\r\n"
            + "Transfer-Encoding: chunked\r\n\r\n18\r\n{\"event_type\":\"custom\"}\n\r\n0\r\nX-T: y\r\n\r\n",
        "GET /ws HTTP/1.1\r\nHost: x\r\nConnection: Upgrade\r\nUpgrade: websocket\r\nSec-WebSocket-Version: 13\r\n"
            + "Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\n\r\n\u{1}\u{5}hello\u{9}\u{0}\u{8}\u{2}\u{3}",
        "GET /ws HTTP/1.1\r\nHost: x\r\nConnection: keep-alive, Upgrade\r\nUpgrade: websocket\r\n"
            + "Sec-WebSocket-Version: 13\r\nSec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\n"
            + "Sec-WebSocket-Protocol: cloudevents.json, bearer.x\r\n"
            + "Sec-WebSocket-Extensions: permessage-deflate; client_max_window_bits\r\nOrigin: http://x\r\n\r\n",
        "GET /api/v1/stream?after=0 HTTP/1.1\r\nHost: x\r\nLast-Event-ID: abc-1\r\n\r\n",
        "OPTIONS * HTTP/1.1\r\nHost: x\r\n\r\n",
        "HEAD / HTTP/1.0\r\n\r\n",
        "DELETE /api/v1/dead-letters/x HTTP/1.1\r\nHost: x\r\nExpect: 100-continue\r\n\r\n",
        "GET /api/v1/candles?symbol=BTC-USD&interval=1m&since=2024-01-01T00:00:00Z HTTP/1.1\r\nHost: x\r\n\r\n",
        "GET /api/v1/events/%00%ff/tree?x=%zz HTTP/1.1\r\nHost: x\r\nConnection: close, upgrade\r\n\r\n",
        "CONNECT x:1 HTTP/1.1\r\nHost: x\r\n\r\n",
    ]

    private static let spices: [String] = [
        "\r\n", "\n", "\r", "\r\n\r\n", ":", " ", "\t", "\u{0}", "Transfer-Encoding: chunked\r\n",
        "Content-Length: 5\r\n",
        "Content-Length: 99999999999999999999\r\n", "Connection: close\r\n", "Upgrade: websocket\r\n", "HTTP/1.1",
        "ffffffffffffffff\r\n", "0\r\n\r\n", "%", "?", "&&&=", "{", "[", "\"", "GET /livez HTTP/1.1\r\nHost: x\r\n\r\n",
        "Expect: 100-continue\r\n", "Content-Type: application/json\r\n", String(repeating: "A", count: 5000),
    ]

    /// A request, or a few, with something wrong.
    private static func mutated(_ generator: inout SeededGenerator) -> [UInt8] {
        var bytes: [UInt8] = []
        for _ in 0..<Int.random(in: 1...3, using: &generator) {
            bytes += Array((self.seeds.randomElement(using: &generator) ?? "").utf8)
        }
        for _ in 0..<Int.random(in: 0...6, using: &generator) where !bytes.isEmpty {
            let place = Int.random(in: 0..<bytes.count, using: &generator)
            switch Int.random(in: 0..<7, using: &generator) {
            case 0: bytes[place] = UInt8.random(in: 0...255, using: &generator)
            case 1: bytes[place] ^= 1 << UInt8.random(in: 0..<8, using: &generator)
            case 2: bytes.remove(at: place)
            case 3: bytes.insert(contentsOf: (self.spices.randomElement(using: &generator) ?? "").utf8, at: place)
            case 4: bytes.removeSubrange(place..<min(bytes.count, place + Int.random(in: 1...40, using: &generator)))
            case 5:
                let end = min(bytes.count, place + Int.random(in: 1...200, using: &generator))
                bytes.insert(contentsOf: Array(bytes[place..<end]), at: place)
            default: bytes.removeSubrange(place...)
            }
        }
        return bytes
    }

    @Test func `whatever comes over the network, the gateway answers the next as before`() async throws {
        let seed = Self.isLong ? UInt64.random(in: 1...1_000_000) : 20_251_122
        let duration: Duration = Self.isLong ? .seconds(60) : .seconds(3)
        print("fuzzing the gateway's port with seed \(seed) for \(duration)")
        try await GatewayHarness.run(logCapacity: 1000) {
            $0.timeouts.head = .seconds(1)
            $0.timeouts.body = .seconds(1)
            $0.idleTimeout = .seconds(1)
            $0.timeouts.response = .seconds(1)
        } _: { gateway in
            // What is made once is there before it is measured.
            try await self.fuzz(gateway, seed: seed &+ 1, for: .milliseconds(500))
            let before = Self.residentBytes()
            let count = try await self.fuzz(gateway, seed: seed, for: duration)
            print("\(count) connections")
            #expect(count > 100)
            #expect(try await gateway.request("GET", "/livez").status == 200)
            #expect(try await gateway.post(#"{"event_type":"custom"}"#).status == 202)
            try await eventually("all connections are gone", .seconds(30)) {
                let text = try await gateway.request("GET", "/metrics").body
                let line = text.split(separator: "\n").first { $0.hasPrefix("tidings_gateway_connections ") }
                let busy = text.split(separator: "\n").first { $0.hasPrefix("tidings_gateway_requests_in_progress ") }
                return line == "tidings_gateway_connections 1" && busy == "tidings_gateway_requests_in_progress 1"
            }
            #expect(gateway.gateway.streamStatistics.clients == 0)
            let growth = Self.residentBytes() - before
            print("memory grew by \(growth >> 10) KiB")
            #expect(growth < 96 << 20)
        }
    }

    @discardableResult
    private func fuzz(_ gateway: GatewayHarness, seed: UInt64, for duration: Duration) async throws -> Int {
        let end = ContinuousClock.now + duration
        return try await withThrowingTaskGroup(of: Int.self) { group in
            for lane in 0..<8 {
                group.addTask {
                    var generator = SeededGenerator(seed: seed &* 31 &+ UInt64(lane))
                    var count = 0
                    while ContinuousClock.now < end {
                        try await Self.visit(gateway.port, &generator)
                        count += 1
                    }
                    return count
                }
            }
            return try await group.reduce(0, +)
        }
    }

    /// One connection, its bytes cut anywhere; it waits for an answer now and then, and goes in one way or another.
    private static func visit(_ port: Int, _ generator: inout SeededGenerator) async throws {
        let client = try await RawTestClient.connect(port: port)
        var rest = self.mutated(&generator)[...]
        while !rest.isEmpty {
            let part = rest.prefix(Int.random(in: 1...max(1, rest.count), using: &generator))
            rest = rest.dropFirst(part.count)
            // It may have been closed: that is an answer, too.
            do { try await client.send(ByteBuffer(bytes: part)) } catch { break }
        }
        if Int.random(in: 0..<4, using: &generator) == 0 {
            for _ in 0..<20 where client.text.isEmpty { try await Task.sleep(for: .milliseconds(1)) }
        }
        let text = client.text
        #expect(text.isEmpty || text.hasPrefix("HTTP/1."), "\(text.prefix(100))")
        client.close()
    }

    private static func residentBytes() -> Int {
        guard let text = try? String(contentsOfFile: "/proc/self/statm", encoding: .utf8),
            let pages = Int(text.split(separator: " ").dropFirst().first ?? "")
        else { return 0 }
        return pages * 4096
    }
}
