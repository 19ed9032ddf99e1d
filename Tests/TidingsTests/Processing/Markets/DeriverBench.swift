@testable import Tidings

/// A deriver with nothing around it: events and times in, events out.
struct DeriverBench<Work: Deriver> {
    var deriver: Work
    private(set) var output: [StandardEvent] = []

    init(_ deriver: Work) {
        self.deriver = deriver
    }

    @discardableResult
    mutating func give(_ event: StandardEvent) throws -> [StandardEvent] {
        var output = DerivedEvents(derivation: Derivation(of: self.deriver.name), input: EventCause(event))
        try self.deriver.process(event, output: &output)
        return self.take(output)
    }

    @discardableResult
    mutating func advance(to now: Timestamp) throws -> [StandardEvent] {
        var output = DerivedEvents(derivation: Derivation(of: self.deriver.name), input: nil)
        try self.deriver.advance(to: now, output: &output)
        return self.take(output)
    }

    mutating func run(_ body: (inout Work, inout DerivedEvents) -> Void) -> [StandardEvent] {
        var output = DerivedEvents(derivation: Derivation(of: self.deriver.name), input: nil)
        body(&self.deriver, &output)
        return self.take(output)
    }

    private mutating func take(_ output: consuming DerivedEvents) -> [StandardEvent] {
        let events = output.finish()
        self.output += events
        return events
    }
}

/// Trades with times counted in milliseconds from 2024-01-15T10:30:00Z.
enum Trades {
    static let start: Int64 = 1_705_314_600_000_000_000

    static func time(_ milliseconds: Int64) -> Timestamp {
        Timestamp(nanoseconds: Self.start + milliseconds * 1_000_000, precision: .milliseconds)
    }

    /// - Parameter read: when it was received; with the trade unless given, nil for never.
    static func trade(
        _ milliseconds: Int64, _ price: String, _ volume: String = "1", number: Int = 0, read: Int64?? = .none,
        source: Name = "binance", symbol: Name = "BTC-USDT", replay: String? = nil
    ) -> StandardEvent {
        let read: Int64? = if let read { read } else { milliseconds }
        let trade = Trade(
            symbol: symbol, price: ExactDecimal(price) ?? 0, volume: ExactDecimal(volume) ?? 0,
            timestamp: Self.time(milliseconds), side: .buy, tradeID: TradeID(UInt64(number)),
            context: MarketContext(venueSymbol: "BTCUSDT", instrument: .spot, receivedAt: read.map { Self.time($0) }))
        var hash = StableHash()
        for part in [milliseconds, Int64(number)] { hash.combine(part) }
        hash.combine(price)
        hash.combine(volume)
        var event = StandardEvent(
            eventType: .trade, source: source, payload: .trade(trade), timestamp: Self.time(milliseconds),
            eventID: EventID(at: Self.time(milliseconds), hash: hash))
        if let replay { event.extra = ["replay": .object(["id": .string(replay), "offset": 1])] }
        return event
    }
}

extension StandardEvent {
    /// What has to be the same whoever made it and whenever: everything but when it was processed.
    var lasting: String {
        var event = self
        event.setProcessing(at: nil, timeMs: nil)
        var writer = JSONWriter()
        writer.write(event)
        return writer.string()
    }

    /// `10:30:00 1m open,high,low,close volume trades closed`, for candles.
    var candleText: String {
        guard let candle = self.payload.candle else { return "no candle" }
        let time = candle.timestamp.description.dropFirst(11).prefix(8)
        let prices = [candle.open, candle.high, candle.low, candle.close].map(\.description).joined(separator: ",")
        return "\(time) \(candle.interval) \(prices) \(candle.volume) \(candle.trades ?? 0) "
            + (candle.isClosed == true ? "closed" : "open")
    }
}
