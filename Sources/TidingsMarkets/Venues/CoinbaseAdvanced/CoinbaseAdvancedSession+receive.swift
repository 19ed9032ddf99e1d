import Tidings

extension CoinbaseAdvancedSession {
    /// What every frame has, and where its events stand.
    private struct Envelope {
        var channel: RawJSONString?
        var timestamp: Timestamp?
        var number: UInt64?
        var events: Range<Int>?
        var isError = false
        var message: String?
    }

    /// A frame as its parts see it.
    struct Arrival {
        let frame: UnsafeRawBufferPointer
        let connection: Int
        let timestamp: Timestamp?
        let number: UInt64?
        let receivedAt: Timestamp
    }

    mutating func receive(
        _ frame: UnsafeRawBufferPointer, on connection: Int, at receivedAt: Timestamp, into output: inout VenueOutput
    ) {
        var isBook = false
        do throws(JSONSyntaxError) {
            var reader = JSONReader(frame)
            let envelope = try Self.readEnvelope(&reader)
            if envelope.isError { return output.problems.append(Self.refusal(envelope.message)) }
            guard let channel = envelope.channel else {
                output.problems.append(.unreadable(frame, "a frame without a channel"))
                return
            }
            if let number = envelope.number {
                guard self.count(number, on: connection, at: receivedAt, into: &output) else { return }
            }
            guard let range = envelope.events else { return }
            isBook = channel.equals("l2_data")
            let arrival = Arrival(
                frame: frame, connection: connection, timestamp: envelope.timestamp, number: envelope.number,
                receivedAt: receivedAt)
            var events = JSONReader(reader.slice(range))
            try self.readEvents(&events, channel, arrival, into: &output)
        } catch {
            // What a book has lost of it is not known.
            output.problems.append(.unreadable(frame, error.message))
            if isBook {
                self.resyncBooks(fedBy: connection, "an unreadable change", at: receivedAt, into: &output)
            }
        }
    }

    private static func readEnvelope(_ reader: inout JSONReader) throws(JSONSyntaxError) -> Envelope {
        var envelope = Envelope()
        try reader.beginObject()
        var isFirst = true
        while let key = try reader.nextKey(isFirst: &isFirst) {
            if key.equals("channel") {
                envelope.channel = try reader.looseText { $0 }
            } else if key.equals("timestamp") {
                envelope.timestamp = try reader.looseTimestamp()
            } else if key.equals("sequence_num") {
                envelope.number = try reader.count()
            } else if key.equals("events") {
                envelope.events = try reader.skipValue()
            } else if key.equals("type") {
                envelope.isError = try reader.looseText { $0.equals("error") } ?? false
            } else if key.equals("message") {
                envelope.message = try reader.looseText { $0.decoded() }
            } else {
                try reader.skipValue()
            }
        }
        try reader.expectEnd()
        return envelope
    }

    private static func refusal(_ message: String?) -> VenueOutput.Problem {
        VenueOutput.Problem(
            code: "SUBSCRIPTION", message: "coinbase-advanced: \((message ?? "an error").prefix(300))")
    }

    /// Whether a frame is to be looked at, by its number.
    private mutating func count(
        _ number: UInt64, on connection: Int, at now: Timestamp, into output: inout VenueOutput
    ) -> Bool {
        switch self.counts[connection, default: ConnectionCount()].take(number) {
        case .inOrder: return true
        case .repeated: return false
        case .gap(let expected, let got):
            output.problems.append(.lostFrames(Self.source, expected: expected, got: got))
            self.resyncBooks(fedBy: connection, "lost frames", at: now, into: &output)
            self.askForRecentTrades(into: &output)
            return true
        }
    }

    /// Every book that a connection feeds is asked for anew: the venue does not say which of them has lost something.
    mutating func resyncBooks(
        fedBy connection: Int, _ reason: String, at now: Timestamp, into output: inout VenueOutput
    ) {
        var broken: [Int] = []
        for index in self.products.indices where self.products[index].book.takes(connection) {
            broken.append(index)
            if self.products[index].book.doubt() {
                output.notices.append(.resyncing(symbol: self.products[index].symbol, reason: reason))
            }
        }
        self.ask(for: .orderBook, broken, at: now, into: &output)
    }

