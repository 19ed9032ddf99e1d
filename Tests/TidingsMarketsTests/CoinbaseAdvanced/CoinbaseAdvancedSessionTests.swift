import Testing
import Tidings

@testable import TidingsMarkets

@Suite struct CoinbaseAdvancedSessionTests {
    private func harness(
        _ channels: [MarketChannel] = MarketChannel.standard, _ symbols: [String] = ["BTC-USD", "ETH-USD"],
        interval: String = "5m"
    ) -> SessionHarness {
        SessionHarness(CoinbaseAdvanced(), symbols, channels, interval: interval)
    }

    private static func frame(_ channel: String, _ number: Int, _ events: String) -> String {
        #"{"channel":"\#(channel)","client_id":"","timestamp":"2023-02-09T20:32:50.714964855Z","sequence_num":\#(number),"events":[\#(events)]}"#
    }

    private static func snapshot(_ number: Int, _ product: String = "BTC-USD") -> String {
        self.frame(
            "l2_data", number,
            #"{"type":"snapshot","product_id":"\#(product)","updates":[{"side":"bid","event_time":"x","price_level":"10.00","new_quantity":"1.50"},{"side":"bid","price_level":"9.99","new_quantity":"2"},{"side":"offer","price_level":"10.01","new_quantity":"3"}]}"#
        )
    }

    private static func update(
        _ number: Int, _ side: String, _ price: String, _ size: String, _ product: String = "BTC-USD"
    ) -> String {
        self.frame(
            "l2_data", number,
            #"{"type":"update","product_id":"\#(product)","updates":[{"side":"\#(side)","price_level":"\#(price)","new_quantity":"\#(size)"}]}"#
        )
    }

    private static func trade(_ number: Int, _ side: String = "BUY", _ product: String = "BTC-USD") -> String {
        #"{"trade_id":"\#(number)","product_id":"\#(product)","price":"1260.010","size":"0.3","side":"\#(side)","time":"2023-02-09T20:32:50.1Z"}"#
    }

