import Foundation
import Testing
import TidingsTestSupport

@testable import Tidings
@testable import TidingsMarkets

@Suite(
    .enabled(
        if: Recording.isThere("hyperliquid-btc.jsonl"), "../shared/recordings/hyperliquid-btc.jsonl is not here"))
struct HyperliquidRecordingTests {
    private static let receivedAt = Timestamp(nanoseconds: 1_737_918_900_000_000_000, precision: .microseconds)

    private func play(_ frames: [String], into session: inout HyperliquidSession) -> VenueOutput {
        var output = VenueOutput()
        for frame in frames {
            frame.withRawUTF8 { session.receive($0, on: 0, at: Self.receivedAt, into: &output) }
        }
        return output
    }

    private func makeSession() throws -> HyperliquidSession {
        HyperliquidSession(
            FeedPlan(
                instruments: try Venues.named("hyperliquid").instruments(named: ["BTC"]),
                channels: [.trade, .orderBook]))
    }

    /// The recording read by Foundation, independently of our own reader.
    private func recorded(_ frames: [String], channel: String) throws -> [Any] {
        try frames.compactMap { frame in
            let object = try JSONSerialization.jsonObject(with: Data(frame.utf8)) as? [String: Any]
            return object?["channel"] as? String == channel ? object?["data"] : nil
        }
    }

    @Test func `all 64 trades have the venue's price, size, time, side and id, digit for digit`() throws {
        let frames = try Recording("hyperliquid-btc.jsonl").received
        var session = try self.makeSession()
        let output = self.play(frames, into: &session)
        let trades = output.events.filter { $0.eventType == .trade }
        #expect(trades.count == 64)
        #expect(Set(trades.map(\.eventID)).count == 64)
        let expected = try self.recorded(frames, channel: "trades").flatMap { $0 as? [[String: Any]] ?? [] }
        for (event, fill) in zip(trades, expected) {
            let trade = try #require(event.payload.trade)
            #expect(trade.price.description == fill["px"] as? String)
            #expect(trade.volume.description == fill["sz"] as? String)
            #expect(trade.side == (fill["side"] as? String == "B" ? .buy : .sell))
            #expect(trade.tradeID?.description == (fill["tid"] as? NSNumber)?.stringValue)
            #expect(trade.timestamp?.nanoseconds == (fill["time"] as? NSNumber).map { $0.int64Value * 1_000_000 })
            #expect(event.timestamp == trade.timestamp)
            #expect(trade.symbol == "BTC-USD")
            #expect(trade.context.venueSymbol == "BTC")
            #expect(trade.context.instrument == .perpetual)
            #expect(trade.context.receivedAt == Self.receivedAt)
            #expect(event.source == "hyperliquid")
        }
        #expect(output.problems.isEmpty)
    }

    @Test func `the 45 books that differ are published, level for level`() throws {
        let frames = try Recording("hyperliquid-btc.jsonl").received
        var session = try self.makeSession()
        let books = self.play(frames, into: &session).events.filter { $0.eventType == .orderBook }
        #expect(books.count == 45)
        #expect(Set(books.map(\.eventID)).count == 45)
        let expected = try self.recorded(frames, channel: "l2Book").compactMap { $0 as? [String: Any] }
        #expect(expected.count == 46)
        let byTime = Dictionary(
            expected.map { (($0["time"] as? NSNumber)?.int64Value ?? 0, $0["levels"] as? [[[String: Any]]] ?? []) },
            uniquingKeysWith: { first, _ in first })
        for event in books {
            let book = try #require(event.payload.orderBook)
            let levels = try #require(byTime[event.timestamp.nanoseconds / 1_000_000])
            for (side, recorded) in zip([book.bids, book.asks], levels) {
                #expect(side.map(\.price.description) == recorded.map { $0["px"] as? String })
                #expect(side.map(\.volume.description) == recorded.map { $0["sz"] as? String })
            }
            #expect(book.bestBid == book.bids.first)
            #expect(book.bestAsk == book.asks.first)
        }
    }

    @Test func `what the venue replays has the ids it had before, and is published once`() throws {
        let frames = try Recording("hyperliquid-btc.jsonl").received
        var first = try self.makeSession()
        var second = try self.makeSession()
        let ids = Set(self.play(frames, into: &first).events.map(\.eventID))
        #expect(Set(self.play(frames, into: &second).events.map(\.eventID)) == ids)
        #expect(self.play(frames, into: &first).events.isEmpty)
    }

    @Test func `the identifiers of trades are those of earlier versions`() throws {
        var session = try self.makeSession()
        let first = try #require(
            self.play(try Recording("hyperliquid-btc.jsonl").received, into: &session).events.first {
                $0.eventType == .trade
            })
        var hash = StableHash()
        hash.combine("hyperliquid.trade")
        Name("BTC").withUTF8 { hash.combine($0) }
        hash.combine(1_737_918_794_873 as Int64)
        hash.combine(121_451_470_284_048 as UInt64)
        #expect(first.eventID == EventID(at: first.timestamp, hash: hash))
    }

    @Test func `mutated frames never trap and never invent a coin`() throws {
        let frames = try Recording("hyperliquid-btc.jsonl").received.map { Array($0.utf8) }
        let more = [
            HyperliquidFeed.ack("trades"), HyperliquidFeed.trades([10, 20]), HyperliquidFeed.book(1000),
            #"{"channel":"candle","data":\#(HyperliquidFeed.candle(1_700_000_040_000))}"#,
            #"{"channel":"bbo","data":{"coin":"BTC","time":1700000000123,"bbo":[{"px":"98450.0","sz":"2.50","n":3},null]}}"#,
            #"{"channel":"activeAssetCtx","data":{"coin":"BTC","ctx":{"funding":"0.0000125","openInterest":"688.11","markPx":"14.3161"}}}"#,
            #"{"channel":"error","data":"Invalid subscription {\"type\":\"trades\",\"coin\":\"BTC\"}"}"#,
        ].map { Array($0.utf8) }
        var generator = FuzzGenerator(seed: 6)
        var feed = HyperliquidFeed()
        feed.open()
        let isLong = ProcessInfo.processInfo.environment["TIDINGS_LONG"] != nil
        for round in 0..<(isLong ? 4_000_000 : 25_000) {
            let source = round % 8 == 0 ? frames : more
            var frame = source[Int.random(in: 0..<source.count, using: &generator)]
            if round % 4 != 0 { generator.mutate(&frame) }
            feed.output.removeAll()
            feed.now = feed.now.advanced(by: .milliseconds(7))
            frame.withUnsafeBytes { feed.session.receive($0, on: 0, at: feed.now, into: &feed.output) }
            let isKnown = feed.output.events.allSatisfy { $0.symbol == "BTC-USD" }
            if !isKnown || feed.output.events.count > 200 {
                Issue.record("round \(round): \(String(decoding: frame, as: UTF8.self))")
            }
            if round % 16 == 0 { feed.session.tick(at: feed.now, into: &feed.output) }
            for request in feed.output.requests { feed.answer(request, .body(frame)) }
            if round % 1000 == 999 {
                feed.close()
                feed.open()
            }
        }
    }
}
