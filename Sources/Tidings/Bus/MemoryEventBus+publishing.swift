import Synchronization

extension MemoryEventBus {
    /// What leads to what is being published.
    struct Cause {
        let event: StandardEvent
        let chain: CauseChain
        let handler: HandlerCall?

        init(_ event: StandardEvent, _ chain: CauseChain, handler: HandlerCall? = nil) {
            self.event = event
            self.chain = chain
            self.handler = handler
        }

        static var current: Cause? {
            EventContext.current.map { Cause($0.event, $0.chain(), handler: $0.handler) }
        }
    }

    /// Where there is no room.
    enum Place {
        /// And how much room is wanted there.
        case queue(EventQueue, weight: Int)
        case log(LogStage)

        var name: String {
            switch self {
            case .queue(let queue, _): queue.name
            case .log: "the log"
            }
        }
    }

    /// Events that have come through ingress and are nobody's yet.
    struct Admission {
        var batch: EventBatch
        /// The same events before the processors at ingress saw them: their identifiers are the ones that are known.
        let original: EventBatch
        var fresh: UInt64
        var report: PublishReport
        let cause: Cause?

        var selection: EventSelection { EventSelection(self.batch, mask: self.fresh) }
    }

    /// So many publishers are never inside at once, but for those that are nested in taps which publish.
    private static let deepestNesting = 256

    func enter() throws(EventBusError) {
        let inside = self.publishersInside.wrappingAdd(1, ordering: .acquiring).newValue
        if inside > Self.deepestNesting {
            self.leave()
            throw EventBusError(
                .circular, "taps that publish are nested deeper than \(Self.deepestNesting): one of them calls itself")
        }
    }

    func leave() {
        self.publishersInside.wrappingSubtract(1, ordering: .releasing)
    }

    // MARK: Batches

    @discardableResult
    public func tryPublish(_ batch: EventBatch) throws(EventBusError) -> PublishReport {
        try self.tryPublish(batch, cause: Cause.current)
    }

    /// - Parameter cause: what led to the events.
    @discardableResult
    func tryPublish(
        _ batch: EventBatch, cause: Cause?, countsRefusal: Bool = true
    ) throws(EventBusError) -> PublishReport {
        try self.enter()
        defer { self.leave() }
        var admission = try self.admit(batch, cause)
        if let place = try self.deliver(&admission) {
            self.withdraw(admission, isRefusal: countsRefusal)
            throw EventBusError(.full, "\(place.name) has no room for \(batch.count) more events")
        }
        return admission.report
    }

    @discardableResult
    public func publish(_ batch: EventBatch) async throws(EventBusError) -> PublishReport {
        await self.committed(try await self.hand(over: batch, RoomLimit()))
    }

    /// Events that everybody has, and whose commit may have to be waited for.
    struct HandedOver {
        fileprivate let admission: Admission
        fileprivate let waiter: LogStage.Waiter?
    }

    /// Publishes a batch, waiting for room but not for the log.
    func hand(over batch: EventBatch, _ limit: RoomLimit) async throws(EventBusError) -> HandedOver {
        try self.enter()
        let waiter = self.logStage == nil ? nil : LogStage.Waiter()
        var admission: Admission
        do throws(EventBusError) {
            admission = try self.admit(batch, Cause.current)
            while let place = try self.deliver(&admission, waiter) {
                self.leave()
                let problem = await self.waitForRoom(at: place, for: admission, limit)
                self.publishersInside.wrappingAdd(1, ordering: .acquiring)
                if let problem { throw problem }
            }
        } catch {
            self.leave()
            throw error
        }
        self.leave()
        return HandedOver(admission: admission, waiter: waiter)
    }

    /// The report once the log has committed what it was handed.
    func committed(_ handed: HandedOver) async -> PublishReport {
        let admission = handed.admission
        guard let waiter = handed.waiter, admission.fresh != 0 else { return admission.report }
        let handler = admission.cause?.handler
        let outcome = if let handler { await handler.waiting { await waiter.wait() } } else { await waiter.wait() }
        return self.settle(admission, outcome)
    }

