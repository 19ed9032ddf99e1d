import Testing

@testable import Tidings
@testable import TidingsMarkets

@Suite struct KrakenBookTests {
    private static let bids = "45283.5:0.10000000 45283.4:1.54582015 45282.1:0.10000000"
    private static let asks = "45285.2:0.00100000 45286.4:1.54571953"

    private func running(_ feed: inout KrakenFeed) {
        feed.open()
        feed.receive(KrakenFeed.ack("book"))
        feed.receive(KrakenFeed.ack("trade"))
        feed.receive(
            KrakenFeed.book(
                "snapshot", bids: Self.bids, asks: Self.asks,
                checksum: krakenChecksum(bids: Self.bids, asks: Self.asks)))
    }

    @Test func `the documented test vector matches`() {
        let asks =
            "45285.2:0.00100000 45286.4:1.54571953 45286.6:1.54571109 45289.6:1.54560911 45290.2:0.15890660 45291.8:1.54553491 45294.7:0.04454749 45296.1:0.35380000 45297.5:0.09945542 45299.5:0.18772827"
        let bids =
            "45283.5:0.10000000 45283.4:1.54582015 45282.1:0.10000000 45281.0:0.10000000 45280.3:1.54592586 45279.0:0.07990000 45277.6:0.03310103 45277.5:0.30000000 45277.3:1.54602737 45276.6:0.15445238"
        var feed = KrakenFeed()
        feed.open()
        feed.receive(KrakenFeed.book("snapshot", bids: bids, asks: asks, checksum: 3_310_070_434))
        #expect(feed.codes == [])
        #expect(feed.books.count == 1)
        #expect(feed.books[0].bestBid?.price.description == "45283.5")
    }

    @Test func `a snapshot and its updates are published with their digits`() {
        var feed = KrakenFeed()
        self.running(&feed)
        #expect(feed.books.first?.kind == .snapshot)
        #expect(feed.books.first?.timestamp == nil)
        #expect(feed.books.first?.bids.map(\.volume.description) == ["0.10000000", "1.54582015", "0.10000000"])
        #expect(feed.output.heard == [0])
        #expect(feed.output.notices == [.ready(connection: 0)])
        feed.receive(
            KrakenFeed.book(
                "update", bids: "45283.4:0.00000000", asks: "",
                checksum: krakenChecksum(bids: "45283.5:0.10000000 45282.1:0.10000000", asks: Self.asks),
                at: "2023-11-14T22:13:20.123456Z"))
        #expect(feed.codes == [])
        #expect(feed.books.first?.bids.map(\.price.description) == ["45283.5", "45282.1"])
        #expect(feed.output.events.first?.timestamp.description == "2023-11-14T22:13:20.123456Z")
        #expect(feed.books.first?.context.venueSymbol == "BTC/USD")
        #expect(feed.books.first?.symbol == "BTC-USD")
    }

    @Test func `the book is cut to the depth of the venue's answer, whatever was asked for`() {
        var feed = KrakenFeed()
        feed.open()
        #expect(feed.output.outgoing[0].text.contains(#""depth":100"#))
        feed.receive(KrakenFeed.ack("book", depth: 2))
        feed.receive(
            KrakenFeed.book(
                "snapshot", bids: "5:1 4:1", asks: "6:1 7:1", checksum: krakenChecksum(bids: "5:1 4:1", asks: "6:1 7:1")
            ))
        feed.receive(
            KrakenFeed.book(
                "update", bids: "5.5:1", asks: "", checksum: krakenChecksum(bids: "5.5:1 5:1", asks: "6:1 7:1")))
        #expect(feed.codes == [])
        #expect(feed.session.book(of: 0)?.book.count(.bid) == 2)
        // Removing the best one does not bring the third back.
        feed.receive(
            KrakenFeed.book(
                "update", bids: "5.5:0", asks: "", checksum: krakenChecksum(bids: "5:1", asks: "6:1 7:1")))
        #expect(feed.codes == [])
    }

    @Test func `more depth is asked for where more is to be told of`() {
        var feed = KrakenFeed(depth: 101)
        feed.open()
        #expect(feed.output.outgoing[0].text.contains(#""depth":500"#))
    }

    @Test func `numbers without their last zeros match when the instrument's digits are known`() {
        let checksum = krakenChecksum(bids: "0.50:1.10", asks: "0.60:2.00")
        let frame = KrakenFeed.book("snapshot", bids: "0.5:1.1", asks: "0.6:2", checksum: checksum)
        var known = KrakenFeed(scales: (2, 2))
        known.open()
        known.receive(frame)
        #expect(known.codes == [])
        #expect(known.books.first?.bids.first?.price.description == "0.5")
        var unknown = KrakenFeed()
        unknown.open()
        unknown.receive(frame)
        #expect(unknown.codes == ["CHECKSUM"])
    }

