import Tidings

/// What is asked for over REST: lost trades, candles, books to compare with.
extension CoinbaseSession {
    /// A page of trades.
    static let pageLimit: UInt64 = 1000
    /// So many lost trades are asked for, the newest; what is beyond is told of as lost.
    static let maximumRefill: UInt64 = 10_000
    /// So many losses of one product are mended at a time.
    static let maximumRefills = 8

    mutating func receive(
        _ answer: VenueAnswer, to request: VenueRequest, at receivedAt: Timestamp, into output: inout VenueOutput
    ) {
        switch request.purpose {
        case .lostTrades(let index, let range) where self.products.indices.contains(index):
            self.receiveTrades(answer, index, range, at: receivedAt, into: &output)
        case .recent(.ohlcv, let index) where self.products.indices.contains(index):
            self.receiveCandles(answer, index, at: receivedAt, into: &output)
        case .book(let index) where self.products.indices.contains(index):
            self.receiveBook(answer, index, at: receivedAt, into: &output)
        default: break
        }
    }

    // MARK: Lost trades

    /// Trades have been lost: tells of them and asks for them.
    mutating func refill(
        _ index: Int, _ lost: ClosedRange<UInt64>, at now: Timestamp, into output: inout VenueOutput
    ) {
        let symbol = self.products[index].symbol
        output.problems.append(.lostTrades(Self.source, symbol, lost))
        guard self.products[index].trades.refills < Self.maximumRefills else {
            output.problems.append(
                .missingTrades(Self.source, symbol, lost, because: "too many other losses are being mended"))
            return
        }
        var wanted = lost
        if lost.upperBound - lost.lowerBound >= Self.maximumRefill {
            wanted = lost.upperBound - (Self.maximumRefill - 1)...lost.upperBound
            output.problems.append(
                .missingTrades(
                    Self.source, symbol, lost.lowerBound...wanted.lowerBound - 1,
                    because: "more than \(Self.maximumRefill) are not asked for"))
        }
        self.products[index].trades.refills += 1
        self.askForTrades(index, wanted, into: &output)
    }

    /// `after` is older than: the newest page that ends before the first trade that is known again.
    private func askForTrades(_ index: Int, _ range: ClosedRange<UInt64>, into output: inout VenueOutput) {
        let (after, overflows) = range.upperBound.addingReportingOverflow(1)
        let name = self.products[index].instrument.venueSymbol
        let cursor = overflows ? "" : "&after=\(after)"
        output.requests.append(
            VenueRequest(.lostTrades(index, range), .get, "/products/\(name)/trades?limit=\(Self.pageLimit)\(cursor)"))
    }

    private mutating func receiveTrades(
        _ answer: VenueAnswer, _ index: Int, _ range: ClosedRange<UInt64>, at receivedAt: Timestamp,
        into output: inout VenueOutput
    ) {
        guard let trades = self.trades(of: answer) else {
            var reason = "the answer made no sense"
            if case .failure(_, let failure) = answer { reason = failure }
            return self.endRefill(index, range, because: reason, into: &output)
        }
        // Newest first in the answer; published as they happened.
        for trade in trades.sorted(by: { $0.number < $1.number })
        where range.contains(trade.number) && self.products[index].trades.fill(trade.number) {
            output.events.append(self.event(of: trade, index, at: receivedAt))
        }
        if let oldest = trades.map(\.number).min(), oldest > range.lowerBound, oldest <= range.upperBound {
            return self.askForTrades(index, range.lowerBound...oldest - 1, into: &output)
        }
        self.endRefill(index, range, because: "the venue does not have them", into: &output)
    }

    private mutating func endRefill(
        _ index: Int, _ range: ClosedRange<UInt64>, because reason: String, into output: inout VenueOutput
    ) {
        self.products[index].trades.refills = max(0, self.products[index].trades.refills - 1)
        for hole in self.products[index].trades.ledger.missing(in: range) {
            output.problems.append(
                .missingTrades(Self.source, self.products[index].symbol, hole, because: reason))
        }
    }

    private func trades(of answer: VenueAnswer) -> [CoinbaseTrade]? {
        guard case .body(let bytes) = answer else { return nil }
        return bytes.withUnsafeBytes { bytes in
            do throws(JSONSyntaxError) {
                var reader = JSONReader(bytes)
                let trades = try reader.coinbaseTrades()
                try reader.expectEnd()
                return trades
            } catch {
                return nil
            }
        }
    }

    // MARK: Candles

    mutating func tickCandles(at now: Timestamp, into output: inout VenueOutput) {
        for index in self.products.indices {
            guard let stream = self.products[index].candleStream else { continue }
            guard let seconds = self.candles?.seconds else {
                // Nothing is to be expected of it, as was told.
                output.hear(stream)
                continue
            }
            if self.candles?.isHealthy(index) == true { output.hear(stream) }
            guard let window = self.candles?.tick(index, at: now.nanoseconds) else { continue }
            let name = self.products[index].instrument.venueSymbol
            output.requests.append(
                VenueRequest(
                    .recent(.ohlcv, index), .get,
                    CoinbaseCandles.target(name, seconds, since: window.since, until: window.until)))
        }
    }

    private mutating func receiveCandles(
        _ answer: VenueAnswer, _ index: Int, at receivedAt: Timestamp, into output: inout VenueOutput
    ) {
        let product = self.products[index]
        var reason = "the answer made no sense"
        var candles: [CoinbaseCandle]?
        switch answer {
        case .body(let bytes): candles = bytes.withUnsafeBytes { CoinbaseCandles.read($0) }
        case .failure(_, let failure): reason = failure
        }
        guard let candles else {
            if self.candles?.failed(index, at: receivedAt.nanoseconds) == true {
                output.problems.append(.noCandles(Self.source, product.symbol, reason))
            }
            return
        }
        output.hear(product.candleStream)
        let fresh = self.candles?.take(index, candles, start: \.start, at: receivedAt.nanoseconds) ?? []
        for candle in fresh {
            let event = candle.event(
                Self.source, product.symbol, product.venueSymbol, interval: self.plan.candleInterval, isClosed: true,
                product.context(receivedAt))
            if let event { output.events.append(event) }
        }
    }
}
