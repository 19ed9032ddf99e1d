import Testing
import Tidings

@testable import TidingsMarkets

@Suite struct CoinbaseSessionTests {
    private func harness(
        _ channels: [MarketChannel] = MarketChannel.standard, _ symbols: [String] = ["BTC-USD", "ETH-USD"]
    ) -> SessionHarness {
        SessionHarness(Coinbase(), symbols, channels)
    }

    private static let snapshot =
        #"{"type":"snapshot","product_id":"BTC-USD","bids":[["10.00","1.50"],["9.99","2"]],"asks":[["10.01","3"],["10.02","4"]]}"#

    private static func update(_ changes: String, _ second: Int = 1, _ product: String = "BTC-USD") -> String {
        #"{"type":"l2update","product_id":"\#(product)","time":"2023-11-14T22:13:\#(second + 10).5Z","changes":[\#(changes)]}"#
    }

    private static func match(_ number: Int, _ kind: String = "match", side: String = "sell") -> String {
        #"{"type":"\#(kind)","trade_id":\#(number),"sequence":50,"time":"2023-11-14T22:13:20.028459Z","product_id":"BTC-USD","size":"5.23512","price":"400.230","side":"\#(side)"}"#
    }

    private static func heartbeat(_ trade: Int, _ sequence: Int = 90) -> String {
        #"{"type":"heartbeat","sequence":\#(sequence),"last_trade_id":\#(trade),"product_id":"BTC-USD","time":"2023-11-14T22:13:20Z"}"#
    }

    // MARK: Subscribing

