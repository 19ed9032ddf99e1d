import Foundation
import Testing
import TidingsTestSupport

@testable import Tidings
@testable import TidingsMarkets

@Suite struct BinanceRecordingTests {
    /// One line of a recording.
    private struct Line {
        var time: Timestamp
        var kind: String
        var url: String
        var text: String
    }

    private static func lines(_ name: String) throws -> [Line] {
        let text = try String(contentsOf: Recording.folder.appending(path: name), encoding: .utf8)
        return try text.split(separator: "\n").compactMap { line in
            let object = try JSONSerialization.jsonObject(with: Data(line.utf8)) as? [String: Any]
            guard let object, let kind = object["kind"] as? String, let time = object["t"] as? String,
                let seconds = ExactDecimal(time).flatMap({ Timestamp(unix: $0) })
            else { return nil }
            return Line(
                time: seconds, kind: kind, url: object["url"] as? String ?? "", text: object["text"] as? String ?? "")
        }
    }

    @Test(
        .enabled(
            if: Recording.isThere("binance-btcusdt-5min.jsonl"),
            "../shared/recordings/binance-btcusdt-5min.jsonl is not here"))
    func `five minutes of BTCUSDT are read without a problem, frame for frame`() throws {
        var feed = BinanceFeed()
        feed.open()
        var counts: [String: Int] = [:]
        var volume = 0 as Int64
        var last: StandardEvent?
        for line in try Self.lines("binance-btcusdt-5min.jsonl") where line.kind == "received" {
            feed.now = line.time
            feed.receive(line.text)
            // What was lost is asked for and not to be had.
            if let request = feed.output.requests.first {
                #expect(request.purpose == .book(0))
                feed.answer(BinanceFeed.snapshot(50_093_421_584, bids: "", asks: ""))
            }
            for event in feed.output.events {
                counts[event.eventType.description, default: 0] += 1
                if let trade = event.payload.trade {
                    volume += trade.volume.compact?.mantissa ?? 0
                    last = event
                }
            }
            #expect(feed.output.problems.isEmpty)
            feed.output.removeAll()
        }
        #expect(counts["trade"] == 10_147)
        #expect(counts["ticker"] == 45_134)
        #expect(counts["order_book"] == 2995)
        // 225.88237000 BTC.
        #expect(volume == 22_588_237_000)
        #expect(last?.payload.trade?.symbol == "BTC-USDT")
        #expect(feed.book?.isLive == true)
        #expect(feed.book?.book.isCrossed == false)
    }

    @Test(
        .enabled(
            if: Recording.isThere("binance-spot.jsonl"), "../shared/recordings/binance-spot.jsonl is not here"))
    func `four quiet pairs have whole books as soon as their snapshots are there`() throws {
        let symbols = ["NKNUSDT", "BLZETH", "LRCBTC", "RUNEEUR"]
        var feed = BinanceFeed(symbols)
        feed.open()
        feed.acknowledge()
        var (events, problems): ([StandardEvent], [VenueOutput.Problem]) = ([], [])
        var frames: [String: Int] = [:]
        for line in try Self.lines("binance-spot.jsonl") {
            feed.now = line.time
            switch line.kind {
            case "received":
                feed.receive(line.text)
                frames[String(line.text.prefix { $0 != "@" }), default: 0] += 1
            case "response":
                let index = try #require(symbols.firstIndex { line.url.contains("symbol=\($0)&") })
                let request = try #require(feed.output.requests.first { $0.purpose == .book(index) })
                feed.session.receive(
                    .body(Array(line.text.utf8)), to: request, at: line.time, into: &feed.output)
                #expect(feed.session.book(of: index)?.isLive == true)
            default: continue
            }
            events += feed.output.events
            problems += feed.output.problems
            feed.forget()
        }
        #expect(problems.isEmpty)
        #expect(events.count { $0.eventType == .ticker } == 84)
        #expect(events.count { $0.eventType == .trade } == 2)
        #expect(events.count { $0.eventType == .ohlcv } == 2)
        #expect(Set(events.map(\.eventID)).count == events.count)
        let books = events.filter { $0.eventType == .orderBook }.map { $0.symbol?.description ?? "" }
        #expect(
            Dictionary(books.map { ($0, 1) }, uniquingKeysWith: +)
                == ["NKN-USDT": 127, "BLZ-ETH": 10, "LRC-BTC": 13, "RUNE-EUR": 2])
        for index in symbols.indices {
            let (book, isLive) = try #require(feed.session.book(of: index))
            #expect(isLive && !book.isCrossed)
            #expect(book.count(.bid) > 0 && book.count(.ask) > 0)
        }
    }
}
