/// What is being handled right now, so that whatever is published meanwhile knows its cause.
package struct EventContext: Sendable {
    package let event: StandardEvent
    /// Whose handler is running; `nil` for one who draws batches or listens inline.
    let handler: HandlerCall?

    package init(_ event: StandardEvent) {
        self.init(event, handler: nil)
    }

    init(_ event: StandardEvent, handler: HandlerCall?) {
        self.event = event
        self.handler = handler
    }

    @TaskLocal package static var current: EventContext?

    /// What comes before anything published now.
    func chain() -> CauseChain {
        CauseChain(
            subscriber: self.handler?.name ?? "publisher", subscriberID: self.handler?.subscriptionID ?? .max,
            handling: self.event)
    }
}

extension StandardEvent {
    /// Runs `body` with this event as the cause of whatever is published in it: those events inherit its correlation
    /// and name it as their parent. Handlers run so by themselves; who draws batches calls this.
    public func publishing<Result>(_ body: () async throws -> Result) async rethrows -> Result {
        try await EventContext.$current.withValue(EventContext(self)) { try await body() }
    }

    /// Runs a synchronous `body` with this event as the cause of whatever is published in it.
    public func publishing<Result>(_ body: () throws -> Result) rethrows -> Result {
        try EventContext.$current.withValue(EventContext(self)) { try body() }
    }

    /// This event as a consequence of the one being handled: it takes over the correlation and the parent, unless it names
    /// some of its own.
    func inheriting(_ cause: borrowing StandardEvent, _ causes: CauseChain) -> StandardEvent {
        guard cause.eventID != self.eventID else { return self }
        var event = self
        if self.parentEventID == nil && self.correlationID == self.eventID {
            event.correlationID = cause.correlationID
            event.parentEventID = cause.eventID
        }
        event.causes = causes
        return event
    }
}