    private mutating func readEvents(
        _ reader: inout JSONReader, _ channel: RawJSONString, _ arrival: Arrival, into output: inout VenueOutput
    ) throws(JSONSyntaxError) {
        if channel.equals("heartbeats") {
            return self.takeHeartbeat(on: arrival.connection, at: arrival.receivedAt, into: &output)
        }
        if !channel.equals("subscriptions") { self.pulse.beat(at: arrival.receivedAt.nanoseconds) }
        guard try reader.kind() == .array else { return }
        try reader.beginArray()
        var isFirst = true
        while try reader.nextElement(isFirst: &isFirst) {
            guard try reader.kind() == .object else {
                try reader.skipValue()
                continue
            }
            if channel.equals("l2_data") {
                try self.readBook(&reader, arrival, into: &output)
            } else if channel.equals("market_trades") {
                try self.readTrades(&reader, arrival, into: &output)
            } else if channel.equals("ticker") || channel.equals("ticker_batch") {
                try self.readTickers(&reader, arrival, into: &output)
            } else if channel.equals("candles") {
                try self.readCandles(&reader, arrival, into: &output)
            } else if channel.equals("subscriptions") {
                try self.readSubscriptions(&reader, on: arrival.connection, into: &output)
            } else {
                try reader.skipValue()
            }
        }
    }

    /// `{"subscriptions":{"level2":["BTC-USD"], ...}}`: everything that this connection is subscribed to by now.
    private mutating func readSubscriptions(
        _ reader: inout JSONReader, on connection: Int, into output: inout VenueOutput
    ) throws(JSONSyntaxError) {
        try reader.beginObject()
        var isFirst = true
        while let key = try reader.nextKey(isFirst: &isFirst) {
            guard key.equals("subscriptions"), try reader.kind() == .object else {
                try reader.skipValue()
                continue
            }
            try reader.beginObject()
            var isFirstChannel = true
            while let channel = try reader.nextKey(isFirst: &isFirstChannel) {
                guard try reader.kind() == .array else {
                    try reader.skipValue()
                    continue
                }
                try reader.beginArray()
                var isFirstName = true
                while try reader.nextElement(isFirst: &isFirstName) {
                    guard let name = try reader.looseText({ $0 }) else { continue }
                    self.confirm(channel, name, on: connection, into: &output)
                }
            }
        }
    }

    private mutating func confirm(
        _ channel: RawJSONString, _ name: RawJSONString, on connection: Int, into output: inout VenueOutput
    ) {
        for index in self.indices(of: name) {
            let product = self.products[index]
            if channel.equals("level2") || channel.equals("l2_data") {
                self.confirm(product.bookStream, on: connection, into: &output)
            } else if channel.equals("market_trades") {
                self.confirm(product.tradeStream, on: connection, into: &output)
            } else if channel.equals("ticker") {
                self.confirm(product.tickerStream, on: connection, into: &output)
            } else if channel.equals("candles") {
                self.confirm(product.candleStream, on: connection, into: &output)
            }
        }
    }

    // MARK: Heartbeats

    /// See ``QuietStreams`` and ``DataPulse`` for what a heartbeat proves. Those of the newest connection count.
    private mutating func takeHeartbeat(on connection: Int, at now: Timestamp, into output: inout VenueOutput) {
        guard connection == self.links.newest, self.pulse.isAlive(at: now.nanoseconds) else { return }
        for channel in MarketChannel.allCases where self.plan.channels.contains(channel) {
            if channel == .ohlcv, !self.streamsCandles { continue }
            var unsure: [Int] = []
            for index in self.products.indices {
                if channel == .orderBook, !self.products[index].book.isWhole { continue }
                switch self.products[index].quiet.judge(channel, at: now.nanoseconds) {
                case .silent: break
                case .ask:
                    unsure.append(index)
                    output.hear(self.products[index].stream(channel))
                case .quiet: output.hear(self.products[index].stream(channel))
                }
            }
            self.ask(for: channel, unsure, at: now, into: &output)
        }
    }
}

extension VenueOutput.Problem {
    /// A hole in a connection's count.
    static func lostFrames(_ source: Name, expected: UInt64, got: UInt64) -> VenueOutput.Problem {
        func number(_ value: UInt64) -> JSONValue { .number(ExactDecimal(mantissa: Int64(clamping: value))) }
        return VenueOutput.Problem(
            code: "SEQUENCE_GAP",
            message: "\(source): frame \(got) came where \(expected) was due; all books of the connection are renewed",
            details: ["expected": number(expected), "got": number(got)])
    }
}
