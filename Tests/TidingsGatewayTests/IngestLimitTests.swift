import NIOCore
import NIOHTTP1
import Testing
import Tidings

@testable import TidingsGateway

/// What happens to those who send more than is taken.
@Suite(.timeLimit(.minutes(1)))
struct IngestLimitTests {
    private static func events(_ range: ClosedRange<Int>) -> [String] {
        range.map { #"{"event_id":"e-\#($0)","event_type":"custom"}"# }
    }

    /// A subscription with so much room that nobody draws from: publishers wait for it.
    private static func stuck(_ gateway: GatewayHarness, room: Int) throws -> EventBatches {
        try gateway.bus.batches(matching: .all, options: SubscriptionOptions(name: "stuck", capacity: room))
    }

    @Test func `a full bus takes a prefix, says so, and the rest can follow`() async throws {
        try await GatewayHarness.run {
            $0.publishPatience = .milliseconds(100)
        } _: { gateway in
            let batches = try Self.stuck(gateway, room: 128)
            let body = "[" + Self.events(1...300).joined(separator: ",") + "]"
            let answer = try await gateway.post(body)
            #expect(answer.status == 429)
            #expect(answer.headers.first(name: "retry-after") == "1")
            #expect(answer.headers.first(name: "content-type") == "application/problem+json")
            let report = try answer.object
            #expect(report["code"]?.string == "full")
            #expect(report["accepted"]?.int == 128)
            #expect(report["rejected"]?.array?.count == 0)
            #expect(report["resume_from"]?.int == 128)
            #expect(report["retry_in_ms"]?.int == 1000)
            #expect(report["events"]?.array?.count == 128)
            #expect(gateway.log.bounds.head == 128)
            batches.subscription.cancel()
            let again = try await gateway.post(body)
            #expect(again.status == 202)
            #expect(try again.object["accepted"]?.int == 172)
            #expect(try again.object["duplicates"]?.int == 128)
        }
    }

    @Test func `NDJSON that finds the bus full is told the line to resume from`() async throws {
        try await GatewayHarness.run {
            $0.publishPatience = .milliseconds(100)
        } _: { gateway in
            let batches = try Self.stuck(gateway, room: 64)
            let lines = ["", "broken"] + Self.events(1...100)
            let answer = try await gateway.post(lines.joined(separator: "\n"), type: "application/x-ndjson")
            #expect(answer.status == 429)
            // A batch goes in whole or not at all, and how the lines are batched depends on how they come.
            let taken = try #require(try answer.object["accepted"]?.int)
            #expect((1...64).contains(taken))
            #expect(try answer.object["resume_from"]?.int == taken + 3)
            #expect(try answer.object["rejected"]?.array?.count == 1)
            batches.subscription.cancel()
            let rest = lines.dropFirst(taken + 2).joined(separator: "\n")
            #expect(try await gateway.post(rest, type: "application/x-ndjson").object["accepted"]?.int == 100 - taken)
            let stored = try await gateway.log.read(LogQuery()).map { "\(try $0.event().eventID)" }
            #expect(stored == (1...100).map { "e-\($0)" })
        }
    }

    @Test func `a WebSocket that finds the bus full is told when to come back`() async throws {
        try await GatewayHarness.run {
            $0.publishPatience = .milliseconds(100)
        } _: { gateway in
            let batches = try Self.stuck(gateway, room: 1)
            defer { batches.subscription.cancel() }
            let socket = try await gateway.socket()
            let publish = #"{"action":"publish","event":{"event_type":"custom"}}"#
            #expect(try await socket.ask(publish).contains("accepted"))
            let refused = try await socket.ask(publish)
            #expect(refused.contains(#""action":"published""#))
            #expect(refused.contains(#""code":"full""#))
            #expect(refused.contains(#""retry_in_ms":1000"#))
            try await socket.close()
        }
    }

    @Test func `who sends too fast is stopped in JSON and slowed down in NDJSON`() async throws {
        try await GatewayHarness.run {
            $0.limits.publishRate = 100
        } _: { gateway in
            let first = try await gateway.post("[" + Self.events(1...150).joined(separator: ",") + "]")
            #expect(first.status == 429)
            #expect(try first.object["code"]?.string == "rate_limit")
            let taken = try #require(try first.object["accepted"]?.int)
            #expect((100...149).contains(taken))
            #expect(try first.object["resume_from"]?.int == taken)
            #expect(first.headers.first(name: "retry-after") == "1")
            let rest = Self.events(1...150).dropFirst(taken).joined(separator: "\n")
            let start = ContinuousClock.now
            let lines = try await gateway.post(rest, type: "application/x-ndjson")
            #expect(lines.status == 202)
            #expect(try lines.object["accepted"]?.int == 150 - taken)
            #expect(ContinuousClock.now - start > .milliseconds(200))
        }
    }

    @Test func `a WebSocket that publishes too fast is told so`() async throws {
        try await GatewayHarness.run {
            $0.limits.publishRate = 1
        } _: { gateway in
            let socket = try await gateway.socket()
            let publish = #"{"action":"publish","event":{"event_type":"custom"}}"#
            #expect(try await socket.ask(publish).contains("accepted"))
            let refused = try await socket.ask(publish)
            #expect(refused.contains(#""code":"rate_limit""#))
            #expect(refused.contains(#""retry_in_ms":"#))
            try await socket.close()
        }
    }

    @Test func `a rate is counted per sender, and gives back what was not used`() {
        let rates = PublishRates(rate: 10)
        #expect(rates.take(25, of: .token("a"), now: 0) == 10)
        #expect(rates.take(1, of: .token("a"), now: 0) == 0)
        #expect(rates.take(1, of: .token("b"), now: 0) == 1)
        rates.giveBack(3, of: .token("a"))
        #expect(rates.take(5, of: .token("a"), now: 0) == 3)
        #expect(rates.take(5, of: .token("a"), now: 300_000_000) == 3)
        #expect(rates.delay(for: 4, of: .token("a"), now: 300_000_000) > .milliseconds(399))
        #expect(rates.delay(for: 1000, of: .token("a"), now: 300_000_000) < .milliseconds(1001))
        #expect(rates.take(100, of: .token("a"), now: 99_000_000_000) == 10)
        #expect(PublishRates(rate: nil).take(1 << 40, of: .others) == 1 << 40)
    }

    @Test func `a table of senders that is full serves the rest together`() {
        let rates = PublishRates(rate: 1)
        for number in 0..<16_384 { #expect(rates.take(1, of: .token("\(number)"), now: 0) == 1) }
        #expect(rates.take(1, of: .token("x"), now: 1) == 1)
        #expect(rates.take(1, of: .token("y"), now: 2) == 0)
        #expect(rates.take(1, of: .token("y"), now: 2_000_000_000) == 1)
    }

    @Test func `of many requests with one event exactly one is accepted, and all know its offset`() async throws {
        try await GatewayHarness.run { gateway in
            for round in 0..<20 {
                let answers = try await withThrowingTaskGroup(of: JSONObject.self) { group in
                    for _ in 0..<8 {
                        group.addTask {
                            try await gateway.post(
                                "["
                                    + (0..<70).map { #"{"event_id":"\#(round)-\#($0)","event_type":"a"}"# }
                                    .joined(separator: ",") + "]"
                            ).object
                        }
                    }
                    return try await group.reduce(into: []) { $0.append($1) }
                }
                #expect(answers.reduce(0) { $0 + ($1["accepted"]?.int ?? 0) } == 70)
                #expect(answers.reduce(0) { $0 + ($1["duplicates"]?.int ?? 0) } == 490)
                for answer in answers {
                    #expect(answer["events"]?.array?.allSatisfy { $0.object?["offset"] != nil } == true)
                }
            }
            #expect(gateway.log.bounds.head == 1400)
        }
    }

    @Test func `an event whose first request is stuck is not called a duplicate`() async throws {
        try await GatewayHarness.run {
            $0.publishPatience = .milliseconds(300)
        } _: { gateway in
            let batches = try Self.stuck(gateway, room: 1)
            #expect(try await gateway.post(#"{"event_type":"a"}"#).status == 202)
            let body = #"{"event_id":"twice","event_type":"a"}"#
            async let first = gateway.post(body)
            async let second = gateway.post(body)
            let statuses = try await [first.status, second.status]
            #expect(statuses == [429, 429])
            batches.subscription.cancel()
            let third = try await gateway.post(body)
            #expect(try third.object["accepted"]?.int == 1)
        }
    }

    @Test func `a report of many rejections says how many more there were`() async throws {
        try await GatewayHarness.run { gateway in
            let lines = String(repeating: "x\n", count: 25_000) + #"{"event_type":"a"}"#
            let answer = try await gateway.post(lines, type: "application/x-ndjson")
            #expect(answer.status == 202)
            let report = try answer.object
            #expect(report["accepted"]?.int == 1)
            #expect(report["rejected"]?.array?.count == 10_000)
            #expect(report["rejected_count"]?.int == 25_000)
            #expect(report["rejected_more"]?.int == 15_000)
        }
    }

    @Test func `one event that is too large is 413`() async throws {
        try await GatewayHarness.run {
            $0.limits.eventBytes = 200
        } _: { gateway in
            let large = #"{"event_type":"a","payload":{"x":"\#(String(repeating: "x", count: 300))"}}"#
            let answer = try await gateway.post(large)
            #expect(answer.status == 413)
            #expect(try answer.object["detail"]?.string?.contains("the limit is 200") == true)
            let binary = try await gateway.request(
                "POST", "/api/v1/events", headers: [("ce-specversion", "1.0"), ("Content-Type", "text/plain")],
                body: String(repeating: "x", count: 300))
            #expect(binary.status == 413)
            #expect(try binary.object["detail"]?.string == "An event may have 200 bytes")
        }
    }
}
