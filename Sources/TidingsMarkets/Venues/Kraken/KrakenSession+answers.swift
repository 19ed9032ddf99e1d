import Tidings

/// What the venue says of subscriptions and of itself.
extension KrakenSession {
    mutating func takeAnswer(on connection: Int, at now: Timestamp, into output: inout VenueOutput) {
        let answer = self.frame.answer
        let channel = answer.channel ?? answer.requestID.flatMap { KrakenMessages.channel(ofRequest: $0) }
        if let error = answer.error, answer.isSuccess != true {
            return self.takeRefusal(error, answer, channel, on: connection, at: now, into: &output)
        }
        guard answer.isSubscribe, answer.isSuccess == true, let channel, let name = answer.market else { return }
        let index = self.names.entries[name].instrument
        guard let stream = self.stream(channel, index) else { return }
        if channel == .book, let depth = answer.depth, (1...1000).contains(depth) {
            self.markets[index].depth = depth
        }
        self.confirm(stream, on: connection, into: &output)
    }

    private mutating func confirm(_ stream: Int, on connection: Int, into output: inout VenueOutput) {
        guard let link = self.linkIndex(connection),
            self.links[link].unconfirmed.removeValue(forKey: stream) != nil
        else { return }
        self.links[link].penalty = Self.firstPenalty
        output.notices.append(.confirmed(stream: stream))
        self.checkReady(connection, into: &output)
    }

    private mutating func takeRefusal(
        _ error: String, _ answer: KrakenFrame.Answer, _ channel: KrakenChannel?, on connection: Int,
        at now: Timestamp, into output: inout VenueOutput
    ) {
        guard let link = self.linkIndex(connection) else { return }
        let index = answer.market.map { self.names.entries[$0].instrument }
        let meant = self.links[link].unconfirmed.keys.sorted().filter { stream in
            guard let parts = self.parts(of: stream) else { return false }
            return (channel == nil || parts.channel == channel) && (index == nil || parts.market == index)
        }
        var details: [(String, JSONValue)] = []
        if let index { details.append(("symbol", .string(self.markets[index].symbol.description))) }
        if let channel { details.append(("channel", .string(channel.market.rawValue))) }
        let words = error.lowercased()
        if words.contains("msg rate") || words.contains("rate limit") || words.contains("too many") {
            // "Exceeded msg rate": what was refused is asked for again, later each time.
            let penalty = self.links[link].penalty
            self.links[link].penalty = min(Self.longestPenalty, penalty * 2)
            for (number, stream) in meant.enumerated() {
                // One after the other.
                let delay = Self.add(penalty, to: Int64(number) * 100_000_000)
                self.links[link].unconfirmed[stream] = Self.add(delay, to: now.nanoseconds)
            }
            details.append(("retry_in_ms", .number(ExactDecimal(Int(penalty / 1_000_000)))))
            output.problems.append(
                VenueOutput.Problem(code: "RATE_LIMIT", message: "kraken: \(error)", details: JSONObject(details)))
            return
        }
        // Nothing is subscribed to that could be unsubscribed from.
        guard answer.isSubscribe else { return }
        if words.contains("already subscribed") {
            for stream in meant { self.confirm(stream, on: connection, into: &output) }
            return
        }
        output.problems.append(
            VenueOutput.Problem(code: "SUBSCRIPTION", message: "kraken: \(error)", details: JSONObject(details)))
        // A refusal that names neither symbol nor channel says nothing of any one subscription.
        guard index != nil else { return }
        for stream in meant {
            self.links[link].unconfirmed[stream] = nil
            self.links[link].refused.insert(stream)
        }
        self.checkReady(connection, into: &output)
    }

    // MARK: Status

    /// `online`, `cancel_only`, `maintenance` or `post_only`; told of when it changes to anything but `online`.
    mutating func takeStatus(into output: inout VenueOutput) {
        guard let entry = self.frame.entries.last, let system = entry.system, system != self.system else { return }
        self.system = String(system.prefix(64))
        guard system != "online" else { return }
        var details: [(String, JSONValue)] = [("system", .string(self.system))]
        if let id = entry.connectionID { details.append(("connection_id", .number(Self.number(id)))) }
        output.problems.append(
            VenueOutput.Problem(
                code: "VENUE_STATUS", message: "kraken is not trading as usual: \(self.system)",
                details: JSONObject(details)))
    }
}
