internal import Tidings

extension HyperliquidVenue {
    func render(
        _ event: MarketEvent, of market: GeneratedMarket, for client: SimulatedClient,
        emit: (UnsafeRawBufferPointer) -> Void
    ) {
        let subscriptions = client.subscriptions
        switch event {
        case .trades(let index):
            let instrument = market.instruments[index]
            if subscriptions.contains(Topic("trades", instrument.instrument.symbol)) {
                self.trades(instrument.fills[...], of: instrument, emit)
            }
        case .book(let index):
            let symbol = market.instruments[index].instrument.symbol
            self.render(Topic("l2Book", symbol), of: market, if: subscriptions, emit)
        case .best(let index):
            let symbol = market.instruments[index].instrument.symbol
            self.render(Topic("bbo", symbol), of: market, if: subscriptions, emit)
        case .context(let index):
            let symbol = market.instruments[index].instrument.symbol
            self.render(Topic("activeAssetCtx", symbol), of: market, if: subscriptions, emit)
        case .candles(let index):
            let symbol = market.instruments[index].instrument.symbol
            for interval in Self.intervals {
                self.render(Topic("candle", symbol, interval.rawValue), of: market, if: subscriptions, emit)
            }
        case .bookChange, .second: break
        case .mids:
            self.render(Topic("allMids"), of: market, if: subscriptions, emit)
        }
    }

    private func render(
        _ topic: Topic, of market: GeneratedMarket, if subscriptions: Set<Topic>,
        _ emit: (UnsafeRawBufferPointer) -> Void
    ) {
        if subscriptions.contains(topic) { self.renderFirst(topic, of: market, for: SimulatedClient(), emit: emit) }
    }

    func renderFirst(
        _ topic: Topic, of market: GeneratedMarket, for client: SimulatedClient,
        emit: (UnsafeRawBufferPointer) -> Void
    ) {
        if topic.channel == "allMids" {
            self.mids(of: market, emit)
            return
        }
        guard let index = market.index(of: topic.symbol) else { return }
        let instrument = market.instruments[index]
        switch topic.channel {
        case "trades":
            let fills = instrument.tape.last(10)
            if !fills.isEmpty { self.trades(fills[...], of: instrument, emit) }
        case "l2Book": self.book(of: instrument, time: market.time, emit)
        case "bbo": self.best(of: instrument, time: market.time, emit)
        case "activeAssetCtx": self.context(of: instrument, emit)
        case "candle":
            guard let interval = CandleInterval(rawValue: topic.detail) else { return }
            if let candle = instrument.candles.candles(interval).last {
                self.candle(candle, interval, of: instrument, emit)
            }
        default: break
        }
    }

    func renderRecent(_ topic: Topic, of market: GeneratedMarket, limit: Int) -> [[UInt8]] {
        var frames: [[UInt8]] = []
        let index = market.index(of: topic.symbol)
        if topic.channel == "candle", let interval = CandleInterval(rawValue: topic.detail), let index {
            let instrument = market.instruments[index]
            for candle in instrument.candles.candles(interval).suffix(limit) {
                self.candle(candle, interval, of: instrument) { frames.append(Array($0)) }
            }
        } else if topic.channel == "trades", let index {
            let instrument = market.instruments[index]
            for fill in instrument.tape.last(min(limit, 100)) {
                self.trades([fill], of: instrument) { frames.append(Array($0)) }
            }
        } else if limit > 0 {
            self.renderFirst(topic, of: market, for: SimulatedClient()) { frames.append(Array($0)) }
        }
        return frames
    }

    // MARK: Frames