    private static func trades(_ number: Int, _ trades: [Int], _ type: String = "update") -> String {
        let list = trades.map { self.trade($0) }.joined(separator: ",")
        return self.frame("market_trades", number, #"{"type":"\#(type)","trades":[\#(list)]}"#)
    }

    private static func heartbeat(_ number: Int, _ counter: String = "\"3049\"") -> String {
        self.frame("heartbeats", number, #"{"current_time":"x","heartbeat_counter":\#(counter)}"#)
    }

    // MARK: Subscribing

    @Test func `each channel has its message, heartbeats come first`() {
        var harness = self.harness(MarketChannel.allCases)
        #expect(
            harness.open().texts == [
                #"{"type":"subscribe","channel":"heartbeats"}"#,
                #"{"type":"subscribe","product_ids":["BTC-USD","ETH-USD"],"channel":"market_trades"}"#,
                #"{"type":"subscribe","product_ids":["BTC-USD","ETH-USD"],"channel":"ticker"}"#,
                #"{"type":"subscribe","product_ids":["BTC-USD","ETH-USD"],"channel":"level2"}"#,
                #"{"type":"subscribe","product_ids":["BTC-USD","ETH-USD"],"channel":"candles"}"#,
            ])
    }

    @Test func `candles of another interval are polled`() throws {
        var harness = self.harness([.ohlcv], ["BTC-USD"], interval: "1m")
        let opened = harness.open()
        #expect(opened.texts == [#"{"type":"subscribe","channel":"heartbeats"}"#])
        #expect(opened.notices == [.confirmed(stream: 0), .ready(connection: 1)])
        let request = try #require(harness.wait(.zero).requests.first)
        #expect(
            request.target
                == "/api/v3/brokerage/market/products/BTC-USD/candles?start=1699999920&end=1699999979&granularity=ONE_MINUTE&limit=300"
        )
        let output = harness.answer(
            request,
            #"{"candles":[{"start":"1699999920","low":"1","high":"3","open":"1","close":"2.50","volume":"4"}]}"#)
        #expect(output.candles.map(\.close.description) == ["2.50"])
        #expect(output.candles.first?.isClosed == true)
    }

    @Test func `acknowledgements confirm, and a connection is ready with its last snapshot`() {
        var harness = self.harness(MarketChannel.standard, ["BTC-USD"])
        _ = harness.open()
        let ack = harness.receive(
            Self.frame(
                "subscriptions", 0,
                #"{"subscriptions":{"level2":["BTC-USD"],"market_trades":["BTC-USD"],"ticker":["BTC-USD"],"heartbeats":["heartbeats"]}}"#
            ))
        #expect(ack.notices == [.confirmed(stream: 2), .confirmed(stream: 0), .confirmed(stream: 1)])
        #expect(harness.receive(Self.snapshot(1)).notices == [.ready(connection: 1)])
    }

    @Test func `the venue's refusal is told`() {
        var harness = self.harness()
        let output = harness.receive(#"{"type":"error","message":"authentication failure"}"#)
        #expect(output.problems.map(\.message) == ["coinbase-advanced: authentication failure"])
    }

    // MARK: Books

    @Test func `a snapshot and changes make the book, asks are offers, times have nine digits`() {
        var harness = self.harness()
        _ = harness.open()
        let first = harness.receive(Self.snapshot(0))
        #expect(first.books.first?.bids.map(\.volume.description) == ["1.50", "2"])
        #expect(first.books.first?.asks.map(\.price.description) == ["10.01"])
        #expect(first.books.first?.timestamp?.description == "2023-02-09T20:32:50.714964855Z")
        #expect(first.books.first?.sequence == 0)
        let second = harness.receive(Self.update(1, "offer", "10.02", "0.5"))
        #expect(second.books.first?.asks.count == 2)
        let third = harness.receive(Self.update(2, "bid", "10.00", "0"))
        #expect(third.books.first?.bids.map(\.price.description) == ["9.99"])
    }

    @Test func `a hole in the count renews every book of that connection, and asks for the newest trades`() {
        var harness = self.harness()
        _ = harness.open()
        _ = harness.receive(Self.snapshot(0))
        _ = harness.receive(Self.snapshot(1, "ETH-USD"))
        _ = harness.receive(Self.trades(2, [10]))
        let gap = harness.receive(Self.update(4, "bid", "10.00", "9"))
        #expect(gap.codes == ["SEQUENCE_GAP"])
        #expect(gap.problems.first?.details.description == #"{"expected":3,"got":4}"#)
        #expect(
            gap.notices == [
                .resyncing(symbol: "BTC-USD", reason: "lost frames"),
                .resyncing(symbol: "ETH-USD", reason: "lost frames"),
            ])
        #expect(
            gap.texts == [
                #"{"type":"unsubscribe","product_ids":["BTC-USD","ETH-USD"],"channel":"level2"}"#,
                #"{"type":"subscribe","product_ids":["BTC-USD","ETH-USD"],"channel":"level2"}"#,
            ])
        #expect(gap.books.isEmpty)
        #expect(gap.requests.map(\.purpose) == [.recent(.trade, 0), .recent(.trade, 1)])
        #expect(harness.receive(Self.update(5, "bid", "10.00", "8")).books.isEmpty)
        #expect(harness.receive(Self.snapshot(6)).notices == [.resynced(symbol: "BTC-USD")])
        #expect(harness.session.book(of: 0)?.isLive == true)
        #expect(harness.session.book(of: 1)?.isLive == false)
        // A trade that no later one would have shown.
        let answer = harness.answer(
            gap.requests[0], #"{"trades":[\#(Self.trade(11)),\#(Self.trade(10))],"best_bid":"1","best_ask":"2"}"#)
        #expect(answer.trades == ["11"])
    }

    @Test func `the count is of all channels, and of each connection by itself`() {
        var harness = self.harness()
        _ = harness.open(1)
        _ = harness.open(2)
        #expect(harness.receive(Self.heartbeat(0)).problems.isEmpty)
        #expect(harness.receive(Self.heartbeat(0), on: 2).problems.isEmpty)
        #expect(harness.receive(Self.trades(1, [10])).problems.isEmpty)
        #expect(harness.receive(Self.heartbeat(2, "42")).problems.isEmpty)
        #expect(harness.receive(Self.heartbeat(2), on: 2).codes == ["SEQUENCE_GAP"])
    }

    @Test func `a frame that comes again is not looked at`() {
        var harness = self.harness()
        _ = harness.open()
        _ = harness.receive(Self.snapshot(0))
        _ = harness.receive(Self.update(1, "bid", "10.00", "9"))
        let output = harness.receive(Self.update(1, "bid", "10.00", "5"))
        #expect(output.events.isEmpty && output.problems.isEmpty)
    }

    @Test func `a crossed book renews that product's only`() {
        var harness = self.harness()
        _ = harness.open()
        _ = harness.receive(Self.snapshot(0))
        _ = harness.receive(Self.snapshot(1, "ETH-USD"))
        let output = harness.receive(Self.update(2, "bid", "11", "1"))
        #expect(output.codes == ["CROSSED_BOOK"])
        #expect(output.books.isEmpty)
        #expect(output.texts.count == 2)
        #expect(harness.session.book(of: 1)?.isLive == true)
    }

    // MARK: Symbols

    @Test func `what is subscribed to as USDC comes as USD and is the subscribed one's`() {
        var harness = self.harness(MarketChannel.standard, ["BTC-USDC"])
        #expect(harness.open().texts[1].contains("BTC-USDC"))
        let output = harness.receive(Self.trades(0, [10]))
        #expect(output.events.map(\.symbol) == ["BTC-USDC"])
        #expect(output.events.first?.payload.trade?.context.venueSymbol == "BTC-USDC")
        #expect(harness.receive(Self.snapshot(1)).events.map(\.symbol) == ["BTC-USDC"])
        #expect(harness.receive(Self.snapshot(2, "BTC-USDC")).problems.isEmpty)
    }

    @Test func `both of them get every event, and the two exceptions keep their name`() {
        var harness = self.harness(MarketChannel.standard, ["BTC-USD", "BTC-USDC"])
        #expect(harness.receive(Self.trades(0, [10])).events.map(\.symbol) == ["BTC-USD", "BTC-USDC"])
        #expect(CoinbaseAdvancedProduct.answeredName("USDT-USDC") == "USDT-USDC")
        #expect(CoinbaseAdvancedProduct.answeredName("EURC-USDC") == "EURC-USDC")
        #expect(CoinbaseAdvancedProduct.answeredName("SOL-USDC") == "SOL-USD")
    }

    // MARK: Trades

    @Test func `the recent trades of a snapshot are published oldest first, with the taker's side, and once`() throws {
        var harness = self.harness()
        _ = harness.open()
        let output = harness.receive(Self.trades(0, [12, 11, 10], "snapshot"))
        #expect(output.trades == ["10", "11", "12"])
        #expect(
            try #require(output.events.first).payload.description
                == #"{"symbol":"BTC-USD","price":1260.010,"volume":0.3,"timestamp":"2023-02-09T20:32:50.100Z","side":"sell","trade_id":"10","venue_symbol":"BTC-USD","instrument":"spot","received_at":"2023-11-14T22:13:20.000000Z"}"#
        )
        #expect(harness.receive(Self.trades(1, [13])).trades == ["13"])
        _ = harness.close()
        _ = harness.open(2)
        #expect(harness.receive(Self.trades(0, [15, 14, 13, 12], "snapshot"), on: 2).trades == ["14", "15"])
    }

