import Testing
import Tidings

@testable import TidingsGateway

/// Pings of the gateway, and those who do not answer them.
@Suite(.timeLimit(.minutes(1))) struct SilentClientTests {
    @Test func `a client that does not answer a ping is closed with 4012`() async throws {
        try await GatewayHarness.run(configure: {
            $0.pingInterval = .milliseconds(50)
            $0.pongTimeout = .milliseconds(100)
        }) { gateway in
            let client = try await RawTestClient.connect(port: gateway.port)
            try await client.send(
                "GET /ws HTTP/1.1\r\nHost: x\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n"
                    + "Sec-WebSocket-Version: 13\r\nSec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\n\r\n")
            // 4012 is 0x0FAC, of which the second byte is no text.
            #expect(try await client.everything().hasSuffix("\u{0F}\u{FFFD}No pong"))
        }
    }

    @Test func `a client that answers pings stays`() async throws {
        try await GatewayHarness.run(configure: {
            $0.pingInterval = .milliseconds(20)
            $0.pongTimeout = .milliseconds(200)
        }) { gateway in
            let socket = try await gateway.socket()
            _ = try await socket.ask(#"{"action":"subscribe","symbols":["*"]}"#)
            let end = ContinuousClock.now + .milliseconds(600)
            var count: Int64 = 0
            while ContinuousClock.now < end {
                count += 1
                _ = try await gateway.bus.publish(StandardEvent(eventType: "e", source: "s", payload: .empty))
                #expect(try await socket.offsets(1) == [count])
            }
        }
    }
}
