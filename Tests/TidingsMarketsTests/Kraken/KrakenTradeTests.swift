import Testing

@testable import Tidings
@testable import TidingsMarkets

@Suite struct KrakenTradeTests {
    private func running(_ first: [UInt64] = [1, 2, 3]) -> KrakenFeed {
        var feed = KrakenFeed(channels: [.trade])
        feed.open()
        feed.receive(KrakenFeed.ack("trade"))
        feed.receive(KrakenFeed.trades(first, type: "snapshot"))
        return feed
    }

    @Test func `a trade has the taker's side, the venue's number and time, and all its digits`() throws {
        var feed = self.running([])
        feed.receive(KrakenFeed.trades([7]))
        let event = try #require(feed.output.events.first)
        #expect(
            event.payload.description
                == #"{"symbol":"BTC-USD","price":0.5117,"volume":40.0,"timestamp":"2023-11-14T22:13:27.000000Z","side":"sell","trade_id":"7","venue_symbol":"BTC/USD","instrument":"spot","received_at":"2023-11-14T22:13:20.000000Z"}"#
        )
        #expect(event.source == "kraken")
        #expect(event.timestamp == KrakenFeed.time(7))
        #expect(feed.output.heard == [0])
    }

    @Test func `the first snapshot is published, oldest first`() {
        var feed = KrakenFeed(channels: [.trade])
        feed.open()
        feed.receive(KrakenFeed.trades([5, 4, 6], type: "snapshot"))
        #expect(feed.tradeIDs == ["4", "5", "6"])
        #expect(feed.output.problems.isEmpty)
    }

    @Test func `the snapshot of a reconnect fills the hole and repeats nothing`() {
        var feed = self.running()
        feed.close()
        feed.open(1)
        feed.receive(KrakenFeed.trades([2, 3, 4, 5], type: "snapshot"), on: 1)
        #expect(feed.tradeIDs == ["4", "5"])
        #expect(feed.output.problems.isEmpty && feed.output.requests.isEmpty)
    }

    @Test func `two connections at once repeat nothing`() {
        var feed = self.running()
        feed.open(1)
        feed.receive(KrakenFeed.trades([1, 2, 3, 4], type: "snapshot"), on: 1)
        #expect(feed.tradeIDs == ["4"])
        feed.receive(KrakenFeed.trades([4, 5]), on: 0)
        #expect(feed.tradeIDs == ["5"])
        feed.receive(KrakenFeed.trades([5]), on: 1)
        #expect(feed.tradeIDs == [])
        #expect(feed.output.problems.isEmpty)
    }

    @Test func `a short hole is told of once and filled by the channel's snapshot`() {
        var feed = self.running()
        feed.receive(KrakenFeed.trades([6]))
        #expect(feed.tradeIDs == ["6"])
        #expect(feed.codes == ["SEQUENCE_GAP"])
        #expect(
            feed.output.problems.first?.details
                == ["symbol": "BTC-USD", "from": 4, "to": 5, "missing": 2])
        #expect(feed.output.outgoing.map { $0.text.contains("unsubscribe") } == [true, false])
        #expect(feed.output.outgoing[1].text.contains(#""channel":"trade","symbol":["BTC/USD"],"snapshot":true"#))
        #expect(feed.output.requests.isEmpty)
        feed.receive(KrakenFeed.trades([1, 2, 3, 4, 5, 6, 7], type: "snapshot"))
        #expect(feed.tradeIDs == ["4", "5", "7"])
        #expect(feed.output.problems.isEmpty && feed.output.requests.isEmpty)
    }

    @Test func `what the snapshot does not have is asked for over REST, from the last trade that was known`() throws {
        var feed = self.running()
        feed.receive(KrakenFeed.trades([6]))
        feed.receive(KrakenFeed.trades([5, 6], type: "snapshot"))
        #expect(feed.tradeIDs == ["5"])
        let request = try #require(feed.output.requests.first)
        #expect(request.purpose == .lostTrades(0, 4...4))
        #expect(
            request.target
                == "/0/public/Trades?pair=XBTUSD&count=1000&since=\(KrakenFeed.time(3).nanoseconds - 1)")
        feed.answer(request, KrakenFeed.restTrades([3, 4, 5, 6, 9]))
        #expect(feed.tradeIDs == ["4"])
        #expect(feed.output.problems.isEmpty && feed.output.requests.isEmpty)
    }

    @Test func `a long hole is asked for over REST at once, page after page`() throws {
        var feed = self.running()
        feed.receive(KrakenFeed.trades([100]))
        #expect(feed.codes == ["SEQUENCE_GAP"])
        let first = try #require(feed.output.requests.first)
        #expect(first.purpose == .lostTrades(0, 4...99))
        feed.answer(first, KrakenFeed.restTrades(Array(2...50), last: "777"))
        #expect(feed.tradeIDs == (4...50).map(String.init))
        let second = try #require(feed.output.requests.first)
        #expect(second.target.hasSuffix("&since=777"))
        #expect(second.purpose == .lostTrades(0, 4...99))
        feed.answer(second, KrakenFeed.restTrades(Array(50...101), last: "778"))
        #expect(feed.tradeIDs == (51...99).map(String.init))
        #expect(feed.output.requests.isEmpty && feed.output.problems.isEmpty)
    }

    @Test func `what REST does not have either is reported as lost, and asked for no more`() throws {
        var feed = self.running()
        feed.receive(KrakenFeed.trades([100]))
        feed.answer(try #require(feed.output.requests.first), KrakenFeed.restTrades([4, 5, 8, 100], last: "777"))
        #expect(feed.tradeIDs == ["4", "5", "8"])
        #expect(feed.codes == ["SEQUENCE_GAP", "SEQUENCE_GAP"])
        #expect(feed.output.problems.map { $0.details["from"]?.int } == [6, 9])
        #expect(feed.output.problems.map { $0.details["missing"]?.int } == [2, 91])
        #expect(feed.output.requests.isEmpty)
    }

    @Test(arguments: [
        VenueAnswer.failure(status: 404, reason: "not found"), .failure(status: nil, reason: "timed out"),
        .body(Array(#"{"error":["EGeneral:Internal error"]}"#.utf8)), .body(Array("<html>".utf8)), .body([]),
    ])
    func `a request that fails leaves a reported hole and a feed that goes on`(answer: VenueAnswer) throws {
        var feed = self.running()
        feed.receive(KrakenFeed.trades([100]))
        feed.answer(try #require(feed.output.requests.first), answer)
        #expect(feed.codes == ["SEQUENCE_GAP"])
        #expect(feed.output.problems.first?.details["missing"]?.int == 96)
        feed.receive(KrakenFeed.trades([101]))
        #expect(feed.tradeIDs == ["101"] && feed.codes == [])
        // A later hole is looked for again.
        feed.receive(KrakenFeed.trades([200]))
        #expect(feed.output.requests.count == 1)
    }

    @Test func `a hole that opens while another is looked for is looked for next`() throws {
        var feed = self.running()
        feed.receive(KrakenFeed.trades([100]))
        let first = try #require(feed.output.requests.first)
        feed.receive(KrakenFeed.trades([200]))
        #expect(feed.codes == ["SEQUENCE_GAP"])
        #expect(feed.output.requests.isEmpty)
        feed.answer(first, KrakenFeed.restTrades(Array(4...100)))
        #expect(feed.output.requests.map(\.purpose) == [.lostTrades(0, 101...199)])
        #expect(
            feed.output.requests.first?.target.hasSuffix("since=\(KrakenFeed.time(100).nanoseconds - 1)") == true)
    }

    @Test func `a snapshot that never comes is made up for by REST`() {
        var feed = self.running()
        feed.receive(KrakenFeed.trades([6]))
        var requests: [VenueRequest] = []
        for _ in 0..<120 { requests += feed.tick().requests }
        #expect(requests.map(\.purpose) == [.lostTrades(0, 4...5)])
    }

    @Test func `a number out of this world does not silence the feed`() {
        var feed = self.running()
        feed.receive(
            #"{"channel":"trade","type":"update","data":[{"symbol":"BTC/USD","side":"buy","price":1,"qty":1,"trade_id":18446744073709551615,"timestamp":"2023-11-14T22:13:24Z"}]}"#
        )
        #expect(feed.codes == ["SEQUENCE_GAP"])
        // The numbers below are a hole, and taken when they come.
        feed.receive(KrakenFeed.trades([5]))
        #expect(feed.tradeIDs == ["5"])
        if let request = feed.session.markets.first.map({ _ in
            VenueRequest(.lostTrades(0, 4...UInt64.max - 1), .get, "")
        }) {
            feed.answer(request, .failure(status: 500, reason: "x"))
        }
        // Given up: a later trade with a lower number begins the count anew.
        feed.receive(KrakenFeed.trades([6]))
        #expect(feed.tradeIDs == ["6"])
        #expect(feed.codes == ["SEQUENCE_GAP"])
        feed.receive(KrakenFeed.trades([7]))
        #expect(feed.tradeIDs == ["7"] && feed.codes == [])
    }

    @Test func `the same trade over REST has the identifier that the feed gave it`() throws {
        var feed = self.running([])
        feed.receive(KrakenFeed.trades([7]))
        let live = try #require(feed.output.events.first)
        let venue = Kraken()
        let query = HistoryQuery(try #require(venue.instrument(named: "BTC-USD")), .trades(limit: 10))
        let request = try venue.request(for: query)
        #expect(request.target == "/0/public/Trades?pair=XBTUSD&count=10")
        let body = KrakenFeed.restTrades([6, 7])
        let page = try body.withRawUTF8 { (bytes) throws(VenueError) in
            try venue.page(of: query, request: request, from: bytes, at: KrakenFeed.start)
        }
        #expect(page.events.map(\.eventID).last == live.eventID)
        #expect(page.events.count == 2)
        #expect(page.next == nil)
        #expect(page.events.first?.timestamp.precision == .microseconds)
    }

    @Test(arguments: [
        #"{"channel":"trade","type":"update","data":[{"symbol":"BTC/USD"}]}"#,
        #"{"channel":"trade","type":"update","data":[{"price":1}]}"#, #"{"channel":"trade","data":{}}"#,
        #"{"channel":"trade"}"#, #"{"channel":"trade","type":"update","data":[7]}"#, "", "{", "[]", "null", "{}",
        #"{"channel":"trade","type":"update","data":[{"symbol":"BTC/USD","side":"buy","price":1,"qty":1,"trade_id":-1,"timestamp":"2023-11-14T22:13:24Z"}]}"#,
        #"{"channel":"trade","type":"update","data":[{"symbol":"BTC/USD","side":"buy","price":1,"qty":1,"trade_id":1,"timestamp":"2023-11-14T22:13:24Z"}]} x"#,
    ])
    func `a malformed frame is a PARSE problem and no event`(frame: String) {
        var feed = KrakenFeed(channels: [.trade])
        feed.open()
        feed.receive(frame)
        #expect(feed.codes == ["PARSE"])
        #expect(feed.output.events.isEmpty)
    }
}