    @Test func `lost trades are asked for; what is not among the newest is told of`() throws {
        var harness = self.harness()
        _ = harness.receive(Self.trades(0, [10]))
        let gap = harness.receive(Self.trades(1, [14]))
        #expect(gap.codes == ["SEQUENCE_GAP"])
        let request = try #require(gap.requests.first)
        #expect(
            request
                == VenueRequest(
                    .lostTrades(0, 11...13), .get, "/api/v3/brokerage/market/products/BTC-USD/ticker?limit=1000"))
        let output = harness.answer(request, #"{"trades":[\#(Self.trade(14)),\#(Self.trade(13)),\#(Self.trade(12))]}"#)
        #expect(output.trades == ["12", "13"])
        #expect(output.codes == ["SEQUENCE_GAP"])
        #expect(output.problems.first?.details["from"]?.number == 11)
    }

    // MARK: Tickers and candles

    @Test func `a ticker has its numbers and the frame's time`() throws {
        var harness = self.harness()
        let frame = Self.frame(
            "ticker", 0,
            #"{"type":"snapshot","tickers":[{"type":"ticker","product_id":"BTC-USD","price":"68900.50","volume_24_h":"15328.1","low_24_h":"1","best_bid":"68900.00","best_bid_quantity":"1.50","best_ask":"68901.00","best_ask_quantity":"0.50"}]}"#
        )
        #expect(
            try #require(harness.receive(frame).events.first).payload.description
                == #"{"symbol":"BTC-USD","price":68900.50,"volume":15328.1,"bid":68900.00,"ask":68901.00,"bid_volume":1.50,"ask_volume":0.50,"timestamp":"2023-02-09T20:32:50.714964855Z","venue_symbol":"BTC-USD","instrument":"spot","received_at":"2023-11-14T22:13:20.000000Z"}"#
        )
        // The same of the second connection, and after that no more of the first.
        #expect(harness.receive(frame, on: 2).tickers.isEmpty)
        #expect(harness.receive(frame.replacingNumber(1), on: 1).tickers.isEmpty)
    }

    @Test func `a candle is closed when a later one is there; of a snapshot's past only what was missed is told`() {
        var harness = self.harness([.ohlcv], ["BTC-USD"])
        _ = harness.open()
        func frame(_ number: Int, _ candles: [(Int, String)]) -> String {
            let list = candles.map {
                #"{"start":"\#($0.0)","high":"3","low":"1","open":"1","close":"\#($0.1)","volume":"4.0","product_id":"BTC-USD"}"#
            }
            return Self.frame("candles", number, #"{"type":"x","candles":[\#(list.joined(separator: ","))]}"#)
        }
        func said(_ output: VenueOutput) -> [String] {
            output.candles.map { "\($0.timestamp.nanoseconds / 1_000_000_000) \($0.close) \($0.isClosed == true)" }
        }
        #expect(said(harness.receive(frame(0, [(900, "2.5"), (600, "2"), (300, "1")]))) == ["900 2.5 false"])
        #expect(said(harness.receive(frame(1, [(900, "2.6")]))) == ["900 2.6 false"])
        #expect(said(harness.receive(frame(2, [(900, "2.6")]))).isEmpty)
        #expect(said(harness.receive(frame(3, [(1200, "2")]))) == ["900 2.6 true", "1200 2 false"])
        _ = harness.close()
        _ = harness.open(2)
        let after = harness.receive(frame(0, [(1800, "5"), (1500, "4"), (1200, "3"), (900, "2.6")]), on: 2)
        #expect(said(after) == ["1200 3 true", "1500 4 true", "1800 5 false"])
    }

    // MARK: Heartbeats

    @Test func `heartbeats vouch for quiet streams, not for books without snapshot`() {
        var harness = self.harness([.trade, .orderBook], ["BTC-USD"])
        _ = harness.open()
        #expect(harness.receive(Self.heartbeat(0)).heard.isEmpty)
        _ = harness.receive(Self.snapshot(1))
        _ = harness.receive(Self.trades(2, [10]))
        #expect(harness.receive(Self.heartbeat(3)).heard == [0, 1])
        // Nothing but heartbeats for more than ten seconds: trades are asked for anew, and do not answer.
        #expect(harness.wait(.seconds(10)).texts.isEmpty)
        #expect(harness.wait(.seconds(1)).texts.count == 2)
        #expect(harness.receive(Self.heartbeat(4)).heard.isEmpty)
        #expect(harness.wait(.seconds(1)).texts.isEmpty)
        // An answer shows that the feed is quiet.
        #expect(harness.receive(Self.trades(5, [10], "snapshot")).heard == [0])
        #expect(harness.receive(Self.heartbeat(6)).heard.contains(0))
    }

    @Test func `a stream that is silent for five minutes among others that talk is asked for anew`() {
        var harness = self.harness([.orderBook], ["BTC-USD", "ETH-USD"])
        _ = harness.open()
        _ = harness.receive(Self.snapshot(0))
        _ = harness.receive(Self.snapshot(1, "ETH-USD"))
        harness.now = harness.now.advanced(by: .seconds(300))
        _ = harness.receive(Self.update(2, "bid", "10.00", "9"))
        let asked = harness.receive(Self.heartbeat(3))
        #expect(asked.texts.map { $0.contains("ETH-USD") } == [true, true])
        #expect(asked.heard == [0, 1])
    }

    // MARK: What makes no sense

    @Test(arguments: [
        "", "{", "[]", "null", "{}", #"{"channel":7}"#, "\u{0}",
        #"{"channel":"ticker","events":[{"tickers":[{"product_id":"BTC-USD","price":"NaN"}]}]}"#,
        #"{"channel":"market_trades","events":[{"trades":[{"product_id":"BTC-USD"}]}]}"#,
        #"{"channel":"l2_data","events":[{"type":"update","updates":[]}]}"#,
    ])
    func `a malformed frame is a PARSE problem and no event`(frame: String) {
        var harness = self.harness()
        _ = harness.open()
        let output = harness.receive(frame)
        #expect(output.events.isEmpty)
        #expect(output.codes == ["PARSE"])
    }

    @Test(arguments: [
        #"{"channel":"status","events":[{}]}"#, #"{"channel":"l2_data","events":[]}"#, #"{"channel":"candles"}"#,
        #"{"channel":"market_trades","events":[{"trades":[{"trade_id":"1","product_id":"X-Y","price":"1","size":"1","time":"2023-02-09T20:32:50Z"}]}]}"#,
    ])
    func `unknown channels and products are passed over`(frame: String) {
        var harness = self.harness()
        let output = harness.receive(frame)
        #expect(output.events.isEmpty && output.problems.isEmpty && output.heard.isEmpty)
    }
}

extension String {
    /// The frame with another number.
    fileprivate func replacingNumber(_ number: Int) -> String {
        self.replacing(#""sequence_num":0"#, with: #""sequence_num":\#(number)"#)
    }
}
