import Synchronization

extension MemoryEventBus {
    /// Takes no more events, waits until every handler has handled what was accepted and the log has committed it.
    ///
    /// What waits for another attempt is given up at once, as a dead letter. A call that overran its deadline and its grace
    /// is left behind. Called from inside a handler this returns at once, as it cannot wait for that very handler.
    public func stop() async {
        let stopping = self.state.withLock { state -> Task<Void, Never>? in
            if state.phase == .running {
                state.phase = .draining
                // A task of its own, so that whoever else stops the bus waits for the same one.
                state.stopping = Task { await self.finishStopping() }
            }
            return state.stopping
        }
        guard EventContext.current?.handler == nil else { return }
        await stopping?.value
    }

    private func finishStopping() async {
        let registrations = self.state.withLock { $0.registrations }
        for registration in registrations {
            registration.feeder?.finish()
            registration.runner?.cutPausesShort()
        }
        await self.drain()
        let ended = self.state.withLock { state -> [Registration] in
            state.phase = .ending
            let ended = state.registrations
            // Taps and handlers stay registered for the next start; who draws has to subscribe anew.
            state.registrations = ended.filter { registration in
                if registration.runner != nil { return true }
                if case .tap = registration.route.target { return true }
                state.ended.add(registration.route.subscription)
                return false
            }
            state.updateRoutes()
            return ended
        }
        for registration in ended {
            if let runner = registration.runner {
                await runner.stop()
            } else if case .queue(let queue) = registration.route.target {
                queue.finish(discarding: false)
            }
            await registration.feeder?.stop()
        }
        self.logStage?.finish()
        let logTask = self.state.withLock { state in
            let logTask = state.logTask
            state.logTask = nil
            return logTask
        }
        await logTask?.value
        // Only now, so that a start from elsewhere does not come between.
        self.state.withLock { $0.phase = .stopped }
    }

    /// Returns when nothing waits any more and nobody is publishing.
    private func drain() async {
        while true {
            let (before, runners) = self.state.withLock { state in
                (state.counters.published, state.registrations.compactMap(\.runner))
            }
            for runner in runners { await runner.queue.waitUntilIdle() }
            await self.logStage?.waitUntilIdle()
            while self.publishersInside.load(ordering: .acquiring) > 0 { await Task.yield() }
            if self.state.withLock({ $0.counters.published }) == before { return }
        }
    }

    /// Runs again after ``stop()``, with the taps and handlers it had.
    public func start() {
        let restarted = self.state.withLock { state -> [Registration] in
            guard state.phase == .stopped else { return [] }
            state.phase = .running
            state.stopping = nil
            for registration in state.registrations {
                if case .queue(let queue) = registration.route.target { queue.reopen() }
            }
            self.logStage?.reopen()
            if let stage = self.logStage { state.logTask = Task { await stage.run() } }
            return state.registrations
        }
        for registration in restarted {
            registration.runner?.start()
            registration.feeder?.start()
        }
    }
}