    @Test func `one message subscribes every product to what is asked for, and to heartbeats`() {
        var harness = self.harness()
        #expect(
            harness.open().texts == [
                #"{"type":"subscribe","product_ids":["BTC-USD","ETH-USD"],"channels":["matches","ticker","heartbeat","level2_batch"]}"#
            ])
        var books = self.harness([.orderBook], ["BTC-USD"])
        #expect(
            books.open().texts == [
                #"{"type":"subscribe","product_ids":["BTC-USD"],"channels":["heartbeat","level2_batch"]}"#
            ])
    }

    @Test func `fifty products go into a message`() {
        var harness = self.harness([.trade], (0..<120).map { "C\($0)-USD" })
        #expect(harness.open().texts.count == 3)
    }

    @Test func `an acknowledgement confirms streams, and a connection is ready when its books are whole`() {
        var harness = self.harness(MarketChannel.standard, ["BTC-USD"])
        _ = harness.open()
        let ack = harness.receive(
            #"{"type":"subscriptions","channels":[{"name":"level2","product_ids":["BTC-USD"]},{"name":"matches","product_ids":["BTC-USD","X-Y"]},{"name":"ticker","product_ids":["BTC-USD"]},{"name":"heartbeat","product_ids":["BTC-USD"]}]}"#
        )
        #expect(ack.notices == [.confirmed(stream: 2), .confirmed(stream: 0), .confirmed(stream: 1)])
        #expect(harness.receive(Self.snapshot).notices == [.ready(connection: 1)])
        #expect(harness.receive(Self.snapshot).notices.isEmpty)
    }

    @Test func `the venue's refusal is told with its reason`() {
        var harness = self.harness()
        let output = harness.receive(#"{"type":"error","message":"Failed to subscribe","reason":"X-Y is not valid"}"#)
        #expect(output.problems.map(\.message) == ["coinbase: Failed to subscribe: X-Y is not valid"])
    }

    // MARK: Trades

    @Test(arguments: ["match", "last_match"])
    func `a match becomes a trade with the taker's side`(kind: String) throws {
        var harness = self.harness()
        let output = harness.receive(Self.match(10, kind))
        #expect(
            try #require(output.events.first).payload.description
                == #"{"symbol":"BTC-USD","price":400.230,"volume":5.23512,"timestamp":"2023-11-14T22:13:20.028459Z","side":"buy","trade_id":"10","venue_symbol":"BTC-USD","instrument":"spot","received_at":"2023-11-14T22:13:20.000000Z"}"#
        )
        #expect(output.heard == [0])
        #expect(harness.receive(Self.match(11, side: "buy")).events.first?.payload.trade?.side == .sell)
    }

    @Test func `a trade that comes again is not published again, on whichever connection`() {
        var harness = self.harness()
        #expect(harness.receive(Self.match(10)).trades == ["10"])
        #expect(harness.receive(Self.match(10, "last_match"), on: 2).trades.isEmpty)
        #expect(harness.receive(Self.match(9)).trades.isEmpty)
        #expect(harness.receive(Self.match(11), on: 2).trades == ["11"])
    }

    @Test func `lost trades are told of, asked for and published once, oldest first`() throws {
        var harness = self.harness()
        _ = harness.receive(Self.match(10))
        let gap = harness.receive(Self.match(14))
        #expect(gap.trades == ["14"])
        #expect(gap.codes == ["SEQUENCE_GAP"])
        #expect(
            gap.problems.first?.details.description == #"{"symbol":"BTC-USD","from":11,"to":13,"missing":3}"#)
        let request = try #require(gap.requests.first)
        #expect(request == VenueRequest(.lostTrades(0, 11...13), .get, "/products/BTC-USD/trades?limit=1000&after=14"))
        // One of them comes late by itself.
        #expect(harness.receive(Self.match(12)).trades == ["12"])
        let body = (5...13).reversed().map {
            #"{"time":"2023-11-14T22:13:20.028459Z","trade_id":\#($0),"price":"400.230","size":"5.23512","side":"sell"}"#
        }
        let filled = harness.answer(request, "[\(body.joined(separator: ","))]")
        #expect(filled.trades == ["11", "13"])
        #expect(filled.problems.isEmpty && filled.requests.isEmpty)
        #expect(harness.receive(Self.match(15)).trades == ["15"])
    }

    @Test func `a refilled trade has the id that the feed would have given it`() throws {
        var harness = self.harness()
        _ = harness.receive(Self.match(10))
        let request = try #require(harness.receive(Self.match(12)).requests.first)
        let filled = harness.answer(
            request,
            #"[{"time":"2023-11-14T22:13:20.028459Z","trade_id":11,"price":"400.230","size":"5.23512","side":"sell"}]"#)
        var other = self.harness()
        #expect(filled.events.map(\.eventID) == other.receive(Self.match(11)).events.map(\.eventID))
    }

    @Test func `further pages are asked for until the hole is closed`() throws {
        var harness = self.harness()
        _ = harness.receive(Self.match(10))
        let first = try #require(harness.receive(Self.match(2000)).requests.first)
        func page(_ range: ClosedRange<Int>) -> String {
            let trades = range.reversed().map {
                #"{"time":"2023-11-14T22:13:20Z","trade_id":\#($0),"price":"4","size":"5","side":"sell"}"#
            }
            return "[\(trades.joined(separator: ","))]"
        }
        let half = harness.answer(first, page(1000...1999))
        #expect(half.trades.count == 1000)
        let second = try #require(half.requests.first)
        #expect(second.target == "/products/BTC-USD/trades?limit=1000&after=1000")
        let rest = harness.answer(second, page(5...999))
        #expect(rest.trades.count == 989)
        #expect(rest.problems.isEmpty && rest.requests.isEmpty)
    }

    @Test func `trades that the venue does not give are told of as missing`() throws {
        var harness = self.harness()
        _ = harness.receive(Self.match(10))
        let request = try #require(harness.receive(Self.match(14)).requests.first)
        let output = harness.answer(
            request, #"[{"time":"2023-11-14T22:13:20Z","trade_id":12,"price":"4","size":"5","side":"sell"}]"#)
        #expect(output.trades == ["12"])
        let rest = try #require(output.requests.first)
        let failed = harness.fail(rest)
        #expect(failed.codes == ["SEQUENCE_GAP"])
        #expect(
            failed.problems.first?.details.description
                == #"{"symbol":"BTC-USD","from":11,"to":11,"count":1,"reason":"HTTP 500"}"#)
        // Should it come after all, it is taken.
        #expect(harness.receive(Self.match(11)).trades == ["11"])
    }

    @Test func `an enormous hole is asked for in part`() throws {
        var harness = self.harness()
        _ = harness.receive(Self.match(10))
        let output = harness.receive(Self.match(500_000))
        #expect(output.codes == ["SEQUENCE_GAP", "SEQUENCE_GAP"])
        #expect(output.requests.map(\.purpose) == [.lostTrades(0, 490_000...499_999)])
    }

    @Test func `a number that cannot be does not spoil the count`() {
        var harness = self.harness()
        _ = harness.receive(Self.match(10))
        let odd = harness.receive(Self.match(9_000_000_000))
        #expect(odd.trades.count == 1 && odd.codes == ["SEQUENCE_GAP"] && odd.requests.isEmpty)
        #expect(harness.receive(Self.match(11)).trades == ["11"])
        // The third in a row is believed.
        for number in 1...3 { #expect(harness.receive(Self.match(9_000_000_000 + number)).trades.count == 1) }
        #expect(harness.receive(Self.match(9_000_000_004)).problems.isEmpty)
    }

    // MARK: Heartbeats

    @Test func `a heartbeat shows a lost match when no later one comes, with the second of them`() throws {
        var harness = self.harness([.trade])
        _ = harness.receive(Self.match(10))
        #expect(harness.receive(Self.heartbeat(11)).problems.isEmpty)
        let second = harness.receive(Self.heartbeat(11))
        #expect(second.codes == ["SEQUENCE_GAP"])
        #expect(second.requests.map(\.purpose) == [.lostTrades(0, 11...11)])
        #expect(harness.receive(Self.heartbeat(11)).problems.isEmpty)
        #expect(harness.receive(Self.match(11)).trades == ["11"])
    }

    @Test func `or two seconds after the first`() {
        var harness = self.harness([.trade])
        _ = harness.receive(Self.match(10))
        _ = harness.receive(Self.heartbeat(12))
        #expect(harness.wait(.milliseconds(1900)).problems.isEmpty)
        #expect(harness.wait(.milliseconds(100)).requests.map(\.purpose) == [.lostTrades(0, 11...12)])
    }

    @Test func `a heartbeat that overtakes a match is no loss`() {
        var harness = self.harness([.trade])
        _ = harness.receive(Self.match(10))
        _ = harness.receive(Self.heartbeat(11))
        #expect(harness.receive(Self.match(11)).problems.isEmpty)
        #expect(harness.receive(Self.heartbeat(11)).problems.isEmpty)
        #expect(harness.wait(.seconds(3)).problems.isEmpty)
    }

    @Test func `a heartbeat vouches for what it proves to be quiet, and for nothing else`() {
        var harness = self.harness(MarketChannel.standard, ["BTC-USD"])
        _ = harness.open()
        _ = harness.receive(Self.snapshot)
        _ = harness.receive(Self.match(10))
        #expect(harness.receive(Self.heartbeat(10, 90)).heard == [0])
        // Nothing at all has happened to the product since.
        #expect(harness.receive(Self.heartbeat(10, 90)).heard == [2, 0])
        // Something has, and the book said nothing.
        #expect(harness.receive(Self.heartbeat(10, 95)).heard == [0])
        #expect(harness.receive(Self.heartbeat(11, 95)).heard == [2])
    }

    @Test func `heartbeats that only ever say the same vouch for nothing, unless what is asked for anew answers`() {
        var harness = self.harness([.trade, .orderBook], ["BTC-USD"])
        _ = harness.open()
        _ = harness.receive(Self.snapshot)
        _ = harness.receive(Self.match(10))
        _ = harness.receive(Self.heartbeat(10))
        #expect(harness.wait(.seconds(10)).texts.isEmpty)
        #expect(harness.receive(Self.heartbeat(10)).heard == [1, 0])
        #expect(
            harness.wait(.seconds(1)).texts == [
                #"{"type":"unsubscribe","product_ids":["BTC-USD"],"channels":["matches"]}"#,
                #"{"type":"subscribe","product_ids":["BTC-USD"],"channels":["matches"]}"#,
            ])
        #expect(harness.receive(Self.heartbeat(10)).heard.isEmpty)
        #expect(harness.wait(.seconds(1)).texts.isEmpty)
        #expect(harness.receive(Self.match(10, "last_match")).trades.isEmpty)
        #expect(harness.receive(Self.heartbeat(10)).heard == [1, 0])
        // An exchange on which something happens is news as well.
        harness.now = harness.now.advanced(by: .seconds(60))
        #expect(harness.receive(Self.heartbeat(10, 91)).heard == [0])
    }

    // MARK: Tickers

    private static func ticker(_ sequence: Int, _ time: String, _ price: String = "1285.22") -> String {
        #"{"type":"ticker","sequence":\#(sequence),"product_id":"BTC-USD","price":"\#(price)","volume_24h":"245532.79269678","best_bid":"10.00","best_bid_size":"1.50","best_ask":"10.01","best_ask_size":"3","side":"buy","time":"\#(time)","trade_id":370843401,"last_size":"11"}"#
    }

    @Test func `a ticker has last price, volume of 24 hours, best prices and sizes`() throws {
        var harness = self.harness()
        let output = harness.receive(Self.ticker(1, "2023-11-14T22:13:20.1Z"))
        #expect(
            try #require(output.events.first).payload.description
                == #"{"symbol":"BTC-USD","price":1285.22,"volume":245532.79269678,"bid":10.00,"ask":10.01,"bid_volume":1.50,"ask_volume":3,"timestamp":"2023-11-14T22:13:20.100Z","venue_symbol":"BTC-USD","instrument":"spot","received_at":"2023-11-14T22:13:20.000000Z"}"#
        )
    }

    @Test func `a ticker with a lower or equal number is a repetition, unless it is newer`() {
        var harness = self.harness()
        #expect(harness.receive(Self.ticker(5, "2023-11-14T22:13:20Z")).tickers.count == 1)
        #expect(harness.receive(Self.ticker(5, "2023-11-14T22:13:20Z"), on: 2).tickers.isEmpty)
        #expect(harness.receive(Self.ticker(4, "2023-11-14T22:13:19Z")).tickers.isEmpty)
        #expect(harness.receive(Self.ticker(6, "2023-11-14T22:13:20Z")).tickers.count == 1)
        #expect(harness.receive(Self.ticker(1, "2023-11-14T22:13:21Z")).tickers.count == 1)
    }

    // MARK: Books

    @Test func `a snapshot replaces, a change sets a size, and zero removes`() {
        var harness = self.harness()
        _ = harness.open()
        let first = harness.receive(Self.snapshot)
        #expect(first.books.map(\.kind) == [.snapshot])
        #expect(first.books.first?.timestamp == nil)
        #expect(first.events.first?.timestamp == SessionHarness.start)
        let second = harness.receive(Self.update(#"["buy","10.00","0.0"],["sell","10.01","7.70"],["buy","9.5","1"]"#))
        let book = second.books.first
        #expect(book?.bids.map(\.price.description) == ["9.99", "9.5"])
        #expect(book?.asks.map(\.volume.description) == ["7.70", "4"])
        #expect(book?.timestamp?.description == "2023-11-14T22:13:11.500Z")
        #expect(book?.sequence == nil)
        let third = harness.receive(
            #"{"type":"snapshot","product_id":"BTC-USD","asks":[["3","1"]],"bids":[["2","1"]]}"#)
        #expect(third.books.first?.bids.count == 1)
        #expect(third.notices.isEmpty)
    }

    @Test func `a change before the snapshot makes nothing`() {
        var harness = self.harness()
        _ = harness.open()
        let output = harness.receive(Self.update(#"["buy","10.00","1"]"#))
        #expect(output.events.isEmpty && output.problems.isEmpty && output.heard.isEmpty)
        #expect(harness.session.book(of: 0)?.isLive == false)
    }

    @Test func `a change that is older than the last is passed over, one of the same moment is not`() {
        var harness = self.harness()
        _ = harness.open()
        _ = harness.receive(Self.snapshot)
        #expect(harness.receive(Self.update(#"["buy","10.00","2"]"#, 5)).books.count == 1)
        #expect(harness.receive(Self.update(#"["buy","10.00","3"]"#, 5)).books.count == 1)
        #expect(harness.receive(Self.update(#"["buy","10.00","4"]"#, 4)).books.isEmpty)
    }

    @Test func `times that go back for good ask for the book anew`() {
        var harness = self.harness()
        _ = harness.open()
        _ = harness.receive(Self.snapshot)
        _ = harness.receive(Self.update(#"["buy","10.00","2"]"#, 40))
        var last = VenueOutput()
        for _ in 0..<CoinbaseSession.maximumOlderUpdates { last = harness.receive(Self.update(#"["buy","9","1"]"#, 4)) }
        #expect(last.codes == ["SEQUENCE_GAP"])
        #expect(last.texts.count == 2)
    }

    @Test func `a crossed book is not published, and only that product is asked for anew`() {
        var harness = self.harness()
        _ = harness.open()
        _ = harness.receive(Self.snapshot)
        let crossed = harness.receive(Self.update(#"["buy","10.01","1"]"#))
        #expect(crossed.events.isEmpty)
        #expect(crossed.codes == ["CROSSED_BOOK"])
        #expect(crossed.notices == [.resyncing(symbol: "BTC-USD", reason: "crossed book")])
        #expect(
            crossed.texts == [
                #"{"type":"unsubscribe","product_ids":["BTC-USD"],"channels":["level2_batch"]}"#,
                #"{"type":"subscribe","product_ids":["BTC-USD"],"channels":["level2_batch"]}"#,
            ])
        #expect(harness.session.book(of: 0)?.isLive == false)
        #expect(harness.receive(Self.update(#"["buy","9","1"]"#, 2)).events.isEmpty)
        let mended = harness.receive(Self.snapshot)
        #expect(mended.notices == [.resynced(symbol: "BTC-USD")])
        #expect(harness.session.book(of: 0)?.isLive == true)
    }

    @Test func `prices that cross only between two changes of one frame are no crossed book`() {
        var harness = self.harness()
        _ = harness.open()
        _ = harness.receive(Self.snapshot)
        let output = harness.receive(Self.update(#"["buy","10.01","1"],["sell","10.01","0"]"#))
        #expect(output.problems.isEmpty && output.books.count == 1)
    }

    @Test func `a snapshot that is crossed itself is asked for again after a while, not at once`() {
        var harness = self.harness([.orderBook], ["BTC-USD"])
        _ = harness.open()
        let crossed = #"{"type":"snapshot","product_id":"BTC-USD","bids":[["5","1"]],"asks":[["4","1"]]}"#
        #expect(harness.receive(crossed).texts.count == 2)
        #expect(harness.receive(crossed).texts.isEmpty)
        #expect(harness.wait(.seconds(9)).texts.isEmpty)
        #expect(harness.wait(.seconds(1)).texts.count == 2)
        #expect(harness.receive(Self.snapshot).notices.contains(.resynced(symbol: "BTC-USD")))
    }

    @Test func `an unreadable change costs that product's book only`() {
        var harness = self.harness()
        _ = harness.open()
        _ = harness.receive(Self.snapshot)
        let output = harness.receive(Self.update(#"["buy","x","1"]"#))
        #expect(output.codes == ["PARSE"])
        #expect(output.notices == [.resyncing(symbol: "BTC-USD", reason: "an unreadable change")])
    }

    @Test func `a snapshot that does not come is asked for again`() {
        var harness = self.harness([.orderBook], ["BTC-USD"])
        _ = harness.open()
        #expect(harness.wait(.seconds(9)).texts.isEmpty)
        #expect(harness.wait(.seconds(1)).texts.count == 2)
        #expect(harness.wait(.seconds(1)).texts.isEmpty)
    }

    // MARK: Connections

    @Test func `during a planned replacement the book is the old connection's until the new one has its snapshot`() {
        var harness = self.harness([.orderBook], ["BTC-USD"])
        _ = harness.open(1)
        _ = harness.receive(Self.snapshot, on: 1)
        _ = harness.open(2)
        #expect(harness.receive(Self.update(#"["buy","10.00","2"]"#, 1), on: 1).books.count == 1)
        #expect(harness.receive(Self.update(#"["buy","10.00","9"]"#, 1), on: 2).books.isEmpty)
        let new = harness.receive(Self.snapshot, on: 2)
        #expect(new.notices == [.confirmed(stream: 0), .ready(connection: 2)])
        #expect(harness.receive(Self.update(#"["buy","10.00","5"]"#, 2), on: 1).books.isEmpty)
        #expect(harness.receive(Self.snapshot, on: 1).books.isEmpty)
        #expect(harness.close(1).texts.isEmpty)
        #expect(harness.receive(Self.update(#"["buy","10.00","5"]"#, 2), on: 2).books.count == 1)
    }

    @Test func `after a reconnect the book is not whole until its snapshot, and that is no resync`() {
        var harness = self.harness([.orderBook], ["BTC-USD"])
        _ = harness.open(1)
        _ = harness.receive(Self.snapshot, on: 1)
        _ = harness.close(1)
        #expect(harness.session.book(of: 0)?.isLive == false)
        _ = harness.open(2)
        #expect(harness.receive(Self.update(#"["buy","10.00","2"]"#), on: 2).books.isEmpty)
        let output = harness.receive(Self.snapshot, on: 2)
        #expect(!output.notices.contains(.resynced(symbol: "BTC-USD")))
        #expect(harness.session.book(of: 0)?.isLive == true)
    }

    @Test func `when a newer connection goes first, the older one's book is asked for`() {
        var harness = self.harness([.orderBook], ["BTC-USD"])
        _ = harness.open(1)
        _ = harness.open(2)
        _ = harness.receive(Self.snapshot, on: 1)
        _ = harness.receive(Self.snapshot, on: 2)
        let output = harness.close(2)
        #expect(output.outgoing.map(\.connection) == [1, 1])
        #expect(harness.receive(Self.snapshot, on: 1).notices.count == 0)
        #expect(harness.session.book(of: 0)?.isLive == true)
    }

    @Test(arguments: [(0, "matches"), (1, "ticker"), (2, "level2_batch")])
    func `a silent stream is asked for anew by itself`(stream: Int, channel: String) {
        var harness = self.harness(MarketChannel.standard, ["BTC-USD"])
        _ = harness.open()
        #expect(
            harness.resubscribe(stream).texts == [
                #"{"type":"unsubscribe","product_ids":["BTC-USD"],"channels":["\#(channel)"]}"#,
                #"{"type":"subscribe","product_ids":["BTC-USD"],"channels":["\#(channel)"]}"#,
            ])
        #expect(harness.resubscribe(99).texts.isEmpty)
    }

    // MARK: What makes no sense

    @Test(arguments: [
        "", "{", "[]", "null", #"{"a":1}"#, #"{"type":7}"#, "\u{0}", #"{"type":"match","product_id":"BTC-USD"}"#,
        #"{"type":"snapshot","product_id":"BTC-USD","bids":7,"asks":[]}"#,
        #"{"type":"ticker","product_id":"BTC-USD","price":"NaN"}"#, #"{"type":"match"}x"#,
    ])
    func `a malformed frame is a PARSE problem and no event`(frame: String) {
        var harness = self.harness()
        _ = harness.open()
        let output = harness.receive(frame)
        #expect(output.events.isEmpty)
        #expect(output.codes == ["PARSE"])
    }

    @Test(arguments: [
        #"{"type":"status","products":[]}"#, #"{"type":"match","product_id":"X-Y","price":"1"}"#,
        #"{"type":"subscriptions"}"#, #"{"type":"heartbeat","product_id":"X-Y"}"#, #"{"type":"received"}"#,
    ])
    func `unknown types and products are passed over`(frame: String) {
        var harness = self.harness()
        let output = harness.receive(frame)
        #expect(output.events.isEmpty && output.problems.isEmpty && output.heard.isEmpty)
    }
}
