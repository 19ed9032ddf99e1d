import NIOCore
import NIOHTTP1
import Testing
import Tidings
import TidingsWebSocket

@testable import TidingsGateway

/// Limits of one address, with loopback not exempt.
@Suite(.timeLimit(.minutes(1)))
struct AddressLimitTests {
    private static func strict(_ change: (inout AddressLimits) -> Void) -> (inout GatewayConfiguration) -> Void {
        var limits = AddressLimits()
        limits.exempt = []
        limits.connections = 100
        limits.connectionRate = 1000
        limits.requestRate = 10_000
        change(&limits)
        let address = limits
        return { $0.limits.address = address }
    }

    @Test func `a connection too many from one address is answered 429, and there is room again when another ends`()
        async throws
    {
        try await GatewayHarness.run(configure: Self.strict { $0.connections = 3 }) { gateway in
            var clients: [HTTPTestClient] = []
            for _ in 0..<3 {
                let client = try await gateway.http()
                #expect(try await client.request("GET", "/livez").status == 200)
                clients.append(client)
            }
            let text = try await RawTestClient.connect(port: gateway.port).everything()
            #expect(text.hasPrefix("HTTP/1.1 429 "))
            #expect(text.contains("Retry-After: 1\r\n"))
            #expect(text.contains(#""code":"too_many_connections""#))
            clients[0].close()
            try await eventually("there is room again") {
                let client = try await gateway.http()
                defer { client.close() }
                return try await client.request("GET", "/livez").status == 200
            }
            for client in clients { client.close() }
        }
    }

    @Test func `connections that come too fast are answered 429 with the time to wait`() async throws {
        try await GatewayHarness.run(configure: Self.strict { $0.connectionRate = 1 }) { gateway in
            var refused = 0
            for _ in 0..<20 {
                let client = try await RawTestClient.connect(port: gateway.port)
                try? await client.send("GET /livez HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n")
                let text = try await client.everything()
                if text.hasPrefix("HTTP/1.1 429 ") { refused += 1 }
            }
            #expect(refused >= 5 && refused <= 10)
        }
    }

    @Test func `requests that come too fast are answered 429, also those for a WebSocket, and the rest goes on`()
        async throws
    {
        try await GatewayHarness.run(configure: Self.strict { $0.requestRate = 5 }) { gateway in
            let client = try await gateway.http()
            var statuses: [Int: Int] = [:]
            var last: HTTPTestResponse?
            for _ in 0..<30 {
                let response = try await client.request("GET", "/livez")
                statuses[response.status, default: 0] += 1
                if response.status == 429 { last = response }
            }
            #expect(statuses[200, default: 0] >= 10)
            #expect(statuses[429, default: 0] >= 1)
            let refusal = try #require(last)
            #expect(refusal.headers.first(name: "Retry-After") == "1")
            #expect(refusal.headers.first(name: "Content-Type") == "application/problem+json")
            let object = try refusal.object
            #expect(object["code"]?.string == "too_many_requests")
            for _ in 0..<100 { _ = try await client.request("GET", "/livez") }
            await #expect(throws: WebSocketError.self) { try await gateway.socket() }
        }
    }

    @Test func `when all connections are taken the next is answered 503`() async throws {
        try await GatewayHarness.run {
            $0.limits.connections = 2
        } _: { gateway in
            let first = try await gateway.http()
            #expect(try await first.request("GET", "/livez").status == 200)
            let socket = try await gateway.socket()
            _ = try await socket.ask(#"{"action":"ping"}"#)
            let text = try await RawTestClient.connect(port: gateway.port).everything()
            #expect(text.hasPrefix("HTTP/1.1 503 "))
            #expect(text.contains("Retry-After"))
            #expect(try await first.request("GET", "/metrics").body.contains(#"refused_total{reason="connections"} 1"#))
        }
    }

    @Test func `loopback is exempt unless told otherwise`() async throws {
        try await GatewayHarness.run {
            $0.limits.address.connections = 1
            $0.limits.address.requestRate = 1
            $0.limits.address.connectionRate = 1
        } _: { gateway in
            for _ in 0..<50 {
                let response = try await gateway.request("GET", "/livez")
                #expect(response.status == 200)
            }
        }
    }
}
