import Synchronization

extension MemoryEventBus {
    @discardableResult
    public func tryPublish(_ event: StandardEvent) throws(EventBusError) -> PublishResult {
        try self.tryPublish(event, countsRefusal: true)
    }

    private func tryPublish(_ event: StandardEvent, countsRefusal: Bool) throws(EventBusError) -> PublishResult {
        guard event.payload.isLight, event.details == nil, !self.ingress.hasProcessors, !self.isTracing,
            EventContext.current == nil
        else {
            return try self.tryPublish(
                EventBatch(event), cause: Cause.current, countsRefusal: countsRefusal)[0]
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
            try self.hand(event, as: selection, to: candidates.routes, countsRefusal: countsRefusal)
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
                return try self.tryPublish(event, countsRefusal: false)
            } catch {
                guard error.code == .full else { throw error }
            }
        }
        return try await self.publish(EventBatch(event))[0]
    }

    /// Hands an event that stands in an open batch to everybody, or to nobody.
    private func hand(
        _ event: StandardEvent, as selection: EventSelection, to routes: ContiguousArray<Routes.Route>,
        countsRefusal: Bool
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
                if countsRefusal { state.counters.refused &+= 1 }
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
