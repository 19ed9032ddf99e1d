import Tidings

/// Best prices and candles.
extension KrakenSession {
    mutating func takeTickers(
        _ frame: UnsafeRawBufferPointer, on connection: Int, at receivedAt: Timestamp,
        into output: inout VenueOutput
    ) {
        for entry in self.frame.entries {
            guard let name = entry.market else { continue }
            let index = self.names.entries[name].instrument
            // Without a number of its own, only the newest connection's ticker counts.
            guard let stream = self.stream(.ticker, index), connection >= self.markets[index].tickerConnection else {
                continue
            }
            self.markets[index].tickerConnection = connection
            output.hear(stream)
            let ticker = Ticker(
                symbol: self.markets[index].symbol, price: entry.last, volume: entry.volume, bid: entry.bid,
                ask: entry.ask, bidVolume: entry.bidSize, askVolume: entry.askSize, timestamp: entry.timestamp,
                context: self.markets[index].context(self.names.entries[name].name, receivedAt))
            guard ticker.price != nil || ticker.bid != nil || ticker.ask != nil else {
                output.problems.append(.unreadable(frame, "a ticker without prices"))
                continue
            }
            let moment = entry.timestamp ?? receivedAt
            var hash = StableHash()
            hash.combine("kraken.ticker")
            hash.combine(self.markets[index].instrument.venueSymbol)
            hash.combine(moment.nanoseconds)
            for number in [entry.last, entry.volume, entry.bid, entry.ask, entry.bidSize, entry.askSize] {
                hash.combine(number)
            }
            output.events.append(
                StandardEvent(
                    eventType: .ticker, source: Self.source, payload: .ticker(ticker), timestamp: moment,
                    eventID: EventID(at: moment, hash: hash)))
        }
    }

    // MARK: Candles

    mutating func takeCandles(
        _ frame: UnsafeRawBufferPointer, on connection: Int, at receivedAt: Timestamp,
        into output: inout VenueOutput
    ) {
        var entries = self.frame.entries
        let isSnapshot = self.frame.isSnapshot
        if isSnapshot {
            entries.sort { $0.begin?.nanoseconds ?? .min < $1.begin?.nanoseconds ?? .min }
        }
        // The last candle of each market in a snapshot is the one that still runs.
        var newest: [Int: Timestamp] = [:]
        if isSnapshot {
            for entry in entries { if let name = entry.market, let begin = entry.begin { newest[name] = begin } }
        }
        for entry in entries {
            guard let name = entry.market else { continue }
            let index = self.names.entries[name].instrument
            guard let stream = self.stream(.ohlc, index), connection >= self.markets[index].candleConnection else {
                continue
            }
            self.markets[index].candleConnection = connection
            output.hear(stream)
            let context = self.markets[index].context(self.names.entries[name].name, receivedAt)
            guard
                let candle = Candle(
                    entry, self.markets[index].symbol, interval: Name(self.plan.candleInterval), context)
            else {
                output.problems.append(.unreadable(frame, "a candle without all of its prices"))
                continue
            }
            let isRunning = newest[name].map { $0 == candle.timestamp } ?? true
            self.take(candle, index, isRunning: isRunning, at: receivedAt, into: &output)
        }
    }

    /// - Parameter isRunning: whether it may still change: all of a snapshot but its last candle are done.
    mutating func take(
        _ candle: Candle, _ index: Int, isRunning: Bool, at receivedAt: Timestamp, into output: inout VenueOutput
    ) {
        if var last = self.markets[index].candle {
            guard candle.timestamp >= last.timestamp else { return }
            if candle.timestamp > last.timestamp {
                if self.markets[index].isCandleOutdated {
                    // What it became while nobody listened has to be asked for.
                    output.requests.append(
                        KrakenREST.candles(
                            .recent(.ohlcv, index), self.markets[index].instrument,
                            minutes: self.messages.interval ?? 1, since: last.timestamp))
                } else if last.isClosed != true {
                    last.isClosed = true
                    last.context.receivedAt = receivedAt
                    output.events.append(Self.event(of: last, self.markets[index].instrument))
                }
            } else if last.isClosed == true || (!isRunning && last.hasSameNumbers(as: candle)) {
                // Told already, or to be told as closed by what follows.
                self.markets[index].isCandleOutdated = false
                return
            }
        }
        self.markets[index].isCandleOutdated = false
        var candle = candle
        candle.isClosed = !isRunning
        self.markets[index].candle = candle
        output.events.append(Self.event(of: candle, self.markets[index].instrument))
    }

    /// Candles that ended while nobody listened.
    mutating func takeMissedCandles(
        _ answer: VenueAnswer, _ index: Int, at receivedAt: Timestamp, into output: inout VenueOutput
    ) {
        guard self.markets.indices.contains(index), let running = self.markets[index].candle else { return }
        let market = self.markets[index]
        let rows: [KrakenREST.Row]
        do throws(VenueError) {
            guard case .body(let bytes) = answer else {
                guard case .failure(let status, let reason) = answer else { return }
                throw VenueError(.refused, "\(status.map { "HTTP \($0): " } ?? "")\(reason)")
            }
            rows = try KrakenREST.readRows(bytes).rows
        } catch {
            output.problems.append(
                VenueOutput.Problem(
                    code: "SEQUENCE_GAP", message: "\(market.symbol): candles are missing: \(error.message)",
                    details: ["symbol": .string(market.symbol.description)]))
            return
        }
        for row in rows {
            guard
                let candle = row.candle(
                    market.symbol, interval: Name(self.plan.candleInterval), market.context(receivedAt)),
                candle.timestamp < running.timestamp
            else { continue }
            var closed = candle
            closed.isClosed = true
            output.events.append(Self.event(of: closed, market.instrument))
        }
    }

    static func event(of candle: Candle, _ instrument: Instrument) -> StandardEvent {
        var hash = StableHash()
        hash.combine("kraken.ohlcv")
        hash.combine(instrument.venueSymbol)
        hash.combine(candle.timestamp.nanoseconds)
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
    fileprivate init?(_ entry: KrakenFrame.Entry, _ symbol: Name, interval: Name, _ context: MarketContext) {
        guard let begin = entry.begin, let open = entry.open, let high = entry.high, let low = entry.low,
            let close = entry.close, let volume = entry.volume
        else { return nil }
        self.init(
            symbol: symbol, interval: interval, open: open, high: high, low: low, close: close, volume: volume,
            trades: entry.trades, timestamp: begin, context: context)
    }

    fileprivate func hasSameNumbers(as other: Candle) -> Bool {
        self.open == other.open && self.high == other.high && self.low == other.low && self.close == other.close
            && self.volume == other.volume && self.trades == other.trades
    }
}
