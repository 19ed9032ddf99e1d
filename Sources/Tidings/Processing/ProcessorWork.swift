/// What a ``ProcessorService`` does with an event, and as time passes.
protocol ProcessorWork: Sendable {
    var interval: Duration? { get }
    func process(_ event: StandardEvent, on bus: any EventBus) async throws
    func advance(to now: Timestamp, on bus: any EventBus) async throws
}

/// One event or none out of one.
struct SingleWork<Work: Processor>: ProcessorWork {
    let processor: Work

    var interval: Duration? { nil }

    func process(_ event: StandardEvent, on bus: any EventBus) async throws {
        let derivation = Derivation(of: self.processor.name)
        guard let output = try await self.processor.process(event), output.eventID != event.eventID else { return }
        var derived = derivation.derive(output, from: EventCause(event), index: 0)
        derived.markProcessed(after: derivation.elapsed)
        try await bus.publish(derived: derived)
    }

    func advance(to now: Timestamp, on bus: any EventBus) async throws {}
}

/// Any number of events, and more as time passes.
final class DeriverWork<Work: Deriver>: ProcessorWork {
    private struct State: ~Copyable {
        var deriver: Work
        /// What was made and could not be published: goes out before anything else is made, so it never holds more than
        /// one call's output.
        var backlog: [StandardEvent] = []
        /// The event processed last. When its handling failed because of the backlog, only that is tried again.
        var last: EventID?
    }

    private let name: String
    let interval: Duration?
    private let state: Locked<State>
    /// Keeps what is published in the order in which it was made.
    private let turn = ProcessingTurn()

    init(_ deriver: Work) {
        self.name = deriver.name
        self.interval = deriver.interval
        self.state = Locked(State(deriver: deriver))
    }

    func process(_ event: StandardEvent, on bus: any EventBus) async throws {
        try await self.turn.withTurn {
            try await self.publishBacklog(on: bus)
            if self.state.withLock({ $0.last == event.eventID }) { return }
            var output = DerivedEvents(derivation: Derivation(of: self.name), input: EventCause(event))
            try self.state.withLock { try $0.deriver.process(event, output: &output) }
            let events = output.finish()
            self.state.withLock { state in
                state.backlog = events
                state.last = event.eventID
            }
            try await self.publishBacklog(on: bus)
        }
    }

    /// Never waits for room: the subscription whose queue is full may be the one that waits for this turn.
    func advance(to now: Timestamp, on bus: any EventBus) async throws {
        try await self.turn.withTurn {
            guard try self.tryPublishBacklog(on: bus) else { return }
            var output = DerivedEvents(derivation: Derivation(of: self.name), input: nil)
            try self.state.withLock { try $0.deriver.advance(to: now, output: &output) }
            let events = output.finish()
            self.state.withLock { $0.backlog = events }
            _ = try self.tryPublishBacklog(on: bus)
        }
    }

    // MARK: Publishing

    private func publishBacklog(on bus: any EventBus) async throws(EventBusError) {
        while let batch = self.nextBatch() {
            let report = try await bus.publish(batch)
            try self.settle(batch, report)
        }
    }

    /// Publishes as far as there is room; returns whether nothing is left.
    private func tryPublishBacklog(on bus: any EventBus) throws(EventBusError) -> Bool {
        while let batch = self.nextBatch() {
            let report: PublishReport
            do throws(EventBusError) {
                report = try bus.tryPublish(batch)
            } catch {
                if error.code == .full { return false }
                throw error
            }
            try self.settle(batch, report)
        }
        return true
    }

    private func nextBatch() -> EventBatch? {
        let batch = self.state.withLock { EventBatch($0.backlog.prefix(EventBatch.capacity)) }
        return batch.isEmpty ? nil : batch
    }

    /// Takes a batch off the backlog, unless the log may yet take it: what has been accepted is recognised then.
    private func settle(_ batch: EventBatch, _ report: PublishReport) throws(EventBusError) {
        let error = report.firstRefusal
        if error?.code != .store { self.state.withLock { $0.backlog.removeFirst(batch.count) } }
        if let error { throw error }
    }
}

extension EventBus {
    fileprivate func publish(derived event: StandardEvent) async throws(EventBusError) {
        if let error = try await self.publish(EventBatch(event)).firstRefusal { throw error }
    }
}

extension PublishReport {
    /// Why the bus would not have an event; that one was filtered is no failure.
    fileprivate var firstRefusal: EventBusError? {
        for case .refused(let error) in self.results where error.code != .filtered { return error }
        return nil
    }
}
