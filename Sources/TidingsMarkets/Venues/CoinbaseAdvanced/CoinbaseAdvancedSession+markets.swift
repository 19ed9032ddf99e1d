import Tidings

/// The events of each channel.
extension CoinbaseAdvancedSession {
    // MARK: Books

    /// `{"type":"update","product_id":"BTC-USD","updates":[{"side":"bid","price_level":"1","new_quantity":"2"}]}`
    mutating func readBook(
        _ reader: inout JSONReader, _ arrival: Arrival, into output: inout VenueOutput
    ) throws(JSONSyntaxError) {
        var name: RawJSONString?
        var isSnapshot: Bool?
        var isSensible = false
        self.bids.removeAll()
        self.asks.removeAll()
        try reader.beginObject()
        var isFirst = true
        while let key = try reader.nextKey(isFirst: &isFirst) {
            if key.equals("product_id") {
                name = try reader.looseText { $0 }
            } else if key.equals("type") {
                isSnapshot =
                    try reader.looseText { $0.equals("snapshot") ? true : $0.equals("update") ? false : nil } ?? nil
            } else if key.equals("updates") {
                isSensible = try reader.readAdvancedLevels(bids: &self.bids, asks: &self.asks)
            } else {
                try reader.skipValue()
            }
        }
        guard let name else {
            output.problems.append(.unreadable(arrival.frame, "l2_data without a product_id"))
            return self.resyncBooks(
                fedBy: arrival.connection, "an unreadable change", at: arrival.receivedAt, into: &output)
        }
        for index in self.indices(of: name) {
            guard let stream = self.products[index].bookStream else { continue }
            guard let isSnapshot, isSensible else {
                let problem = VenueOutput.Problem.unreadable(arrival.frame, "l2_data without sensible updates")
                self.resync(index, "an unreadable change", problem, at: arrival.receivedAt, into: &output)
                continue
            }
            self.apply(index, stream, isSnapshot, arrival, into: &output)
        }
    }

    private mutating func apply(
        _ index: Int, _ stream: Int, _ isSnapshot: Bool, _ arrival: Arrival, into output: inout VenueOutput
    ) {
        let outcome: CoinbaseBook.Outcome
        if isSnapshot {
            outcome = self.products[index].book.replace(bids: self.bids, asks: self.asks, on: arrival.connection)
        } else if self.products[index].book.takes(arrival.connection) {
            outcome = self.products[index].book.apply(bids: self.bids, asks: self.asks)
        } else {
            return
        }
        if outcome == .passed { return }
        output.hear(stream)
        self.products[index].quiet.heard(.orderBook, at: arrival.receivedAt.nanoseconds)
        guard outcome == .whole else {
            let problem = VenueOutput.Problem.crossedBook(
                Self.source, self.products[index].symbol, self.products[index].book.book)
            return self.resync(index, "crossed book", problem, at: arrival.receivedAt, into: &output)
        }
        if isSnapshot, self.products[index].book.endsResync() {
            output.notices.append(.resynced(symbol: self.products[index].symbol))
        }
        let event = self.products[index].book.event(
            sequence: arrival.number, timestamp: arrival.timestamp, receivedAt: arrival.receivedAt)
        if let event { output.events.append(event) }
        if isSnapshot { self.confirm(stream, on: arrival.connection, into: &output) }
    }

    /// The book of one product is asked for anew; one that is being mended already is waited for.
    private mutating func resync(
        _ index: Int, _ reason: String, _ problem: VenueOutput.Problem, at now: Timestamp,
        into output: inout VenueOutput
    ) {
        guard self.products[index].book.doubt() else {
            self.products[index].book.asked(at: now.nanoseconds)
            return
        }
        output.problems.append(problem)
        output.notices.append(.resyncing(symbol: self.products[index].symbol, reason: reason))
        self.ask(for: .orderBook, [index], at: now, into: &output)
    }

