internal import Tidings

extension BinanceVenue {
    /// All numbers have eight digits after the point.
    private static let digits = 8

    func renderFirst(
        _ topic: Topic, of market: GeneratedMarket, for client: SimulatedClient,
        emit: (UnsafeRawBufferPointer) -> Void
    ) {}

    func render(
        _ event: MarketEvent, of market: GeneratedMarket, for client: SimulatedClient,
        emit: (UnsafeRawBufferPointer) -> Void
    ) {
        switch event {
        case .trades(let index): self.trades(market.instruments[index], market, client, emit)
        case .bookChange(let index): self.book(market.instruments[index], market, client, emit)
        case .best(let index):
            let instrument = market.instruments[index]
            self.send(Topic("bookTicker", instrument.instrument.symbol), client, emit) {
                self.bookTicker(instrument)
            }
        case .context(let index):
            let instrument = market.instruments[index]
            self.send(Topic("ticker", instrument.instrument.symbol), client, emit) {
                self.ticker(instrument, time: market.time)
            }
        case .candles(let index): self.candles(market.instruments[index], market, client, emit)
        case .second(let index): self.closedCandles(market.instruments[index], market, client, emit)
        case .book, .mids: break
        }
    }

    /// Sends what `text` makes to who subscribed, in the shape that the connection has.
    private func send(
        _ topic: Topic, _ client: SimulatedClient, _ emit: (UnsafeRawBufferPointer) -> Void, _ text: () -> String?
    ) {
        guard client.subscriptions.contains(topic), let text = text() else { return }
        let name = client.names[topic] ?? ""
        let frame = client.isCombined ? #"{"stream":\#(quoted(name)),"data":\#(text)}"# : text
        frame.withRawUTF8(emit)
    }

    // MARK: Frames

    private func trades(
        _ instrument: GeneratedInstrument, _ market: GeneratedMarket, _ client: SimulatedClient,
        _ emit: (UnsafeRawBufferPointer) -> Void
    ) {
        let symbol = instrument.instrument.symbol
        for fill in instrument.fills {
            let start = #","E":\#(market.time),"s":"\#(symbol)","#
            let price = instrument.instrument.priceText(fill.price, digits: Self.digits)
            let size = instrument.instrument.sizeText(fill.size, digits: Self.digits)
            let numbers = #""p":"\#(price)","q":"\#(size)","#
            let end = #""T":\#(fill.time),"m":\#(!fill.isBuy),"M":true}"#
            self.send(Topic("trade", symbol), client, emit) {
                #"{"e":"trade"\#(start)"t":\#(fill.number),\#(numbers)\#(end)"#
            }
            self.send(Topic("aggTrade", symbol), client, emit) {
                #"{"e":"aggTrade"\#(start)"a":\#(fill.number),\#(numbers)"f":\#(fill.number),"l":\#(fill.number),\#(end)"#
            }
        }
    }

    private func pairs(_ levels: some Sequence<GeneratedBook.Level>, _ instrument: Instrument) -> String {
        levelPairs(
            levels.map {
                BookLevel(
                    instrument.priceText($0.price, digits: Self.digits),
                    instrument.sizeText($0.size, digits: Self.digits))
            })
    }

    private func book(
        _ instrument: GeneratedInstrument, _ market: GeneratedMarket, _ client: SimulatedClient,
        _ emit: (UnsafeRawBufferPointer) -> Void
    ) {
        let description = instrument.instrument
        let change = instrument.change
        self.send(Topic("depth", description.symbol), client, emit) {
            #"{"e":"depthUpdate","E":\#(market.time),"s":"\#(description.symbol)","U":\#(change.first),"u":\#(change.last)"#
                + #","b":[\#(self.pairs(change.bids, description))],"a":[\#(self.pairs(change.asks, description))]}"#
        }
        for depth in [5, 10, 20] {
            self.send(Topic("depth\(depth)", description.symbol), client, emit) {
                let bids = self.pairs(instrument.book.bids.prefix(depth), description)
                let asks = self.pairs(instrument.book.asks.prefix(depth), description)
                return #"{"lastUpdateId":\#(change.last),"bids":[\#(bids)],"asks":[\#(asks)]}"#
            }
        }
    }