    /// Publishes and waits until every handler that takes any of the events has handled it or given it up, besides what
    /// ``publish(_:)-(EventBatch)`` waits for.
    ///
    /// Inside a handler the time counts as waiting, not against its deadline. Events that a handler of the same causal chain
    /// would have to handle are refused as `wouldDeadlock`, as that one may be waiting itself.
    @discardableResult
    public func publishAndWait(_ batch: EventBatch) async throws(EventBusError) -> PublishReport {
        let witness = PublishWitness()
        witness.expect(1)
        var index = 0
        let watched = EventBatch(room: batch.count, witness: witness) {
            guard index < batch.count else { return nil }
            index += 1
            return batch.slots[index - 1]
        }
        defer { if let wait = witness.exchangeWait(nil) { self.endWait(wait) } }
        let report = try await self.publish(watched)
        witness.countDown()
        if let handler = EventContext.current?.handler {
            await handler.waiting { await witness.wait() }
        } else {
            await witness.wait()
        }
        return report
    }

    /// Publishes one event and waits until it is handled; see ``publishAndWait(_:)-(EventBatch)``.
    @discardableResult
    public func publishAndWait(_ event: StandardEvent) async throws(EventBusError) -> PublishResult {
        try await self.publishAndWait(EventBatch(event))[0]
    }

    // MARK: Steps

    /// Takes events through ingress: causes, redaction and limits, duplicates, processors.
    private func admit(_ published: EventBatch, _ cause: Cause?) throws(EventBusError) -> Admission {
        var batch = published
        var refusals: [Int: EventBusError] = [:]
        var mask = batch.fullMask
        if let cause {
            if let problem = cause.chain.depthProblem {
                self.noteCircle(problem, cause)
                for index in MaskIndices(mask: mask) { refusals[index] = problem }
                mask = 0
            } else {
                batch = EventBatch(changing: batch) { $0.inheriting(cause.event, cause.chain) }
            }
        }
        if let position = self.tracer?.position ?? cause?.event.tracePosition {
            batch = EventBatch(changing: batch) { $0.tracing(position) }
        }
        self.screen(&batch, &mask, &refusals)
        var duplicates: UInt64 = 0
        let isOpen = self.state.withLock { state in
            guard state.phase == .running || (state.phase == .draining && cause != nil) else { return false }
            for index in MaskIndices(mask: mask) where !state.window.insert(batch.slots[index].eventID) {
                duplicates |= 1 << UInt64(index)
            }
            mask &= ~duplicates
            state.counters.count(mask, of: batch)
            state.counters.duplicates &+= UInt64(duplicates.nonzeroBitCount)
            return true
        }
        guard isOpen else { throw EventBusError(.stopped, "the bus has stopped") }
        let original = batch
        if self.ingress.hasProcessors && mask != 0 { self.process(&batch, &mask, &refusals, cause) }
        var report = PublishReport(count: batch.count, accepted: mask, duplicates: duplicates)
        report.refusals = refusals
        return Admission(batch: batch, original: original, fresh: mask, report: report, cause: cause)
    }

    /// Gives up what was admitted: its identifiers are unknown again.
    func withdraw(_ admission: Admission, isRefusal: Bool) {
        self.withdraw(admission.fresh, of: admission.original, isRefusal: isRefusal)
    }

    func withdraw(_ mask: UInt64, of batch: EventBatch, isRefusal: Bool) {
        self.state.withLock { state in
            for index in MaskIndices(mask: mask) { state.window.forget(batch.slots[index].eventID) }
            state.counters.count(mask, of: batch, takingBack: true)
            if isRefusal { state.counters.refused &+= UInt64(mask.nonzeroBitCount) }
        }
    }

