import Tidings

/// Arbitrary events, as our own code could make them.
enum RandomEvents {
    static func decimal(_ random: inout SeededGenerator) -> ExactDecimal {
        ExactDecimal(RandomJSON.number(&random)) ?? .zero
    }

    static func timestamp(_ random: inout SeededGenerator) -> Timestamp {
        let nanoseconds = Int64(bitPattern: random.next())
        return switch random.below(4) {
        case 0: Timestamp(nanoseconds: nanoseconds / 1_000_000_000 * 1_000_000_000, precision: .seconds)
        case 1: Timestamp(nanoseconds: nanoseconds / 1_000_000 * 1_000_000, precision: .milliseconds)
        case 2: Timestamp(nanoseconds: nanoseconds / 1000 * 1000, precision: .microseconds)
        default: Timestamp(nanoseconds: nanoseconds)
        }
    }

    static func name(_ random: inout SeededGenerator) -> Name {
        Name(random.chance(50) ? random.pick(["BTC-USD", "ETH-USD", "kraken", "é", "a\"b"]) : RandomJSON.text(&random))
    }

    static func identifier(_ random: inout SeededGenerator) -> EventID {
        random.chance(60)
            ? EventID(high: random.next(), low: random.next()) : EventID("x" + RandomJSON.text(&random)) ?? EventID()
    }

    static func context(_ random: inout SeededGenerator) -> MarketContext {
        MarketContext(
            venueSymbol: random.chance(50) ? self.name(&random) : nil,
            instrument: random.pick([nil, .spot, .perpetual]),
            receivedAt: random.chance(50) ? self.timestamp(&random) : nil)
    }

    static func payload(_ random: inout SeededGenerator) -> Payload {
        func maybe(_ random: inout SeededGenerator) -> ExactDecimal? {
            random.chance(70) ? self.decimal(&random) : nil
        }
        func levels(_ random: inout SeededGenerator) -> [OrderBook.Level] {
            (0..<random.below(4)).map { _ in
                OrderBook.Level(price: self.decimal(&random), volume: self.decimal(&random))
            }
        }
        switch random.below(6) {
        case 0:
            return .trade(
                Trade(
                    symbol: self.name(&random), price: self.decimal(&random), volume: self.decimal(&random),
                    timestamp: random.chance(80) ? self.timestamp(&random) : nil,
                    side: random.pick([nil, .buy, .sell]),
                    tradeID: random.pick([nil, TradeID(random.next()), TradeID(RandomJSON.text(&random))]),
                    context: self.context(&random)))
        case 1:
            return .ticker(
                Ticker(
                    symbol: self.name(&random), price: maybe(&random), volume: maybe(&random), bid: maybe(&random),
                    ask: maybe(&random), bidVolume: maybe(&random), askVolume: maybe(&random),
                    timestamp: self.timestamp(&random), context: self.context(&random)))
        case 2:
            let bids = levels(&random)
            let asks = levels(&random)
            return .orderBook(
                OrderBook(
                    symbol: self.name(&random), kind: random.pick([.snapshot, .delta]), bids: bids, asks: asks,
                    bestBid: bids.first, bestAsk: asks.first, sequence: random.chance(50) ? random.next() : nil,
                    timestamp: self.timestamp(&random), context: self.context(&random)))
        case 3:
            return .candle(
                Candle(
                    symbol: self.name(&random), interval: "1m", open: self.decimal(&random),
                    high: self.decimal(&random), low: self.decimal(&random), close: self.decimal(&random),
                    volume: self.decimal(&random), trades: random.chance(50) ? random.next() : nil,
                    isClosed: random.pick([nil, true, false]), timestamp: self.timestamp(&random),
                    origin: random.chance(30) ? self.name(&random) : nil, context: self.context(&random)))
        default:
            let json = RandomJSON.object(&random, depth: 3)
            return (try? JSONObject(json: json)).map { .object($0) } ?? .empty
        }
    }

    static func event(_ random: inout SeededGenerator) -> StandardEvent {
        var event = StandardEvent(
            eventType: EventType(random.pick(["trade", "login.success", "a:b", "X"])) ?? .custom,
            source: Name("s" + RandomJSON.text(&random)), payload: self.payload(&random),
            priority: EventPriority(1 + random.below(10)) ?? .normal, timestamp: self.timestamp(&random),
            eventID: self.identifier(&random),
            correlationID: random.chance(50) ? self.identifier(&random) : nil,
            parentEventID: random.chance(50) ? self.identifier(&random) : nil)
        if random.chance(30) {
            event.markProcessed(at: self.timestamp(&random), after: .nanoseconds(Int64(random.below(1 << 40))))
        }
        if random.chance(30) {
            event.extra = (try? JSONObject(json: RandomJSON.object(&random, depth: 2)))
        }
        return event
    }
}
