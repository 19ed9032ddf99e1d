import NIOHTTP1
import ServiceLifecycle
import Testing
import Tidings

@testable import TidingsGateway

@Suite(.timeLimit(.minutes(1)))
struct SSETests {
    /// An open stream, read line by line.
    private struct Stream {
        let client: HTTPTestClient
        var buffer = ""

        init(_ gateway: GatewayHarness, _ query: String = "", lastEventID: String? = nil) async throws {
            self.client = try await gateway.http()
            try await self.client.sendHead(
                "GET", "/api/v1/stream\(query)", headers: lastEventID.map { [("Last-Event-ID", $0)] } ?? [])
            try await self.client.sendEnd()
            let head = try await self.client.head()
            #expect(head.status == .ok)
            #expect(head.headers.first(name: "content-type") == "text/event-stream; charset=utf-8")
            #expect(try await self.next() == "retry: 2000")
        }

        /// The next message, without the empty line behind it; nil at the end.
        mutating func next() async throws -> String? {
            while true {
                if let end = self.buffer.range(of: "\n\n") {
                    let message = String(self.buffer[..<end.lowerBound])
                    self.buffer = String(self.buffer[end.upperBound...])
                    return message
                }
                guard let part = try await self.client.bodyPart() else { return nil }
                self.buffer += part
            }
        }

        mutating func ids(_ count: Int) async throws -> [String] {
            var ids: [String] = []
            while ids.count < count {
                let message = try await self.next() ?? ""
                // Silence is broken by comments.
                if message == ":" { continue }
                #expect(message.contains("\ndata: {\"event_id\""))
                ids.append(String(message.prefix { $0 != "\n" }.dropFirst(4)))
            }
            return ids
        }
    }

    @Test func `a stream resumes where its last event id says`() async throws {
        try await GatewayHarness.run { gateway in
            let epoch = gateway.log.epoch
            try await gateway.publishTrades(1...10)
            var first = try await Stream(gateway, "?after=0")
            #expect(try await first.ids(10) == (1...10).map { "\(epoch)-\($0)" })
            try await gateway.publishTrades(11...12)
            #expect(try await first.ids(2) == ["\(epoch)-11", "\(epoch)-12"])
            first.client.close()
            try await gateway.publishTrades(13...20)
            // The header wins over the parameter.
            var second = try await Stream(gateway, "?after=0", lastEventID: "\(epoch)-12")
            #expect(try await second.ids(8) == (13...20).map { "\(epoch)-\($0)" })
            second.client.close()
            var live = try await Stream(gateway)
            try await gateway.publishTrades(21...21)
            #expect(try await live.ids(1) == ["\(epoch)-21"])
            live.client.close()
            try await eventually("nobody is left") { gateway.gateway.streamStatistics.clients == 0 }
        }
    }

    @Test func `a stream that cannot resume says so and starts with the oldest`() async throws {
        try await GatewayHarness.run(logCapacity: 100) { gateway in
            let epoch = gateway.log.epoch
            try await gateway.publishTrades(1...1000)
            let oldest = gateway.log.bounds.oldest
            for id in ["\(epoch)-3", "other-999", "nonsense"] {
                var stream = try await Stream(gateway, lastEventID: id)
                #expect(
                    try await stream.next()
                        == "event: reset\ndata: {\"recovered\":false,\"epoch\":\"\(epoch)\",\"oldest_offset\":\(oldest)}"
                )
                #expect(try await stream.ids(1) == ["\(epoch)-\(oldest)"])
                stream.client.close()
            }
        }
    }

    @Test func `filters hold and silence is broken by comments`() async throws {
        try await GatewayHarness.run {
            $0.commentInterval = .milliseconds(50)
        } _: { gateway in
            try await gateway.publishTrades(1...3)
            try await gateway.publishTrades(1...3, symbol: "ETH-USD")
            var stream = try await Stream(gateway, "?symbol=eth-usd&type=trade&after=0")
            #expect(try await stream.ids(3) == (4...6).map { "\(gateway.log.epoch)-\($0)" })
            #expect(try await stream.next() == ":")
            stream.client.close()
        }
    }

    @Test func `a stream ends when the gateway stops`() async throws {
        try await GatewayHarness.run { gateway in
            var stream = try await Stream(gateway)
            await gateway.services.triggerGracefulShutdown()
            #expect(try await stream.next() == nil)
        }
    }

    @Test func `bad parameters are refused`() async throws {
        try await GatewayHarness.run { gateway in
            for query in ["?after=x", "?limit=3", "?type=a*b"] {
                let answer = try await gateway.request("GET", "/api/v1/stream\(query)")
                #expect(answer.status == 400)
            }
        }
    }
}

extension String {
    /// The first place of a text.
    fileprivate func range(of text: String) -> Range<String.Index>? {
        self.firstRange(of: text)
    }
}