    // MARK: Trades

    /// `{"type":"update","trades":[...]}`: newest first in a snapshot; published as they happened.
    mutating func readTrades(
        _ reader: inout JSONReader, _ arrival: Arrival, into output: inout VenueOutput
    ) throws(JSONSyntaxError) {
        var trades: [(trade: CoinbaseTrade, product: Int)] = []
        try reader.beginObject()
        var isFirst = true
        while let key = try reader.nextKey(isFirst: &isFirst) {
            guard key.equals("trades"), try reader.kind() == .array else {
                try reader.skipValue()
                continue
            }
            try reader.beginArray()
            var isFirstTrade = true
            while try reader.nextElement(isFirst: &isFirstTrade) {
                guard let (trade, name) = try reader.coinbaseTrade(), let name else {
                    output.problems.append(.unreadable(arrival.frame, "a trade without price, size, time or trade_id"))
                    continue
                }
                for index in self.indices(of: name) { trades.append((trade, index)) }
            }
        }
        trades.sort { ($0.product, $0.trade.number) < ($1.product, $1.trade.number) }
        for (trade, index) in trades {
            guard let stream = self.products[index].tradeStream else { continue }
            output.hear(stream)
            self.products[index].quiet.heard(.trade, at: arrival.receivedAt.nanoseconds)
            self.confirm(stream, on: arrival.connection, into: &output)
            self.take(trade, index, at: arrival.receivedAt, into: &output)
        }
    }

    /// A trade from the feed, or from an answer about the newest ones.
    mutating func take(
        _ trade: CoinbaseTrade, _ index: Int, at receivedAt: Timestamp, into output: inout VenueOutput
    ) {
        switch self.products[index].trades.take(trade.number, at: trade.time.nanoseconds) {
        case .known: return
        case .new: break
        case .newAfterGap(let lost): self.refill(index, lost, into: &output)
        case .outOfOrder(let last):
            output.problems.append(
                .strangeTrade(Self.source, self.products[index].symbol, trade.number, after: last))
        }
        output.events.append(self.event(of: trade, index, at: receivedAt))
    }

    func event(of trade: CoinbaseTrade, _ index: Int, at receivedAt: Timestamp) -> StandardEvent {
        trade.event(
            Self.source, self.products[index].symbol, self.products[index].venueSymbol,
            self.products[index].context(receivedAt))
    }

    // MARK: Tickers

    /// `{"type":"update","tickers":[...]}`; the time is the frame's.
    mutating func readTickers(
        _ reader: inout JSONReader, _ arrival: Arrival, into output: inout VenueOutput
    ) throws(JSONSyntaxError) {
        try reader.beginObject()
        var isFirst = true
        while let key = try reader.nextKey(isFirst: &isFirst) {
            guard key.equals("tickers"), try reader.kind() == .array else {
                try reader.skipValue()
                continue
            }
            try reader.beginArray()
            var isFirstTicker = true
            while try reader.nextElement(isFirst: &isFirstTicker) {
                guard try reader.kind() == .object else {
                    try reader.skipValue()
                    continue
                }
                let (ticker, name) = try reader.advancedTicker()
                guard let name else {
                    output.problems.append(.unreadable(arrival.frame, "a ticker without a product_id"))
                    continue
                }
                for index in self.indices(of: name) { self.take(ticker, index, arrival, into: &output) }
            }
        }
    }

