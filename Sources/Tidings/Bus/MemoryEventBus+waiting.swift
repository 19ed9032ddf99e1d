extension MemoryEventBus {
    /// A call of a handler waits for other handlers.
    struct HandlerWait: Sendable {
        let handler: UInt64
        let number: UInt64
    }

    /// Notes that a handler is going to wait for others; `nil` when none of them could ever go on.
    func beginWait(of handler: HandlerCall, for others: Set<UInt64>) -> HandlerWait? {
        let id = handler.subscriptionID
        let calls = self.state.withLock { state in
            state.registrations.first { $0.route.subscription.id == id }?.runner?.queue.consumerCount
        }
        let number = self.waits.withLock { $0.begin(id, calls: calls ?? 1, for: others) }
        return number.map { HandlerWait(handler: id, number: $0) }
    }

    func endWait(_ wait: HandlerWait) {
        self.waits.withLock { $0.end(wait.handler, wait.number) }
    }
}
