/// What is being handled right now, so that whatever is published meanwhile knows its cause.
package struct EventContext: Sendable {
    package let eventID: EventID
    package let correlationID: EventID
    /// The subscription whose handler is running.
    package let subscriptionID: UInt64?

    package init(_ event: StandardEvent, subscriptionID: UInt64? = nil) {
        self.eventID = event.eventID
        self.correlationID = event.correlationID
        self.subscriptionID = subscriptionID
    }

    @TaskLocal package static var current: EventContext?
}

extension StandardEvent {
    /// Runs `body` with this event as the cause of whatever is published in it: those events inherit its correlation
    /// and name it as their parent. Handlers run so by themselves; who draws batches calls this.
    public func publishing<Result>(_ body: () async throws -> Result) async rethrows -> Result {
        try await EventContext.$current.withValue(EventContext(self)) { try await body() }
    }

    /// This event as a consequence of the one being handled, unless it names a cause of its own.
    func inheriting(_ context: EventContext) -> StandardEvent {
        guard self.parentEventID == nil, self.correlationID == self.eventID, context.eventID != self.eventID else {
            return self
        }
        var event = self
        event.correlationID = context.correlationID
        event.parentEventID = context.eventID
        return event
    }
}