    /// Hands events to the log and everybody, or to nobody, and says where there is no room.
    private func deliver(
        _ admission: inout Admission, _ waiter: LogStage.Waiter? = nil
    ) throws(EventBusError) -> Place? {
        guard admission.fresh != 0 else { return nil }
        let (phase, routes) = self.state.withLock { ($0.phase, $0.routes) }
        guard phase == .running || (phase == .draining && admission.cause != nil) else {
            self.withdraw(admission, isRefusal: false)
            throw EventBusError(.stopped, "the bus has stopped")
        }
        var matches = routes.match(admission.selection)
        if admission.cause != nil {
            try self.refuseCircles(&admission, &matches)
            if admission.fresh == 0 { return nil }
        }
        if let place = self.reserve(matches, admission) { return place }
        let now = MonotonicClock.nanoseconds()
        // The log first: what a handler or a tap publishes must not overtake its cause.
        let selection = admission.selection
        self.logStage?.enqueue(selection, reserved: selection.count, waiter: waiter, at: now)
        var taps = ContiguousArray<TapCall>()
        for match in matches {
            switch match.route.target {
            case .queue(let queue):
                let selection = EventSelection(admission.batch, mask: match.mask)
                if match.route.isHandler { admission.batch.witness?.expect(selection.count) }
                queue.offer(selection, at: now)
            case .tap(let tap):
                taps.append(TapCall(tap: tap, subscription: match.route.subscription, mask: match.mask))
            }
        }
        if !taps.isEmpty { self.call(&taps, with: admission.fresh, of: admission.batch) }
        return nil
    }

    /// Room everywhere, or nowhere and the place that has none.
    private func reserve(_ matches: ContiguousArray<Routes.Match>, _ admission: Admission) -> Place? {
        let batch = admission.batch
        if let stage = self.logStage, !stage.reserve(admission.selection.count) { return .log(stage) }
        for (number, match) in matches.enumerated() {
            guard case .queue(let queue) = match.route.target else { continue }
            let weight = EventSelection(batch, mask: match.mask).weight
            if queue.reserve(weight) { continue }
            for earlier in matches[..<number] {
                if case .queue(let queue) = earlier.route.target {
                    queue.release(EventSelection(batch, mask: earlier.mask).weight)
                }
            }
            self.logStage?.release(admission.selection.count)
            return .queue(queue, weight: weight)
        }
        return nil
    }

    /// Waits until there may be room; returns why that is in vain, the events being withdrawn then.
    private func waitForRoom(
        at place: Place, for admission: Admission, _ limit: RoomLimit
    ) async -> EventBusError? {
        let wait: () async -> Void
        switch place {
        case .log(let stage):
            wait = {
                await limit.bounding {
                    await stage.waitForRoom(admission.selection.count, limit)
                } wake: {
                    stage.wakeRoomWaiters()
                }
            }
        case .queue(let queue, let weight):
            if admission.cause?.chain.involves(subscriberID: queue.id) ?? false {
                self.withdraw(admission, isRefusal: true)
                return EventBusError(
                    .wouldDeadlock,
                    "\(queue.name) is full, and what would have to wait for room in it is handled by it itself")
            }
            wait = {
                await limit.bounding {
                    await queue.waitForRoom(weight, limit)
                } wake: {
                    queue.wakeRoomWaiters()
                }
            }
        }
        if let handler = admission.cause?.handler {
            if let witness = admission.batch.witness as? PublishWitness, let wait = witness.exchangeWait(nil) {
                self.endWait(wait)
            }
            var noted: HandlerWait?
            if case .queue(let queue, _) = place {
                noted = self.beginWait(of: handler, for: [queue.id])
                guard noted != nil else {
                    self.withdraw(admission, isRefusal: true)
                    return EventBusError(
                        .wouldDeadlock, "\(queue.name) is full, and waits for \(handler.name), which would wait for it")
                }
            }
            await handler.waiting(wait)
            if let noted { self.endWait(noted) }
        } else {
            await wait()
        }
        guard limit.isReached else { return nil }
        self.withdraw(admission, isRefusal: true)
        return EventBusError(
            .full,
            Task.isCancelled
                ? "cancelled while waiting for room in \(place.name)"
                : "\(place.name) has had no room for \(limit.text)")
    }

    /// The report once the log has said what became of the events.
    private func settle(_ admission: Admission, _ outcome: LogStage.Outcome) -> PublishReport {
        var report = admission.report
        switch outcome {
        case .success(let outcome):
            report.settle(outcome)
        case .failure(let error):
            self.state.withLock { state in
                for index in MaskIndices(mask: admission.fresh) {
                    state.window.forget(admission.original.slots[index].eventID)
                }
            }
            report.refuse(admission.fresh, EventBusError(.store, error.message))
        }
        return report
    }
}
