import Tidings

/// Candles. The venue never says that one is closed: it is when the next one starts.
extension HyperliquidSession {
    mutating func takeCandle(
        _ fields: HyperliquidFields, _ frame: UnsafeRawBufferPointer, on connection: Int, at receivedAt: Timestamp,
        into output: inout VenueOutput
    ) {
        guard let index = self.index(of: fields.symbol), let stream = self.plan.stream(.ohlcv, of: index),
            connection >= self.coins[index].candleConnection
        else { return }
        self.coins[index].candleConnection = connection
        output.hear(stream)
        guard let start = fields.start, Self.isMeant(start, at: receivedAt),
            let candle = Candle(fields, self.coins[index].symbol, self.coins[index].context(receivedAt))
        else {
            output.problems.append(.unreadable(frame, "a candle without all of its prices"))
            return
        }
        guard candle.interval.description == self.plan.candleInterval else { return }
        if var last = self.coins[index].candle {
            if candle.timestamp < last.timestamp { return }
            if candle.timestamp > last.timestamp {
                if self.coins[index].isCandleOutdated {
                    self.askForCandles(index, from: last.timestamp, before: start, into: &output)
                } else {
                    last.isClosed = true
                    last.context.receivedAt = receivedAt
                    output.events.append(Self.event(of: last, coin: self.coins[index].venueSymbol))
                }
            }
        }
        self.coins[index].isCandleOutdated = false
        self.coins[index].candle = candle
        output.events.append(Self.event(of: candle, coin: self.coins[index].venueSymbol))
    }

    private mutating func askForCandles(
        _ index: Int, from last: Timestamp, before start: Int64, into output: inout VenueOutput
    ) {
        let first = last.nanoseconds / 1_000_000
        guard first < start else { return }
        let range = min(first, self.coins[index].missedCandles?.lowerBound ?? first)...start - 1
        self.coins[index].missedCandles = range
        output.requests.append(
            HyperliquidInfo.candles(
                .recent(.ohlcv, index), self.coins[index].instrument, interval: self.plan.candleInterval, range))
    }

    mutating func takeMissedCandles(
        _ answer: VenueAnswer, _ index: Int, at receivedAt: Timestamp, into output: inout VenueOutput
    ) {
        guard self.coins.indices.contains(index), let missed = self.coins[index].missedCandles else { return }
        self.coins[index].missedCandles = nil
        let coin = self.coins[index]
        do throws(VenueError) {
            for fields in try HyperliquidInfo.readList(answer) {
                guard let start = fields.start, missed.contains(start),
                    var candle = Candle(fields, coin.symbol, coin.context(receivedAt))
                else { continue }
                candle.isClosed = true
                output.events.append(Self.event(of: candle, coin: coin.venueSymbol))
            }
        } catch {
            output.problems.append(
                VenueOutput.Problem(
                    code: "SEQUENCE_GAP", message: "\(coin.symbol): candles are missing: \(error.message)",
                    details: [
                        "symbol": .string(coin.symbol.description),
                        "from": .string(Timestamp(milliseconds: missed.lowerBound)?.description ?? ""),
                        "to": .string(Timestamp(milliseconds: missed.upperBound)?.description ?? ""),
                    ]))
        }
    }

    static func event(of candle: Candle, coin: Name) -> StandardEvent {
        var hash = Self.hash("hyperliquid.ohlcv", coin, candle.timestamp.nanoseconds)
        candle.interval.withUTF8 { hash.combine($0) }
        for number in [candle.open, candle.high, candle.low, candle.close, candle.volume] { hash.combine(number) }
        hash.combine(candle.trades ?? .max)
        hash.combine(candle.isClosed == true ? 1 as UInt64 : 0)
        return StandardEvent(
            eventType: .ohlcv, source: Self.source, payload: .candle(candle), timestamp: candle.timestamp,
            eventID: EventID(at: candle.timestamp, hash: hash))
    }
}

extension Candle {
    /// A running candle; `nil` where one of its numbers is missing.
    init?(_ fields: HyperliquidFields, _ symbol: Name, _ context: MarketContext) {
        guard let interval = fields.interval, let timestamp = fields.start.flatMap({ Timestamp(milliseconds: $0) }),
            let open = fields.open, let high = fields.high, let low = fields.low, let close = fields.close,
            let volume = fields.volume
        else { return nil }
        self.init(
            symbol: symbol, interval: interval, open: open, high: high, low: low, close: close, volume: volume,
            trades: fields.trades, isClosed: false, timestamp: timestamp, context: context)
    }
}