    private func trades(
        _ fills: ArraySlice<GeneratedInstrument.Fill>, of instrument: GeneratedInstrument,
        _ emit: (UnsafeRawBufferPointer) -> Void
    ) {
        var writer = JSONWriter(capacity: 512)
        writer.literal(#"{"channel":"trades","data":["#)
        var isFirst = true
        for fill in fills {
            if !isFirst { writer.literal(",") }
            isFirst = false
            writer.literal(#"{"coin":""#)
            writer.write(unescaped: instrument.instrument.symbol)
            writer.literal(#"","side":""#)
            writer.literal(fill.isBuy ? "B" : "A")
            writer.literal(#"","px":""#)
            writer.write(price: fill.price, instrument.instrument)
            writer.literal(#"","sz":""#)
            writer.write(size: fill.size, instrument.instrument)
            writer.literal(#"","hash":"0x"#)
            writer.write(hexBytes: 32, seed: fill.hashSeed)
            writer.literal(#"","time":"#)
            writer.write(fill.time)
            writer.literal(#","tid":"#)
            writer.write(fill.id)
            writer.literal(#","users":["0x"#)
            writer.write(hexBytes: 20, seed: fill.buyer)
            writer.literal(#"","0x"#)
            writer.write(hexBytes: 20, seed: fill.seller)
            writer.literal(#""]}"#)
        }
        writer.literal("]}")
        writer.withBytes(emit)
    }

    private func book(
        of instrument: GeneratedInstrument, time: Int64, _ emit: (UnsafeRawBufferPointer) -> Void
    ) {
        var writer = JSONWriter(capacity: 4096)
        writer.literal(#"{"channel":"l2Book","data":{"coin":""#)
        writer.write(unescaped: instrument.instrument.symbol)
        writer.literal(#"","time":"#)
        writer.write(time)
        writer.literal(#","levels":[["#)
        writer.write(levels: instrument.book.bids, instrument.instrument)
        writer.literal("],[")
        writer.write(levels: instrument.book.asks, instrument.instrument)
        writer.literal("]]}}")
        writer.withBytes(emit)
    }

    private func best(
        of instrument: GeneratedInstrument, time: Int64, _ emit: (UnsafeRawBufferPointer) -> Void
    ) {
        guard let best = instrument.best else { return }
        var writer = JSONWriter(capacity: 256)
        writer.literal(#"{"channel":"bbo","data":{"coin":""#)
        writer.write(unescaped: instrument.instrument.symbol)
        writer.literal(#"","time":"#)
        writer.write(time)
        writer.literal(#","bbo":["#)
        writer.write(levels: [best.bid, best.ask], instrument.instrument)
        writer.literal("]}}")
        writer.withBytes(emit)
    }

    private func candle(
        _ candle: GeneratedCandles.Candle, _ interval: CandleInterval, of instrument: GeneratedInstrument,
        _ emit: (UnsafeRawBufferPointer) -> Void
    ) {
        let description = instrument.instrument
        var writer = JSONWriter(capacity: 256)
        writer.literal(#"{"channel":"candle","data":{"t":"#)
        writer.write(candle.start)
        writer.literal(#","T":"#)
        writer.write(candle.end - 1)
        writer.literal(#","s":""#)
        writer.write(unescaped: description.symbol)
        writer.literal(#"","i":""#)
        writer.write(unescaped: interval.rawValue)
        writer.literal(#"","o":""#)
        writer.write(price: candle.open, description)
        writer.literal(#"","c":""#)
        writer.write(price: candle.close, description)
        writer.literal(#"","h":""#)
        writer.write(price: candle.high, description)
        writer.literal(#"","l":""#)
        writer.write(price: candle.low, description)
        writer.literal(#"","v":""#)
        writer.write(size: candle.volume, description)
        writer.literal(#"","n":"#)
        writer.write(candle.trades)
        writer.literal("}}")
        writer.withBytes(emit)
    }

    private func context(of instrument: GeneratedInstrument, _ emit: (UnsafeRawBufferPointer) -> Void) {
        guard let best = instrument.best else { return }
        let context = instrument.context
        let description = instrument.instrument
        let units = Double(powerOfTen(Int(description.priceScale + description.sizeScale)))
        let notional = Int64(min(context.dayNotional / units * 10, 9e18))
        var writer = JSONWriter(capacity: 512)
        writer.literal(#"{"channel":"activeAssetCtx","data":{"coin":""#)
        writer.write(unescaped: description.symbol)
        writer.literal(#"","ctx":{"funding":""#)
        writer.write(number: context.funding, scale: 10)
        writer.literal(#"","openInterest":""#)
        writer.write(size: context.openInterest, description)
        writer.literal(#"","prevDayPx":""#)
        writer.write(price: context.previousDayPrice, description)
        writer.literal(#"","dayNtlVlm":""#)
        writer.write(number: notional, scale: 1)
        writer.literal(#"","premium":""#)
        writer.write(number: context.premium, scale: 10)
        writer.literal(#"","oraclePx":""#)
        writer.write(price: context.oraclePrice, description)
        writer.literal(#"","markPx":""#)
        writer.write(price: (best.bid.price + best.ask.price) / 2, description)
        writer.literal(#"","midPx":""#)
        writer.write(middleOf: best.bid.price, best.ask.price, description)
        writer.literal(#"","impactPxs":[""#)
        writer.write(price: best.bid.price, description)
        writer.literal(#"",""#)
        writer.write(price: best.ask.price, description)
        writer.literal(#""],"dayBaseVlm":""#)
        writer.write(size: context.dayVolume, description)
        writer.literal(#""}}}"#)
        writer.withBytes(emit)
    }

    private func mids(of market: GeneratedMarket, _ emit: (UnsafeRawBufferPointer) -> Void) {
        var writer = JSONWriter(capacity: 256)
        writer.literal(#"{"channel":"allMids","data":{"mids":{"#)
        var isFirst = true
        for instrument in market.instruments {
            guard let best = instrument.best else { continue }
            if !isFirst { writer.literal(",") }
            isFirst = false
            writer.write(string: instrument.instrument.symbol)
            writer.literal(#":""#)
            writer.write(middleOf: best.bid.price, best.ask.price, instrument.instrument)
            writer.literal("\"")
        }
        writer.literal("}}}")
        writer.withBytes(emit)
    }
}

extension JSONWriter {
    /// A number as the venue writes it: no zeros at the end, but one digit after the point at least.
    fileprivate mutating func write(number: Int64, scale: UInt8) {
        var number = number
        var scale = scale
        while scale > 1, number % 10 == 0 {
            number /= 10
            scale -= 1
        }
        self.write(mantissa: number, scale: scale)
        if scale == 0 { self.literal(".0") }
    }

    fileprivate mutating func write(price: Int64, _ instrument: Instrument) {
        self.write(number: price, scale: instrument.priceScale)
    }

    fileprivate mutating func write(size: Int64, _ instrument: Instrument) {
        self.write(number: size, scale: instrument.sizeScale)
    }

    fileprivate mutating func write(middleOf bid: Int64, _ ask: Int64, _ instrument: Instrument) {
        self.write(number: (bid + ask) * 5, scale: instrument.priceScale + 1)
    }

    fileprivate mutating func write(levels: [GeneratedBook.Level], _ instrument: Instrument) {
        var isFirst = true
        for level in levels {
            if !isFirst { self.literal(",") }
            isFirst = false
            self.literal(#"{"px":""#)
            self.write(price: level.price, instrument)
            self.literal(#"","sz":""#)
            self.write(size: level.size, instrument)
            self.literal(#"","n":"#)
            self.write(level.orders)
            self.literal("}")
        }
    }

    /// `count` bytes that look like chance, as hex digits: the same seed gives the same ones.
    fileprivate mutating func write(hexBytes count: Int, seed: UInt64) {
        var random = SeededGenerator(seed: seed ^ 0x7469_6469_6E67_7321)
        var word: UInt64 = 0
        for index in 0..<count {
            if index % 8 == 0 { word = random.next() }
            let byte = UInt8(truncatingIfNeeded: word)
            word >>= 8
            self.write(byte: hexDigit(byte >> 4))
            self.write(byte: hexDigit(byte & 15))
        }
    }
}
