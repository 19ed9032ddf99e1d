extension MemoryEventBus {
    /// Redaction and limits, before duplicates are told apart.
    func screen(_ batch: inout EventBatch, _ mask: inout UInt64, _ refusals: inout [Int: EventBusError]) {
        let events = UnsafeBufferPointer(start: batch.slots, count: batch.count)
        let verdict = withExtendedLifetime(batch) { self.ingress.screen(events, mask: mask) }
        guard let verdict else { return }
        self.apply(verdict, to: &batch, &mask, &refusals)
        self.publish(verdict.rejections, cause: nil)
    }

    /// The processors attached at ingress. What they refuse is unknown again, so that its publisher may mend it.
    func process(
        _ batch: inout EventBatch, _ mask: inout UInt64, _ refusals: inout [Int: EventBusError], _ cause: Cause?
    ) {
        let events = UnsafeBufferPointer(start: batch.slots, count: batch.count)
        let verdict = withExtendedLifetime(batch) { self.ingress.transform(events, fresh: mask) }
        guard let verdict else { return }
        self.withdraw(verdict.refused & mask, of: batch, isRefusal: false)
        self.apply(verdict, to: &batch, &mask, &refusals)
        self.publish(verdict.rejections, cause: cause)
    }

    /// Tells of what was refused.
    private func publish(_ rejections: [IngressRejection], cause: Cause?) {
        for report in rejections.compactMap(\.report) { _ = try? self.tryPublish(EventBatch(report), cause: cause) }
    }

    private func apply(
        _ verdict: IngressVerdict, to batch: inout EventBatch, _ mask: inout UInt64,
        _ refusals: inout [Int: EventBusError]
    ) {
        mask &= ~verdict.refused
        refusals.merge(verdict.refusals) { $1 }
        guard !verdict.replacements.isEmpty else { return }
        var index = 0
        let events = batch
        batch = EventBatch(room: events.count, witness: events.witness) {
            guard index < events.count else { return nil }
            defer { index += 1 }
            return verdict.replacements[index] ?? events.slots[index]
        }
    }
}
