import Testing
import Tidings
import TidingsTestSupport
import TidingsWebSocket
import TidingsWebhooks

/// Attempts, pauses and dead letters, which are the bus's, with a real receiver.
@Suite(.timeLimit(.minutes(1))) struct WebhookRetryTests {
    private static let quick = RetryPolicy(
        attempts: 4, firstDelay: .milliseconds(1), multiplier: 1, maximumDelay: .seconds(10))

    @Test func `after a 500 it is tried again, with the same id, and nothing overtakes it`() async throws {
        let answer: @Sendable (Int, Receiver.Request) async -> Receiver.Response = { number, _ in
            .init(status: number < 2 ? 500 : 204)
        }
        try await Receiver.with(answer: answer) { receiver in
            let events = (0..<3).map { StandardEvent.alert($0) }
            try await withWebhook(WebhookConfiguration(url: receiver.url, retry: Self.quick)) { webhook in
                let bus = MemoryEventBus()
                let subscription = try webhook.attach(to: bus)
                for event in events { try await bus.publish(event) }
                _ = await receiver.requests.wait(for: 5)
                await bus.stop()
                #expect(subscription.statistics.retried == 2)
                #expect(subscription.statistics.dead == 0)
            }
            let ids = receiver.requests.values.map { $0.header("webhook-id") }
            let first = events[0].eventID.description
            #expect(ids == [first, first, first, events[1].eventID.description, events[2].eventID.description])
        }
    }

    @Test func `Retry-After is waited for`() async throws {
        let answer: @Sendable (Int, Receiver.Request) async -> Receiver.Response = { number, _ in
            number == 0
                ? .init(status: 429, headers: [WebSocketHeader("Retry-After", "0.4")]) : .init(status: 204)
        }
        try await Receiver.with(answer: answer) { receiver in
            try await withWebhook(WebhookConfiguration(url: receiver.url, retry: Self.quick)) { webhook in
                let bus = MemoryEventBus()
                try webhook.attach(to: bus)
                let started = ContinuousClock.now
                try await bus.publish(.alert())
                _ = await receiver.requests.wait(for: 2)
                #expect(started.duration(to: .now) >= .milliseconds(400))
                await bus.stop()
            }
        }
    }

    @Test func `a 410 is a dead letter at once, which can be retried through the webhook`() async throws {
        let isGone = Locked(true)
        let answer: @Sendable (Int, Receiver.Request) async -> Receiver.Response = { _, _ in
            .init(status: isGone.withLock { $0 } ? 410 : 204)
        }
        try await Receiver.with(answer: answer) { receiver in
            let configuration = WebhookConfiguration(
                name: "alerts", url: receiver.url, filter: .type(.priceAlert), retry: Self.quick)
            try await withWebhook(configuration) { webhook in
                let bus = MemoryEventBus()
                try webhook.attach(to: bus)
                // An error event tells of each dead letter, once it is kept.
                let errors = Collector<StandardEvent>()
                try bus.subscribe(to: .error) { errors.add($0) }
                let event = StandardEvent.alert(3)
                try await bus.publish(event)
                let told = try #require(await errors.wait(for: 1).first)
                #expect(told.payload["message"]?.string?.contains("answered 410") == true)
                #expect(!told.json.contains("kept-to-ourselves"))
                let letter = try #require(try await bus.deadLetters.letters(after: nil, limit: 10).first)
                #expect(letter.subscriber == "alerts")
                #expect(letter.attempts == 1)
                #expect(letter.event.eventID == event.eventID)
                #expect(letter.lastError == "http://127.0.0.1:\(receiver.port) answered 410")
                #expect(receiver.requests.values.count == 1)

                isGone.withLock { $0 = false }
                try await bus.retry(letter.id)
                let requests = await receiver.requests.wait(for: 2)
                #expect(
                    requests.map { $0.header("webhook-id") } == [event.eventID.description, event.eventID.description])
                await bus.stop()
                #expect(try await bus.deadLetters.count() == 0)
            }
        }
    }

    @Test func `when all attempts have failed the event is a dead letter with first and last error`() async throws {
        let answer: @Sendable (Int, Receiver.Request) async -> Receiver.Response = { number, _ in
            .init(status: 500 + number)
        }
        try await Receiver.with(answer: answer) { receiver in
            let configuration = WebhookConfiguration(
                url: receiver.url, filter: .type(.priceAlert), retry: Self.quick)
            try await withWebhook(configuration) { webhook in
                let bus = MemoryEventBus()
                try webhook.attach(to: bus)
                let errors = Collector<StandardEvent>()
                try bus.subscribe(to: .error) { errors.add($0) }
                try await bus.publish(.alert())
                _ = await errors.wait(for: 1)
                let letter = try #require(try await bus.deadLetters.letters(after: nil, limit: 10).first)
                #expect(letter.attempts == 4)
                #expect(letter.firstError.hasSuffix("answered 500"))
                #expect(letter.lastError.hasSuffix("answered 503"))
                await bus.stop()
            }
        }
    }

    @Test func `a durable webhook posts later what it could not post before the end`() async throws {
        let isDown = Locked(true)
        let answer: @Sendable (Int, Receiver.Request) async -> Receiver.Response = { _, _ in
            .init(status: isDown.withLock { $0 } ? 503 : 204)
        }
        try await Receiver.with(answer: answer) { receiver in
            let log = MemoryEventLog()
            // So patient that only the end of the bus ends it.
            let patient = RetryPolicy(attempts: 100, firstDelay: .seconds(300), maximumDelay: .seconds(300))
            let configuration = WebhookConfiguration(
                name: "alerts", url: receiver.url, filter: .type(.priceAlert), retry: patient)
            let events = (0..<3).map { StandardEvent.alert($0) }
            try await withWebhook(configuration) { webhook in
                let bus = MemoryEventBus(log: log)
                try webhook.attachDurably(to: bus, from: .start)
                for event in events { try await bus.publish(event) }
                _ = await receiver.requests.wait(for: 1)
                await bus.stop()
                #expect(try await bus.deadLetters.count() == 0)
            }
            isDown.withLock { $0 = false }
            let before = receiver.requests.values.count
            try await withWebhook(configuration) { webhook in
                let bus = MemoryEventBus(log: log)
                try webhook.attachDurably(to: bus)
                _ = await receiver.requests.wait(for: before + 3)
                await bus.stop()
            }
            let ids = receiver.requests.values.dropFirst(before).map { $0.header("webhook-id") }
            #expect(ids == events.map { $0.eventID.description })
        }
    }

    @Test func `shutting down lets a bus stop that a receiver would hold up`() async throws {
        let gate = Gate()
        try await Receiver.with(
            answer: { _, _ in
                await gate.wait()
                return .init(status: 204)
            },
            { receiver in
                let configuration = WebhookConfiguration(
                    url: receiver.url, filter: .type(.priceAlert), timeout: .seconds(600))
                let webhook = try Webhook(configuration)
                let bus = MemoryEventBus()
                try webhook.attach(to: bus)
                for number in 0..<100 { try await bus.publish(.alert(number)) }
                _ = await receiver.requests.wait(for: 1)
                async let stopped: Void = bus.stop()
                await webhook.shutdown()
                await stopped
                await webhook.shutdown()
                #expect(try await bus.deadLetters.count() == 100)
                gate.open()
            })
    }
}
