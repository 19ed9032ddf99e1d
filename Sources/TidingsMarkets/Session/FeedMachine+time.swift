import Tidings

/// What follows from nothing happening.
extension FeedMachine {
    /// Time has passed; about ten times a second.
    ///
    /// - Parameter reads: how often each open connection has read something, by its number.
    mutating func tick(at now: FeedMoment, reads: [Int: Int]) {
        if self.stalledSince != nil {
            // While the bus holds the feed up nothing is read, which is no silence of the venue; and no event is made of
            // time, so that what waits stays bounded.
            self.monitor.paused(until: now.monotonic)
            self.lag.restart()
            for index in self.links.indices { self.links[index].heardAt = now.monotonic }
        } else {
            self.session?.tick(at: now.wall, into: &self.output)
            // Without a connection nobody is silent; that it is gone has been told.
            if self.succession.carrier == nil { self.monitor.paused(until: now.monotonic) }
            for step in self.monitor.tick(at: now.monotonic) { self.follow(step, at: now) }
            self.findDead(reads, at: now.monotonic)
        }
        self.answerRefused(at: now)
        for problem in self.limiter.tick(at: now.monotonic) { self.report(problem) }
        self.apply(self.succession.tick(at: now.monotonic))
        self.take(at: now)
    }

    private mutating func follow(_ step: FeedMonitor.Step, at now: FeedMoment) {
        switch step {
        case .probe(let stream):
            self.session?.resubscribe(to: stream, at: now.wall, into: &self.output)
        case .resubscribe(let stream):
            self.tellStale(stream, at: now)
            self.resyncs += 1
            self.session?.resubscribe(to: stream, at: now.wall, into: &self.output)
        case .reconnect(let stream):
            let (symbol, channel) = (self.streams[stream].symbol, self.streams[stream].channel.rawValue)
            self.apply(
                self.succession.replace(
                    because: "\(symbol) \(channel) stayed silent after it was subscribed to anew",
                    at: now.monotonic))
        }
    }

    private mutating func tellStale(_ stream: Int, at now: FeedMoment) {
        let (symbol, channel) = (self.streams[stream].symbol, self.streams[stream].channel.rawValue)
        let instrument = self.instrument(of: stream)
        let reason = "\(channel) has been silent for too long"
        self.symbolStates[instrument].staleStreams += 1
        self.symbolStates[instrument].staleReason = reason
        self.pending.append(self.tell.status(.stale, symbol: symbol, reason: reason))
        let problem = VenueOutput.Problem(
            code: "STALE", message: "\(symbol): \(reason)",
            details: ["symbol": .string(symbol.description), "channel": .string(channel)])
        if let problem = self.limiter.add(problem, at: now.monotonic) { self.report(problem) }
    }

    /// Drops connections on which nothing at all has come for too long: no data, no heartbeat, no pong.
    private mutating func findDead(_ reads: [Int: Int], at now: Int64) {
        let limit = self.limits.silence.boundedNanoseconds
        guard limit > 0 else { return }
        var dead: [Int] = []
        for index in self.links.indices {
            let count = reads[self.links[index].number] ?? self.links[index].reads
            if count != self.links[index].reads {
                self.links[index].reads = count
                self.links[index].heardAt = now
            } else if now - self.links[index].heardAt >= limit {
                // Once; it may take a moment to be gone.
                self.links[index].heardAt = now
                dead.append(self.links[index].number)
            }
        }
        for number in dead {
            self.drop(number, because: "nothing at all has come for \(self.limits.silence)")
        }
    }
}