    @Test func `a wrong checksum resyncs that symbol's book only and tells what was expected`() throws {
        var feed = KrakenFeed(["BTC-USD", "ETH-USD"])
        self.running(&feed)
        feed.receive(
            KrakenFeed.book(
                "snapshot", bids: "1:1", asks: "2:1", checksum: krakenChecksum(bids: "1:1", asks: "2:1"),
                symbol: "ETH/USD"))
        #expect(feed.books.count == 1)
        feed.receive(KrakenFeed.book("update", bids: "45283.5:9", asks: "", checksum: 7))
        #expect(feed.codes == ["CHECKSUM"])
        #expect(feed.books.isEmpty)
        let details = try #require(feed.output.problems.first?.details)
        #expect(details["symbol"] == "BTC-USD")
        #expect(details["expected"]?.int == 7)
        #expect(details["got"]?.int != nil)
        #expect(feed.output.notices == [.resyncing(symbol: "BTC-USD", reason: "checksum mismatch")])
        #expect(feed.output.outgoing.count == 2)
        #expect(
            feed.output.outgoing[0].text.hasPrefix(
                #"{"method":"unsubscribe","params":{"channel":"book","symbol":["BTC/USD"],"depth":100}"#))
        #expect(
            feed.output.outgoing[1].text.hasPrefix(
                #"{"method":"subscribe","params":{"channel":"book","symbol":["BTC/USD"],"depth":100,"snapshot":true}"#))
        #expect(feed.session.book(of: 0)?.isLive == false)
        #expect(feed.session.book(of: 1)?.isLive == true)
        // Nothing is told of it until the snapshot, and no second report is made.
        feed.receive(KrakenFeed.book("update", bids: "45283.4:3", asks: "", checksum: 8))
        #expect(feed.output.events.isEmpty && feed.output.problems.isEmpty && feed.output.heard.isEmpty)
        feed.receive(
            KrakenFeed.book(
                "snapshot", bids: "45000.0:1", asks: Self.asks,
                checksum: krakenChecksum(bids: "45000.0:1", asks: Self.asks)))
        #expect(feed.output.notices == [.resynced(symbol: "BTC-USD")])
        #expect(feed.books.first?.kind == .snapshot)
        #expect(feed.session.book(of: 0)?.isLive == true)
    }

    @Test func `a book that stays broken is asked for ever more seldom, and at last on a new connection`() {
        var feed = KrakenFeed(channels: [.orderBook])
        self.running(&feed)
        feed.receive(KrakenFeed.book("update", bids: "45283.5:9", asks: "", checksum: 7))
        var attempts = 1
        var replacement: VenueOutput.Replacement?
        var times: [Int64] = []
        for _ in 0..<1200 where replacement == nil {
            feed.tick()
            if feed.output.outgoing.contains(where: { $0.text.contains("unsubscribe") }) {
                attempts += 1
                times.append(feed.now.nanoseconds)
                feed.receive(KrakenFeed.book("snapshot", bids: "1:1", asks: "2:2", checksum: 7))
                #expect(feed.codes == ["CHECKSUM"])
                #expect(feed.output.notices.isEmpty)
            }
            replacement = feed.output.replacement
        }
        #expect(attempts == KrakenSession.maximumRepairs)
        #expect(replacement != nil)
        #expect(zip(times, times.dropFirst()).allSatisfy { $1 - $0 >= 1_000_000_000 })
    }

    @Test func `a snapshot that never comes is asked for again`() {
        var feed = KrakenFeed(channels: [.orderBook])
        feed.open()
        feed.receive(KrakenFeed.ack("book"))
        var sent: [String] = []
        for _ in 0..<160 { sent += feed.tick().outgoing.map(\.text).filter { $0.contains("\"book\"") } }
        #expect(sent.count == 2)
    }

    @Test func `several symbols in one message are each their own book`() {
        var feed = KrakenFeed(["BTC-USD", "ETH-USD"])
        feed.open()
        func part(_ symbol: String, _ checksum: UInt32) -> String {
            #"{"checksum":\#(checksum),"asks":[{"qty":1,"price":2}],"symbol":"\#(symbol)","bids":[{"price":1,"qty":1}]}"#
        }
        let right = krakenChecksum(bids: "1:1", asks: "2:1")
        feed.receive(
            #"{"data":[\#(part("ETH/USD", right)),\#(part("SOL/USD", 3)),\#(part("BTC/USD", right))],"type":"snapshot","channel":"book"}"#
        )
        #expect(feed.books.map(\.symbol) == ["ETH-USD", "BTC-USD"])
        #expect(feed.codes == [])
    }

    @Test func `a crossed book whose checksum is right is told of once and not published until it is not`() {
        var feed = KrakenFeed(channels: [.orderBook])
        self.running(&feed)
        let crossed = "45290:1 " + Self.bids
        feed.receive(
            KrakenFeed.book(
                "update", bids: "45290:1", asks: "", checksum: krakenChecksum(bids: crossed, asks: Self.asks)))
        #expect(feed.codes == ["CROSSED_BOOK"])
        #expect(feed.books.isEmpty && feed.output.outgoing.isEmpty)
        #expect(feed.session.book(of: 0)?.isLive == false)
        feed.receive(
            KrakenFeed.book(
                "update", bids: "45290:2", asks: "",
                checksum: krakenChecksum(bids: "45290:2 " + Self.bids, asks: Self.asks)))
        #expect(feed.output.problems.isEmpty && feed.books.isEmpty)
        feed.receive(
            KrakenFeed.book(
                "update", bids: "45290:0 45283.5:3", asks: "",
                checksum: krakenChecksum(bids: "45283.5:3 45283.4:1.54582015 45282.1:0.10000000", asks: Self.asks)))
        #expect(feed.books.count == 1)
        #expect(feed.session.book(of: 0)?.isLive == true)
    }

    @Test func `after a reconnect nothing is told of a book until its snapshot, and that is no resync`() {
        var feed = KrakenFeed(channels: [.orderBook])
        self.running(&feed)
        feed.close()
        #expect(feed.session.book(of: 0)?.isLive == false)
        feed.open(1)
        feed.receive(KrakenFeed.book("update", bids: "45283.5:9", asks: "", checksum: 7), on: 1)
        #expect(feed.output.events.isEmpty && feed.output.problems.isEmpty)
        feed.receive(
            KrakenFeed.book("snapshot", bids: "1:1", asks: "2:1", checksum: krakenChecksum(bids: "1:1", asks: "2:1")),
            on: 1)
        #expect(feed.output.notices.isEmpty)
        #expect(feed.books.count == 1)
        feed.receive(KrakenFeed.ack("book"), on: 1)
        #expect(feed.output.notices == [.confirmed(stream: 0), .ready(connection: 1)])
    }

    @Test func `while a connection is replaced the old one's updates count until the new one's snapshot`() {
        var feed = KrakenFeed(channels: [.orderBook])
        self.running(&feed)
        feed.open(1)
        feed.receive(KrakenFeed.ack("book"), on: 1)
        let next = "45283.5:9 45283.4:1.54582015 45282.1:0.10000000"
        feed.receive(
            KrakenFeed.book(
                "update", bids: "45283.5:9", asks: "", checksum: krakenChecksum(bids: next, asks: Self.asks)))
        #expect(feed.books.count == 1)
        feed.receive(
            KrakenFeed.book(
                "snapshot", bids: next, asks: Self.asks, checksum: krakenChecksum(bids: next, asks: Self.asks)),
            on: 1)
        // The same best levels are not told of again.
        #expect(feed.books.isEmpty)
        #expect(feed.output.notices == [.ready(connection: 1)])
        feed.receive(KrakenFeed.book("update", bids: "45283.5:10", asks: "", checksum: 1))
        #expect(feed.output.events.isEmpty && feed.output.problems.isEmpty)
        feed.close(0)
        #expect(feed.session.book(of: 0)?.isLive == true)
    }

    @Test func `an unreadable frame makes the books doubtful that it may have been about`() {
        var feed = KrakenFeed(["BTC-USD", "ETH-USD"], channels: [.orderBook])
        self.running(&feed)
        let eth = KrakenFeed.book(
            "snapshot", bids: "1:1", asks: "2:1", checksum: krakenChecksum(bids: "1:1", asks: "2:1"), symbol: "ETH/USD")
        feed.receive(eth)
        feed.receive(
            String(KrakenFeed.book("update", bids: "1:2", asks: "", checksum: 1, symbol: "ETH/USD").dropLast(4)))
        #expect(feed.codes == ["PARSE"])
        #expect(feed.output.notices == [.resyncing(symbol: "ETH-USD", reason: "an unreadable frame")])
        feed.receive(eth)
        #expect(feed.output.notices == [.resynced(symbol: "ETH-USD")])
        feed.receive(#"{"channel":"bo"#)
        #expect(feed.codes == ["PARSE"])
        #expect(feed.output.notices.count == 2)
    }

    @Test func `a level that is none resyncs its symbol`() {
        var feed = KrakenFeed(channels: [.orderBook])
        self.running(&feed)
        feed.receive(
            #"{"channel":"book","type":"update","data":[{"symbol":"BTC/USD","bids":[{"price":"abc","qty":1}],"asks":[],"checksum":1}]}"#
        )
        #expect(feed.codes == ["PARSE", "SEQUENCE_GAP"])
        #expect(feed.output.notices.count == 1)
    }

    @Test func `the old spelling of the wire is understood and kept as the venue's symbol`() {
        var feed = KrakenFeed(["OCEAN-BTC"], channels: [.orderBook])
        feed.open()
        #expect(feed.output.outgoing[0].text.contains(#"["OCEAN/BTC"]"#))
        feed.receive(KrakenFeed.ack("book", "OCEAN/XBT", depth: 1000))
        #expect(feed.output.notices == [.confirmed(stream: 0)])
        feed.receive(
            KrakenFeed.book(
                "snapshot", bids: "1:1", asks: "2:1", checksum: krakenChecksum(bids: "1:1", asks: "2:1"),
                symbol: "OCEAN/XBT"))
        #expect(feed.books.first?.symbol == "OCEAN-BTC")
        #expect(feed.books.first?.context.venueSymbol == "OCEAN/XBT")
    }
}
