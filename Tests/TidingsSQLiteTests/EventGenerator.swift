import Tidings

/// Events of all kinds, the same for the same seed.
struct EventGenerator: RandomNumberGenerator {
    private var state: UInt64
    private(set) var made: [StandardEvent] = []

    static let base: Int64 = 1_760_000_000_000_000_000
    static let types: [EventType] = [
        .trade, .ticker, .loginSuccess, .loginFailed, "login.a.b", .heartbeat, .extractionComplete, "my:own.type-1",
    ]
    static let symbols: [(symbol: String?, venue: String?)] = [
        ("BTC-USD", "BTC"), ("BTC-USD", "XBT/USD"), ("BTC-USDT", "BTCUSDT"), ("eth-usd", nil), ("ETH-USD", "ETH"),
        (nil, nil), (nil, "ODD"), ("", nil),
    ]
    static let sources: [Name] = ["kraken", "binance", "http", "a source with \"quotes\" and \u{0} and ü"]
    static let items: [String] = ["A-1", "B 2", "\u{1F600}"]

    init(seed: UInt64) {
        self.state = seed
    }

    mutating func next() -> UInt64 {
        self.state &+= 0x9E37_79B9_7F4A_7C15
        var mixed = self.state
        mixed = (mixed ^ (mixed >> 30)) &* 0xBF58_476D_1CE4_E5B9
        mixed = (mixed ^ (mixed >> 27)) &* 0x94D0_49BB_1331_11EB
        return mixed ^ (mixed >> 31)
    }

    mutating func pick<Value>(_ values: [Value]) -> Value {
        values[Int(self.next() % UInt64(values.count))]
    }

    mutating func chance(_ percent: UInt64) -> Bool {
        self.next() % 100 < percent
    }

    mutating func event() -> StandardEvent {
        let (symbol, venue) = self.pick(Self.symbols)
        var members: [(String, JSONValue)] = []
        if let symbol { members.append(("symbol", .string(symbol))) }
        members.append(("price", .number(self.pick([50000, 1.50, -0.0, 3.14159]))))
        if let venue { members.append(("venue_symbol", .string(venue))) }
        if self.chance(30) { members.append(("item", .string(self.pick(Self.items)))) }
        let id = self.chance(20) ? EventID("text \(self.next())") : EventID(high: self.next(), low: self.next())
        var payload = Payload.object(JSONObject(members))
        if self.chance(30), let symbol {
            let context = MarketContext(venueSymbol: venue.map { Name($0) })
            payload = .trade(Trade(symbol: Name(symbol), price: 1.25, volume: 3, context: context))
        }
        // Times go up on the whole, not from one to the next.
        let time = Self.base + Int64(self.made.count) * 1_000_000 + Int64(self.next() % 50_000_000)
        let event = StandardEvent(
            eventType: self.pick(Self.types), source: self.pick(Self.sources), payload: payload,
            timestamp: Timestamp(nanoseconds: time), eventID: id,
            correlationID: self.chance(30) ? self.made.randomElement(using: &self)?.correlationID : nil)
        self.made.append(event)
        return event
    }

    /// Selections of a few batches, with gaps in them; some events were there before.
    mutating func selections() -> [EventSelection] {
        (0..<Int(self.next() % 4 + 1)).map { _ in
            var events: [StandardEvent] = []
            for _ in 0..<Int(self.next() % 12 + 1) {
                if self.chance(10), let known = self.made.randomElement(using: &self) {
                    events.append(known)
                } else {
                    events.append(self.event())
                }
            }
            let batch = EventBatch(events)
            return EventSelection(batch, mask: self.chance(50) ? batch.fullMask : self.next() & batch.fullMask)
        }
    }

    mutating func filter() -> EventFilter {
        var filter = EventFilter()
        let patterns: [EventTypePattern] = ["trade", "login.*", "*.success", "ticker", "no.such", "*"]
        if self.chance(50) { filter.types = (0...self.next() % 2).map { _ in self.pick(patterns) } }
        let symbols = ["btc-usd", "BTC", "btcusdt", "eth-USD", "odd", "none", "*", ""]
        if self.chance(40) { filter.symbols = (0...self.next() % 2).map { _ in self.pick(symbols) } }
        if self.chance(30) { filter.sources = [self.pick(Self.sources)] }
        if self.chance(20) { filter.items = [self.pick(Self.items)] }
        if self.chance(20) { filter.correlationID = self.made.randomElement(using: &self)?.correlationID }
        if self.chance(30) { filter.since = self.time() }
        if self.chance(30) { filter.until = self.time() }
        return filter
    }

    mutating func time() -> Timestamp {
        let span = UInt64(self.made.count * 1_000_000 + 100_000_000)
        return Timestamp(nanoseconds: Self.base - 10_000_000 + Int64(self.next() % span))
    }
}

/// Trades with new ids, in batches of 64.
func sampleBatches(_ count: Int, symbols: Int = 10, source: Name = "kraken") -> [EventBatch] {
    EventBatch.batches(
        of: (0..<count).map { index in
            let symbol = Name("S\(index % symbols)-USD")
            return StandardEvent(
                eventType: .trade, source: source,
                payload: .trade(Trade(symbol: symbol, price: 50000.00, volume: 0.25)))
        })
}

extension LoggedEvent {
    var json: String {
        self.withJSON { String(decoding: $0, as: UTF8.self) }
    }
}
