import Testing

@testable import Tidings
@testable import TidingsMarkets

@Suite struct HyperliquidSessionTests {
    @Test func `a fresh socket subscribes to every channel of every coin`() {
        var feed = HyperliquidFeed(candles: "15m")
        feed.open(4)
        #expect(feed.output.outgoing.allSatisfy { $0.connection == 4 })
        #expect(
            feed.output.outgoing.map(\.text) == [
                #"{"method":"subscribe","subscription":{"type":"trades","coin":"BTC"}}"#,
                #"{"method":"subscribe","subscription":{"type":"bbo","coin":"BTC"}}"#,
                #"{"method":"subscribe","subscription":{"type":"activeAssetCtx","coin":"BTC"}}"#,
                #"{"method":"subscribe","subscription":{"type":"l2Book","coin":"BTC"}}"#,
                #"{"method":"subscribe","subscription":{"type":"candle","coin":"BTC","interval":"15m"}}"#,
            ])
    }

    @Test func `a ping goes out every 30 seconds, on each connection`() {
        var feed = HyperliquidFeed(channels: [])
        feed.open()
        feed.open(1)
        #expect(feed.tick(after: .seconds(29)).outgoing.isEmpty)
        let pings = feed.tick(after: .seconds(1)).outgoing
        #expect(pings.map(\.text) == [#"{"method":"ping"}"#, #"{"method":"ping"}"#])
        #expect(pings.map(\.connection) == [0, 1])
    }

    @Test func `a stream is confirmed once all that it is made of is, and the connection ready with the last book`() {
        var feed = HyperliquidFeed(["BTC", "ETH"], channels: [.trade, .ticker, .orderBook])
        feed.open()
        #expect(feed.receive(HyperliquidFeed.ack("trades", "ETH")).notices == [.confirmed(stream: 3)])
        #expect(feed.receive(HyperliquidFeed.ack("trades", "ETH")).notices == [])
        #expect(feed.receive(HyperliquidFeed.ack("bbo")).notices == [])
        #expect(feed.receive(HyperliquidFeed.ack("activeAssetCtx")).notices == [.confirmed(stream: 1)])
        for type in ["bbo", "activeAssetCtx", "l2Book"] { feed.receive(HyperliquidFeed.ack(type, "ETH")) }
        feed.receive(HyperliquidFeed.ack("l2Book"))
        #expect(feed.receive(HyperliquidFeed.ack("trades")).notices == [.confirmed(stream: 0)])
        #expect(feed.receive(HyperliquidFeed.book(1000)).notices == [])
        #expect(feed.receive(HyperliquidFeed.book(1000, coin: "ETH")).notices == [.ready(connection: 0)])
        #expect(feed.output.heard == [5])
    }

    @Test func `a subscription that is not answered is sent again`() {
        var feed = HyperliquidFeed(channels: [.trade])
        feed.open()
        var sent = 0
        for _ in 0..<160 { sent += feed.tick().outgoing.count }
        #expect(sent == 1)
    }

    @Test func `a refused subscription is told of and not waited for`() {
        var feed = HyperliquidFeed(["BTC", "NOPE"], channels: [.trade])
        feed.open()
        feed.receive(
            #"{"channel":"error","data":"Invalid subscription {\"type\":\"trades\",\"coin\":\"NOPE\"}"}"#)
        #expect(feed.codes == ["SUBSCRIPTION"])
        #expect(feed.output.problems.first?.details == ["symbol": "NOPE-USD"])
        #expect(
            feed.receive(HyperliquidFeed.ack("trades")).notices == [.confirmed(stream: 0), .ready(connection: 0)])
        feed.receive(#"{"channel":"error","data":"Already subscribed: {\"type\":\"trades\",\"coin\":\"BTC\"}"}"#)
        #expect(feed.output.events.isEmpty)
    }

    @Test func `best prices become a ticker, with a side that is missing left out`() throws {
        var feed = HyperliquidFeed()
        let frame =
            #"{"channel":"bbo","data":{"coin":"BTC","time":1700000000123,"bbo":[{"px":"98450.0","sz":"2.50","n":3},null]}}"#
        feed.receive(frame)
        let event = try #require(feed.output.events.first)
        #expect(event.eventType == .ticker)
        #expect(
            event.payload.description
                == #"{"symbol":"BTC-USD","bid":98450.0,"bid_volume":2.50,"timestamp":"2023-11-14T22:13:20.123Z","venue_symbol":"BTC","instrument":"perpetual","received_at":"2023-11-14T22:13:20.000000Z"}"#
        )
        #expect(feed.output.heard == [1])
        // The same from a second connection is a repetition.
        #expect(feed.receive(frame, on: 1).events.isEmpty)
        #expect(feed.receive(frame.replacing("0123,", with: "0122,")).events.isEmpty)
    }

    @Test func `an asset's context becomes ticker, funding and open interest`() {
        var feed = HyperliquidFeed()
        let frame =
            #"{"channel":"activeAssetCtx","data":{"coin":"BTC","ctx":{"funding":"0.0000125","openInterest":"688.11","prevDayPx":"1","markPx":"14.3161","midPx":null,"impactPxs":null,"dayBaseVlm":"1169046.29"}}}"#
        let events = feed.receive(frame, on: 1).events
        #expect(events.map(\.eventType) == [.ticker, .funding, .openInterest])
        #expect(events[0].payload.ticker?.price?.description == "14.3161")
        #expect(events[0].payload.ticker?.volume?.description == "1169046.29")
        #expect(events[0].payload.ticker?.timestamp == nil)
        #expect(events[1].payload["rate"]?.number?.description == "0.0000125")
        #expect(events[2].payload["value"]?.number?.description == "688.11")
        // Of two connections the newer one counts.
        #expect(feed.receive(frame, on: 0).events.isEmpty)
    }

    // MARK: Trades

    @Test func `what is replayed on a subscription is published once`() {
        var feed = HyperliquidFeed()
        feed.open()
        feed.receive(HyperliquidFeed.trades([10, 20]))
        #expect(feed.tradeIDs == ["10", "20"])
        #expect(feed.output.heard == [0])
        feed.open(1)
        feed.receive(HyperliquidFeed.trades([10, 20, 30]), on: 1)
        #expect(feed.tradeIDs == ["30"])
        feed.receive(HyperliquidFeed.trades([30]), on: 0)
        #expect(feed.tradeIDs == [])
    }

    @Test func `the same number at another time is another trade`() {
        var feed = HyperliquidFeed()
        func fill(_ time: Int) -> String {
            #"{"channel":"trades","data":[{"coin":"BTC","side":"A","px":"1","sz":"1","time":\#(time),"tid":7}]}"#
        }
        #expect(feed.receive(fill(1)).events.count == 1)
        #expect(feed.receive(fill(2)).events.count == 1)
        #expect(feed.receive(fill(1)).events.count == 0)
    }

    @Test func `what is remembered of trades is bounded`() {
        var recent = RecentTrades()
        for id in 0..<UInt64(RecentTrades.capacity) { #expect(recent.insert(time: 1, id: id) == true) }
        #expect(recent.insert(time: 1, id: 0) == false)
        #expect(recent.insert(time: 1, id: UInt64(RecentTrades.capacity)) == true)
        #expect(recent.insert(time: 1, id: 0) == true)
        #expect(recent.insert(time: 1, id: 2) == false)
    }

    private func broken() -> (HyperliquidFeed, VenueRequest?) {
        var feed = HyperliquidFeed(channels: [.trade])
        feed.open()
        feed.receive(HyperliquidFeed.ack("trades"))
        feed.receive(HyperliquidFeed.trades([10, 20]))
        feed.close()
        feed.open(1)
        let request = feed.receive(HyperliquidFeed.ack("trades"), on: 1).requests.first
        return (feed, request)
    }

    @Test func `after a reconnect the recent trades are asked for and what is new is published`() throws {
        var (feed, request) = self.broken()
        let asked = try #require(request)
        #expect(asked.purpose == .recent(.trade, 0))
        #expect(asked.method == .post && asked.target == "/info" && asked.weight == 20)
        #expect(asked.body == #"{"type":"recentTrades","coin":"BTC"}"#)
        // The venue's list is newest first.
        feed.answer(asked, HyperliquidFeed.fills([40, 30, 20]))
        #expect(feed.tradeIDs == ["30", "40"])
        #expect(feed.output.problems.isEmpty)
        feed.receive(HyperliquidFeed.trades([30, 40, 50]), on: 1)
        #expect(feed.tradeIDs == ["50"])
    }

    @Test func `a break that the venue's memory does not reach back over is reported with its times`() throws {
        var (feed, request) = self.broken()
        feed.answer(try #require(request), HyperliquidFeed.fills([40, 50]))
        #expect(feed.tradeIDs == ["40", "50"])
        #expect(feed.codes == ["SEQUENCE_GAP"])
        #expect(
            feed.output.problems.first?.details
                == ["symbol": "BTC-USD", "from": "1970-01-01T00:00:00.020Z", "to": "1970-01-01T00:00:00.040Z"])
    }

    @Test func `the fills replayed by the feed count as remembered`() throws {
        var (feed, request) = self.broken()
        feed.receive(HyperliquidFeed.trades([20, 30]), on: 1)
        #expect(feed.tradeIDs == ["30"])
        feed.answer(try #require(request), HyperliquidFeed.fills([30, 40]))
        #expect(feed.tradeIDs == ["40"])
        #expect(feed.output.problems.isEmpty)
    }

    @Test(arguments: [
        VenueAnswer.failure(status: 429, reason: "slow down"), .failure(status: nil, reason: "timed out"),
        .body(Array("null".utf8)), .body([]),
    ])
    func `a request that fails leaves a reported hole`(answer: VenueAnswer) throws {
        var (feed, request) = self.broken()
        feed.answer(try #require(request), answer)
        #expect(feed.codes == ["SEQUENCE_GAP"])
        feed.receive(HyperliquidFeed.trades([60]), on: 1)
        #expect(feed.tradeIDs == ["60"])
    }

    @Test func `a planned replacement is no break`() {
        var feed = HyperliquidFeed(channels: [.trade])
        feed.open()
        feed.receive(HyperliquidFeed.ack("trades"))
        feed.receive(HyperliquidFeed.trades([10]))
        feed.open(1)
        #expect(feed.receive(HyperliquidFeed.ack("trades"), on: 1).requests.isEmpty)
        feed.close(0)
        feed.receive(HyperliquidFeed.trades([10, 20]), on: 1)
        #expect(feed.tradeIDs == ["20"])
        #expect(feed.output.requests.isEmpty)
    }

    // MARK: Books

    @Test func `a book that is older or the same is not published again`() {
        var feed = HyperliquidFeed()
        feed.open()
        #expect(feed.receive(HyperliquidFeed.book(1000, size: "5")).events.count == 1)
        #expect(feed.receive(HyperliquidFeed.book(2000, size: "5")).events.count == 0)
        #expect(feed.receive(HyperliquidFeed.book(1500, size: "6")).events.count == 0)
        #expect(feed.receive(HyperliquidFeed.book(3000, size: "6")).events.count == 1)
        #expect(feed.session.book(of: 0)?.isLive == true)
        #expect(feed.session.book(of: 0)?.book.bestBid?.volume.description == "6")
    }

    @Test func `deltas are told where they are wanted`() {
        var feed = HyperliquidFeed(book: BookPlan(kind: .delta))
        feed.open()
        feed.receive(HyperliquidFeed.book(1000))
        #expect(feed.books.first?.kind == .snapshot)
        feed.receive(HyperliquidFeed.book(2000, bid: "1.1"))
        #expect(feed.books.first?.kind == .delta)
        #expect(feed.books.first?.bids.map(\.price.description) == ["1.1", "1.0"])
        #expect(feed.books.first?.bids.map { $0.volume == .zero } == [false, true])
        #expect(feed.books.first?.asks.isEmpty == true)
    }

    @Test func `a crossed book is told of once and not published`() {
        var feed = HyperliquidFeed()
        feed.open()
        feed.receive(HyperliquidFeed.book(1, bid: "3", ask: "2"))
        #expect(feed.codes == ["CROSSED_BOOK"])
        #expect(feed.books.isEmpty)
        #expect(feed.session.book(of: 0)?.isLive == false)
        #expect(feed.receive(HyperliquidFeed.book(2, bid: "4", ask: "2")).problems.isEmpty)
        feed.receive(HyperliquidFeed.book(3))
        #expect(feed.books.count == 1)
        #expect(feed.session.book(of: 0)?.isLive == true)
    }

    @Test func `a silent book is asked for anew, alone, and told of until it comes`() {
        var feed = HyperliquidFeed(["BTC", "ETH"])
        feed.open()
        feed.receive(HyperliquidFeed.book(1000, coin: "ETH"))
        feed.resubscribe(6)
        #expect(
            feed.output.outgoing.map(\.text) == [
                #"{"method":"unsubscribe","subscription":{"type":"l2Book","coin":"ETH"}}"#,
                #"{"method":"subscribe","subscription":{"type":"l2Book","coin":"ETH"}}"#,
            ])
        #expect(feed.output.notices == [.resyncing(symbol: "ETH-USD", reason: "the book is asked for anew")])
        #expect(feed.session.book(of: 1)?.isLive == false)
        // It has not changed since: whole again, and nothing to tell.
        feed.receive(HyperliquidFeed.book(1000, coin: "ETH"))
        #expect(feed.output.notices == [.resynced(symbol: "ETH-USD")])
        #expect(feed.books.isEmpty)
    }

    @Test func `after a reconnect a book is not relied on until its first frame`() {
        var feed = HyperliquidFeed(channels: [.orderBook])
        feed.open()
        feed.receive(HyperliquidFeed.book(1000))
        feed.close()
        #expect(feed.session.book(of: 0)?.isLive == false)
        feed.open(1)
        feed.receive(HyperliquidFeed.book(2000, size: "7"), on: 1)
        #expect(feed.output.notices.isEmpty)
        #expect(feed.books.count == 1)
        #expect(feed.session.book(of: 0)?.isLive == true)
    }

    @Test func `a ticker that fell silent is asked for with both of its subscriptions`() {
        var feed = HyperliquidFeed()
        feed.open()
        #expect(feed.resubscribe(1).outgoing.count == 4)
        #expect(feed.resubscribe(99).outgoing.isEmpty)
        #expect(feed.resubscribe(-1).outgoing.isEmpty)
    }

    @Test func `a time far ahead of ours is not believed`() {
        var feed = HyperliquidFeed()
        feed.open()
        feed.receive(HyperliquidFeed.book(9_000_000_000_000))
        #expect(feed.codes == ["PARSE"] && feed.books.isEmpty)
        feed.receive(HyperliquidFeed.trades([9_000_000_000_000]))
        #expect(feed.codes == ["PARSE"] && feed.tradeIDs.isEmpty)
    }

    // MARK: Candles

    private func receive(_ candle: String, _ feed: inout HyperliquidFeed, on connection: Int = 0) {
        feed.receive(#"{"channel":"candle","data":\#(candle)}"#, on: connection)
    }

    @Test func `a candle is closed when the next one starts`() {
        var feed = HyperliquidFeed()
        self.receive(HyperliquidFeed.candle(1_700_000_040_000), &feed)
        #expect(feed.closed == [false])
        self.receive(HyperliquidFeed.candle(1_700_000_100_000, "1.6"), &feed)
        #expect(feed.closed == [true, false])
        #expect(feed.output.events.first?.payload.candle?.close.description == "1.5")
        #expect(feed.output.events.first?.payload.candle?.trades == 42)
        // An old candle that comes late changes nothing, one of another interval neither.
        self.receive(HyperliquidFeed.candle(1_700_000_040_000, "9"), &feed)
        #expect(feed.output.events.isEmpty)
        self.receive(HyperliquidFeed.candle(1_700_000_160_000, interval: "5m"), &feed)
        #expect(feed.output.events.isEmpty)
        // A list of candles.
        self.receive("[\(HyperliquidFeed.candle(1_700_000_160_000))]", &feed)
        #expect(feed.closed == [true, false])
    }

    @Test func `candles that ended unheard are asked for and published as closed`() throws {
        var feed = HyperliquidFeed(channels: [.ohlcv])
        feed.open()
        self.receive(HyperliquidFeed.candle(1_700_000_040_000), &feed)
        feed.close()
        feed.open(1)
        self.receive(HyperliquidFeed.candle(1_700_000_160_000), &feed, on: 1)
        #expect(feed.closed == [false])
        let request = try #require(feed.output.requests.first)
        #expect(
            request.body
                == #"{"type":"candleSnapshot","req":{"coin":"BTC","interval":"1m","startTime":1700000040000,"endTime":1700000159999}}"#
        )
        let list = [1_700_000_040_000, 1_700_000_100_000, 1_700_000_160_000].map { HyperliquidFeed.candle($0, "1.7") }
        feed.answer(request, "[\(list.joined(separator: ","))]")
        #expect(feed.closed == [true, true])
        #expect(feed.answer(request, "[]").events.isEmpty)
    }

    @Test func `a candle that still runs after the break needs nothing`() {
        var feed = HyperliquidFeed(channels: [.ohlcv])
        feed.open()
        self.receive(HyperliquidFeed.candle(1_700_000_040_000), &feed)
        feed.close()
        feed.open(1)
        self.receive(HyperliquidFeed.candle(1_700_000_040_000, "1.6"), &feed, on: 1)
        #expect(feed.output.requests.isEmpty)
        self.receive(HyperliquidFeed.candle(1_700_000_100_000), &feed, on: 1)
        #expect(feed.closed == [true, false])
    }

    @Test func `an interval that the venue does not have is refused in words`() {
        var feed = HyperliquidFeed(channels: [.ohlcv], candles: "7m")
        feed.open()
        #expect(feed.codes == ["SUBSCRIPTION"])
        #expect(feed.output.notices == [.ready(connection: 0)])
    }

    // MARK: Nonsense

    @Test(arguments: [
        "", "{", "[]", "null", #"{"channel":5}"#, #"{"data":[]}"#, #"{"channel":"trades","data":{}}"#,
        #"{"channel":"trades","data":[{"coin":"BTC"}]}"#, #"{"channel":"l2Book","data":{"coin":"BTC","levels":7}}"#,
        "\u{0}", #"{"channel":"trades","data":[{"coin":"BTC","px":"NaN","sz":"1","time":1,"tid":1,"side":"B"}]}"#,
        #"{"channel":"trades","data":[{"coin":"BTC","px":"1","sz":"1","time":1,"tid":1,"side":"B"},]}"#,
    ])
    func `a malformed frame is a PARSE problem and no event`(frame: String) {
        var feed = HyperliquidFeed()
        feed.open()
        feed.receive(frame)
        #expect(feed.output.events.isEmpty)
        #expect(feed.codes == ["PARSE"])
    }

    @Test func `unknown channels, coins and the greeting are passed over`() {
        var feed = HyperliquidFeed()
        feed.open()
        for frame in [
            "Websocket connection established.", #"{"channel":"pong"}"#, #"{"channel":"news","data":{"a":[1,{}]}}"#,
            #"{"channel":"trades","data":[{"coin":"ETH","px":"1","sz":"1","time":1,"tid":1,"side":"B"}]}"#,
        ] {
            feed.receive(frame)
            #expect(feed.output.events.isEmpty && feed.output.problems.isEmpty)
        }
    }
}
