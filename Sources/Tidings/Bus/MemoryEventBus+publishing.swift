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
    private struct Admission {
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

    private func enter() throws(EventBusError) {
        let inside = self.publishersInside.wrappingAdd(1, ordering: .acquiring).newValue
        if inside > Self.deepestNesting {
            self.leave()
            throw EventBusError(
                .circular, "taps that publish are nested deeper than \(Self.deepestNesting): one of them calls itself")
        }
    }

    private func leave() {
        self.publishersInside.wrappingSubtract(1, ordering: .releasing)
    }

    // MARK: Batches

    @discardableResult
    public func tryPublish(_ batch: EventBatch) throws(EventBusError) -> PublishReport {
        try self.tryPublish(batch, cause: Cause.current)
    }

    /// - Parameter cause: what led to the events.
    @discardableResult
    func tryPublish(_ batch: EventBatch, cause: Cause?) throws(EventBusError) -> PublishReport {
        try self.enter()
        defer { self.leave() }
        var admission = try self.admit(batch, cause)
        if let place = try self.deliver(&admission) {
            self.withdraw(admission, isRefusal: true)
            throw EventBusError(.full, "\(place.name) has no room for \(batch.count) more events")
        }
        return admission.report
    }

    @discardableResult
    public func publish(_ batch: EventBatch) async throws(EventBusError) -> PublishReport {
        try self.enter()
        let waiter = self.logStage == nil ? nil : LogStage.Waiter()
        var admission: Admission
        do throws(EventBusError) {
            admission = try self.admit(batch, Cause.current)
            while let place = try self.deliver(&admission, waiter) {
                self.leave()
                let problem = await self.waitForRoom(at: place, for: admission)
                self.publishersInside.wrappingAdd(1, ordering: .acquiring)
                if let problem { throw problem }
            }
        } catch {
            self.leave()
            throw error
        }
        self.leave()
        guard let waiter, admission.fresh != 0 else { return admission.report }
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

    // MARK: One event

    @discardableResult
    public func tryPublish(_ event: StandardEvent) throws(EventBusError) -> PublishResult {
        guard event.payload.isLight, event.details == nil, !self.ingress.hasProcessors, self.tracer == nil,
            EventContext.current == nil
        else {
            return try self.tryPublish(EventBatch(event))[0]
        }
        try self.enter()
        defer { self.leave() }
        let hasLog = self.logStage != nil
        var isDuplicate = false
        var selection: EventSelection?
        let candidates = self.state.withLock { state -> Routes.Candidates? in
            guard state.phase == .running else { return nil }
            let candidates = state.routes.candidates(for: event.eventType)
            guard state.window.insert(event.eventID) else {
                state.counters.duplicates &+= 1
                isDuplicate = true
                return candidates
            }
            state.counters.count(event.eventType)
            if candidates.hasQueues || hasLog { selection = state.append(event) }
            return candidates
        }
        guard let candidates else { throw EventBusError(.stopped, "the bus has stopped") }
        if isDuplicate { return .duplicate(offset: nil) }
        if let selection {
            try self.hand(event, as: selection, to: candidates.routes)
        } else {
            for route in candidates.routes where route.takes(event) {
                if case .tap(let tap) = route.target { self.call(tap, of: route.subscription, with: event) }
            }
        }
        return .accepted(offset: nil)
    }

    @discardableResult
    public func publish(_ event: StandardEvent) async throws(EventBusError) -> PublishResult {
        if self.logStage == nil {
            // With nobody to wait for it is the same, as long as there is room.
            do throws(EventBusError) {
                return try self.tryPublish(event)
            } catch {
                guard error.code == .full else { throw error }
            }
        }
        return try await self.publish(EventBatch(event))[0]
    }

    /// Hands an event that stands in an open batch to everybody, or to nobody.
    private func hand(
        _ event: StandardEvent, as selection: EventSelection, to routes: ContiguousArray<Routes.Route>
    ) throws(EventBusError) {
        var full: Place?
        if let stage = self.logStage, !stage.reserve(1) {
            full = .log(stage)
        } else {
            for (number, route) in routes.enumerated() {
                guard case .queue(let queue) = route.target, route.takes(event), !queue.reserve(1) else { continue }
                for earlier in routes[..<number] {
                    if case .queue(let queue) = earlier.target, earlier.takes(event) { queue.release(1) }
                }
                self.logStage?.release(1)
                full = .queue(queue, weight: 1)
                break
            }
        }
        if let full {
            self.state.withLock { state in
                state.window.forget(event.eventID)
                state.counters.count(selection.mask, of: selection.batch, takingBack: true)
                state.counters.refused &+= 1
            }
            throw EventBusError(.full, "\(full.name) has no room for 1 more event")
        }
        let now = MonotonicClock.nanoseconds()
        // The log and the queues first: what a handler or a tap publishes must not overtake its cause.
        self.logStage?.enqueue(selection, reserved: 1, waiter: nil, at: now)
        var hasTaps = false
        for route in routes {
            guard case .queue(let queue) = route.target else {
                hasTaps = true
                continue
            }
            if route.takes(event) { queue.offer(selection, at: now) }
        }
        guard hasTaps else { return }
        for route in routes {
            guard case .tap(let tap) = route.target, route.takes(event) else { continue }
            self.call(tap, of: route.subscription, with: event)
        }
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
    private func withdraw(_ admission: Admission, isRefusal: Bool) {
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
    private func waitForRoom(at place: Place, for admission: Admission) async -> EventBusError? {
        let wait: () async -> Void
        switch place {
        case .log(let stage): wait = { await stage.waitForRoom(admission.selection.count) }
        case .queue(let queue, let weight):
            if admission.cause?.chain.involves(subscriberID: queue.id) ?? false {
                self.withdraw(admission, isRefusal: true)
                return EventBusError(
                    .wouldDeadlock,
                    "\(queue.name) is full, and what would have to wait for room in it is handled by it itself")
            }
            wait = { await queue.waitForRoom(weight) }
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
        guard Task.isCancelled else { return nil }
        self.withdraw(admission, isRefusal: true)
        return EventBusError(.full, "cancelled while waiting for room in \(place.name)")
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

    // MARK: Taps

    @inline(__always)
    private func call(
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
    private struct TapCall {
        let tap: @Sendable (StandardEvent) throws -> Void
        let subscription: Subscription
        let mask: UInt64
        var failed: UInt64 = 0
    }

    /// Each event to every tap, then the next one.
    private func call(_ taps: inout ContiguousArray<TapCall>, with mask: UInt64, of batch: EventBatch) {
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

    // MARK: Circles

    /// Refuses those events that a handler which led to them would be handed once more for the same thing.
    private func refuseCircles(
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
}

extension MemoryEventBus {
    /// Notes for whom a handler is going to wait; refuses when that would be for ever.
    private func noteWait(
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

extension MemoryEventBus.State {
    /// Puts an event into the open batch, or opens another.
    mutating func append(_ event: borrowing StandardEvent) -> EventSelection {
        if let open = self.open, let index = open.append(event) {
            return EventSelection(open, mask: 1 << UInt64(index))
        }
        let next = EventBatch(openWithRoom: self.open?.roomForNext ?? 4)
        self.open = next
        let index = next.append(event) ?? 0
        return EventSelection(next, mask: 1 << UInt64(index))
    }
}

extension Routes.Route {
    @inline(__always)
    func takes(_ event: borrowing StandardEvent) -> Bool {
        !self.checksMoreThanType || self.filter.matchesRest(event)
    }
}
