import Tidings

/// What is asked for over REST: lost trades and candles.
extension CoinbaseAdvancedSession {
    /// The venue gives a product's newest trades, and no way to name older ones by their numbers.
    static let tradeLimit = 1000
    /// So many losses of one product are mended at a time.
    static let maximumRefills = 8

    mutating func receive(
        _ answer: VenueAnswer, to request: VenueRequest, at receivedAt: Timestamp, into output: inout VenueOutput
    ) {
        switch request.purpose {
        case .lostTrades(let index, let range) where self.products.indices.contains(index):
            self.receiveTrades(answer, index, range, at: receivedAt, into: &output)
        case .recent(.trade, let index) where self.products.indices.contains(index):
            self.receiveRecentTrades(answer, index, at: receivedAt, into: &output)
        case .recent(.ohlcv, let index) where self.products.indices.contains(index):
            self.receiveCandles(answer, index, at: receivedAt, into: &output)
        default: break
        }
    }

    // MARK: Trades

    /// Trades have been lost: tells of them and asks for the newest, which they are among as long as they are few.
    mutating func refill(_ index: Int, _ lost: ClosedRange<UInt64>, into output: inout VenueOutput) {
        let symbol = self.products[index].symbol
        output.problems.append(.lostTrades(Self.source, symbol, lost))
        guard self.products[index].trades.refills < Self.maximumRefills else {
            output.problems.append(
                .missingTrades(Self.source, symbol, lost, because: "too many other losses are being mended"))
            return
        }
        self.products[index].trades.refills += 1
        output.requests.append(VenueRequest(.lostTrades(index, lost), .get, self.tradesTarget(index)))
    }

    /// Frames were lost, perhaps with trades in them that no later one will show.
    mutating func askForRecentTrades(into output: inout VenueOutput) {
        for index in self.products.indices
        where self.products[index].tradeStream != nil && !self.products[index].isAskingTrades {
            self.products[index].isAskingTrades = true
            output.requests.append(VenueRequest(.recent(.trade, index), .get, self.tradesTarget(index)))
        }
    }

    private func tradesTarget(_ index: Int) -> String {
        let name = self.products[index].instrument.venueSymbol
        return "\(CoinbaseAdvanced.products)/\(name)/ticker?limit=\(Self.tradeLimit)"
    }

    private mutating func receiveTrades(
        _ answer: VenueAnswer, _ index: Int, _ range: ClosedRange<UInt64>, at receivedAt: Timestamp,
        into output: inout VenueOutput
    ) {
        self.products[index].trades.refills = max(0, self.products[index].trades.refills - 1)
        let (trades, failure) = Self.trades(of: answer)
        for trade in trades where range.contains(trade.number) && self.products[index].trades.fill(trade.number) {
            output.events.append(self.event(of: trade, index, at: receivedAt))
        }
        for hole in self.products[index].trades.ledger.missing(in: range) {
            output.problems.append(
                .missingTrades(
                    Self.source, self.products[index].symbol, hole,
                    because: failure ?? "they are not among the newest \(Self.tradeLimit) that the venue gives"))
        }
    }

    private mutating func receiveRecentTrades(
        _ answer: VenueAnswer, _ index: Int, at receivedAt: Timestamp, into output: inout VenueOutput
    ) {
        self.products[index].isAskingTrades = false
        // Before the first trade of the feed there is nothing to complete.
        guard self.products[index].trades.last != nil else { return }
        for trade in Self.trades(of: answer).trades { self.take(trade, index, at: receivedAt, into: &output) }
    }

    /// The trades of an answer, oldest first, or why there are none.
    private static func trades(of answer: VenueAnswer) -> (trades: [CoinbaseTrade], failure: String?) {
        switch answer {
        case .failure(_, let reason): return ([], reason)
        case .body(let bytes):
            guard let trades = bytes.withUnsafeBytes({ CoinbaseAdvancedCandles.readTrades($0) }) else {
                return ([], "the answer made no sense")
            }
            return (trades.sorted { $0.number < $1.number }, nil)
        }
    }

    // MARK: Candles

    mutating func tickPoll(at now: Timestamp, into output: inout VenueOutput) {
        guard self.poll != nil,
            let granularity = CoinbaseAdvancedCandles.granularity(self.plan.candleInterval)
        else { return }
        for index in self.products.indices {
            if self.poll?.isHealthy(index) == true { output.hear(self.products[index].candleStream) }
            guard let window = self.poll?.tick(index, at: now.nanoseconds) else { continue }
            let name = self.products[index].instrument.venueSymbol
            output.requests.append(
                VenueRequest(
                    .recent(.ohlcv, index), .get,
                    CoinbaseAdvancedCandles.target(
                        name, granularity.name, since: window.since, until: window.until)))
        }
    }

    private mutating func receiveCandles(
        _ answer: VenueAnswer, _ index: Int, at receivedAt: Timestamp, into output: inout VenueOutput
    ) {
        let product = self.products[index]
        var reason = "the answer made no sense"
        var candles: [CoinbaseCandle]?
        switch answer {
        case .body(let bytes): candles = bytes.withUnsafeBytes { CoinbaseAdvancedCandles.read($0) }
        case .failure(_, let failure): reason = failure
        }
        guard let candles else {
            if self.poll?.failed(index, at: receivedAt.nanoseconds) == true {
                output.problems.append(.noCandles(Self.source, product.symbol, reason))
            }
            return
        }
        output.hear(product.candleStream)
        let fresh = self.poll?.take(index, candles, start: \.start, at: receivedAt.nanoseconds) ?? []
        for candle in fresh {
            let event = candle.event(
                Self.source, product.symbol, product.venueSymbol, interval: self.plan.candleInterval, isClosed: true,
                product.context(receivedAt))
            if let event { output.events.append(event) }
        }
    }
}
