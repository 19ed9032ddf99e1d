public import Tidings

extension KrakenSession {
    public mutating func tick(at now: Timestamp, into output: inout VenueOutput) {
        self.keepAlive(at: now, into: &output)
        self.askAgain(at: now, into: &output)
        for index in self.markets.indices {
            self.checkBook(index, at: now, into: &output)
            if case .snapshot(let deadline) = self.markets[index].recovery.step, now.nanoseconds >= deadline {
                self.askForTrades(index, at: now, into: &output)
            }
        }
    }

    /// A heartbeat comes about every second, but only while something is subscribed to.
    private mutating func keepAlive(at now: Timestamp, into output: inout VenueOutput) {
        for index in self.links.indices {
            let link = self.links[index]
            guard now.nanoseconds >= Self.add(Self.quietTime, to: max(link.heardAt, link.pingedAt)) else { continue }
            self.links[index].pingedAt = now.nanoseconds
            output.send(self.messages.ping(), on: link.number)
        }
    }

    /// Subscribes again to what has not been answered, or was refused for asking too often.
    private mutating func askAgain(at now: Timestamp, into output: inout VenueOutput) {
        for index in self.links.indices where !self.links[index].unconfirmed.isEmpty {
            let due = self.links[index].unconfirmed.filter { $0.value <= now.nanoseconds }.keys.sorted()
            for stream in due.prefix(Self.retriesPerTick) {
                self.links[index].unconfirmed[stream] = Self.add(Self.answerTime, to: now.nanoseconds)
                guard let (channel, market) = self.parts(of: stream) else { continue }
                let name = self.markets[market].instrument.venueSymbol
                output.send(self.messages.subscribe(channel, [name]), on: self.links[index].number)
            }
        }
    }

    private mutating func checkBook(_ index: Int, at now: Timestamp, into output: inout VenueOutput) {
        guard self.markets[index].bookState == .whole else {
            guard self.markets[index].repair.next <= now.nanoseconds else { return }
            return self.repair(index, at: now, into: &output)
        }
        if self.markets[index].repair.attempts > 0,
            now.nanoseconds >= Self.add(Self.healthyTime, to: self.markets[index].wholeSince)
        {
            self.markets[index].repair.attempts = 0
        }
        guard self.plan.book.interval > .zero, !self.markets[index].isCrossed else { return }
        if let event = self.markets[index].publisher.tick(self.markets[index].book, at: now) {
            output.events.append(event)
        }
    }
}
