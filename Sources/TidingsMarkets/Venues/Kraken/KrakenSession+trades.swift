import Tidings

/// Trades, and the search for lost ones.
extension KrakenSession {
    /// The snapshot of the channel has this many trades.
    static let snapshotTrades: UInt64 = 50
    /// A search over REST takes no more answers than this.
    static let maximumPages = 20

    mutating func takeTrades(
        _ frame: UnsafeRawBufferPointer, on connection: Int, at receivedAt: Timestamp,
        into output: inout VenueOutput
    ) {
        var entries = self.frame.entries
        let isSnapshot = self.frame.isSnapshot
        // A snapshot is taken oldest first, however it is written.
        if isSnapshot { entries.sort { $0.tradeID ?? 0 < $1.tradeID ?? 0 } }
        var seen: [Int] = []
        for entry in entries {
            guard let name = entry.market else { continue }
            let index = self.names.entries[name].instrument
            guard let stream = self.stream(.trade, index) else { continue }
            output.hear(stream)
            guard let trade = KrakenTrade(entry) else {
                output.problems.append(.unreadable(frame, "a trade without price, size, side, time or id"))
                continue
            }
            self.take(trade, index, self.names.entries[name].name, isSnapshot, at: receivedAt, into: &output)
            if isSnapshot, seen.last != index { seen.append(index) }
        }
        for index in seen { self.searchOn(index, at: receivedAt, into: &output) }
    }

    private mutating func take(
        _ trade: KrakenTrade, _ index: Int, _ name: Name, _ isSnapshot: Bool, at receivedAt: Timestamp,
        into output: inout VenueOutput
    ) {
        let before = self.markets[index].newestTrade
        switch self.markets[index].ledger.take(trade.id) {
        case .known:
            // A lower number at a later time is no repetition. Without a snapshot's old trades in between there is only
            // one thing that it can be.
            guard !isSnapshot, let before, trade.timestamp > before else { return }
            self.restart(index, with: trade, at: receivedAt, into: &output)
        case .new: break
        case .newAfterGap(let hole):
            self.tell(index, of: hole, "trades were lost and are asked for", into: &output)
            self.markets[index].recovery.since = self.markets[index].recovery.since ?? before
            if self.markets[index].recovery.step == .idle {
                if isSnapshot || Self.count(hole) >= Self.snapshotTrades {
                    self.askForTrades(index, at: receivedAt, into: &output)
                } else {
                    self.markets[index].recovery.step = .snapshot(
                        deadline: Self.add(Self.snapshotTime, to: receivedAt.nanoseconds))
                    self.ask(for: .trade, index, at: receivedAt, into: &output)
                }
            }
        }
        if self.markets[index].ledger.last == trade.id { self.markets[index].newestTrade = trade.timestamp }
        output.events.append(
            trade.event(self.markets[index], self.markets[index].context(name, receivedAt)))
    }

    /// The venue counts from another number on.
    private mutating func restart(
        _ index: Int, with trade: KrakenTrade, at now: Timestamp, into output: inout VenueOutput
    ) {
        let market = self.markets[index]
        output.problems.append(
            VenueOutput.Problem(
                code: "SEQUENCE_GAP",
                message: "\(market.symbol): the venue numbers its trades anew; what was lost there is not known",
                details: [
                    "symbol": .string(market.symbol.description),
                    "expected": .number(Self.number((market.ledger.last ?? 0) &+ 1)),
                    "got": .number(Self.number(trade.id)),
                ]))
        self.markets[index].ledger = TradeLedger()
        self.markets[index].recovery = KrakenTradeRecovery()
        _ = self.markets[index].ledger.take(trade.id)
    }

    // MARK: Lost trades

    /// A snapshot has come: what it did not have is asked for over REST.
    private mutating func searchOn(_ index: Int, at now: Timestamp, into output: inout VenueOutput) {
        guard case .snapshot = self.markets[index].recovery.step else { return }
        self.askForTrades(index, at: now, into: &output)
    }

