import Tidings
import TidingsWebhooks

/// The webhooks of a configuration, attached to a bus.
struct Webhooks: Sendable {
    private let webhooks: [Webhook]

    /// Attaches webhooks to a bus, runs `body`, and closes their connections after it: the bus, which `body` stops, has
    /// handed them its last events by then.
    static func attached(
        _ configurations: [WebhookConfiguration], to bus: MemoryEventBus, _ body: (Webhooks) async throws -> Void
    ) async throws {
        var webhooks: [Webhook] = []
        let outcome: Result<Void, any Error>
        do {
            for configuration in configurations {
                let webhook = try Webhook(configuration)
                webhooks.append(webhook)
                try webhook.attachDurably(to: bus)
            }
            outcome = .success(try await body(Webhooks(webhooks: webhooks)))
        } catch {
            outcome = .failure(error)
        }
        await Webhooks(webhooks: webhooks).shutdown()
        try outcome.get()
    }

    /// Ends what is under way; what was not posted is handed out again after the next start.
    func shutdown() async {
        for webhook in self.webhooks { await webhook.shutdown() }
    }
}
