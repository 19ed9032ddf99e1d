import Logging
import NIOCore
import NIOHTTP1
import ServiceLifecycle
import Testing
import Tidings
import TidingsWebSocket

@testable import TidingsGateway

@Suite(.timeLimit(.minutes(1)))
struct LifecycleTests {
    @Test func `a taken port is an error that names it`() async throws {
        try await GatewayHarness.run { first in
            var configuration = GatewayConfiguration()
            configuration.port = first.port
            let second = try Gateway(configuration: configuration, bus: first.bus, log: first.log)
            let error = await #expect(throws: GatewayError.self) { try await second.run() }
            #expect(error?.code == .addressInUse)
            #expect(error?.message == "127.0.0.1:\(first.port) is taken: another program listens there")
        }
    }

    @Test(arguments: ["0.0.0.0", "::", "192.168.1.5", "example.com", "127.0.0.1.example.com"])
    func `listening beyond loopback has to be meant`(host: String) throws {
        var configuration = GatewayConfiguration()
        configuration.host = host
        let log = MemoryEventLog()
        let bus = MemoryEventBus(log: log)
        let error = #expect(throws: GatewayError.self) {
            try Gateway(configuration: configuration, bus: bus, log: log)
        }
        #expect(error?.code == .configuration)
        #expect(error?.message.contains(host) == true)
        configuration.insecure = true
        #expect(throws: Never.self) { try Gateway(configuration: configuration, bus: bus, log: log) }
    }

    @Test func `an address that is not ours is an error`() async throws {
        var configuration = GatewayConfiguration()
        configuration.host = "192.0.2.1"
        configuration.insecure = true
        let log = MemoryEventLog()
        let gateway = try Gateway(configuration: configuration, bus: MemoryEventBus(log: log), log: log)
        let error = await #expect(throws: GatewayError.self) { try await gateway.run() }
        #expect(error?.code == .cannotListen)
        #expect(error?.message.hasPrefix("cannot listen on 192.0.2.1:8765") == true)
    }

    @Test func `clients are told to go, and where to resume`() async throws {
        try await GatewayHarness.run { gateway in
            let socket = try await gateway.socket()
            _ = try await socket.ask(#"{"action":"subscribe","symbols":["*"]}"#)
            try await gateway.publishTrades(1...3)
            #expect(try await socket.offsets(3) == [1, 2, 3])
            let idle = try await gateway.http()
            let silent = try await RawTestClient.connect(port: gateway.port)
            await gateway.services.triggerGracefulShutdown()
            let closure = try await socket.closure()
            #expect(closure.code.rawValue == 1001)
            #expect(closure.reason == "stopping, resume after 3")
            #expect(try await idle.isClosedByServer())
            #expect(try await silent.everything().isEmpty)
        }
    }

    @Test func `a request in progress is answered before the gateway stops`() async throws {
        try await GatewayHarness.run {
            $0.stopTimeout = .seconds(30)
        } _: { gateway in
            let client = try await gateway.http()
            try await client.sendHead(
                "POST", "/api/v1/events", headers: [("Content-Type", "application/json"), ("Content-Length", "23")])
            try await client.sendBody(ByteBuffer(string: #"{"event_type":"#))
            // The server has the head once another request on a new connection was answered.
            _ = try await gateway.request("GET", "/livez")
            await gateway.services.triggerGracefulShutdown()
            try await client.sendBody(ByteBuffer(string: #""custom"}"#))
            try await client.sendEnd()
            #expect(try await client.response().status == 202)
        }
    }

    @Test func `a client that does not leave is cut off`() async throws {
        let clock = ContinuousClock()
        let duration = try await clock.measure {
            try await GatewayHarness.run {
                $0.stopTimeout = .milliseconds(300)
            } _: { gateway in
                let client = try await gateway.http()
                try await client.sendHead(
                    "POST", "/api/v1/events", headers: [("Content-Type", "application/json"), ("Content-Length", "23")])
                try await client.sendBody(ByteBuffer(string: "{"))
                _ = try await gateway.request("GET", "/livez")
            }
        }
        // A client that is waited for would take for ever; a loaded machine only takes long.
        #expect(duration < .seconds(60))
    }
}
