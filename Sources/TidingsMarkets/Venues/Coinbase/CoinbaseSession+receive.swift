import Tidings

extension CoinbaseSession {
    mutating func receive(
        _ frame: UnsafeRawBufferPointer, on connection: Int, at receivedAt: Timestamp, into output: inout VenueOutput
    ) {
        do throws(JSONSyntaxError) {
            var reader = JSONReader(frame)
            try self.fields.read(&reader, self.table)
            guard let kind = self.fields.kind else {
                output.problems.append(.unreadable(frame, "a frame without a type"))
                return
            }
            if kind.isData { self.pulse.beat(at: receivedAt.nanoseconds) }
            switch kind {
            case .update: self.readUpdate(frame, on: connection, at: receivedAt, into: &output)
            case .snapshot: self.readSnapshot(frame, on: connection, at: receivedAt, into: &output)
            case .match, .lastMatch: self.readMatch(frame, on: connection, at: receivedAt, into: &output)
            case .ticker: self.readTicker(frame, on: connection, at: receivedAt, into: &output)
            case .heartbeat: self.readHeartbeat(frame, at: receivedAt, into: &output)
            case .subscriptions:
                guard let channels = self.fields.channels else { return }
                var list = JSONReader(reader.slice(channels))
                try self.readSubscriptions(&list, on: connection, into: &output)
            case .error: output.problems.append(self.refusal)
            case .other: break
            }
        } catch {
            output.problems.append(.unreadable(frame, error.message))
            // Nobody knows what it was about: it may have been a change of any book that this connection feeds.
            self.suspectBooks(fedBy: connection)
        }
    }

    private var refusal: VenueOutput.Problem {
        let parts = [self.fields.message, self.fields.reason].compactMap { $0 }
        return VenueOutput.Problem(
            code: "SUBSCRIPTION", message: "coinbase: \(parts.joined(separator: ": ").prefix(300))")
    }

    // MARK: Trades

    private mutating func readMatch(
        _ frame: UnsafeRawBufferPointer, on connection: Int, at receivedAt: Timestamp, into output: inout VenueOutput
    ) {
        guard let index = self.fields.product, let stream = self.products[index].tradeStream else { return }
        output.hear(stream)
        guard let price = self.fields.price, let size = self.fields.size, let time = self.fields.time,
            let number = self.fields.tradeID
        else {
            output.problems.append(.unreadable(frame, "a match without price, size, time or trade_id"))
            return
        }
        self.confirm(stream, on: connection, into: &output)
        let trade = CoinbaseTrade(number: number, price: price, size: size, time: time, side: self.fields.side)
        let verdict = self.products[index].trades.take(number, at: time.nanoseconds)
        switch verdict {
        case .known: return
        case .new: break
        case .newAfterGap(let lost):
            self.refill(index, lost, at: receivedAt, into: &output)
            // The match that comes on subscribing tells of what was traded before; any other of a loss just now.
            if self.fields.kind == .match { self.suspectBook(index) }
        case .outOfOrder(let last):
            output.problems.append(.strangeTrade(Self.source, self.products[index].symbol, number, after: last))
        }
        output.events.append(self.event(of: trade, index, at: receivedAt))
    }

    func event(of trade: CoinbaseTrade, _ index: Int, at receivedAt: Timestamp) -> StandardEvent {
        trade.event(
            Self.source, self.products[index].symbol, self.products[index].venueSymbol,
            self.products[index].context(receivedAt))
    }

    // MARK: Tickers

    private mutating func readTicker(
        _ frame: UnsafeRawBufferPointer, on connection: Int, at receivedAt: Timestamp, into output: inout VenueOutput
    ) {
        guard let index = self.fields.product, let stream = self.products[index].tickerStream else { return }
        output.hear(stream)
        guard let price = self.fields.price else {
            output.problems.append(.unreadable(frame, "a ticker without a price"))
            return
        }
        self.confirm(stream, on: connection, into: &output)
        let last = self.products[index].ticker
        let time = self.fields.time
        // Lower or equal is a repetition; unless it is newer all the same, when the numbers have begun anew.
        if let sequence = self.fields.sequence, let known = last.sequence, sequence <= known,
            (time?.nanoseconds ?? .min) <= last.time
        {
            return
        }
        self.products[index].ticker = LastTicker(
            sequence: self.fields.sequence ?? last.sequence, time: time?.nanoseconds ?? last.time,
            tradeID: self.fields.tradeID ?? last.tradeID)
        let ticker = Ticker(
            symbol: self.products[index].symbol, price: price, volume: self.fields.volume, bid: self.fields.bestBid,
            ask: self.fields.bestAsk, bidVolume: self.fields.bestBidSize, askVolume: self.fields.bestAskSize,
            timestamp: time, context: self.products[index].context(receivedAt))
        let moment = time ?? receivedAt
        var hash = StableHash()
        hash.combine("coinbase.ticker")
        self.products[index].venueSymbol.withUTF8 { hash.combine($0) }
        hash.combine(moment.nanoseconds)
        hash.combine(self.fields.sequence ?? 0)
        hash.combine(ticker)
        output.events.append(
            StandardEvent(
                eventType: .ticker, source: Self.source, payload: .ticker(ticker), timestamp: moment,
                eventID: EventID(at: moment, hash: hash)))
        self.compare(ticker, index)
    }

