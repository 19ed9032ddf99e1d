internal import Tidings

extension KrakenVenue {
    // MARK: Beginnings

    /// A snapshot, recorded market or not; nothing where the client said `snapshot: false`.
    func first(of topic: Topic, from snapshot: any VenueSnapshot, for client: SimulatedClient) -> [[UInt8]] {
        guard client.names[topic] != "live" else { return [] }
        switch topic.channel {
        case "book":
            guard let book = snapshot.book(of: topic.symbol) else { return [] }
            // A recorded book has the depth that the recorded acknowledgement says.
            let depth = client.isRecorded ? Int.max : client.depths[topic] ?? 10
            return [Array(self.book(book, depth: depth, time: snapshot.time).utf8)]
        case "trade":
            let trades = snapshot.trades(of: topic.symbol).suffix(50)
            return trades.isEmpty ? [] : [Array(self.trades(trades, topic.symbol, isSnapshot: true).utf8)]
        case "ohlc":
            guard let minutes = Int(topic.detail), let interval = Self.interval(minutes: minutes) else { return [] }
            let candles = snapshot.candles(of: topic.symbol, interval)
            let frame = self.candles(candles, minutes, topic.symbol, time: snapshot.time, isSnapshot: true)
            return candles.isEmpty ? [] : [Array(frame.utf8)]
        case "instrument": return [Array(self.instruments(snapshot).utf8)]
        default: return snapshot.recent(topic, limit: 1)
        }
    }

    func renderFirst(
        _ topic: Topic, of market: GeneratedMarket, for client: SimulatedClient,
        emit: (UnsafeRawBufferPointer) -> Void
    ) {
        if topic.channel == "ticker" {
            guard let index = market.index(of: topic.symbol) else { return }
            self.ticker(market.instruments[index], isSnapshot: true)?.withRawUTF8(emit)
            return
        }
        for frame in self.first(of: topic, from: GeneratedSnapshot(market: market, venue: self), for: client) {
            frame.withUnsafeBytes(emit)
        }
    }

    // MARK: What happens

    func render(
        _ event: MarketEvent, of market: GeneratedMarket, for client: SimulatedClient,
        emit: (UnsafeRawBufferPointer) -> Void
    ) {
        switch event {
        case .trades(let index):
            let instrument = market.instruments[index]
            let symbol = instrument.instrument.symbol
            guard client.subscriptions.contains(Topic("trade", symbol)) else { return }
            let trades = instrument.fills.map { $0.record(instrument.instrument) }
            self.trades(trades[...], symbol, isSnapshot: false).withRawUTF8(emit)
        case .bookChange(let index):
            let instrument = market.instruments[index]
            let topic = Topic("book", instrument.instrument.symbol)
            guard client.subscriptions.contains(topic) else { return }
            self.update(instrument, depth: client.depths[topic] ?? 10, time: market.time)?.withRawUTF8(emit)
        case .best(let index):
            let instrument = market.instruments[index]
            guard client.subscriptions.contains(Topic("ticker", instrument.instrument.symbol)) else { return }
            self.ticker(instrument, isSnapshot: false)?.withRawUTF8(emit)
        case .candles(let index):
            let instrument = market.instruments[index]
            let symbol = instrument.instrument.symbol
            for (minutes, interval) in Self.intervals
            where client.subscriptions.contains(Topic("ohlc", symbol, "\(minutes)")) {
                guard let candle = instrument.candles.candles(interval).last else { continue }
                let frame = self.candles(
                    [candle.record(instrument.instrument)], minutes, symbol, time: market.time, isSnapshot: false)
                frame.withRawUTF8(emit)
            }
        case .book, .context, .second, .mids: break
        }
    }

    // MARK: Frames

