import Testing

@testable import Tidings
@testable import TidingsMarkets

@Suite struct BinanceBookTests {
    typealias Feed = BinanceFeed

    /// A feed of one book whose snapshot has been asked for, with some updates buffered.
    private func waiting(_ updates: [(UInt64, UInt64)] = []) -> Feed {
        var feed = Feed(channels: [.orderBook])
        feed.open()
        feed.acknowledge()
        for (first, last) in updates { feed.update(first, last, bids: Feed.level("9.\(last)", "\(last)")) }
        feed.forget()
        return feed
    }

    /// A feed whose book is whole up to update 100.
    private func live() -> Feed {
        var feed = self.waiting()
        feed.answer(Feed.snapshot(100))
        feed.forget()
        return feed
    }

    @Test func `the snapshot is asked for when the feed is confirmed, once`() {
        var feed = Feed(channels: [.orderBook])
        feed.open()
        #expect(feed.output.requests.isEmpty)
        feed.acknowledge()
        feed.update(1, 2)
        feed.update(3, 4)
        #expect(
            feed.output.requests == [
                VenueRequest(.book(0), .get, "/api/v3/depth?symbol=BTCUSDT&limit=5000", weight: 250)
            ])
    }

    @Test func `the snapshot is asked for when updates come before the confirmation`() {
        var feed = Feed(channels: [.orderBook])
        feed.open()
        feed.update(1, 2)
        feed.acknowledge()
        #expect(feed.output.requests.count == 1)
    }

    @Test func `many books are asked for with fewer levels, so that a minute's weight is enough`() {
        #expect(BinanceSession.snapshotLimit(books: 20) == (5000, 250))
        #expect(BinanceSession.snapshotLimit(books: 21) == (1000, 50))
    }

    // MARK: The snapshot

    /// One buffered update 101...105, and snapshots around it.
    @Test(
        arguments: [
            (99, false, []), (100, true, [105]), (101, true, [105]), (104, true, [105]), (105, true, []),
            (106, true, []),
        ] as [(UInt64, Bool, [UInt64])])
    func `a snapshot is taken unless something is missing between it and the first update after it`(
        last: UInt64, isTaken: Bool, applied: [UInt64]
    ) {
        var feed = self.waiting([(101, 105)])
        feed.answer(Feed.snapshot(last))
        let output = feed.take()
        #expect(feed.book?.isLive == isTaken)
        #expect(output.sequences == (isTaken ? [last] + applied : []))
        #expect(output.problems.isEmpty)
        #expect(!output.notices.contains { if case .resyncing = $0 { true } else { false } })
        if isTaken {
            #expect(feed.levels(.bid) == ["10 1"] + applied.map { "9.\($0) \($0)" })
            #expect(feed.levels(.ask) == ["11 1"])
        }
    }

    @Test func `of several buffered updates those up to the snapshot are dropped`() {
        var feed = self.waiting([(101, 102), (103, 104), (105, 106), (107, 108)])
        feed.answer(Feed.snapshot(104))
        let said1 = feed.take()
        #expect(said1.sequences == [104, 106, 108])
        #expect(feed.levels(.bid) == ["10 1", "9.108 108", "9.106 106"])
    }

    @Test func `buffered updates keep the time at which they came`() throws {
        var feed = self.waiting()
        feed.update(101, 101, bids: Feed.level("9", "1"))
        let came = feed.now
        feed.wait(.seconds(1))
        feed.answer(Feed.snapshot(100))
        let books = feed.take().events(.orderBook).compactMap(\.payload.orderBook)
        try #require(books.count == 2)
        #expect(books[0].context.receivedAt == feed.now)
        #expect(books[0].timestamp == nil)
        #expect(books[1].context.receivedAt == came)
        #expect(books[1].timestamp?.nanoseconds == 1_700_000_000_100_000_000)
    }

    @Test func `a hole within the buffer makes what was before it useless`() {
        var feed = self.waiting([(101, 102), (110, 111)])
        feed.answer(Feed.snapshot(101))
        #expect(feed.book?.isLive == false)
        feed.wait(.seconds(1))
        feed.answer(Feed.snapshot(110))
        let said2 = feed.take()
        #expect(said2.sequences == [110, 111])
    }

    @Test func `an update that comes twice before the snapshot is kept once`() {
        var feed = self.waiting([(101, 102), (101, 102), (103, 104), (102, 103)])
        feed.answer(Feed.snapshot(100))
        let said3 = feed.take()
        #expect(said3.sequences == [100, 102, 104])
    }

    @Test func `a snapshot that is too old is asked for again, after longer and longer times`() {
        var feed = self.waiting([(101, 105)])
        var delays: [Int] = []
        for _ in 0..<9 {
            feed.answer(Feed.snapshot(50))
            #expect(feed.output.requests.isEmpty)
            var ticks = 0
            while feed.output.requests.isEmpty, ticks < 1000 {
                feed.wait(.milliseconds(100))
                ticks += 1
            }
            delays.append(ticks)
        }
        #expect(delays == [5, 10, 20, 40, 80, 160, 300, 300, 300])
        let said4 = feed.take()
        #expect(said4.events.isEmpty)
    }

    @Test(arguments: [
        VenueAnswer.failure(status: 500, reason: "down"), .failure(status: nil, reason: "timed out"),
        .failure(status: 429, reason: "too many"), .failure(status: 418, reason: "banned"),
        .body(Array("{}".utf8)), .body(Array("<html>".utf8)), .body([]),
        .body(Array(#"{"lastUpdateId":200,"bids":[["1"]],"asks":[]}"#.utf8)),
    ])
    func `a snapshot that cannot be had is told of and asked for later`(answer: VenueAnswer) {
        var feed = self.waiting([(101, 105)])
        feed.answer(answer)
        #expect(feed.output.problems.count == 1)
        #expect(feed.output.requests.isEmpty)
        feed.wait(.milliseconds(400))
        #expect(feed.output.requests.isEmpty)
        feed.wait(.milliseconds(100))
        #expect(feed.output.requests.count == 1)
        feed.answer(Feed.snapshot(100))
        let said5 = feed.take()
        #expect(said5.sequences == [100, 105])
    }

    @Test func `when too many updates wait the oldest go and it is told`() {
        var feed = self.waiting()
        for number in 0..<UInt64(BinanceBookSync.maximumBuffered) + 1 { feed.update(101 + number, 101 + number) }
        #expect(feed.output.codes == ["SEQUENCE_GAP"])
        #expect(
            feed.output.notices == [
                .resyncing(symbol: "BTC-USDT", reason: "the snapshot is too long in coming")
            ])
        feed.forget()
        feed.answer(Feed.snapshot(150))
        #expect(feed.book?.isLive == false)
        feed.wait(.seconds(1))
        feed.answer(Feed.snapshot(101 + UInt64(BinanceBookSync.maximumBuffered)))
        #expect(feed.book?.isLive == true)
        let said6 = feed.take()
        #expect(said6.notices.contains(.resynced(symbol: "BTC-USDT")))
    }

    @Test func `when the updates that wait have too many levels the oldest go`() {
        var sync = BinanceBookSync()
        let half = LevelList(
            (0..<BinanceBookSync.maximumBufferedLevels / 2).map { _ in OrderBook.Level(price: 1, volume: 1) })
        func update(_ number: UInt64) -> BinanceBookSync.Update {
            BinanceBookSync.Update(
                first: number, last: number, bids: half, asks: LevelList(), timestamp: Feed.start,
                receivedAt: Feed.start)
        }
        let hadRoom = [1, 2, 3].map { sync.keep(update($0)) }
        #expect(hadRoom == [true, true, false])
        #expect(sync.buffer.map(\.first) == [3])
    }

    @Test func `an empty snapshot makes no event`() {
        var feed = self.waiting([(101, 105)])
        feed.answer(Feed.snapshot(100, bids: "", asks: ""))
        let said7 = feed.take()
        #expect(said7.sequences == [105])
    }

    // MARK: A live book

    @Test func `updates change, add and remove levels`() {
        var feed = self.live()
        feed.update(101, 101, bids: Feed.level("10", "2"), asks: Feed.level("11.5", "3"))
        feed.update(
            102, 103, bids: [Feed.level("9.50", "1.0"), Feed.level("10", "0.00000000")].joined(separator: ","))
        // To remove what is not known is normal.
        feed.update(104, 104, asks: Feed.level("99", "0"))
        #expect(feed.levels(.bid) == ["9.50 1.0"])
        #expect(feed.levels(.ask) == ["11 1", "11.5 3"])
        let output = feed.take()
        #expect(output.sequences == [101, 103])
        #expect(output.problems.isEmpty)
    }

    /// The book is at 100.
    @Test(
        arguments: [
            (90, 99, "old"), (100, 100, "old"), (95, 100, "old"), (101, 101, "next"), (101, 140, "next"),
            (99, 101, "next"), (1, .max - 1, "next"), (102, 102, "gap"), (102, 110, "gap"), (5000, 5001, "gap"),
        ] as [(UInt64, UInt64, String)])
    func `an update is old, the next, or after a gap, by its numbers`(first: UInt64, last: UInt64, verdict: String) {
        var feed = self.live()
        feed.update(first, last, bids: Feed.level("10.5", "7"))
        let output = feed.take()
        switch verdict {
        case "old":
            #expect(output.events.isEmpty && output.problems.isEmpty && output.requests.isEmpty)
            #expect(feed.levels(.bid) == ["10 1"])
        case "next":
            #expect(output.sequences == [last])
            #expect(feed.levels(.bid) == ["10.5 7", "10 1"])
        default:
            #expect(output.events.isEmpty)
            #expect(output.codes == ["SEQUENCE_GAP"])
            #expect(output.problems[0].details["expected"]?.number == 101)
            #expect(output.problems[0].details["got"]?.number == ExactDecimal(Int(first)))
            #expect(output.problems[0].details["symbol"]?.string == "BTC-USDT")
            #expect(output.requests.count == 1)
            #expect(feed.book?.isLive == false)
        }
    }

    @Test func `a gap is told once, and when it is mended`() {
        var feed = self.live()
        feed.update(102, 102, bids: Feed.level("9.102", "1"))
        feed.update(103, 103, bids: Feed.level("9.103", "1"))
        feed.update(106, 106, bids: Feed.level("9.106", "1"))
        var output = feed.output
        #expect(
            output.notices == [
                .resyncing(symbol: "BTC-USDT", reason: "update 101 was expected, 102 came")
            ])
        #expect(output.codes == ["SEQUENCE_GAP"])
        #expect(output.events.isEmpty)
        feed.forget()
        feed.answer(Feed.snapshot(105, bids: Feed.level("10", "5")))
        output = feed.take()
        #expect(output.sequences == [105, 106])
        #expect(output.notices == [.resynced(symbol: "BTC-USDT")])
        #expect(feed.levels(.bid) == ["10 5", "9.106 1"])
    }

    @Test func `a gap in the update numbers resyncs that symbol only`() {
        var feed = Feed(["BTC-USDT", "ETH-USDT"], channels: [.orderBook])
        feed.open()
        feed.acknowledge()
        feed.answer(Feed.snapshot(100))
        feed.answer(Feed.snapshot(500))
        feed.forget()
        feed.update(105, 105)
        feed.update(501, 501, bids: Feed.level("9", "1"), of: "ETHUSDT")
        let output = feed.take()
        #expect(output.requests.map(\.purpose) == [.book(0)])
        #expect(output.sequences == [501])
        #expect(feed.session.book(of: 0)?.isLive == false)
        #expect(feed.session.book(of: 1)?.isLive == true)
    }

    @Test func `a book that breaks again and again is not asked for in a tight loop`() {
        var feed = self.live()
        var requests = 0
        var next: UInt64 = 110
        // Sixty seconds, an update with a gap every 100 ms, each snapshot answered at once.
        for _ in 0..<600 {
            feed.update(next, next)
            next += 10
            feed.wait(.milliseconds(100))
            while !feed.output.requests.isEmpty {
                requests += 1
                feed.answer(Feed.snapshot(next))
            }
            feed.forget()
        }
        #expect(requests < 12)
    }

    @Test func `a book that was whole for long is asked for at once again`() {
        var feed = self.live()
        for round in 0..<5 as Range<UInt64> {
            feed.wait(.seconds(31))
            feed.update(1000 + round * 100, 1000 + round * 100)
            #expect(feed.output.requests.count == 1)
            feed.answer(Feed.snapshot(1000 + round * 100))
            #expect(feed.book?.isLive == true)
        }
    }

    @Test func `a frame with one bad level changes nothing and leaves a gap behind`() {
        var feed = self.live()
        feed.update(101, 101, bids: Feed.level("10.5", "1") + #",["x","1"]"#)
        #expect(feed.output.codes == ["PARSE"])
        #expect(feed.levels(.bid) == ["10 1"])
        feed.update(102, 102)
        #expect(feed.output.codes == ["PARSE", "SEQUENCE_GAP"])
    }

    @Test(arguments: [#"["10","-1"]"#, #"["0","1"]"#, #"["-1","1"]"#, #"["10"]"#, #"[]"#, "7", #"["10",null]"#])
    func `a level that cannot be makes the frame unreadable`(level: String) {
        var feed = self.live()
        feed.update(101, 101, bids: level)
        let said8 = feed.take()
        #expect(said8.codes == ["PARSE"])
        #expect(feed.book?.book.bestBid?.price == 10)
    }

    // MARK: Crossed books

    @Test func `a crossed book is not published but built anew`() {
        var feed = self.live()
        feed.update(101, 101, bids: Feed.level("11", "1"))
        let output = feed.output
        #expect(output.events.isEmpty)
        #expect(output.codes == ["CROSSED_BOOK"])
        #expect(output.problems[0].details["bid"]?.number == 11)
        #expect(output.notices == [.resyncing(symbol: "BTC-USDT", reason: "bid and ask cross")])
        feed.forget()
        feed.update(102, 102, bids: Feed.level("9", "1"))
        feed.answer(Feed.snapshot(101, bids: Feed.level("10", "5")))
        #expect(feed.output.sequences == [101, 102])
        let said9 = feed.take()
        #expect(said9.notices == [.resynced(symbol: "BTC-USDT")])
    }

    @Test func `a crossed snapshot is not taken, nor asked for in a tight loop`() {
        var feed = self.waiting()
        for _ in 0..<10 { feed.answer(Feed.snapshot(100, bids: Feed.level("12", "1"))) }
        let said10 = feed.take()
        #expect(said10.events.isEmpty)
        #expect(feed.asked.count == 2)
        #expect(feed.book?.isLive == false)
    }

    // MARK: Connections

    @Test func `after a reconnect the book waits for a new snapshot`() {
        var feed = self.live()
        feed.close()
        #expect(feed.book?.isLive == false)
        feed.open(2)
        feed.update(300, 300, bids: Feed.level("9", "1"), on: 2)
        #expect(feed.output.events.isEmpty)
        #expect(feed.output.notices.isEmpty)
        feed.answer(Feed.snapshot(299, bids: Feed.level("10", "5")))
        let said11 = feed.take()
        #expect(said11.sequences == [299, 300])
    }

    @Test func `the answer to what an earlier connection asked for is not taken`() {
        var feed = self.waiting()
        feed.close()
        feed.open(2)
        feed.update(300, 300, on: 2)
        // The old answer, then the new one.
        feed.answer(Feed.snapshot(350))
        #expect(feed.book?.isLive == false)
        feed.answer(Feed.snapshot(299))
        #expect(feed.book?.isLive == true)
        #expect(feed.output.requests.isEmpty)
    }

    @Test func `two connections that overlap disturb nothing`() {
        var feed = self.live()
        feed.open(2)
        feed.acknowledge()
        for number in 101...110 as ClosedRange<UInt64> {
            feed.update(number, number, bids: Feed.level("9.\(number)", "1"), on: 1)
            feed.update(number, number, bids: Feed.level("9.\(number)", "1"), on: 2)
        }
        feed.close(1)
        // The second cuts its updates elsewhere.
        feed.update(109, 111, bids: Feed.level("9.111", "1"), on: 2)
        let output = feed.take()
        #expect(output.sequences == Array(101...111))
        #expect(output.problems.isEmpty && output.requests.isEmpty)
    }

    @Test func `a book whose connection is lost before the next one brings it is built anew`() {
        var feed = self.live()
        feed.open(2)
        feed.close(1)
        #expect(feed.book?.isLive == false)
        #expect(feed.output.requests.count == 1)
        feed.answer(Feed.snapshot(120))
        #expect(feed.book?.isLive == true)
        let said12 = feed.take()
        #expect(
            said12.notices == [
                .resyncing(symbol: "BTC-USDT", reason: "its connection was lost before the next one was ready"),
                .resynced(symbol: "BTC-USDT"),
            ])
    }

    @Test func `a silent book is subscribed to anew, with its snapshot`() {
        var feed = self.live()
        feed.session.resubscribe(to: 0, at: feed.now, into: &feed.output)
        #expect(
            feed.output.outgoing.map(\.text) == [
                #"{"method":"UNSUBSCRIBE","params":["btcusdt@depth@100ms"],"id":2}"#,
                #"{"method":"SUBSCRIBE","params":["btcusdt@depth@100ms"],"id":3}"#,
            ])
        #expect(feed.output.requests.count == 1)
        feed.acknowledge()
        #expect(feed.output.notices.contains(.confirmed(stream: 0)))
        feed.answer(Feed.snapshot(200))
        let said13 = feed.take()
        #expect(said13.notices.contains(.resynced(symbol: "BTC-USDT")))
    }

    // MARK: Whole books

    @Test func `partial books replace the book, by the name of their stream`() {
        var feed = Feed(["ETH-USDT", "BTC-USDT"], channels: [.orderBook])
        feed.open()
        func frame(_ last: Int, _ bid: String) -> String {
            #"{"stream":"btcusdt@depth20@100ms","data":{"lastUpdateId":\#(last),"bids":[["\#(bid)","1"],["8","2"]],"asks":[["11","1"]]}}"#
        }
        feed.receive(frame(160, "9"))
        feed.receive(frame(160, "9.5"))
        feed.receive(frame(159, "9.5"))
        feed.receive(frame(161, "9.7"))
        #expect(feed.output.sequences == [160, 161])
        #expect(feed.levels(.bid, of: 1) == ["9.7 1", "8 2"])
        #expect(feed.session.book(of: 1)?.isLive == true)
        #expect(feed.output.requests.isEmpty)
        feed.receive(frame(162, "11"))
        let said14 = feed.take()
        #expect(said14.codes == ["CROSSED_BOOK"])
    }
}
