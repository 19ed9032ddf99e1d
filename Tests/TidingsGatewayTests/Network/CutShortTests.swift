import NIOCore
import ServiceLifecycle
import Testing
import Tidings
import TidingsWebSocket

@testable import TidingsGateway

@Suite(.timeLimit(.minutes(1)))
struct CutShortTests {
    @Test func `a body that is cut off is not taken for whole, though it be valid JSON`() async throws {
        try await GatewayHarness.run { gateway in
            let cut = try await RawTestClient.connect(port: gateway.port)
            try await cut.send(
                "POST /api/v1/events HTTP/1.1\r\nHost: x\r\nContent-Type: application/json\r\nContent-Length: 1000\r\n\r\n"
                    + #"{"event_type":"custom"}"#)
            try await eventually("the request is there") {
                try await gateway.request("GET", "/metrics").body.contains("requests_in_progress 2")
            }
            cut.close()
            try await eventually("the request is over") {
                try await gateway.request("GET", "/metrics").body.contains("requests_in_progress 1")
            }
            let broken = try await RawTestClient.connect(port: gateway.port)
            try await broken.send(
                "POST /api/v1/events HTTP/1.1\r\nHost: x\r\nContent-Type: application/json\r\n"
                    + "Transfer-Encoding: chunked\r\n\r\n17\r\n" + #"{"event_type":"custom"}"# + "\r\nzz\r\n")
            #expect(try await broken.everything().hasPrefix("HTTP/1.1 400 "))
            try await gateway.publishTrades(1...1)
            #expect(gateway.log.bounds.head == 1)
        }
    }

    /// A client that stopped reading has events waiting for it that it will not get: it has to come back for them.
    @Test func `a stalled client is told to resume where it really is`() async throws {
        try await GatewayHarness.run {
            $0.limits.clientBufferBytes = 4 << 20
            $0.stopTimeout = .seconds(10)
        } _: { gateway in
            let socket = try await gateway.socket()
            _ = try await socket.ask(#"{"action":"subscribe","symbols":["*"]}"#)
            let connection = try await socket.connection()
            connection.eventLoop.execute { connection.pauseReading() }
            try await gateway.publishTrades(1...20_000)
            try await eventually("all of it is with the gateway") {
                gateway.gateway.streamStatistics.position == 20_000
            }
            await gateway.services.triggerGracefulShutdown()
            connection.eventLoop.execute { connection.resumeReading() }
            var offsets: [Int64] = []
            while let message = try await socket.next() {
                if let offset = message["offset"]?.int { offsets.append(Int64(offset)) }
            }
            let closure = try await socket.closure()
            #expect(closure.code.rawValue == 1001)
            #expect(offsets == Array(1...Int64(offsets.count)))
            #expect(offsets.count < 20_000, "the client was not stalled")
            #expect(closure.reason == "stopping, resume after \(offsets.count)")
        }
    }
}
