import Tidings

/// Trades: counted by their numbers, and what was lost fetched.
///
/// Source: rest-api.md, "Old trade lookup" (`historicalTrades`, from a number on), "Recent trades list" (`trades`, the
/// latest thousand) and "Compressed/Aggregate trades list" (`aggTrades`).
extension BinanceSession {
    /// How many trades one answer has at most.
    static let tradesPerPage = 1000

    @inline(__always)
    mutating func takeTrade(
        _ index: Int, _ number: UInt64, isAggregated: Bool, price: ExactDecimal, size: ExactDecimal,
        _ timestamp: Timestamp, buyerIsMaker: Bool, at receivedAt: Timestamp, into output: inout VenueOutput
    ) {
        guard let stream = self.markets[index].tradeStream else { return }
        output.hear(stream)
        let verdict: BinanceTradeLine.Verdict
        if isAggregated {
            if self.markets[index].hasTrades { return }
            verdict = self.markets[index].aggregated.take(number)
        } else {
            self.markets[index].hasTrades = true
            verdict = self.markets[index].trades.take(number)
        }
        if verdict != .new {
            guard self.isWanted(verdict, number, index, isAggregated, into: &output) else { return }
        }
        output.events.append(
            self.markets[index].trade(
                number, isAggregated: isAggregated, price: price, size: size, at: timestamp,
                buyerIsMaker: buyerIsMaker, receivedAt: receivedAt))
    }

    /// Whether the trade is to be published; asks for what is missing before it.
    @inline(never)
    private mutating func isWanted(
        _ verdict: BinanceTradeLine.Verdict, _ number: UInt64, _ index: Int, _ isAggregated: Bool,
        into output: inout VenueOutput
    ) -> Bool {
        switch verdict {
        case .new: return true
        case .known: return false
        case .newAfterGap(let hole):
            self.lose(hole, index, isAggregated, into: &output)
            return true
        case .knownAfterGap(let hole):
            self.lose(hole, index, isAggregated, into: &output)
            return false
        case .suspicious(let last):
            output.problems.append(
                self.problem(
                    index, "trade number \(number) is far ahead of \(last): believed when the next goes on from it",
                    from: last, to: number, missing: nil))
            return true
        }
    }

    /// The same, of a frame in any shape.
    mutating func takeTrade(
        _ index: Int, _ fields: BinanceFields, isAggregated: Bool, at receivedAt: Timestamp,
        into output: inout VenueOutput
    ) -> String? {
        guard let number = isAggregated ? fields.asks?.count : fields.number, let price = fields.price,
            let size = fields.quantity, let timestamp = fields.tradeTime, let buyerIsMaker = fields.buyerIsMaker
        else { return "a trade without number, price, size, time or side" }
        self.takeTrade(
            index, number, isAggregated: isAggregated, price: price, size: size, timestamp, buyerIsMaker: buyerIsMaker,
            at: receivedAt, into: &output)
        return nil
    }

    // MARK: What was lost

    private mutating func lose(
        _ hole: ClosedRange<UInt64>, _ index: Int, _ isAggregated: Bool, into output: inout VenueOutput
    ) {
        output.problems.append(
            self.problem(
                index, "trades have not come", from: hole.lowerBound, to: hole.upperBound,
                missing: (hole.upperBound - hole.lowerBound) &+ 1))
        let isFull = self.changeLine(index, isAggregated) { line in
            if line.refills.count >= BinanceTradeLine.maximumRefills { return true }
            line.refills.append(BinanceTradeLine.Refill(range: hole))
            return false
        }
        if isFull {
            self.tellLost((hole.upperBound - hole.lowerBound) &+ 1, hole, index, "too many holes", into: &output)
        } else {
            output.requests.append(self.refillRequest(index, isAggregated, hole))
        }
    }

    private func refillRequest(_ index: Int, _ isAggregated: Bool, _ range: ClosedRange<UInt64>) -> VenueRequest {
        let symbol = Binance.escaped(self.markets[index].instrument.venueSymbol)
        let limit = Self.tradesPerPage
        let from = range.lowerBound
        if isAggregated {
            return VenueRequest(
                .lostTrades(index, range), .get, "/api/v3/aggTrades?symbol=\(symbol)&fromId=\(from)&limit=\(limit)",
                weight: 4)
        }
        if self.isHistoryRefused {
            return VenueRequest(
                .lostTrades(index, range), .get, "/api/v3/trades?symbol=\(symbol)&limit=\(limit)", weight: 25)
        }
        return VenueRequest(
            .lostTrades(index, range), .get,
            "/api/v3/historicalTrades?symbol=\(symbol)&fromId=\(from)&limit=\(limit)", weight: 25)
    }

    mutating func takeLostTrades(
        _ answer: VenueAnswer, _ request: VenueRequest, _ index: Int, _ range: ClosedRange<UInt64>,
        at receivedAt: Timestamp, into output: inout VenueOutput
    ) {
        let isAggregated = request.target.hasPrefix("/api/v3/aggTrades")
        let place = self.changeLine(index, isAggregated) { line in line.refills.firstIndex { $0.range == range } }
        guard let place else { return }
        switch answer {
        case .failure(let status, let reason):
            let isRefused = [400, 401, 403, 404].contains(status)
            if isRefused, request.target.hasPrefix("/api/v3/historicalTrades") {
                // An address that serves no history by numbers, or only to those who have a key.
                self.isHistoryRefused = true
                output.requests.append(self.refillRequest(index, isAggregated, range))
            } else {
                self.endRefill(place, index, isAggregated, reason, into: &output)
            }
        case .body(let body):
            do throws(VenueError) {
                let trades = try BinanceHistory.trades(body)
                self.fill(place, trades, request, index, isAggregated, at: receivedAt, into: &output)
            } catch {
                self.endRefill(place, index, isAggregated, error.message, into: &output)
            }
        }
    }

