import Testing

@testable import Tidings
@testable import TidingsMarkets

@Suite struct KrakenSessionTests {
    @Test func `a fresh socket subscribes to each channel with all of its symbols`() {
        var feed = KrakenFeed(["BTC-USD", "DOGE/EUR"], channels: MarketChannel.allCases, candles: "5m")
        feed.open(3)
        #expect(feed.output.outgoing.allSatisfy { $0.connection == 3 })
        #expect(
            feed.output.outgoing.map(\.text) == [
                #"{"method":"subscribe","params":{"channel":"trade","symbol":["BTC/USD","DOGE/EUR"],"snapshot":true},"req_id":12}"#,
                #"{"method":"subscribe","params":{"channel":"ticker","symbol":["BTC/USD","DOGE/EUR"],"event_trigger":"bbo","snapshot":true},"req_id":23}"#,
                #"{"method":"subscribe","params":{"channel":"book","symbol":["BTC/USD","DOGE/EUR"],"depth":100,"snapshot":true},"req_id":31}"#,
                #"{"method":"subscribe","params":{"channel":"ohlc","symbol":["BTC/USD","DOGE/EUR"],"interval":5,"snapshot":true},"req_id":44}"#,
            ])
    }

    @Test func `many symbols are named in several messages`() {
        var feed = KrakenFeed((0..<120).map { "A\($0)-USD" }, channels: [.ticker])
        feed.open()
        #expect(feed.output.outgoing.count == 3)
    }

    @Test func `each symbol's stream is confirmed by its own answer, and the connection is ready with the last`() {
        var feed = KrakenFeed(["BTC-USD", "ETH-USD"], channels: [.trade, .ticker])
        feed.open()
        #expect(feed.receive(KrakenFeed.ack("trade", "ETH/USD")).notices == [.confirmed(stream: 2)])
        #expect(feed.receive(KrakenFeed.ack("trade", "ETH/USD")).notices == [])
        #expect(feed.receive(KrakenFeed.ack("ticker", "BTC/USD")).notices == [.confirmed(stream: 1)])
        #expect(feed.receive(KrakenFeed.ack("trade", "BTC/USD")).notices == [.confirmed(stream: 0)])
        #expect(
            feed.receive(KrakenFeed.ack("ticker", "ETH/USD")).notices == [
                .confirmed(stream: 3), .ready(connection: 0),
            ])
    }

    @Test func `an answer that does not come is asked for again`() {
        var feed = KrakenFeed(channels: [.trade])
        feed.open()
        var sent: [String] = []
        for _ in 0..<160 { sent += feed.tick().outgoing.map(\.text).filter { $0.contains("subscribe") } }
        #expect(sent.count == 1)
    }

    @Test func `a refused symbol is reported and not waited for`() {
        var feed = KrakenFeed(["BTC-USD", "XYZ-USD"], channels: [.orderBook, .trade])
        feed.open()
        feed.receive(
            #"{"error":"Currency pair not supported XYZ/USD","method":"subscribe","success":false,"symbol":"XYZ/USD","req_id":11,"time_in":"x","time_out":"y"}"#
        )
        #expect(feed.codes == ["SUBSCRIPTION"])
        #expect(feed.output.problems.first?.details == ["symbol": "XYZ-USD", "channel": "order_book"])
        feed.receive(
            #"{"error":"Currency pair not supported XYZ/USD","method":"subscribe","success":false,"symbol":"XYZ/USD"}"#)
        feed.receive(KrakenFeed.ack("trade"))
        feed.receive(KrakenFeed.ack("book"))
        feed.receive(
            KrakenFeed.book("snapshot", bids: "1:1", asks: "2:1", checksum: krakenChecksum(bids: "1:1", asks: "2:1")))
        #expect(feed.output.notices == [.ready(connection: 0)])
    }

    @Test func `asking too often is reported and done more slowly`() {
        var feed = KrakenFeed(["BTC-USD", "ETH-USD"], channels: [.trade])
        feed.open()
        let refusal = #"{"error":"Exceeded msg rate","method":"subscribe","success":false,"req_id":12}"#
        feed.receive(refusal)
        #expect(feed.codes == ["RATE_LIMIT"])
        #expect(feed.output.problems.first?.details["retry_in_ms"]?.int == 1000)
        #expect(feed.tick(after: .milliseconds(900)).outgoing.isEmpty)
        #expect(feed.tick(after: .milliseconds(150)).outgoing.count == 1)
        #expect(feed.tick(after: .milliseconds(100)).outgoing.count == 1)
        feed.receive(refusal)
        #expect(feed.output.problems.first?.details["retry_in_ms"]?.int == 2000)
    }

    @Test func `a subscription that is there already counts as confirmed`() {
        var feed = KrakenFeed(channels: [.trade])
        feed.open()
        feed.receive(
            #"{"error":"Already subscribed","method":"subscribe","success":false,"symbol":"BTC/USD","req_id":12}"#)
        #expect(feed.output.problems.isEmpty)
        #expect(feed.output.notices == [.confirmed(stream: 0), .ready(connection: 0)])
    }

    @Test func `the venue's status is told of when it is not online`() {
        var feed = KrakenFeed()
        feed.open()
        func status(_ system: String) -> [VenueOutput.Problem] {
            feed.receive(
                #"{"channel":"status","type":"update","data":[{"system":"\#(system)","api_version":"v2","connection_id":12393906104898154338,"version":"2.0.4"}]}"#
            ).problems
        }
        #expect(status("online").isEmpty)
        let told = status("maintenance")
        #expect(told.map(\.code) == ["VENUE_STATUS"])
        #expect(told.first?.details["connection_id"]?.number?.description == "12393906104898154338")
        #expect(status("maintenance").isEmpty)
        #expect(status("cancel_only").count == 1)
        #expect(status("online").isEmpty)
        #expect(status("post_only").count == 1)
    }

    @Test func `a quiet connection is asked for a sign of life`() {
        var feed = KrakenFeed(channels: [.trade])
        feed.open()
        feed.receive(KrakenFeed.ack("trade"))
        var pings = 0
        for _ in 0..<50 { pings += feed.tick().outgoing.filter { $0.text.contains(#""method":"ping""#) }.count }
        #expect(pings == 2)
        feed.receive(#"{"method":"pong","req_id":101,"time_in":"x","time_out":"y"}"#)
        #expect(feed.output.problems.isEmpty)
        for _ in 0..<100 {
            #expect(feed.tick().outgoing.isEmpty)
            feed.receive(#"{"channel":"heartbeat"}"#)
            #expect(feed.output.problems.isEmpty)
        }
    }

    @Test func `unknown channels, symbols and methods are passed over`() {
        var feed = KrakenFeed(channels: MarketChannel.allCases)
        feed.open()
        for frame in [
            #"{"channel":"instrument","type":"snapshot","data":{"assets":[]}}"#, #"{"method":"echo","x":[1,{}]}"#,
            KrakenFeed.trades([1], symbol: "SOL/USD"),
            #"{"channel":"ticker","type":"update","data":[{"symbol":"SOL/USD","bid":1}]}"#,
        ] {
            feed.receive(frame)
            #expect(feed.output.events.isEmpty && feed.output.problems.isEmpty && feed.output.heard.isEmpty)
        }
    }

    @Test func `a ticker has what its frame has, and the newest connection's counts`() throws {
        var feed = KrakenFeed(channels: [.ticker])
        feed.open()
        feed.open(1)
        func frame(_ bid: String) -> String {
            #"{"channel":"ticker","type":"update","data":[{"symbol":"BTC/USD","bid":\#(bid),"bid_qty":740.0,"ask":0.10036,"ask_qty":1361.44813783,"last":0.10035,"volume":997038.98383185,"vwap":0.10148,"low":0.09979,"high":0.10285,"change":-0.00017,"change_pct":-0.17}]}"#
        }
        feed.receive(frame("0.1"))
        let event = try #require(feed.output.events.first)
        #expect(
            event.payload.description
                == #"{"symbol":"BTC-USD","price":0.10035,"volume":997038.98383185,"bid":0.1,"ask":0.10036,"bid_volume":740.0,"ask_volume":1361.44813783,"venue_symbol":"BTC/USD","instrument":"spot","received_at":"2023-11-14T22:13:20.000000Z"}"#
        )
        #expect(event.timestamp == KrakenFeed.start)
        feed.receive(frame("0.10010"), on: 1)
        #expect(feed.output.events.count == 1)
        feed.receive(frame("0.2"), on: 0)
        #expect(feed.output.events.isEmpty && feed.output.heard.isEmpty)
    }

    // MARK: Candles

    private func candle(_ minutes: [Int], _ close: String = "0.5627", type: String = "update") -> String {
        let list = minutes.map { minute in
            #"{"symbol":"BTC/USD","open":0.5624,"high":0.5628,"low":0.5622,"close":\#(close),"trades":12,"volume":30927.68066226,"vwap":0.5626,"interval_begin":"2023-10-04T16:\#(minute):00.000000000Z","interval":1,"timestamp":"x"}"#
        }
        return #"{"channel":"ohlc","type":"\#(type)","timestamp":"x","data":[\#(list.joined(separator: ","))]}"#
    }

    private func closed(_ output: VenueOutput) -> [Bool?] { output.events.map { $0.payload.candle?.isClosed } }

    @Test func `a candle is closed when the next one begins`() {
        var feed = KrakenFeed(channels: [.ohlcv])
        feed.open()
        #expect(self.closed(feed.receive(self.candle([20]))) == [false])
        #expect(self.closed(feed.receive(self.candle([20], "0.57"))) == [false])
        let next = feed.receive(self.candle([21]))
        #expect(self.closed(next) == [true, false])
        #expect(next.events.first?.payload.candle?.close.description == "0.57")
        #expect(next.events.first?.payload.candle?.interval == "1m")
        #expect(next.events.first?.payload.candle?.trades == 12)
        #expect(feed.receive(self.candle([20])).events.isEmpty)
    }

    @Test func `the candles of a snapshot are closed but for the last, and a reconnect's fills what was missed`() {
        var feed = KrakenFeed(channels: [.ohlcv])
        feed.open()
        #expect(self.closed(feed.receive(self.candle([22, 20, 21], type: "snapshot"))) == [true, true, false])
        feed.close()
        feed.open(1)
        let again = feed.receive(self.candle([21, 22, 23, 24], "0.6", type: "snapshot"), on: 1)
        #expect(self.closed(again) == [true, true, false])
        #expect(again.events.first?.payload.candle?.close.description == "0.6")
        #expect(again.requests.isEmpty)
    }

    @Test func `a candle that ended unheard is asked for over REST and never guessed`() throws {
        var feed = KrakenFeed(channels: [.ohlcv])
        feed.open()
        feed.receive(self.candle([20]))
        feed.close()
        feed.open(1)
        let output = feed.receive(self.candle([23]), on: 1)
        #expect(self.closed(output) == [false])
        let request = try #require(output.requests.first)
        #expect(request.target == "/0/public/OHLC?pair=XBTUSD&interval=1&since=1696436399")
        let rows = [1_696_436_400, 1_696_436_460, 1_696_436_520, 1_696_436_580].map {
            #"[\#($0),"0.5624","0.5628","0.5622","0.58","0.5626","30927.68066226",12]"#
        }
        feed.answer(request, #"{"error":[],"result":{"XXBTZUSD":[\#(rows.joined(separator: ","))],"last":1}}"#)
        #expect(self.closed(feed.output) == [true, true, true])
        feed.answer(request, .failure(status: 502, reason: "bad gateway"))
        #expect(feed.codes == ["SEQUENCE_GAP"])
    }

    @Test func `an interval that the venue does not have is refused in words`() {
        var feed = KrakenFeed(channels: [.ohlcv], candles: "3m")
        feed.open()
        #expect(feed.codes == ["SUBSCRIPTION"])
        #expect(feed.output.outgoing.isEmpty)
        #expect(feed.output.notices == [.ready(connection: 0)])
    }

    // MARK: Time

    @Test func `books are told of at the wanted pace`() {
        var feed = KrakenFeed(channels: [.orderBook], every: .seconds(1))
        feed.open()
        feed.receive(
            KrakenFeed.book("snapshot", bids: "1:1", asks: "2:1", checksum: krakenChecksum(bids: "1:1", asks: "2:1")))
        #expect(feed.books.count == 1)
        feed.tick()
        feed.receive(
            KrakenFeed.book("update", bids: "1:2", asks: "", checksum: krakenChecksum(bids: "1:2", asks: "2:1")))
        #expect(feed.books.isEmpty)
        var told = 0
        for _ in 0..<12 {
            feed.tick()
            told += feed.books.count
        }
        #expect(told == 1)
    }

    @Test func `streams that do not exist are no trap`() {
        var feed = KrakenFeed(channels: [.trade])
        for stream in [-1, 0, 1, .max, .min] { feed.resubscribe(stream) }
        #expect(feed.output.outgoing.isEmpty)
        #expect(feed.session.book(of: 0) == nil && feed.session.book(of: -1) == nil)
        feed.open()
        feed.resubscribe(0)
        #expect(feed.output.outgoing.count == 2)
        feed.session.tick(at: Timestamp(nanoseconds: .max), into: &feed.output)
        feed.session.tick(at: Timestamp(nanoseconds: .min), into: &feed.output)
    }
}
