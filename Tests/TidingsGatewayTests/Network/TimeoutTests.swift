import NIOCore
import Testing
import Tidings

@testable import TidingsGateway

/// Bare sockets against small time limits. A loaded machine makes everything later, never earlier, so what must end is
/// waited for and what must not end is checked by using it.
@Suite(.timeLimit(.minutes(2)))
struct TimeoutTests {
    private func timeouts(_ gateway: GatewayHarness) async throws -> [String: UInt64] {
        let text = try await gateway.request("GET", "/metrics").body
        var counts: [String: UInt64] = [:]
        for line in text.split(separator: "\n") where line.hasPrefix("tidings_gateway_timeouts_total{") {
            let parts = line.split(separator: "\"")
            counts[String(parts[1])] = UInt64(line.split(separator: " ").last ?? "")
        }
        return counts
    }

    @Test func `headers that trickle in are answered 408`() async throws {
        try await GatewayHarness.run {
            $0.timeouts.head = .milliseconds(300)
        } _: { gateway in
            let client = try await RawTestClient.connect(port: gateway.port)
            try await client.send("GET /livez HTTP/1.1\r\nHost: x\r\n")
            let trickle = Task {
                while !Task.isCancelled {
                    try await client.send("X-A: b\r\n")
                    try await Task.sleep(for: .milliseconds(20))
                }
            }
            let text = try await client.everything()
            trickle.cancel()
            #expect(text.hasPrefix("HTTP/1.1 408 "))
            #expect(text.contains("application/problem+json"))
            #expect(text.contains(#""code":"request_timeout""#))
            #expect(try await self.timeouts(gateway)["head"] == 1)
        }
    }

    @Test func `a body that stops coming is answered 408, as JSON and as lines`() async throws {
        try await GatewayHarness.run {
            $0.timeouts.body = .milliseconds(300)
        } _: { gateway in
            for type in ["application/json", "application/x-ndjson"] {
                let client = try await RawTestClient.connect(port: gateway.port)
                try await client.send(
                    "POST /api/v1/events HTTP/1.1\r\nHost: x\r\nContent-Type: \(type)\r\nContent-Length: 1000\r\n\r\n"
                        + #"{"event_type":"custom"}"# + "\n")
                let text = try await client.everything()
                #expect(text.hasPrefix("HTTP/1.1 408 "), "\(type)")
            }
            #expect(try await self.timeouts(gateway)["body"] == 2)
            // Lines count once they are whole, whatever becomes of the rest.
            #expect(gateway.log.bounds.head == 1)
        }
    }

    @Test func `a body that is held has to come at a rate, lines may come slowly`() async throws {
        try await GatewayHarness.run {
            $0.timeouts.body = .milliseconds(400)
            $0.timeouts.bodyBytesPerSecond = 10_000
        } _: { gateway in
            let slow = try await RawTestClient.connect(port: gateway.port)
            try await slow.send(
                "POST /api/v1/events HTTP/1.1\r\nHost: x\r\nContent-Type: application/json\r\n"
                    + "Content-Length: 100000\r\n\r\n[")
            let trickle = Task {
                while !Task.isCancelled {
                    try await slow.send(" ")
                    try await Task.sleep(for: .milliseconds(50))
                }
            }
            #expect(try await slow.everything().hasPrefix("HTTP/1.1 408 "))
            trickle.cancel()

            let lines = try await gateway.http()
            try await lines.sendHead(
                "POST", "/api/v1/events",
                headers: [("Content-Type", "application/x-ndjson"), ("Transfer-Encoding", "chunked")])
            for _ in 0..<12 {
                try await lines.sendBody(ByteBuffer(string: #"{"event_type":"custom"}"# + "\n"))
                try await Task.sleep(for: .milliseconds(50))
            }
            try await lines.sendEnd()
            let answer = try await lines.response()
            #expect(answer.status == 202)
            #expect(answer.body.contains(#""accepted":12"#))
        }
    }

    @Test func `connections that ask nothing, or nothing more, are closed without a word`() async throws {
        try await GatewayHarness.run {
            $0.idleTimeout = .milliseconds(300)
        } _: { gateway in
            let silent = try await RawTestClient.connect(port: gateway.port)
            #expect(try await silent.everything().isEmpty)
            let kept = try await gateway.http()
            #expect(try await kept.request("GET", "/livez").status == 200)
            #expect(try await kept.isClosedByServer())
            #expect(try await self.timeouts(gateway)["idle"] ?? 0 >= 2)
        }
    }

    @Test func `a client that goes without having asked leaves nothing behind`() async throws {
        try await GatewayHarness.run { gateway in
            for text in ["", "GET /livez HTTP/1.1\r\nHo"] {
                for _ in 0..<20 {
                    let client = try await RawTestClient.connect(port: gateway.port)
                    if !text.isEmpty { try await client.send(text) }
                    client.close()
                }
            }
            try await eventually("they are gone") {
                try await gateway.request("GET", "/metrics").body.contains("\ntidings_gateway_connections 1\n")
            }
        }
    }

    @Test func `an answer that nobody takes ends`() async throws {
        try await GatewayHarness.run {
            $0.timeouts.response = .milliseconds(300)
        } _: { gateway in
            // More than the sockets' buffers hold.
            let filler = String(repeating: "x", count: 60_000)
            for number in 0..<500 {
                _ = try await gateway.bus.publish(
                    StandardEvent(
                        eventType: .custom, source: "test", payload: ["text": .string(filler)],
                        eventID: EventID("big-\(number)")))
            }
            let stuck = try await RawTestClient.connect(port: gateway.port)
            stuck.stopReading()
            try await stuck.send("GET /api/v1/events?limit=10000 HTTP/1.1\r\nHost: x\r\n\r\n")
            try await eventually("the answer is given up") {
                try await self.timeouts(gateway)["response"] == 1
            }
            stuck.close()
        }
    }

    @Test func `streams are not cut by any of it`() async throws {
        try await GatewayHarness.run {
            $0.timeouts.head = .milliseconds(100)
            $0.timeouts.body = .milliseconds(100)
            $0.timeouts.response = .milliseconds(100)
            $0.idleTimeout = .milliseconds(100)
        } _: { gateway in
            let socket = try await gateway.socket()
            _ = try await socket.ask(#"{"action":"subscribe","symbols":["*"]}"#)
            let stream = try await RawTestClient.connect(port: gateway.port)
            try await stream.send("GET /api/v1/stream HTTP/1.1\r\nHost: x\r\n\r\n")
            try await eventually("the stream has begun") { stream.text.contains("retry: 2000") }
            // Others come and are cut off meanwhile, several times over.
            for _ in 0..<5 {
                let idle = try await RawTestClient.connect(port: gateway.port)
                #expect(try await idle.everything().isEmpty)
            }
            try await gateway.publishTrades(1...2)
            #expect(try await socket.offsets(2) == [1, 2])
            try await eventually("the stream goes on") { stream.text.contains(#""price":2"#) }
            stream.close()
        }
    }

    @Test func `a request that takes the server long is not the client's fault`() async throws {
        // The answer waits for readiness, which takes longer than the client is given for anything.
        let sources = GatewaySources(readiness: {
            try? await Task.sleep(for: .milliseconds(600))
            return []
        })
        try await GatewayHarness.run(sources: sources) {
            $0.timeouts.head = .milliseconds(100)
            $0.timeouts.body = .milliseconds(100)
            $0.idleTimeout = .milliseconds(100)
        } _: { gateway in
            let response = try await gateway.request("GET", "/readyz")
            #expect(response.status == 200)
        }
    }
}
