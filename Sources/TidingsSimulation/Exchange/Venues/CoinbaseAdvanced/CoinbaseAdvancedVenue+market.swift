internal import Tidings

extension CoinbaseAdvancedVenue {
    func first(of topic: Topic, from snapshot: any VenueSnapshot, for client: SimulatedClient) -> [[UInt8]] {
        let time = snapshot.time.multiplied(by: 1_000_000)
        switch topic.channel {
        case "level2":
            guard let book = snapshot.book(of: topic.symbol) else { return [] }
            return [Array(self.book(topic.symbol, "snapshot", bids: book.bids, asks: book.asks, time: time).utf8)]
        case "market_trades":
            let trades = snapshot.trades(of: topic.symbol).suffix(50)
            return [Array(self.trades(trades, topic.symbol, "snapshot", time: time).utf8)]
        case "candles":
            let candles = snapshot.candles(of: topic.symbol, .fiveMinutes).suffix(100)
            return [Array(self.candles(candles, topic.symbol, "snapshot", time: time).utf8)]
        case "ticker", "ticker_batch": return snapshot.recent(topic, limit: 1)
        default: return []
        }
    }

    func renderFirst(
        _ topic: Topic, of market: GeneratedMarket, for client: SimulatedClient,
        emit: (UnsafeRawBufferPointer) -> Void
    ) {
        if topic.channel.hasPrefix("ticker") {
            guard let index = market.index(of: topic.symbol) else { return }
            self.ticker(market.instruments[index], topic.channel, "snapshot", time: market.time)?.withRawUTF8(emit)
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
        let time = market.time.multiplied(by: 1_000_000)
        switch event {
        case .trades(let index):
            let instrument = market.instruments[index]
            let symbol = instrument.instrument.symbol
            if client.subscriptions.contains(Topic("market_trades", symbol)) {
                let trades = instrument.fills.map { $0.record(instrument.instrument) }
                self.trades(trades[...], symbol, "update", time: time).withRawUTF8(emit)
            }
            if client.subscriptions.contains(Topic("ticker", symbol)) {
                self.ticker(instrument, "ticker", "update", time: market.time)?.withRawUTF8(emit)
            }
        case .bookChange(let index):
            let instrument = market.instruments[index]
            let description = instrument.instrument
            guard client.subscriptions.contains(Topic("level2", description.symbol)) else { return }
            func texts(_ levels: [GeneratedBook.Level]) -> [BookLevel] {
                // A level that is gone has the size 0, without a point.
                levels.map {
                    BookLevel(description.priceText($0.price), $0.size == 0 ? "0" : description.sizeText($0.size))
                }
            }
            self.book(
                description.symbol, "update", bids: texts(instrument.change.bids), asks: texts(instrument.change.asks),
                time: time
            ).withRawUTF8(emit)
        case .candles(let index):
            let instrument = market.instruments[index]
            let symbol = instrument.instrument.symbol
            guard client.subscriptions.contains(Topic("candles", symbol)),
                let candle = instrument.candles.candles(.fiveMinutes).last
            else { return }
            self.candles([candle.record(instrument.instrument)], symbol, "update", time: time).withRawUTF8(emit)
        case .context(let index):
            let instrument = market.instruments[index]
            guard client.subscriptions.contains(Topic("ticker_batch", instrument.instrument.symbol)) else { return }
            self.ticker(instrument, "ticker_batch", "update", time: market.time)?.withRawUTF8(emit)
        case .book, .best, .second, .mids: break
        }
    }

    // MARK: Frames

    private func book(
        _ product: String, _ type: String, bids: [BookLevel], asks: [BookLevel], time: Int64
    ) -> String {
        let text = timeText(nanoseconds: time)
        func updates(_ levels: [BookLevel], _ side: String) -> [String] {
            levels.map {
                #"{"side":"\#(side)","event_time":"\#(text)","price_level":"\#($0.price)","new_quantity":"\#($0.size)"}"#
            }
        }
        let all = (updates(bids, "bid") + updates(asks, "offer")).joined(separator: ",")
        return self.frame(
            "l2_data", #"{"type":"\#(type)","product_id":\#(quoted(product)),"updates":[\#(all)]}"#, time: time)
    }

    /// Newest first, as the venue has them.
    private func trades(_ trades: ArraySlice<TradeRecord>, _ product: String, _ type: String, time: Int64) -> String {
        let items = trades.reversed().map { self.trade($0, product) }
        return self.frame(
            "market_trades", #"{"type":"\#(type)","trades":[\#(items.joined(separator: ","))]}"#, time: time)
    }

    func trade(_ trade: TradeRecord, _ product: String) -> String {
        #"{"trade_id":"\#(trade.id)","product_id":\#(quoted(product)),"price":"\#(trade.price)","#
            + #""size":"\#(trade.size)","side":"\#(trade.isBuy ? "SELL" : "BUY")","#
            + #""time":"\#(timeText(nanoseconds: trade.time))"}"#
    }

    private func candles(_ candles: ArraySlice<CandleRecord>, _ product: String, _ type: String, time: Int64) -> String
    {
        let items = candles.reversed().map { candle in
            let text = self.candle(candle)
            return text.dropLast() + #","product_id":\#(quoted(product))}"#
        }
        return self.frame("candles", #"{"type":"\#(type)","candles":[\#(items.joined(separator: ","))]}"#, time: time)
    }

    func candle(_ candle: CandleRecord) -> String {
        #"{"start":"\#(candle.start / 1000)","high":"\#(candle.high)","low":"\#(candle.low)","#
            + #""open":"\#(candle.open)","close":"\#(candle.close)","volume":"\#(candle.volume)"}"#
    }

    private func ticker(_ instrument: GeneratedInstrument, _ channel: String, _ type: String, time: Int64) -> String? {
        guard let best = instrument.best, let last = instrument.tape.newest else { return nil }
        let description = instrument.instrument
        let context = instrument.context
        func price(_ value: Int64) -> String { description.priceText(value) }
        func size(_ value: Int64) -> String { description.sizeText(value) }
        let change = last.price - context.previousDayPrice
        let percent = decimalText(change * 10_000 / max(context.previousDayPrice, 1), scale: 2)
        let low = price(min(instrument.low, context.previousDayPrice))
        let high = price(max(instrument.high, context.previousDayPrice))
        return self.frame(
            channel,
            #"{"type":"\#(type)","tickers":[{"type":"ticker","product_id":\#(quoted(description.symbol)),"#
                + #""price":"\#(price(last.price))","volume_24_h":"\#(size(context.dayVolume))","#
                + #""low_24_h":"\#(low)","high_24_h":"\#(high)","low_52_w":"\#(low)","high_52_w":"\#(high)","#
                + #""price_percent_chg_24_h":"\#(percent)","best_bid":"\#(price(best.bid.price))","#
                + #""best_bid_quantity":"\#(size(best.bid.size))","best_ask":"\#(price(best.ask.price))","#
                + #""best_ask_quantity":"\#(size(best.ask.size))"}]}"#,
            time: time.multiplied(by: 1_000_000))
    }
}
