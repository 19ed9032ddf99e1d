extension MemoryEventBus {
    /// Refuses those events that a handler which led to them would be handed once more for the same thing.
    func refuseCircles(
        _ admission: inout Admission, _ matches: inout ContiguousArray<Routes.Match>
    ) throws(EventBusError) {
        guard let cause = admission.cause else { return }
        var refused: UInt64 = 0
        let isAwaited = admission.batch.witness?.isAwaited ?? false
        var others: Set<UInt64> = []
        for match in matches where match.route.isHandler {
            if isAwaited, cause.chain.involves(subscriberID: match.route.subscription.id) {
                self.withdraw(admission, isRefusal: true)
                throw EventBusError(
                    .wouldDeadlock,
                    "\(match.route.subscription.name) would have to handle what it may be waiting for itself")
            }
            if isAwaited { others.insert(match.route.subscription.id) }
            for index in MaskIndices(mask: match.mask & ~refused) {
                let problem = cause.chain.problem(
                    handing: admission.batch.slots[index], to: match.route.subscription.name)
                guard let problem else { continue }
                refused |= 1 << UInt64(index)
                admission.report.refuse(1 << UInt64(index), problem)
                self.noteCircle(problem, cause)
            }
        }
        if isAwaited, let handler = cause.handler { try self.noteWait(of: handler, for: others, admission) }
        guard refused != 0 else { return }
        self.withdraw(refused, of: admission.original, isRefusal: true)
        admission.fresh &= ~refused
        for place in matches.indices { matches[place].mask &= ~refused }
        matches.removeAll { $0.mask == 0 }
    }

    /// Notes for whom a handler is going to wait; refuses when that would be for ever.
    func noteWait(
        of handler: HandlerCall, for others: Set<UInt64>, _ admission: Admission
    ) throws(EventBusError) {
        guard let witness = admission.batch.witness as? PublishWitness else { return }
        if let earlier = witness.exchangeWait(nil) { self.endWait(earlier) }
        guard let wait = self.beginWait(of: handler, for: others) else {
            self.withdraw(admission, isRefusal: true)
            throw EventBusError(
                .wouldDeadlock, "who would have to handle it waits for \(handler.name), which would wait for it")
        }
        _ = witness.exchangeWait(wait)
    }
}
