import Testing

@testable import Tidings
@testable import TidingsMarkets

@Suite struct HyperliquidSessionTests {
    private static let now = Timestamp(nanoseconds: 1_700_000_000_000_000_000, precision: .microseconds)

    private func makeSession(_ channels: [MarketChannel] = MarketChannel.allCases) throws -> any VenueSession {
        let venue = try Venue.named("hyperliquid")
        return venue.makeSession(try venue.instruments(["BTC"]), channels)
    }

    private func receive(_ frame: String, _ session: inout any VenueSession) -> VenueOutput {
        var output = VenueOutput()
        frame.withRawUTF8 { session.receive($0, at: Self.now, into: &output) }
        return output
    }

    @Test func `a fresh socket subscribes to every channel of every coin`() throws {
        var session = try self.makeSession()
        var output = VenueOutput()
        session.opened(at: Self.now, into: &output)
        #expect(
            output.outgoing == [
                #"{"method":"subscribe","subscription":{"type":"trades","coin":"BTC"}}"#,
                #"{"method":"subscribe","subscription":{"type":"bbo","coin":"BTC"}}"#,
                #"{"method":"subscribe","subscription":{"type":"activeAssetCtx","coin":"BTC"}}"#,
                #"{"method":"subscribe","subscription":{"type":"l2Book","coin":"BTC"}}"#,
                #"{"method":"subscribe","subscription":{"type":"candle","coin":"BTC","interval":"1m"}}"#,
            ])
    }

    @Test func `a ping goes out every 30 seconds`() throws {
        var session = try self.makeSession()
        var output = VenueOutput()
        session.opened(at: Self.now, into: &output)
        output.removeAll()
        session.tick(at: Self.now.advanced(by: .seconds(29)), into: &output)
        #expect(output.outgoing.isEmpty)
        session.tick(at: Self.now.advanced(by: .seconds(30)), into: &output)
        #expect(output.outgoing == [#"{"method":"ping"}"#])
    }

    @Test func `a symbol is confirmed once all of its channels are`() throws {
        var session = try self.makeSession([.trade, .orderBook])
        var output = VenueOutput()
        session.opened(at: Self.now, into: &output)
        func confirm(_ type: String) -> [Name] {
            self.receive(
                #"{"channel":"subscriptionResponse","data":{"method":"subscribe","subscription":{"type":"\#(type)","coin":"BTC"}}}"#,
                &session
            ).confirmed
        }
        #expect(confirm("trades").isEmpty)
        #expect(confirm("l2Book") == ["BTC-USD"])
    }

    @Test func `best prices become a ticker, with a side that is missing left out`() throws {
        var session = try self.makeSession()
        let output = self.receive(
            #"{"channel":"bbo","data":{"coin":"BTC","time":1700000000123,"bbo":[{"px":"98450.0","sz":"2.50","n":3},null]}}"#,
            &session)
        let event = try #require(output.events.first)
        #expect(event.eventType == .ticker)
        #expect(
            event.payload.description
                == #"{"symbol":"BTC-USD","bid":98450.0,"bid_volume":2.50,"timestamp":"2023-11-14T22:13:20.123Z","venue_symbol":"BTC","instrument":"perpetual","received_at":"2023-11-14T22:13:20.000000Z"}"#
        )
    }

    @Test func `an asset's context becomes ticker, funding and open interest`() throws {
        var session = try self.makeSession()
        let output = self.receive(
            #"{"channel":"activeAssetCtx","data":{"coin":"BTC","ctx":{"funding":"0.0000125","openInterest":"688.11","prevDayPx":"1","markPx":"14.3161","midPx":null,"impactPxs":null,"dayBaseVlm":"1169046.29"}}}"#,
            &session)
        #expect(output.events.map(\.eventType) == [.ticker, .funding, .openInterest])
        #expect(output.events[0].payload.ticker?.price?.description == "14.3161")
        #expect(output.events[0].payload.ticker?.volume?.description == "1169046.29")
        #expect(output.events[0].payload.ticker?.timestamp == nil)
        #expect(output.events[1].payload["rate"]?.number?.description == "0.0000125")
        #expect(output.events[2].payload["value"]?.number?.description == "688.11")
    }

    @Test func `a candle is closed when the next one starts`() throws {
        var session = try self.makeSession()
        func candle(_ start: Int, _ close: String) -> [StandardEvent] {
            self.receive(
                #"{"channel":"candle","data":{"t":\#(start),"T":\#(start + 59999),"s":"BTC","i":"1m","o":"1.0","c":"\#(close)","h":"2.0","l":"0.5","v":"3.25","n":42}}"#,
                &session
            ).events
        }
        let first = candle(1_700_000_040_000, "1.5")
        #expect(first.map { $0.payload.candle?.isClosed } == [false])
        let second = candle(1_700_000_100_000, "1.6")
        #expect(second.map { $0.payload.candle?.isClosed } == [true, false])
        #expect(second[0].payload.candle?.close.description == "1.5")
        #expect(second[0].payload.candle?.trades == 42)
        // An old candle that comes late changes nothing.
        #expect(candle(1_700_000_040_000, "9").isEmpty)
    }

    @Test func `a book that is older or the same is not published again`() throws {
        var session = try self.makeSession()
        func book(_ time: Int, _ size: String) -> Int {
            self.receive(
                #"{"channel":"l2Book","data":{"coin":"BTC","time":\#(time),"levels":[[{"px":"1.0","sz":"\#(size)","n":1}],[{"px":"2.0","sz":"1","n":1}]]}}"#,
                &session
            ).events.count
        }
        #expect(book(1000, "5") == 1)
        #expect(book(2000, "5") == 0)
        #expect(book(1500, "6") == 0)
        #expect(book(3000, "6") == 1)
    }

    @Test func `a crossed book is published and told of`() throws {
        var session = try self.makeSession()
        let output = self.receive(
            #"{"channel":"l2Book","data":{"coin":"BTC","time":1,"levels":[[{"px":"3","sz":"1","n":1}],[{"px":"2","sz":"1","n":1}]]}}"#,
            &session)
        #expect(output.problems.map(\.code) == ["CROSSED_BOOK"])
    }

    @Test(arguments: [
        "", "{", "[]", "null", #"{"channel":5}"#, #"{"data":[]}"#, #"{"channel":"trades","data":{}}"#,
        #"{"channel":"trades","data":[{"coin":"BTC"}]}"#, #"{"channel":"l2Book","data":{"coin":"BTC","levels":7}}"#,
        "\u{0}", #"{"channel":"trades","data":[{"coin":"BTC","px":"NaN","sz":"1","time":1,"tid":1,"side":"B"}]}"#,
    ])
    func `a malformed frame is a PARSE problem and no event`(frame: String) throws {
        var session = try self.makeSession()
        let output = self.receive(frame, &session)
        #expect(output.events.isEmpty)
        #expect(output.problems.map(\.code) == ["PARSE"])
    }

    @Test func `unknown channels, coins and the greeting are passed over`() throws {
        var session = try self.makeSession()
        for frame in [
            "Websocket connection established.", #"{"channel":"pong"}"#, #"{"channel":"news","data":{"a":[1,{}]}}"#,
            #"{"channel":"trades","data":[{"coin":"ETH","px":"1","sz":"1","time":1,"tid":1,"side":"B"}]}"#,
        ] {
            let output = self.receive(frame, &session)
            #expect(output.events.isEmpty && output.problems.isEmpty)
        }
    }

    @Test func `the venue's own error is told`() throws {
        var session = try self.makeSession()
        let output = self.receive(#"{"channel":"error","data":"Invalid subscription"}"#, &session)
        #expect(output.problems.map(\.message) == ["hyperliquid: Invalid subscription"])
    }

    @Test func `symbols are known by either spelling, in any case`() throws {
        let venue = try Venue.named("HYPERLIQUID")
        for name in ["BTC", "btc", "BTC-USD", "btc-usd"] {
            #expect(try venue.instruments([name]) == [Instrument(symbol: "BTC-USD", venueSymbol: "BTC")])
        }
        #expect(try venue.instruments(["kPEPE"]) == [Instrument(symbol: "KPEPE-USD", venueSymbol: "kPEPE")])
        for name in ["", "BTC-EUR", "B T", "\"", "BTC/USD"] {
            #expect(throws: ConnectorError.self) { try venue.instruments([name]) }
        }
    }

    @Test func `an unknown venue is refused with the names of those there are`() {
        let error = #expect(throws: ConnectorError.self) { try Venue.named("mtgox") }
        #expect(error?.message.contains("hyperliquid") == true)
    }
}
