import Synchronization

/// The events of a subscription, drawn batch by batch.
///
/// For one consumer. Ends when the subscription is cancelled or the bus has stopped and everything was drawn. Whoever
/// publishes in consequence of a drawn event does so inside ``StandardEvent/publishing(_:)``.
public struct EventBatches: AsyncSequence, Sendable {
    /// What was waiting, and what was lost before it.
    public struct Element: Sendable {
        public let events: EventSelection
        /// How many events the full subscription gave up since the element before.
        public let dropped: UInt64
    }

    public typealias Failure = Never

    public let subscription: Subscription
    let queue: EventQueue

    public func makeAsyncIterator() -> Iterator {
        Iterator(subscription: self.subscription, queue: self.queue)
    }

    public struct Iterator: AsyncIteratorProtocol {
        let subscription: Subscription
        let queue: EventQueue
        private var last: EventQueue.Delivery?

        init(subscription: Subscription, queue: EventQueue) {
            self.subscription = subscription
            self.queue = queue
        }

        public mutating func next() async -> Element? {
            let finished = self.last
            self.last = nil
            if Task.isCancelled { self.subscription.cancel() }
            // Most of the time something waits, and there is nothing to cancel.
            let delivery: EventQueue.Delivery?
            switch self.queue.takeNow(after: finished) {
            case .delivery(let waiting): delivery = waiting
            case .ended: delivery = nil
            case .empty:
                let (queue, subscription) = (self.queue, self.subscription)
                delivery = await withTaskCancellationHandler {
                    await queue.next()
                } onCancel: {
                    subscription.cancel()
                }
            }
            guard let delivery else { return nil }
            self.last = delivery
            self.subscription.counters.delivered.wrappingAdd(UInt64(delivery.selection.count), ordering: .relaxed)
            return Element(events: delivery.selection, dropped: delivery.dropped)
        }

        public mutating func next(isolation actor: isolated (any Actor)?) async -> Element? {
            await self.next()
        }
    }
}
