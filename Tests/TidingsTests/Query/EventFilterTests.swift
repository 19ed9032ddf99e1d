import Testing

@testable import Tidings

@Suite struct EventFilterTests {
    static let moment = Timestamp("2024-01-15T10:30:00Z")!

    func event(
        _ type: EventType = "login.success", source: Name = "kraken", payload: Payload = ["symbol": "BTC-USD"],
        correlationID: EventID? = nil
    ) -> StandardEvent {
        StandardEvent(
            eventType: type, source: source, payload: payload, timestamp: Self.moment, correlationID: correlationID)
    }

    @Test func `an empty filter matches everything`() {
        #expect(EventFilter().isUnrestricted && EventFilter.all.isUnrestricted)
        #expect(EventFilter.all.matches(self.event()))
        #expect(EventFilter.all.matches(self.event(payload: [:])))
        #expect(EventFilter(types: ["*"], symbols: ["*"]).isUnrestricted)
        #expect(!EventFilter(types: ["trade"]).isUnrestricted)
    }

    @Test func `values of one field are alternatives`() {
        #expect(EventFilter(types: ["trade", "login.*"]).matches(self.event()))
        #expect(EventFilter(symbols: ["ETH-USD", "BTC-USD"]).matches(self.event()))
        #expect(EventFilter(sources: ["binance", "kraken"]).matches(self.event()))
        #expect(EventFilter(items: ["1", "2"]).matches(self.event(payload: ["item": "2"])))
    }

    @Test func `fields all have to agree`() {
        func filter(_ type: EventTypePattern, _ symbol: String, _ source: Name) -> EventFilter {
            EventFilter(types: [type], symbols: [symbol], sources: [source])
        }
        #expect(filter("login.*", "BTC-USD", "kraken").matches(self.event()))
        #expect(!filter("trade", "BTC-USD", "kraken").matches(self.event()))
        #expect(!filter("login.*", "ETH-USD", "kraken").matches(self.event()))
        #expect(!filter("login.*", "BTC-USD", "binance").matches(self.event()))
    }

    @Test(arguments: [
        ("BTC-USD", "BTC-USD", true), ("btc-usd", "BTC-USD", true), ("BTC-USD", "btc-usd", true),
        ("Btc-Usd", "bTC-uSD", true), ("BTC-USDT", "BTC-USD", false), ("BTC", "BTC-USD", false), ("é", "é", true),
        ("straße-eur", "STRAßE-EUR", true), ("straße", "straße", true), ("", "", true),
    ])
    func `symbols are compared without case`(asked: String, symbol: String, isMatch: Bool) {
        let event = self.event(payload: ["symbol": .string(symbol)])
        #expect(EventFilter(symbols: [asked]).matches(event) == isMatch)
        let long = String(repeating: "L", count: 200)
        let longEvent = self.event(payload: ["symbol": .string(long + symbol)])
        #expect(EventFilter(symbols: [long + asked]).matches(longEvent) == isMatch)
    }

    @Test func `the venue's spelling will do as well`() {
        let context = MarketContext(venueSymbol: "XBT/USD")
        let trade = Trade(symbol: "BTC-USD", price: 1, volume: 1, context: context)
        for payload: Payload in [.trade(trade), .object(Payload.trade(trade).object)] {
            #expect(EventFilter(symbols: ["xbt/usd"]).matches(self.event(payload: payload)))
            #expect(EventFilter(symbols: ["BTC-USD"]).matches(self.event(payload: payload)))
            #expect(!EventFilter(symbols: ["XBT"]).matches(self.event(payload: payload)))
        }
    }

    @Test(arguments: [[:], ["symbol": nil], ["symbol": 5], ["other": "BTC-USD"]] as [JSONObject])
    func `an event without a symbol matches only if none or any is asked for`(object: JSONObject) {
        let event = self.event(payload: .object(object))
        #expect(!EventFilter(symbols: ["BTC-USD"]).matches(event))
        #expect(EventFilter(symbols: ["*"]).matches(event))
        #expect(EventFilter(symbols: ["BTC-USD", "*"]).matches(event))
        #expect(EventFilter().matches(event))
    }

    @Test func `sources are compared exactly`() {
        #expect(!EventFilter(sources: ["Kraken"]).matches(self.event()))
        #expect(!EventFilter(sources: ["krake"]).matches(self.event()))
        #expect(!EventFilter(sources: ["*"]).matches(self.event()))
    }

    @Test func `items are compared exactly, and an event without one does not match`() {
        let filter = EventFilter(items: ["SKU-1"])
        #expect(filter.matches(self.event(payload: ["item": "SKU-1"])))
        #expect(!filter.matches(self.event(payload: ["item": "sku-1"])))
        #expect(!filter.matches(self.event(payload: ["item": 1])))
        #expect(!filter.matches(self.event(payload: [:])))
        #expect(!filter.matches(self.event(payload: .trade(Trade(symbol: "X", price: 1, volume: 1)))))
    }

    @Test func `since is inclusive and until is not`() {
        let (before, after) = (Self.moment.advanced(by: .nanoseconds(-1)), Self.moment.advanced(by: .nanoseconds(1)))
        #expect(EventFilter(since: before).matches(self.event()))
        #expect(EventFilter(since: Self.moment).matches(self.event()))
        #expect(!EventFilter(since: after).matches(self.event()))
        #expect(!EventFilter(until: before).matches(self.event()))
        #expect(!EventFilter(until: Self.moment).matches(self.event()))
        #expect(EventFilter(until: after).matches(self.event()))
        #expect(EventFilter(since: Self.moment, until: after).matches(self.event()))
    }

    @Test func `a correlation is compared with the event's`() {
        let id = EventID()
        #expect(EventFilter(correlationID: id).matches(self.event(correlationID: id)))
        #expect(!EventFilter(correlationID: id).matches(self.event()))
        let text = EventID("é")
        #expect(EventFilter(correlationID: text).matches(self.event(correlationID: text)))
    }

    @Test func `symbols that are changed later count`() {
        var filter = EventFilter(symbols: ["ETH-USD"])
        #expect(!filter.matches(self.event()))
        filter.symbols = ["btc-usd"]
        #expect(filter.matches(self.event()))
        filter.symbols = []
        #expect(filter.isUnrestricted)
    }
}