    private mutating func take(
        _ numbers: Ticker, _ index: Int, _ arrival: Arrival, into output: inout VenueOutput
    ) {
        guard let stream = self.products[index].tickerStream else { return }
        guard numbers.price != nil else {
            return output.problems.append(.unreadable(arrival.frame, "a ticker without a price"))
        }
        // They carry no number of their own: of two connections the newer one's are taken, as soon as it has some.
        if let source = self.products[index].tickerSource, arrival.connection < source { return }
        output.hear(stream)
        self.products[index].quiet.heard(.ticker, at: arrival.receivedAt.nanoseconds)
        self.confirm(stream, on: arrival.connection, into: &output)
        let moment = arrival.timestamp ?? arrival.receivedAt
        let isFirst = self.products[index].tickerSource != arrival.connection
        self.products[index].tickerSource = arrival.connection
        // On subscribing the venue tells again what it has told before.
        if isFirst, moment.nanoseconds <= self.products[index].tickerTime { return }
        self.products[index].tickerTime = moment.nanoseconds
        var ticker = numbers
        ticker.symbol = self.products[index].symbol
        ticker.timestamp = arrival.timestamp
        ticker.context = self.products[index].context(arrival.receivedAt)
        var hash = StableHash()
        hash.combine("coinbase-advanced.ticker")
        self.products[index].venueSymbol.withUTF8 { hash.combine($0) }
        hash.combine(moment.nanoseconds)
        hash.combine(ticker)
        output.events.append(
            StandardEvent(
                eventType: .ticker, source: Self.source, payload: .ticker(ticker), timestamp: moment,
                eventID: EventID(at: moment, hash: hash)))
    }

    // MARK: Candles

    /// `{"type":"snapshot","candles":[...]}`: the snapshot has past candles too.
    mutating func readCandles(
        _ reader: inout JSONReader, _ arrival: Arrival, into output: inout VenueOutput
    ) throws(JSONSyntaxError) {
        var candles: [(candle: CoinbaseCandle, product: Int)] = []
        try reader.beginObject()
        var isFirst = true
        while let key = try reader.nextKey(isFirst: &isFirst) {
            guard key.equals("candles") else {
                try reader.skipValue()
                continue
            }
            for (candle, name) in try reader.advancedCandles() {
                guard let candle, let name else {
                    output.problems.append(.unreadable(arrival.frame, "a candle without all of its prices"))
                    continue
                }
                for index in self.indices(of: name) { candles.append((candle, index)) }
            }
        }
        candles.sort { ($0.product, $0.candle.start) < ($1.product, $1.candle.start) }
        for (position, (candle, index)) in candles.enumerated() {
            let isNewest = position + 1 == candles.count || candles[position + 1].product != index
            self.take(candle, index, isNewest: isNewest, arrival, into: &output)
        }
    }

    /// The venue never says that a candle is closed: it is when a later one is there. Of the past only what became of the
    /// last known one, and what came after it, is told.
    private mutating func take(
        _ candle: CoinbaseCandle, _ index: Int, isNewest: Bool, _ arrival: Arrival, into output: inout VenueOutput
    ) {
        guard let stream = self.products[index].candleStream, self.streamsCandles else { return }
        if let source = self.products[index].candleSource, arrival.connection < source { return }
        self.products[index].candleSource = arrival.connection
        output.hear(stream)
        self.products[index].quiet.heard(.ohlcv, at: arrival.receivedAt.nanoseconds)
        self.confirm(stream, on: arrival.connection, into: &output)
        guard let last = self.products[index].candle else {
            guard isNewest else { return }
            self.products[index].candle = candle
            return self.publish(candle, index, isClosed: false, arrival, into: &output)
        }
        guard candle.start >= last.start else { return }
        if candle.start > last.start { self.publish(last, index, isClosed: true, arrival, into: &output) }
        self.products[index].candle = candle
        if isNewest, candle != last { self.publish(candle, index, isClosed: false, arrival, into: &output) }
    }

    private func publish(
        _ candle: CoinbaseCandle, _ index: Int, isClosed: Bool, _ arrival: Arrival, into output: inout VenueOutput
    ) {
        let product = self.products[index]
        let event = candle.event(
            Self.source, product.symbol, product.venueSymbol, interval: self.plan.candleInterval, isClosed: isClosed,
            product.context(arrival.receivedAt))
        if let event { output.events.append(event) }
    }
}
