/// Where durable subscriptions keep how far they have come. Safe to call from any thread; calls are ordered as they come.
public protocol DurableCursorStore: Sendable {
    /// The cursor of a subscription; `nil` for one never saved.
    func cursor(of subscription: String) async throws(EventLogError) -> DurableCursor?

    func save(_ cursor: DurableCursor, of subscription: String) async throws(EventLogError)

    /// Forgets a subscription.
    func removeCursor(of subscription: String) async throws(EventLogError)
}
