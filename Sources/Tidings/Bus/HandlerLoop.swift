import Synchronization

/// Draws a subscription's events and calls its handler with one after the other.
struct HandlerLoop: Sendable {
    let queue: EventQueue
    let subscription: Subscription
    let isCancelled: @Sendable () -> Bool
    let handler: @Sendable (StandardEvent) async throws -> Void
    let onFailure: @Sendable (StandardEvent, any Error) -> Void

    func run() async {
        while let delivery = await self.queue.next() {
            await self.handle(delivery)
        }
    }

    private func handle(_ delivery: SubscriptionBuffer.Delivery) async {
        let batch = delivery.selection.batch
        var rest = delivery.selection.mask
        while rest != 0 {
            if self.isCancelled() { return }
            let event = batch.events[rest.trailingZeroBitCount]
            rest &= rest &- 1
            let context = EventContext(event, subscriptionID: self.queue.id)
            do {
                try await EventContext.$current.withValue(context) { try await self.handler(event) }
                self.subscription.deliveredCount.wrappingAdd(1, ordering: .relaxed)
            } catch {
                self.subscription.failedCount.wrappingAdd(1, ordering: .relaxed)
                self.onFailure(event, error)
            }
            if rest != 0 {
                let waiting = EventSelection(batch, mask: rest)
                let lane = event.priority.lane
                if self.queue.yieldToUrgent(waiting, lane: lane, offeredAt: delivery.offeredAt) { return }
            }
        }
    }
}