    // MARK: Heartbeats

    /// What a heartbeat proves. Its `last_trade_id` is that of our last trade: nothing was traded, so no trade and no
    /// ticker (one per trade) is missing. Its `sequence` is that of the last heartbeat: nothing at all has happened to the
    /// product, so its book is quiet and not silent. Whatever it does not prove is left to the watch over silence, and so
    /// is everything when there has been no news at all for a while (``DataPulse``).
    private mutating func readHeartbeat(
        _ frame: UnsafeRawBufferPointer, at receivedAt: Timestamp, into output: inout VenueOutput
    ) {
        guard let index = self.fields.product else { return }
        var isBookQuiet = false
        if let sequence = self.fields.sequence {
            let last = self.products[index].heartbeatSequence
            isBookQuiet = last == sequence && self.products[index].book.isWhole
            if let last, last != sequence { self.pulse.beat(at: receivedAt.nanoseconds) }
            self.products[index].heartbeatSequence = sequence
        }
        let isAlive = self.pulse.isAlive(at: receivedAt.nanoseconds)
        if isAlive, isBookQuiet { output.hear(self.products[index].bookStream) }
        guard let number = self.fields.lastTradeID else { return }
        if isAlive, let last = self.products[index].ticker.tradeID, last >= number {
            output.hear(self.products[index].tickerStream)
        }
        guard self.products[index].tradeStream != nil else { return }
        if isAlive, let last = self.products[index].trades.last, last >= number {
            output.hear(self.products[index].tradeStream)
        }
        if let lost = self.products[index].trades.announce(number, at: receivedAt.nanoseconds) {
            self.refill(index, lost, at: receivedAt, into: &output)
            self.suspectBook(index)
        }
    }

    // MARK: Acknowledgements

    /// `[{"name":"level2","product_ids":["BTC-USD"]}, ...]`: everything that this connection is subscribed to by now.
    private mutating func readSubscriptions(
        _ reader: inout JSONReader, on connection: Int, into output: inout VenueOutput
    ) throws(JSONSyntaxError) {
        guard try reader.kind() == .array else { return }
        try reader.beginArray()
        var isFirst = true
        while try reader.nextElement(isFirst: &isFirst) {
            guard try reader.kind() == .object else {
                try reader.skipValue()
                continue
            }
            var name: RawJSONString?
            var list: Range<Int>?
            try reader.beginObject()
            var isFirstKey = true
            while let key = try reader.nextKey(isFirst: &isFirstKey) {
                if key.equals("name"), try reader.kind() == .string {
                    name = try reader.readString()
                } else if key.equals("product_ids") {
                    list = try reader.skipValue()
                } else {
                    try reader.skipValue()
                }
            }
            guard let name, let list else { continue }
            var products = JSONReader(reader.slice(list))
            try self.readSubscribed(name, &products, on: connection, into: &output)
        }
    }

    private mutating func readSubscribed(
        _ channel: RawJSONString, _ reader: inout JSONReader, on connection: Int, into output: inout VenueOutput
    ) throws(JSONSyntaxError) {
        guard try reader.kind() == .array else { return }
        try reader.beginArray()
        var isFirst = true
        while try reader.nextElement(isFirst: &isFirst) {
            guard let index = try reader.looseText({ $0.withUTF8 { self.table.index(of: $0) } }) ?? nil else {
                continue
            }
            let product = self.products[index]
            if channel.equals("matches") {
                self.confirm(product.tradeStream, on: connection, into: &output)
            } else if channel.equals("ticker") {
                self.confirm(product.tickerStream, on: connection, into: &output)
            } else if channel.bytes.starts(with: "level2".utf8) {
                self.confirm(product.bookStream, on: connection, into: &output)
            }
        }
    }
}
