import Testing
import Tidings
import TidingsTestSupport
import TidingsWebhooks

/// A webhook as a bus's subscriber.
@Suite(.timeLimit(.minutes(1))) struct WebhookOnBusTests {
    @Test func `matching events arrive in their order, others do not`() async throws {
        try await Receiver.with { receiver in
            let filter = EventFilter(types: ["price_alert", "login.*"], symbols: ["btc-usd"])
            try await withWebhook(WebhookConfiguration(url: receiver.url, filter: filter)) { webhook in
                let bus = MemoryEventBus()
                try webhook.attach(to: bus)
                for number in 0..<50 {
                    try await bus.publish(.alert(number))
                    try await bus.publish(.alert(number, symbol: "ETH-USD"))
                    try await bus.publish(.alert(number, type: .custom))
                }
                await bus.stop()
            }
            let numbers = try receiver.requests.values.map { request in
                try JSONObject(json: request.text)["payload"]?.object?["n"]?.int
            }
            #expect(numbers == Array(0..<50))
        }
    }

    @Test func `a webhook is not told of its own failures`() async throws {
        try await Receiver.with { receiver in
            try await withWebhook(WebhookConfiguration(name: "all", url: receiver.url)) { webhook in
                let bus = MemoryEventBus()
                try webhook.attach(to: bus)
                for subscriber in ["all", "another"] {
                    try await bus.publish(
                        .error(
                            code: "HANDLER", message: "failed", source: "tidings",
                            details: ["subscriber": .string(subscriber)]))
                }
                await bus.stop()
            }
            let requests = receiver.requests.values
            #expect(requests.count == 1)
            #expect(requests.first?.text.contains("another") == true)
        }
    }
}
