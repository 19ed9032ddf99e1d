internal import Tidings

extension CoinbaseVenue {
    func first(of topic: Topic, from snapshot: any VenueSnapshot, for client: SimulatedClient) -> [[UInt8]] {
        switch topic.channel {
        case "level2":
            guard let book = snapshot.book(of: topic.symbol) else { return [] }
            return [
                Array(
                    (#"{"type":"snapshot","product_id":\#(quoted(topic.symbol)),"asks":[\#(levelPairs(book.asks))],"#
                        + #""bids":[\#(levelPairs(book.bids))],"#
                        + #""time":"\#(timeText(nanoseconds: snapshot.time.multiplied(by: 1_000_000)))"}"#).utf8)
            ]
        case "matches":
            guard let trade = snapshot.trades(of: topic.symbol).last else { return [] }
            let sequence = self.sequence(of: topic.symbol, snapshot)
            return [Array(self.match("last_match", trade, topic.symbol, sequence: sequence).utf8)]
        case "ticker": return snapshot.recent(topic, limit: 1)
        default: return []
        }
    }

    func renderFirst(
        _ topic: Topic, of market: GeneratedMarket, for client: SimulatedClient,
        emit: (UnsafeRawBufferPointer) -> Void
    ) {
        if topic.channel == "ticker" {
            guard let index = market.index(of: topic.symbol) else { return }
            self.ticker(market.instruments[index])?.withRawUTF8(emit)
            return
        }
        for frame in self.first(of: topic, from: GeneratedSnapshot(market: market, venue: self), for: client) {
            frame.withUnsafeBytes(emit)
        }
    }

    func render(
        _ event: MarketEvent, of market: GeneratedMarket, for client: SimulatedClient,
        emit: (UnsafeRawBufferPointer) -> Void
    ) {
        switch event {
        case .trades(let index):
            let instrument = market.instruments[index]
            let symbol = instrument.instrument.symbol
            if client.subscriptions.contains(Topic("matches", symbol)) {
                for fill in instrument.fills {
                    let sequence = instrument.change.last + fill.number
                    self.match("match", fill.record(instrument.instrument), symbol, sequence: sequence)
                        .withRawUTF8(emit)
                }
            }
            if client.subscriptions.contains(Topic("ticker", symbol)) { self.ticker(instrument)?.withRawUTF8(emit) }
        case .bookChange(let index):
            let instrument = market.instruments[index]
            guard client.subscriptions.contains(Topic("level2", instrument.instrument.symbol)) else { return }
            self.update(instrument, time: market.time).withRawUTF8(emit)
        case .book, .best, .context, .candles, .second, .mids: break
        }
    }

    // MARK: Frames

    private func match(_ type: String, _ trade: TradeRecord, _ product: String, sequence: UInt64) -> String {
        #"{"type":"\#(type)","trade_id":\#(trade.id),"maker_order_id":"\#(CoinbaseProducts.orderID(trade.id))","#
            + #""taker_order_id":"\#(CoinbaseProducts.orderID(~trade.id))","side":"\#(trade.isBuy ? "sell" : "buy")","#
            + #""size":"\#(trade.size)","price":"\#(trade.price)","product_id":\#(quoted(product)),"#
            + #""sequence":\#(sequence),"time":"\#(timeText(nanoseconds: trade.time))"}"#
    }

    private func update(_ instrument: GeneratedInstrument, time: Int64) -> String {
        let description = instrument.instrument
        func changes(_ levels: [GeneratedBook.Level], _ side: String) -> [String] {
            levels.map {
                #"["\#(side)","\#(description.priceText($0.price))","\#(description.sizeText($0.size))"]"#
            }
        }
        let all = changes(instrument.change.bids, "buy") + changes(instrument.change.asks, "sell")
        return #"{"type":"l2update","product_id":\#(quoted(description.symbol)),"#
            + #""changes":[\#(all.joined(separator: ","))],"#
            + #""time":"\#(timeText(nanoseconds: time.multiplied(by: 1_000_000)))"}"#
    }

    /// Here the side is the taker's.
    private func ticker(_ instrument: GeneratedInstrument) -> String? {
        guard let best = instrument.best, let last = instrument.tape.newest else { return nil }
        let description = instrument.instrument
        let context = instrument.context
        func price(_ value: Int64) -> String { description.priceText(value) }
        func size(_ value: Int64) -> String { description.sizeText(value) }
        return #"{"type":"ticker","sequence":\#(CoinbaseProducts.sequence(of: instrument)),"#
            + #""product_id":\#(quoted(description.symbol)),"price":"\#(price(last.price))","#
            + #""open_24h":"\#(price(context.previousDayPrice))","volume_24h":"\#(size(context.dayVolume))","#
            + #""low_24h":"\#(price(min(instrument.low, context.previousDayPrice)))","#
            + #""high_24h":"\#(price(max(instrument.high, context.previousDayPrice)))","#
            + #""volume_30d":"\#(size(context.dayVolume.multiplied(by: 30)))","best_bid":"\#(price(best.bid.price))","#
            + #""best_bid_size":"\#(size(best.bid.size))","best_ask":"\#(price(best.ask.price))","#
            + #""best_ask_size":"\#(size(best.ask.size))","side":"\#(last.isBuy ? "buy" : "sell")","#
            + #""time":"\#(timeText(nanoseconds: last.time.multiplied(by: 1_000_000)))","trade_id":\#(last.number),"#
            + #""last_size":"\#(size(last.size))"}"#
    }
}
