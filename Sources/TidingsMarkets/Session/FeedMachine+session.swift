import Tidings

/// What the venue says, and what follows from it.
extension FeedMachine {
    /// One frame. What it says is gathered until ``readCompleted(at:)``, unless its order matters.
    @inline(__always)
    mutating func received(_ frame: UnsafeRawBufferPointer, on number: Int, at now: FeedMoment) {
        self.session?.receive(frame, on: number, at: now.wall, into: &self.output)
        self.messages += 1
        if !self.output.notices.isEmpty || !self.output.problems.isEmpty || self.output.replacement != nil {
            self.take(at: now)
        }
    }

    /// All frames of one read of a socket have been given.
    mutating func readCompleted(at now: FeedMoment) {
        self.lastMessageAt = now.wall
        if let newest = self.output.events.last, newest.eventType == .trade || newest.eventType == .orderBook {
            self.latency.note(from: newest.timestamp, to: now.wall)
            if let lag = self.lag.note(venueTime: newest.timestamp.nanoseconds, at: now.monotonic) {
                self.fellBehind(by: lag, at: now)
            }
        }
        self.take(at: now)
    }

    /// Everything comes, but ever later: a new connection begins with what is now.
    private mutating func fellBehind(by lag: Int64, at now: FeedMoment) {
        let milliseconds = lag / 1_000_000
        let reason = "what comes is \(milliseconds) ms late"
        self.pending.append(self.tell.status(.stale, reason: reason))
        self.report(
            VenueOutput.Problem(
                code: "STALE", message: reason, details: ["lag_ms": .number(ExactDecimal(Int(milliseconds)))]))
        self.apply(self.succession.replace(because: reason, at: now.monotonic))
    }

    /// A request has been answered.
    mutating func answered(_ answer: VenueAnswer, to request: VenueRequest, at now: FeedMoment) {
        self.requestsOut -= 1
        self.session?.receive(answer, to: request, at: now.wall, into: &self.output)
        self.take(at: now)
    }

    /// Moves what the session said into what is to be published and done.
    mutating func take(at now: FeedMoment) {
        for stream in self.output.heard where self.monitor.heard(stream, at: now.monotonic) {
            self.recovered(stream, reason: "talks again")
        }
        self.pending.append(contentsOf: self.output.events)
        for problem in self.output.problems {
            if let problem = self.limiter.add(problem, at: now.monotonic) { self.report(problem) }
        }
        for notice in self.output.notices { self.heed(notice, at: now) }
        for (text, number) in self.output.outgoing { self.send(text, on: number) }
        let (requests, replacement) = (self.output.requests, self.output.replacement)
        self.output.removeAll()
        for request in requests { self.ask(request) }
        switch replacement {
        case .planned(let reason): self.apply(self.succession.replace(because: reason, at: now.monotonic))
        case .immediate(let reason): self.apply(self.succession.drop(because: reason))
        case nil: break
        }
        self.sendWaiting(at: now.monotonic)
    }

    mutating func report(_ problem: VenueOutput.Problem) {
        self.pending.append(self.tell.error(problem.code, problem.message, problem.details))
    }

    // MARK: Notices

    private mutating func heed(_ notice: VenueOutput.Notice, at now: FeedMoment) {
        switch notice {
        case .confirmed(let stream): self.confirmed(stream, at: now)
        case .ready(let number):
            // Its books are all whole, whatever an older connection had to mend.
            if number >= self.succession.carrier ?? 0 {
                for index in self.symbolStates.indices { self.symbolStates[index].resyncingReason = nil }
            }
            self.apply(self.succession.ready(number))
        case .resyncing(let symbol, let reason):
            self.resyncs += 1
            if let index = self.instrumentNumbers[symbol] { self.symbolStates[index].resyncingReason = reason }
            self.pending.append(self.tell.status(.resyncing, symbol: symbol, reason: reason))
        case .resynced(let symbol):
            if let index = self.instrumentNumbers[symbol] { self.symbolStates[index].resyncingReason = nil }
            self.pending.append(
                self.tell.status(.subscribed, symbol: symbol, reason: "the order book is whole again"))
        }
    }

    private mutating func confirmed(_ stream: Int, at now: FeedMoment) {
        guard self.streams.indices.contains(stream) else { return }
        if self.monitor.confirmed(stream, at: now.monotonic) {
            self.recovered(stream, reason: "confirmed anew")
        }
        guard !self.isConfirmed[stream] else { return }
        self.isConfirmed[stream] = true
        let instrument = self.instrument(of: stream)
        self.symbolStates[instrument].unconfirmed -= 1
        guard self.symbolStates[instrument].unconfirmed == 0 else { return }
        if self.phase == .connected, self.symbolStates.allSatisfy({ $0.unconfirmed <= 0 }) {
            self.phase = .subscribed
            self.phaseReason = nil
        }
        self.pending.append(self.tell.status(.subscribed, symbol: self.streams[stream].symbol))
    }

    /// A stream that was told to be stale is well.
    private mutating func recovered(_ stream: Int, reason: String) {
        let instrument = self.instrument(of: stream)
        self.symbolStates[instrument].staleStreams -= 1
        guard self.symbolStates[instrument].staleStreams <= 0 else { return }
        self.symbolStates[instrument].staleStreams = 0
        self.symbolStates[instrument].staleReason = nil
        self.pending.append(
            self.tell.status(
                .subscribed, symbol: self.streams[stream].symbol,
                reason: "\(self.streams[stream].channel.rawValue) \(reason)"))
    }

    // MARK: Sending and asking

    private mutating func send(_ text: String, on number: Int) {
        guard let index = self.links.firstIndex(where: { $0.number == number }) else { return }
        if !self.links[index].pacer.add(text) {
            self.drop(number, because: "more than \(SendPacer.capacity) messages wait to be sent")
        }
    }

    /// Hands out what the venue's rate allows to go now.
    mutating func sendWaiting(at now: Int64) {
        for index in self.links.indices {
            while let text = self.links[index].pacer.next(at: now) {
                self.actions.append(.send(text, on: self.links[index].number))
            }
        }
    }

    private mutating func ask(_ request: VenueRequest) {
        guard self.requestsOut >= self.requestLimit else {
            self.requestsOut += 1
            self.actions.append(.request(request))
            return
        }
        // Refused with the next tick, so that a session which asks again at once does not turn in circles.
        guard self.refused.count < self.requestLimit else { return }
        self.refused.append(request)
    }

    /// A request that could not be made after all.
    mutating func returned(_ request: VenueRequest) {
        self.requestsOut -= 1
        self.refused.append(request)
    }

    mutating func answerRefused(at now: FeedMoment) {
        let refused = self.refused
        self.refused.removeAll()
        for request in refused {
            self.session?.receive(
                .failure(status: nil, reason: "more than \(self.requestLimit) requests are on their way"),
                to: request, at: now.wall, into: &self.output)
        }
    }
}
