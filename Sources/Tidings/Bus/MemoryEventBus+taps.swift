import Synchronization

extension MemoryEventBus {
    @inline(__always)
    func call(
        _ tap: @Sendable (StandardEvent) throws -> Void, of subscription: Subscription, with event: StandardEvent
    ) {
        do {
            try tap(event)
            subscription.counters.delivered.wrappingAdd(1, ordering: .relaxed)
        } catch {
            subscription.counters.failed.wrappingAdd(1, ordering: .relaxed)
            self.noteFailure(of: subscription, handling: event, error)
        }
    }

    /// A tap and the events of a batch that it gets.
    struct TapCall {
        let tap: @Sendable (StandardEvent) throws -> Void
        let subscription: Subscription
        let mask: UInt64
        var failed: UInt64 = 0
    }

    /// Each event to every tap, then the next one.
    func call(_ taps: inout ContiguousArray<TapCall>, with mask: UInt64, of batch: EventBatch) {
        for index in MaskIndices(mask: mask) {
            let event = batch.slots[index]
            let bit: UInt64 = 1 << UInt64(index)
            for place in taps.indices where taps[place].mask & bit != 0 {
                do {
                    try taps[place].tap(event)
                } catch {
                    taps[place].failed += 1
                    self.noteFailure(of: taps[place].subscription, handling: event, error)
                }
            }
        }
        for tap in taps {
            let delivered = UInt64(tap.mask.nonzeroBitCount) - tap.failed
            tap.subscription.counters.delivered.wrappingAdd(delivered, ordering: .relaxed)
            if tap.failed > 0 { tap.subscription.counters.failed.wrappingAdd(tap.failed, ordering: .relaxed) }
        }
    }
}