    private func bookTicker(_ instrument: GeneratedInstrument) -> String? {
        guard let best = instrument.best else { return nil }
        let description = instrument.instrument
        let bid = description.priceText(best.bid.price, digits: Self.digits)
        let bidSize = description.sizeText(best.bid.size, digits: Self.digits)
        let ask = description.priceText(best.ask.price, digits: Self.digits)
        let askSize = description.sizeText(best.ask.size, digits: Self.digits)
        return #"{"u":\#(instrument.change.last),"s":"\#(description.symbol)","b":"\#(bid)","B":"\#(bidSize)","#
            + #""a":"\#(ask)","A":"\#(askSize)"}"#
    }

    private func ticker(_ instrument: GeneratedInstrument, time: Int64) -> String? {
        guard let best = instrument.best, let last = instrument.tape.newest else { return nil }
        let description = instrument.instrument
        let context = instrument.context
        func price(_ value: Int64) -> String { description.priceText(value, digits: Self.digits) }
        func size(_ value: Int64) -> String { description.sizeText(value, digits: Self.digits) }
        let change = last.price - context.previousDayPrice
        let percent = change * 100_000 / max(context.previousDayPrice, 1)
        let first = last.number >= 20_000 ? last.number - 19_999 : 0
        return #"{"e":"24hrTicker","E":\#(time),"s":"\#(description.symbol)","p":"\#(price(change))","#
            + #""P":"\#(decimalText(percent, scale: 3))","w":"\#(price((instrument.high + instrument.low) / 2))","#
            + #""x":"\#(price(context.previousDayPrice))","c":"\#(price(last.price))","Q":"\#(size(last.size))","#
            + #""b":"\#(price(best.bid.price))","B":"\#(size(best.bid.size))","a":"\#(price(best.ask.price))","#
            + #""A":"\#(size(best.ask.size))","o":"\#(price(context.previousDayPrice))","#
            + #""h":"\#(price(max(instrument.high, context.previousDayPrice)))","#
            + #""l":"\#(price(min(instrument.low, context.previousDayPrice)))","v":"\#(size(context.dayVolume))","#
            + #""q":"\#(description.moneyText(context.dayNotional))","O":\#(time - 86_400_000),"C":\#(time),"#
            + #""F":\#(first),"L":\#(last.number),"n":\#(last.number - first + 1)}"#
    }

    private func candles(
        _ instrument: GeneratedInstrument, _ market: GeneratedMarket, _ client: SimulatedClient,
        _ emit: (UnsafeRawBufferPointer) -> Void
    ) {
        for interval in Self.intervals {
            self.send(Topic("kline", instrument.instrument.symbol, interval.rawValue), client, emit) {
                guard let candle = instrument.candles.candles(interval).last else { return nil }
                return self.kline(candle, interval, instrument, time: market.time, isClosed: false)
            }
        }
    }

    /// A candle's end is told when the next one begins, whether somebody trades then or not.
    private func closedCandles(
        _ instrument: GeneratedInstrument, _ market: GeneratedMarket, _ client: SimulatedClient,
        _ emit: (UnsafeRawBufferPointer) -> Void
    ) {
        let second = market.time - market.time % 1000
        for interval in Self.intervals {
            self.send(Topic("kline", instrument.instrument.symbol, interval.rawValue), client, emit) {
                let candle = instrument.candles.candles(interval).suffix(2).last { $0.end == second }
                return candle.map { self.kline($0, interval, instrument, time: market.time, isClosed: true) }
            }
        }
    }

    private func kline(
        _ candle: GeneratedCandles.Candle, _ interval: CandleInterval, _ instrument: GeneratedInstrument, time: Int64,
        isClosed: Bool
    ) -> String {
        let description = instrument.instrument
        func price(_ value: Int64) -> String { description.priceText(value, digits: Self.digits) }
        let last = instrument.tape.nextNumber - 1
        let first = last >= UInt64(candle.trades) ? last + 1 - UInt64(candle.trades) : 0
        let volume = description.sizeText(candle.volume, digits: Self.digits)
        let money = description.moneyText(candle.money)
        return
            #"{"e":"kline","E":\#(time),"s":"\#(description.symbol)","k":{"t":\#(candle.start),"T":\#(candle.end - 1),"#
            + #""s":"\#(description.symbol)","i":"\#(interval.rawValue)","f":\#(first),"L":\#(last),"#
            + #""o":"\#(price(candle.open))","c":"\#(price(candle.close))","h":"\#(price(candle.high))","#
            + #""l":"\#(price(candle.low))","v":"\#(volume)","n":\#(candle.trades),"x":\#(isClosed),"q":"\#(money)","#
            + #""V":"\#(volume)","Q":"\#(money)","B":"0"}}"#
    }
}