    /// Asks over REST for all that is missing now, if anything is.
    mutating func askForTrades(_ index: Int, at now: Timestamp, into output: inout VenueOutput) {
        let market = self.markets[index]
        guard let first = market.ledger.holes.map(\.lowerBound).min(),
            let last = market.ledger.holes.map(\.upperBound).max()
        else {
            self.markets[index].recovery = KrakenTradeRecovery()
            return
        }
        self.markets[index].recovery.step = .rest(first...last, pages: 1)
        let since = market.recovery.since ?? now
        self.markets[index].recovery.since = nil
        // `since` is exclusive by some accounts and inclusive by others: what is known already is dropped.
        output.requests.append(
            KrakenREST.trades(
                .lostTrades(index, first...last), market.instrument, since: "\(Self.add(-1, to: since.nanoseconds))"))
    }

    mutating func takeLostTrades(
        _ answer: VenueAnswer, _ request: VenueRequest, _ index: Int, _ range: ClosedRange<UInt64>,
        at receivedAt: Timestamp, into output: inout VenueOutput
    ) {
        guard self.markets.indices.contains(index),
            case .rest(let asked, let pages) = self.markets[index].recovery.step, asked == range
        else { return }
        let page: KrakenREST.TradePage
        do throws(VenueError) {
            guard case .body(let bytes) = answer else {
                guard case .failure(let status, let reason) = answer else { return }
                throw VenueError(.refused, "\(status.map { "HTTP \($0): " } ?? "")\(reason)")
            }
            page = try KrakenREST.readTrades(bytes)
        } catch {
            return self.giveUp(index, range, error.message, at: receivedAt, into: &output)
        }
        for trade in page.trades where range.contains(trade.id) {
            guard self.markets[index].ledger.take(trade.id) == .new else { continue }
            output.events.append(trade.event(self.markets[index], self.markets[index].context(receivedAt)))
        }
        let reached = page.trades.last?.id ?? .max
        let isDone = self.markets[index].ledger.missing(in: range).isEmpty || reached >= range.upperBound
        guard !isDone, pages < Self.maximumPages, let next = page.last, !request.target.hasSuffix("since=\(next)")
        else {
            return self.giveUp(index, range, "the venue does not have them", at: receivedAt, into: &output)
        }
        self.markets[index].recovery.step = .rest(range, pages: pages + 1)
        output.requests.append(
            KrakenREST.trades(request.purpose, self.markets[index].instrument, since: next))
    }

    /// Ends a search: what is still missing will not come.
    private mutating func giveUp(
        _ index: Int, _ range: ClosedRange<UInt64>, _ reason: String, at now: Timestamp,
        into output: inout VenueOutput
    ) {
        for hole in self.markets[index].ledger.missing(in: range) {
            self.tell(index, of: hole, "trades are lost for good: \(reason)", into: &output)
        }
        self.markets[index].ledger.giveUp(range)
        self.markets[index].recovery.step = .idle
        self.askForTrades(index, at: now, into: &output)
    }

    private func tell(
        _ index: Int, of hole: ClosedRange<UInt64>, _ what: String, into output: inout VenueOutput
    ) {
        let symbol = self.markets[index].symbol
        output.problems.append(
            VenueOutput.Problem(
                code: "SEQUENCE_GAP", message: "\(symbol): \(what)",
                details: [
                    "symbol": .string(symbol.description), "from": .number(Self.number(hole.lowerBound)),
                    "to": .number(Self.number(hole.upperBound)), "missing": .number(Self.number(Self.count(hole))),
                ]))
    }

    private static func count(_ hole: ClosedRange<UInt64>) -> UInt64 {
        let (count, overflows) = (hole.upperBound - hole.lowerBound).addingReportingOverflow(1)
        return overflows ? .max : count
    }

    static func number(_ value: UInt64) -> ExactDecimal {
        Int64(exactly: value).map { ExactDecimal(mantissa: $0) } ?? ExactDecimal("\(value)") ?? .zero
    }
}
