import Tidings

/// Trades, and what may have been missed of them.
extension HyperliquidSession {
    mutating func takeTrades(
        _ list: [HyperliquidFields], _ frame: UnsafeRawBufferPointer, at receivedAt: Timestamp,
        into output: inout VenueOutput
    ) {
        for fields in list {
            guard let index = self.index(of: fields.coin) else { continue }
            guard let stream = self.plan.stream(.trade, of: index) else { continue }
            output.hear(stream)
            guard let trade = HyperliquidTrade(fields), Self.isMeant(trade.time, at: receivedAt) else {
                output.problems.append(.unreadable(frame, "a trade without price, size, time or id"))
                continue
            }
            self.take(trade, index, at: receivedAt, into: &output)
        }
    }

    private mutating func take(
        _ trade: HyperliquidTrade, _ index: Int, at receivedAt: Timestamp, into output: inout VenueOutput
    ) {
        if let oldest = self.coins[index].tradeBreak?.oldest ?? self.coins[index].tradeBreak.map({ _ in .max }),
            trade.time < oldest
        {
            self.coins[index].tradeBreak?.oldest = trade.time
        }
        guard self.coins[index].recent.insert(time: trade.time, id: trade.id) else { return }
        if trade.time > self.coins[index].newestTrade ?? .min { self.coins[index].newestTrade = trade.time }
        let coin = self.coins[index]
        output.events.append(
            trade.event(symbol: coin.symbol, coin: coin.venueSymbol, coin.context(receivedAt)))
    }

    // MARK: Breaks

    /// The channel runs again after a break: what the venue remembers is asked for.
    mutating func askForRecentTrades(_ index: Int, into output: inout VenueOutput) {
        guard self.coins[index].tradeBreak?.isAsked == false else { return }
        self.coins[index].tradeBreak?.isAsked = true
        output.requests.append(HyperliquidInfo.recentTrades(.recent(.trade, index), self.coins[index].instrument))
    }

    mutating func takeRecentTrades(
        _ answer: VenueAnswer, _ index: Int, at receivedAt: Timestamp, into output: inout VenueOutput
    ) {
        // A break that came after the request has one of its own.
        guard self.coins.indices.contains(index), let known = self.coins[index].tradeBreak, known.isAsked else {
            return
        }
        let trades: [HyperliquidTrade]
        do throws(VenueError) {
            trades = try HyperliquidInfo.readTrades(answer)
        } catch {
            self.coins[index].tradeBreak = nil
            return self.tellOfHole(index, after: known.after, to: known.oldest, error.message, into: &output)
        }
        for trade in trades where Self.isMeant(trade.time, at: receivedAt) {
            self.take(trade, index, at: receivedAt, into: &output)
        }
        let oldest = self.coins[index].tradeBreak?.oldest
        self.coins[index].tradeBreak = nil
        // Where what it remembers begins after what was known, nobody can tell what was between.
        guard let oldest, oldest > known.after else { return }
        self.tellOfHole(
            index, after: known.after, to: oldest, "the venue remembers no trades of that time", into: &output)
    }

    private func tellOfHole(
        _ index: Int, after: Int64, to oldest: Int64?, _ reason: String, into output: inout VenueOutput
    ) {
        let symbol = self.coins[index].symbol
        var details: [(String, JSONValue)] = [("symbol", .string(symbol.description))]
        if let from = Timestamp(milliseconds: after) { details.append(("from", .string(from.description))) }
        if let to = oldest.flatMap({ Timestamp(milliseconds: $0) }) {
            details.append(("to", .string(to.description)))
        }
        output.problems.append(
            VenueOutput.Problem(
                code: "SEQUENCE_GAP", message: "\(symbol): trades may be missing after a break: \(reason)",
                details: JSONObject(details)))
    }
}

/// A trade with everything that an event needs, from the feed or from REST.
struct HyperliquidTrade: Sendable {
    let price: ExactDecimal
    let size: ExactDecimal
    /// The taker's.
    let side: TradeSide?
    /// In milliseconds.
    let time: Int64
    let timestamp: Timestamp
    let id: UInt64

    init?(_ fields: HyperliquidFields) {
        guard let price = fields.price, let size = fields.size, let time = fields.time,
            let timestamp = Timestamp(milliseconds: time), let id = fields.tradeID
        else { return nil }
        self.price = price
        self.size = size
        self.side = fields.side
        self.time = time
        self.timestamp = timestamp
        self.id = id
    }

    func event(symbol: Name, coin: Name, _ context: MarketContext) -> StandardEvent {
        var hash = HyperliquidSession.hash("hyperliquid.trade", coin, self.time)
        hash.combine(self.id)
        let trade = Trade(
            symbol: symbol, price: self.price, volume: self.size, timestamp: self.timestamp, side: self.side,
            tradeID: TradeID(self.id), context: context)
        return StandardEvent(
            eventType: .trade, source: HyperliquidSession.source, payload: .trade(trade), timestamp: self.timestamp,
            eventID: EventID(at: self.timestamp, hash: hash))
    }
}