    /// Publishes what was missing, and asks for the rest.
    private mutating func fill(
        _ place: Int, _ trades: [BinanceHistory.PastTrade], _ request: VenueRequest, _ index: Int,
        _ isAggregated: Bool, at receivedAt: Timestamp, into output: inout VenueOutput
    ) {
        let range = self.line(index, isAggregated).refills[place].range
        var newest: UInt64?
        for trade in trades {
            newest = max(newest ?? 0, trade.number)
            guard self.changeLine(index, isAggregated, { $0.fill(trade.number, within: range) }) else { continue }
            output.events.append(
                self.markets[index].trade(
                    trade.number, isAggregated: isAggregated, price: trade.price, size: trade.size, at: trade.timestamp,
                    buyerIsMaker: trade.buyerIsMaker, receivedAt: receivedAt))
        }
        // What the venue has passed over will never come; what is beyond its newest may come yet.
        let reached = newest.map { min($0, range.upperBound) }
        if let reached, reached >= range.lowerBound,
            let lost = self.changeLine(index, isAggregated, { $0.giveUp(range.lowerBound...reached) })
        {
            self.tellLost(lost.count, lost.range, index, "the venue does not have them any more", into: &output)
        }
        guard let rest = self.line(index, isAggregated).missing(in: range) else {
            self.changeLine(index, isAggregated) { _ = $0.refills.remove(at: place) }
            return
        }
        self.changeLine(index, isAggregated) { $0.refills[place].range = rest.range }
        var refill = self.line(index, isAggregated).refills[place]
        let isLatest = request.target.hasPrefix("/api/v3/trades")
        if let reached, reached >= range.lowerBound, !isLatest {
            refill.pagesLeft -= 1
            guard refill.pagesLeft > 0 else {
                return self.endRefill(place, index, isAggregated, "too many are missing", into: &output)
            }
            // A full answer: there is more.
            if trades.count >= Self.tradesPerPage {
                self.changeLine(index, isAggregated) { $0.refills[place] = refill }
                output.requests.append(self.refillRequest(index, isAggregated, rest.range))
                return
            }
        }
        refill.retriesLeft -= 1
        guard refill.retriesLeft > 0 else {
            return self.endRefill(place, index, isAggregated, "the venue does not have them", into: &output)
        }
        refill.retryAt = receivedAt.nanoseconds.addingReportingOverflow(BinanceTradeLine.retryDelay).partialValue
        self.changeLine(index, isAggregated) { $0.refills[place] = refill }
    }

    /// Asks again for what the venue did not have yet.
    mutating func retryRefills(_ index: Int, at now: Timestamp, into output: inout VenueOutput) {
        for isAggregated in [false, true] where !self.line(index, isAggregated).refills.isEmpty {
            for place in self.line(index, isAggregated).refills.indices.reversed() {
                let refill = self.line(index, isAggregated).refills[place]
                guard let retryAt = refill.retryAt, now.nanoseconds >= retryAt else { continue }
                // The feed may have brought them since.
                guard let rest = self.line(index, isAggregated).missing(in: refill.range) else {
                    self.changeLine(index, isAggregated) { _ = $0.refills.remove(at: place) }
                    continue
                }
                self.changeLine(index, isAggregated) {
                    $0.refills[place].retryAt = nil
                    $0.refills[place].range = rest.range
                }
                output.requests.append(self.refillRequest(index, isAggregated, rest.range))
            }
        }
    }

    /// No more is asked for. What is missing is still taken, should it come.
    private mutating func endRefill(
        _ place: Int, _ index: Int, _ isAggregated: Bool, _ reason: String, into output: inout VenueOutput
    ) {
        let refill = self.changeLine(index, isAggregated) { $0.refills.remove(at: place) }
        guard let lost = self.line(index, isAggregated).missing(in: refill.range) else { return }
        self.tellLost(lost.count, lost.range, index, reason, into: &output)
    }

    private func tellLost(
        _ count: UInt64, _ range: ClosedRange<UInt64>, _ index: Int, _ reason: String, into output: inout VenueOutput
    ) {
        output.problems.append(
            self.problem(
                index, "trades are lost: \(reason)", from: range.lowerBound, to: range.upperBound, missing: count))
    }

    private func problem(
        _ index: Int, _ message: String, from: UInt64, to: UInt64, missing: UInt64?
    ) -> VenueOutput.Problem {
        let symbol = self.markets[index].instrument.symbol
        var details: JSONObject = [
            "symbol": .string(symbol), "from": .number(ExactDecimal(clamping: from)),
            "to": .number(ExactDecimal(clamping: to)),
        ]
        if let missing { details = details.setting("missing", to: .number(ExactDecimal(clamping: missing))) }
        return VenueOutput.Problem(code: "SEQUENCE_GAP", message: "binance \(symbol): \(message)", details: details)
    }

    private func line(_ index: Int, _ isAggregated: Bool) -> BinanceTradeLine {
        isAggregated ? self.markets[index].aggregated : self.markets[index].trades
    }

    @discardableResult
    private mutating func changeLine<Result>(
        _ index: Int, _ isAggregated: Bool, _ body: (inout BinanceTradeLine) -> Result
    ) -> Result {
        isAggregated ? body(&self.markets[index].aggregated) : body(&self.markets[index].trades)
    }
}

extension ExactDecimal {
    /// A count; one that does not fit is the greatest that does.
    init(clamping count: UInt64) {
        self.init(mantissa: Int64(clamping: count))
    }
}
