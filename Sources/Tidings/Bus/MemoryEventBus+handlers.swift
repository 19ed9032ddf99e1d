import Logging

extension MemoryEventBus {
    /// What the bus does for those who call its handlers.
    var support: HandlerRunner.Support {
        HandlerRunner.Support(
            giveUp: { [weak self] in await self?.giveUp($0) ?? false },
            forget: { [weak self] in await self?.forget($0) },
            noteHold: { [weak self] in self?.noteHold($0, $1) })
    }

    // MARK: Failures

    /// A tap threw.
    func noteFailure(of subscription: Subscription, handling event: StandardEvent, _ error: any Error) {
        let text = self.ingress.redact(text: "\(error)")
        self.logger.info(
            "A tap failed",
            metadata: [
                LogKey.subscriber: "\(subscription.name)", LogKey.eventType: "\(event.eventType)",
                LogKey.eventID: "\(event.eventID)", LogKey.error: "\(text)",
            ])
        self.report(
            .handlerFailure(code: "HANDLER", subscriber: subscription.name, handling: event, text), subscription, event)
    }

    /// An event is given up: it goes to the dead letters, and an `error` event tells of it.
    private func giveUp(_ given: HandlerRunner.GivenUp) async -> Bool {
        let (first, last) = (
            self.ingress.redact(text: "\(given.firstError)"), self.ingress.redact(text: "\(given.lastError)")
        )
        let name = given.subscription.name
        self.logger.info(
            "A handler gave an event up",
            metadata: [
                LogKey.subscriber: "\(name)", LogKey.eventType: "\(given.event.eventType)",
                LogKey.eventID: "\(given.event.eventID)", LogKey.error: "\(last)", LogKey.attempt: "\(given.attempts)",
            ])
        let letter: DeadLetter
        if var earlier = given.letter {
            earlier.lastError = last
            earlier.attempts += given.attempts
            earlier.lastFailedAt = .now()
            letter = earlier
        } else {
            letter = DeadLetter(
                event: given.event, subscriber: name, firstError: first, lastError: last, attempts: given.attempts,
                firstFailedAt: given.firstFailedAt, lastFailedAt: .now())
        }
        var isKept = true
        do throws(EventLogError) {
            try await self.deadLetters.put(letter)
        } catch {
            isKept = false
            self.logger.error(
                "A dead letter could not be kept",
                metadata: [
                    LogKey.subscriber: "\(name)", LogKey.eventID: "\(given.event.eventID)",
                    LogKey.error: "\(error.message)",
                ])
        }
        let code = given.isTimeout ? "TIMEOUT" : "HANDLER"
        self.report(
            .handlerFailure(code: code, subscriber: name, handling: given.event, last), given.subscription, given.event)
        return isKept
    }

    /// A handler holds its thread, or has let it go.
    private func noteHold(_ subscription: Subscription, _ hold: HandlerHold) {
        let seconds = hold.duration.secondsText
        guard hold.phase == .blocked else {
            self.logger.info(
                "A handler has let its thread go",
                metadata: [LogKey.subscriber: "\(hold.owner)", LogKey.duration: "\(seconds)"])
            return
        }
        self.logger.warning(
            "A handler blocks its thread",
            metadata: [LogKey.subscriber: "\(hold.owner)", LogKey.duration: "\(seconds)"])
        let report = StandardEvent.error(
            code: "BLOCKED", message: "\(hold.owner): has held its thread for \(seconds) without suspending",
            source: "tidings", details: ["subscriber": .string(hold.owner)])
        _ = try? self.tryPublish(EventBatch(report), cause: nil)
    }

    /// Events were refused because of what led to them.
    func noteCircle(_ problem: EventBusError, _ cause: Cause) {
        self.logger.warning("A chain of events was cut", metadata: [LogKey.error: "\(problem.message)"])
        // Beyond the depth limit nothing can follow any more, this neither.
        guard cause.chain.depthProblem == nil, cause.event.eventType != .error else { return }
        let report = StandardEvent.error(
            code: "CIRCULAR", message: problem.message, source: "tidings",
            details: ["event_id": .string(cause.event.eventID.description)])
        _ = try? self.tryPublish(EventBatch(report), cause: cause)
    }

    private func report(_ report: StandardEvent, _ subscription: Subscription, _ event: StandardEvent) {
        // A handler of errors that fails must not feed itself.
        guard event.eventType != .error else { return }
        let chain = CauseChain(subscriber: subscription.name, subscriberID: subscription.id, handling: event)
        _ = try? self.tryPublish(EventBatch(report), cause: Cause(event, chain))
    }

    // MARK: Dead letters

    /// Hands the event of a dead letter to the handler that gave it up, and to no other. Handled, the letter is discarded;
    /// failed again, the failure is added to it.
    ///
    /// Returns when the event waits for its handler. Throws `notFound`, `noSuchHandler`, `full`, `stopped` or `store`.
    public func retry(_ id: EventID) async throws(EventBusError) {
        let letter: DeadLetter?
        do throws(EventLogError) {
            letter = try await self.deadLetters.letter(id)
        } catch {
            throw EventBusError(.store, error.message)
        }
        guard let letter else { throw EventBusError(.notFound, "there is no dead letter \(id)") }
        let (phase, runner) = self.state.withLock { state in
            (state.phase, state.registrations.first { $0.runner?.subscription.name == letter.subscriber }?.runner)
        }
        guard phase == .running else { throw EventBusError(.stopped, "the bus has stopped") }
        guard let runner else {
            throw EventBusError(.noSuchHandler, "there is no handler '\(letter.subscriber)' here")
        }
        var event: StandardEvent? = letter.event
        let batch = EventBatch(room: 1, witness: RetryWitness(letter)) {
            defer { event = nil }
            return event
        }
        let selection = EventSelection(batch)
        guard runner.queue.reserve(selection.weight) else {
            throw EventBusError(.full, "\(letter.subscriber) has no room for 1 more event")
        }
        runner.queue.offer(selection, at: MonotonicClock.nanoseconds())
    }

    private func forget(_ letter: DeadLetter) async {
        do throws(EventLogError) {
            try await self.deadLetters.remove(letter.id)
        } catch {
            self.logger.error(
                "A dead letter that was handled could not be discarded", metadata: [LogKey.error: "\(error.message)"])
        }
    }
}
