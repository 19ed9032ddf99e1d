import Testing

@testable import Tidings
@testable import TidingsMarkets

@Suite struct BinanceTradeTests {
    typealias Feed = BinanceFeed

    private func feed(_ trades: [UInt64] = []) -> Feed {
        var feed = Feed(channels: [.trade])
        feed.open()
        for number in trades { feed.trade(number) }
        feed.output.removeAll()
        return feed
    }

    @Test func `a trade has the venue's digits, the taker's side and the venue's time`() throws {
        var feed = self.feed()
        feed.trade(7)
        let said1 = feed.take()
        let event = try #require(said1.events.first)
        #expect(event.source == "binance")
        #expect(
            event.payload.description
                == #"{"symbol":"BTC-USDT","price":61685.99000000,"volume":0.00017000,"timestamp":"2023-11-14T22:13:20.100Z","side":"sell","trade_id":"7","venue_symbol":"BTCUSDT","instrument":"spot","received_at":"2023-11-14T22:13:20.000000Z"}"#
        )
        #expect(event.timestamp == event.payload.trade?.timestamp)
    }

    @Test func `trades that repeat are published once, within a connection and across them`() {
        var feed = self.feed()
        for number in [5, 6, 6, 5, 7] as [UInt64] { feed.trade(number) }
        feed.close()
        feed.open(2)
        for number in [6, 7, 8] as [UInt64] { feed.trade(number, on: 2) }
        #expect(feed.output.tradeIDs == ["5", "6", "7", "8"])
        let said2 = feed.take()
        #expect(said2.problems.isEmpty)
    }

    @Test func `a jump is told once and what was lost is asked for`() {
        var feed = self.feed([5])
        feed.trade(9)
        let output = feed.take()
        #expect(output.tradeIDs == ["9"])
        #expect(output.codes == ["SEQUENCE_GAP"])
        #expect(output.problems[0].details.description == #"{"symbol":"BTC-USDT","from":6,"to":8,"missing":3}"#)
        #expect(
            output.requests == [
                VenueRequest(
                    .lostTrades(0, 6...8), .get, "/api/v3/historicalTrades?symbol=BTCUSDT&fromId=6&limit=1000",
                    weight: 25)
            ])
    }

    @Test func `what was lost is published when it comes, as the feed would have`() {
        var feed = self.feed([5])
        var other = self.feed()
        for number in [6, 7] as [UInt64] { other.trade(number) }
        feed.trade(8)
        feed.forget()
        feed.now = feed.now.advanced(by: .seconds(2))
        feed.answer(Feed.past(6...40))
        let output = feed.take()
        #expect(output.tradeIDs == ["6", "7"])
        #expect(output.events.map(\.eventID) == other.output.events.map(\.eventID))
        #expect(output.events.map(\.payload.trade?.timestamp) == other.output.events.map(\.payload.trade?.timestamp))
        #expect(output.events[0].payload.trade?.side == .sell)
        #expect(output.events[0].payload.trade?.context.receivedAt == feed.now)
        #expect(output.problems.isEmpty && output.requests.isEmpty)
        // And not once more.
        feed.trade(7)
        let said3 = feed.take()
        #expect(said3.events.isEmpty)
    }

    @Test func `the hole of a reconnect is filled the same way`() {
        var feed = self.feed([5, 6])
        feed.close()
        feed.open(2)
        feed.trade(10, on: 2)
        #expect(feed.output.codes == ["SEQUENCE_GAP"])
        feed.answer(Feed.past(7...11))
        #expect(feed.output.tradeIDs == ["10", "7", "8", "9"])
        // What the history had ahead of the feed is left to the feed.
        feed.trade(11, on: 2)
        let said4 = feed.take()
        #expect(said4.tradeIDs.last == "11")
    }

    @Test func `a lost trade that comes late is taken, and not fetched again`() {
        var feed = self.feed([5])
        feed.trade(8)
        feed.trade(6)
        feed.answer(Feed.past(6...8))
        #expect(feed.output.tradeIDs == ["8", "6", "7"])
    }

    @Test func `a wide hole is filled page by page`() {
        var feed = self.feed([1])
        feed.trade(2501)
        feed.forget()
        feed.answer(Feed.past(2...1001))
        feed.answer(Feed.past(1002...2001))
        feed.answer(Feed.past(2002...3001))
        let output = feed.take()
        #expect(output.tradeIDs.count == 2499)
        #expect(output.tradeIDs.last == "2500")
        #expect(output.requests.isEmpty && output.problems.isEmpty)
        #expect(
            feed.asked.map(\.purpose) == [
                .lostTrades(0, 2...2500), .lostTrades(0, 1002...2500), .lostTrades(0, 2002...2500),
            ])
    }

    @Test func `not more pages than are allowed are asked for`() {
        var feed = self.feed([1])
        // Far, but confirmed by the next one.
        feed.trade(50_000)
        feed.trade(50_001)
        feed.forget()
        var next: UInt64 = 2
        while !feed.output.requests.isEmpty {
            feed.answer(Feed.past(next..<next + 1000))
            next += 1000
        }
        #expect(feed.asked.count == BinanceTradeLine.maximumPages)
        let problems = feed.take().problems
        #expect(problems.count == 1)
        #expect(problems[0].details["from"]?.number == 20_002)
        #expect(problems[0].details["to"]?.number == 49_999)
    }

    @Test func `numbers that the venue skips are given up and told of`() {
        var feed = self.feed([5])
        feed.trade(10)
        feed.forget()
        feed.answer(Feed.past([6, 8, 9, 10]))
        let output = feed.take()
        #expect(output.tradeIDs == ["6", "8", "9"])
        #expect(output.codes == ["SEQUENCE_GAP"])
        #expect(output.problems[0].details.description == #"{"symbol":"BTC-USDT","from":7,"to":7,"missing":1}"#)
        #expect(output.problems[0].message.contains("lost"))
    }

    @Test func `what the history does not have yet is asked for again, then told of, and still taken if it comes`() {
        var feed = self.feed([5])
        feed.trade(10)
        feed.forget()
        feed.answer(Feed.past([6, 7]))
        #expect(feed.output.requests.isEmpty && feed.output.problems.isEmpty)
        feed.wait(.seconds(2))
        feed.answer("[]")
        feed.wait(.seconds(2))
        feed.answer("[]")
        feed.wait(.seconds(60))
        #expect(feed.asked.map(\.purpose) == [.lostTrades(0, 6...9), .lostTrades(0, 8...9), .lostTrades(0, 8...9)])
        #expect(feed.output.codes == ["SEQUENCE_GAP"])
        feed.forget()
        feed.trade(9)
        let said5 = feed.take()
        #expect(said5.tradeIDs == ["9"])
    }

    @Test(arguments: [400, 401, 403, 404])
    func `where the history by numbers is refused the latest thousand have to do`(status: Int) {
        var feed = self.feed([5])
        feed.trade(8)
        feed.forget()
        feed.answer(.failure(status: status, reason: "no"))
        #expect(feed.output.requests.map(\.target) == ["/api/v3/trades?symbol=BTCUSDT&limit=1000"])
        feed.answer(Feed.past(7...9))
        var output = feed.take()
        #expect(output.tradeIDs == ["7"])
        #expect(output.problems.map { $0.details["from"]?.number } == [6])
        feed.trade(12)
        output = feed.take()
        #expect(output.requests.map(\.target) == ["/api/v3/trades?symbol=BTCUSDT&limit=1000"])
    }

    @Test(arguments: [
        VenueAnswer.failure(status: 503, reason: "down"), .failure(status: nil, reason: "timed out"),
        .failure(status: 418, reason: "banned"), .body(Array("{}".utf8)), .body(Array("[{}]".utf8)),
        .body(Array("[".utf8)), .body([]),
    ])
    func `trades that cannot be had are told of once and nothing is asked for any more`(answer: VenueAnswer) {
        var feed = self.feed([5])
        feed.trade(8)
        feed.forget()
        feed.answer(answer)
        feed.wait(.seconds(100))
        let output = feed.take()
        #expect(output.codes == ["SEQUENCE_GAP"])
        #expect(output.problems[0].details.description == #"{"symbol":"BTC-USDT","from":6,"to":7,"missing":2}"#)
        #expect(output.requests.isEmpty && output.events.isEmpty)
    }

    @Test func `an answer to what nobody asked for is passed over`() {
        var feed = self.feed([5])
        let request = VenueRequest(.lostTrades(0, 1...3), .get, "/api/v3/historicalTrades?symbol=BTCUSDT&fromId=1")
        feed.session.receive(.body(Array(Feed.past(1...3).utf8)), to: request, at: feed.now, into: &feed.output)
        let far = VenueRequest(.lostTrades(9, 1...3), .get, "/api/v3/historicalTrades?symbol=BTCUSDT&fromId=1")
        feed.session.receive(.body([]), to: far, at: feed.now, into: &feed.output)
        #expect(feed.output.events.isEmpty && feed.output.problems.isEmpty)
    }

    @Test func `only so many holes are filled at a time`() {
        var feed = self.feed([0])
        for number in 1...20 as ClosedRange<UInt64> { feed.trade(number * 10) }
        #expect(feed.output.requests.count == BinanceTradeLine.maximumRefills)
        #expect(feed.output.events.count == 20)
        #expect(feed.output.codes.count == 20 + 12)
    }

    // MARK: Numbers that cannot be

    @Test func `a number far ahead is not believed when the feed goes on where it was`() {
        var feed = self.feed([100])
        feed.trade(9_000_000_100)
        #expect(feed.output.codes == ["SEQUENCE_GAP"])
        #expect(feed.output.requests.isEmpty)
        feed.trade(102)
        feed.trade(103)
        #expect(feed.output.tradeIDs == ["9000000100", "102", "103"])
        let said6 = feed.take()
        #expect(said6.requests.map(\.purpose) == [.lostTrades(0, 101...101)])
    }

    @Test func `a number far ahead is believed when the next goes on from it`() {
        var feed = self.feed([100])
        feed.trade(90_000)
        feed.trade(90_001)
        feed.trade(90_002)
        #expect(feed.output.tradeIDs == ["90000", "90001", "90002"])
        let said7 = feed.take()
        #expect(said7.requests.map(\.purpose) == [.lostTrades(0, 101...89_999)])
    }

    @Test func `a number far ahead that another connection repeats is believed and published once`() {
        var feed = self.feed([100])
        feed.trade(90_000, on: 1)
        feed.trade(90_000, on: 2)
        #expect(feed.output.tradeIDs == ["90000"])
        let said8 = feed.take()
        #expect(said8.requests.map(\.purpose) == [.lostTrades(0, 101...89_999)])
    }

    @Test func `the greatest number there is makes no trouble`() {
        var feed = self.feed([1])
        for number in [.max, .max - 1, 2, .max, .max, 3, 0] as [UInt64] { feed.trade(number) }
        for id in ["2", "3"] { #expect(feed.output.tradeIDs.contains(id)) }
    }

    // MARK: Aggregates

    @Test func `aggregates are trades as long as no single trade has come`() throws {
        var feed = self.feed()
        feed.aggregatedTrade(50)
        feed.aggregatedTrade(51)
        feed.aggregatedTrade(51)
        feed.trade(7)
        feed.aggregatedTrade(52)
        feed.trade(8)
        #expect(feed.output.tradeIDs == ["50", "51", "7", "8"])
        #expect(feed.output.events[0].payload.trade?.side == .buy)
        let said9 = feed.take()
        #expect(said9.problems.isEmpty)
    }

    @Test func `that goes for each symbol by itself`() {
        var feed = Feed(["BTC-USDT", "ETH-USDT"], channels: [.trade])
        feed.open()
        feed.trade(7)
        feed.aggregatedTrade(50, of: "ETHUSDT")
        feed.aggregatedTrade(60)
        let said10 = feed.take()
        #expect(said10.tradeIDs == ["7", "50"])
    }

    @Test func `lost aggregates are asked for by their own numbers`() {
        var feed = self.feed()
        feed.aggregatedTrade(50)
        feed.aggregatedTrade(53)
        #expect(feed.output.requests.map(\.target) == ["/api/v3/aggTrades?symbol=BTCUSDT&fromId=51&limit=1000"])
        feed.answer(
            #"[{"a":51,"p":"1","q":"2","f":1,"l":1,"T":1700000000100,"m":true,"M":true},{"a":52,"p":"1","q":"2","f":1,"l":1,"T":1700000000100,"m":true,"M":true},{"a":53,"p":"1","q":"2","f":1,"l":1,"T":1700000000100,"m":true,"M":true}]"#
        )
        let said11 = feed.take()
        #expect(said11.tradeIDs == ["50", "53", "51", "52"])
    }
}
