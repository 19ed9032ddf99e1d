/// What a ``ProcessorService`` does with an event, and as time passes.
protocol ProcessorWork: Sendable {
    var interval: Duration? { get }
    func process(_ event: StandardEvent, on bus: any EventBus) async throws
    func advance(to now: Timestamp, on bus: any EventBus) async throws
    var processing: ProcessorStatistics { get }
}

/// One event or none out of one.
struct SingleWork<Work: Processor>: ProcessorWork {
    let processor: Work
    private let counts = ProcessorCounts()

    init(processor: Work) {
        self.processor = processor
    }

    var interval: Duration? { nil }

    func process(_ event: StandardEvent, on bus: any EventBus) async throws {
        let derivation = Derivation(of: self.processor.name)
        let start = MonotonicClock.nanoseconds()
        let output: StandardEvent?
        do {
            output = try await self.processor.process(event)
        } catch {
            self.counts.count(since: start) { $0.failed &+= 1 }
            throw error
        }
        self.counts.count(since: start) { if output == nil { $0.filtered &+= 1 } }
        guard let output, output.eventID != event.eventID else { return }
        var derived = derivation.derive(output, from: EventCause(event), index: 0)
        derived.markProcessed(after: derivation.elapsed)
        try await bus.publish(derived: derived)
        self.counts.change { $0.emitted &+= 1 }
    }

    var processing: ProcessorStatistics { self.counts.statistics }

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
    private let subscriber: String
    let interval: Duration?
    private let state: Locked<State>
    private let counts = ProcessorCounts()
    /// Keeps what is published in the order in which it was made.
    private let turn = ProcessingTurn()

    /// - Parameter subscriber: as whom the deriver is subscribed.
    init(_ deriver: Work, subscriber: String) {
        self.name = deriver.name
        self.subscriber = subscriber
        self.interval = deriver.interval
        self.state = Locked(State(deriver: deriver))
    }

    func process(_ event: StandardEvent, on bus: any EventBus) async throws {
        try await self.turn.withTurn {
            try await self.publishBacklog(on: bus)
            if self.state.withLock({ $0.last == event.eventID }) { return }
            let derivation = Derivation(of: self.name, as: self.subscriber)
            var output = DerivedEvents(derivation: derivation, input: EventCause(event))
            let start = MonotonicClock.nanoseconds()
            do {
                try self.state.withLock { try $0.deriver.process(event, output: &output) }
            } catch {
                self.counts.count(since: start) { $0.failed &+= 1 }
                throw error
            }
            let events = output.finish()
            self.counts.count(since: start) { _ in }
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
            var output = DerivedEvents(derivation: Derivation(of: self.name, as: self.subscriber), input: nil)
            do {
                try self.state.withLock { try $0.deriver.advance(to: now, output: &output) }
            } catch {
                self.counts.change { $0.failed &+= 1 }
                throw error
            }
            let events = output.finish()
            self.state.withLock { $0.backlog = events }
            _ = try self.tryPublishBacklog(on: bus)
        }
    }

    var processing: ProcessorStatistics {
        var statistics = self.counts.statistics
        statistics.counters = self.state.withLock { $0.deriver.counters }
        return statistics
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
        let accepted = report.acceptedCount
        if accepted > 0 { self.counts.change { $0.emitted &+= UInt64(accepted) } }
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