    private func levels(_ levels: some Sequence<BookLevel>) -> String {
        levels.map { #"{"price":\#($0.price),"qty":\#($0.size)}"# }.joined(separator: ",")
    }

    private func book(_ book: SimulatedBook, depth: Int, time: Int64) -> String {
        let bids = book.bids.prefix(depth)
        let asks = book.asks.prefix(depth)
        return #"{"channel":"book","type":"snapshot","data":[{"symbol":\#(quoted(book.symbol)),"#
            + #""bids":[\#(self.levels(bids))],"asks":[\#(self.levels(asks))],"#
            + #""checksum":\#(CRC32.checksum(bids: bids, asks: asks)),"#
            + #""timestamp":"\#(timeText(nanoseconds: time.multiplied(by: 1_000_000)))"}]}"#
    }

    /// `nil` when nothing changed within the depth.
    private func update(_ instrument: GeneratedInstrument, depth: Int, time: Int64) -> String? {
        let (bids, asks) = instrument.book.changes(from: instrument.previousBook, depth: depth)
        guard !bids.isEmpty || !asks.isEmpty else { return nil }
        let description = instrument.instrument
        func texts(_ levels: some Sequence<GeneratedBook.Level>) -> [BookLevel] {
            levels.map { BookLevel(description.priceText($0.price), description.sizeText($0.size)) }
        }
        let checksum = CRC32.checksum(
            bids: texts(instrument.book.bids.prefix(10)), asks: texts(instrument.book.asks.prefix(10)))
        return #"{"channel":"book","type":"update","data":[{"symbol":\#(quoted(description.symbol)),"#
            + #""bids":[\#(self.levels(texts(bids)))],"asks":[\#(self.levels(texts(asks)))],"checksum":\#(checksum),"#
            + #""timestamp":"\#(timeText(nanoseconds: time.multiplied(by: 1_000_000)))"}]}"#
    }

    private func trades(_ trades: ArraySlice<TradeRecord>, _ symbol: String, isSnapshot: Bool) -> String {
        let items = trades.map { trade in
            #"{"symbol":\#(quoted(symbol)),"side":"\#(trade.isBuy ? "buy" : "sell")","price":\#(trade.price),"#
                + #""qty":\#(trade.size),"ord_type":"market","trade_id":\#(trade.id),"#
                + #""timestamp":"\#(timeText(nanoseconds: trade.time))"}"#
        }
        return #"{"channel":"trade","type":"\#(isSnapshot ? "snapshot" : "update")","data":["#
            + items.joined(separator: ",") + "]}"
    }

    private func ticker(_ instrument: GeneratedInstrument, isSnapshot: Bool) -> String? {
        guard let best = instrument.best, let last = instrument.tape.newest else { return nil }
        let description = instrument.instrument
        let context = instrument.context
        func price(_ value: Int64) -> String { description.priceText(value) }
        func size(_ value: Int64) -> String { description.sizeText(value) }
        let change = last.price - context.previousDayPrice
        let percent = decimalText(change * 10_000 / max(context.previousDayPrice, 1), scale: 2)
        return #"{"channel":"ticker","type":"\#(isSnapshot ? "snapshot" : "update")","#
            + #""data":[{"symbol":\#(quoted(description.symbol)),"bid":\#(price(best.bid.price)),"#
            + #""bid_qty":\#(size(best.bid.size)),"ask":\#(price(best.ask.price)),"ask_qty":\#(size(best.ask.size)),"#
            + #""last":\#(price(last.price)),"volume":\#(size(context.dayVolume)),"#
            + #""vwap":\#(price((instrument.high + instrument.low) / 2)),"low":\#(price(instrument.low)),"#
            + #""high":\#(price(instrument.high)),"change":\#(price(change)),"change_pct":\#(percent)}]}"#
    }

    private func candles(
        _ candles: [CandleRecord], _ minutes: Int, _ symbol: String, time: Int64, isSnapshot: Bool
    ) -> String {
        let items = candles.map { candle in
            #"{"symbol":\#(quoted(symbol)),"open":\#(candle.open),"high":\#(candle.high),"low":\#(candle.low),"#
                + #""close":\#(candle.close),"trades":\#(candle.trades),"volume":\#(candle.volume),"#
                + #""vwap":\#(candle.averagePrice),"#
                + #""interval_begin":"\#(timeText(nanoseconds: candle.start * 1_000_000, .nanoseconds))","#
                + #""interval":\#(minutes),"timestamp":"\#(timeText(nanoseconds: candle.end * 1_000_000))"}"#
        }
        return #"{"channel":"ohlc","type":"\#(isSnapshot ? "snapshot" : "update")","#
            + #""timestamp":"\#(timeText(nanoseconds: time * 1_000_000))","data":["#
            + items.joined(separator: ",") + "]}"
    }

    private func instruments(_ snapshot: any VenueSnapshot) -> String {
        let pairs = snapshot.symbols.map { symbol -> String in
            let instrument = snapshot.instrument(symbol)
            let parts = symbol.split(separator: "/").map { String($0) }
            return #"{"symbol":\#(quoted(symbol)),"base":\#(quoted(parts.first ?? "")),"#
                + #""quote":\#(quoted(parts.last ?? "")),"status":"online","qty_precision":\#(instrument.sizeDigits),"#
                + #""qty_increment":\#(decimalText(1, scale: UInt8(clamping: instrument.sizeDigits))),"#
                + #""price_precision":\#(instrument.priceDigits),"#
                + #""price_increment":\#(decimalText(1, scale: UInt8(clamping: instrument.priceDigits))),"#
                + #""cost_precision":5,"marginable":false,"has_index":true,"cost_min":0.5,"qty_min":0.0001}"#
        }
        let assets = Set(snapshot.symbols.flatMap { $0.split(separator: "/").map { String($0) } }).sorted()
        let list = assets.map { #"{"id":\#(quoted($0)),"status":"enabled","precision":10,"precision_display":5}"# }
        return #"{"channel":"instrument","type":"snapshot","data":{"assets":[\#(list.joined(separator: ","))],"#
            + #""pairs":[\#(pairs.joined(separator: ","))]}}"#
    }
}

extension CandleRecord {
    /// Money by volume, to the digits of the price.
    var averagePrice: String {
        guard let money = DecimalUnits(self.quoteVolume)?.double, let volume = DecimalUnits(self.volume)?.double,
            volume > 0
        else { return self.close }
        let digits = self.close.utf8.split(separator: UInt8(ascii: ".")).dropFirst().first?.count ?? 0
        let units = min(money / volume * Double(powerOfTen(min(digits, 12))), 9e18)
        return decimalText(Int64(units), scale: UInt8(min(digits, 12)))
    }
}
