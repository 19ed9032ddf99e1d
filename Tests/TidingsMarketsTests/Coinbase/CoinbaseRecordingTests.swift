import Foundation
import Testing
import Tidings
import TidingsTestSupport

@testable import TidingsMarkets

@Suite(
    .enabled(
        if: Recording.isThere("coinbase-exchange.jsonl"), "../shared/recordings/coinbase-exchange.jsonl is not here"))
struct CoinbaseRecordingTests {
    private static let symbols = [
        "SKL-USD", "SKL-BTC", "BAND-GBP", "NMR-EUR", "BAND-BTC", "YFI-BTC", "DASH-BTC", "NU-GBP", "CRV-EUR", "SKL-GBP",
    ]

    private func play() throws -> (SessionHarness, VenueOutput, [[String: Any]]) {
        let frames = try Recording("coinbase-exchange.jsonl").received
        var harness = SessionHarness(Coinbase(), Self.symbols, MarketChannel.standard)
        var output = VenueOutput()
        harness.session.opened(1, at: harness.now, into: &output)
        for frame in frames {
            frame.withRawUTF8 { harness.session.receive($0, on: 1, at: harness.now, into: &output) }
        }
        let objects = try frames.map {
            try #require(try JSONSerialization.jsonObject(with: Data($0.utf8)) as? [String: Any])
        }
        return (harness, output, objects)
    }

    @Test func `every match is a trade of the other side, digit for digit`() throws {
        let (_, output, frames) = try self.play()
        let matches = frames.filter { ($0["type"] as? String)?.hasSuffix("match") == true }
        let trades = output.events.compactMap { $0.payload.trade }
        #expect(trades.count == 107)
        #expect(Set(output.events.map(\.eventID)).count == output.events.count)
        for (trade, match) in zip(trades, matches) {
            #expect(trade.symbol.description == match["product_id"] as? String)
            #expect(trade.price.description == match["price"] as? String)
            #expect(trade.volume.description == match["size"] as? String)
            #expect(trade.side == (match["side"] as? String == "buy" ? .sell : .buy))
            #expect(trade.tradeID?.description == (match["trade_id"] as? NSNumber)?.stringValue)
            #expect(trade.timestamp?.description == match["time"] as? String)
        }
    }

    @Test func `every ticker is one, digit for digit`() throws {
        let (_, output, frames) = try self.play()
        let expected = frames.filter { $0["type"] as? String == "ticker" }
        #expect(output.tickers.count == 107)
        for (ticker, frame) in zip(output.tickers, expected) {
            #expect(ticker.price?.description == frame["price"] as? String)
            #expect(ticker.volume?.description == frame["volume_24h"] as? String)
            #expect(ticker.bid?.description == frame["best_bid"] as? String)
            #expect(ticker.ask?.description == frame["best_ask"] as? String)
            #expect(ticker.timestamp?.description == frame["time"] as? String)
        }
    }

    @Test func `nothing is lost, crossed or unreadable, and everything is confirmed`() throws {
        let (_, output, _) = try self.play()
        #expect(output.problems.isEmpty)
        #expect(output.requests.isEmpty)
        #expect(output.outgoing.count == 1)
        #expect(output.notices.count == 31)
        #expect(output.notices.last == .ready(connection: 1))
    }

    @Test func `the books are those that a plain dictionary makes of the frames`() throws {
        let (harness, output, frames) = try self.play()
        var model: [String: [String: [Decimal: String]]] = [:]
        for frame in frames {
            guard let product = frame["product_id"] as? String else { continue }
            switch frame["type"] as? String {
            case "snapshot":
                for (side, list) in [("buy", "bids"), ("sell", "asks")] {
                    var levels: [Decimal: String] = [:]
                    for level in frame[list] as? [[String]] ?? [] { levels[try self.decimal(level[0])] = level[1] }
                    model[product, default: [:]][side] = levels
                }
            case "l2update":
                for change in frame["changes"] as? [[String]] ?? [] {
                    let isGone = try self.decimal(change[2]) == 0
                    model[product]?[change[0]]?[try self.decimal(change[1])] = isGone ? nil : change[2]
                }
            default: continue
            }
        }
        // Counted by a script of another language: frames after which the best twenty differ.
        #expect(output.books.count == 8257)
        for (index, symbol) in Self.symbols.enumerated() {
            let (book, isLive) = try #require(harness.session.book(of: index))
            #expect(isLive)
            for (side, name) in [(LocalBook.Side.bid, "buy"), (.ask, "sell")] {
                let expected = model[symbol]?[name] ?? [:]
                #expect(book.count(side) == expected.count)
                for level in book.best(book.count(side), side) {
                    #expect(expected[try self.decimal(level.price.description)] == level.volume.description)
                }
            }
        }
    }

    private func decimal(_ text: String) throws -> Decimal {
        try #require(Decimal(string: text, locale: Locale(identifier: "en_US_POSIX")))
    }

    @Test func `what is played twice has the same ids`() throws {
        let (_, first, _) = try self.play()
        let (_, second, _) = try self.play()
        #expect(first.events.map(\.eventID) == second.events.map(\.eventID))
    }

    @Test func `playing the session again after a reconnect repeats no trade and no ticker`() throws {
        var (harness, _, _) = try self.play()
        _ = harness.close(1)
        _ = harness.open(2)
        var output = VenueOutput()
        for frame in try Recording("coinbase-exchange.jsonl").received {
            frame.withRawUTF8 { harness.session.receive($0, on: 2, at: harness.now, into: &output) }
        }
        #expect(output.events.allSatisfy { $0.eventType == .orderBook })
        #expect(output.problems.isEmpty)
    }

    @Test func `a lost change shows when the venue's own book is looked at, and the book is mended`() throws {
        let frames = try Recording("coinbase-exchange.jsonl").received
        var harness = SessionHarness(Coinbase(), ["SKL-USD"], [.orderBook])
        _ = harness.open()
        // The last twenty changes do not come, so that no later one mends by chance what they did.
        let changes = frames.filter { $0.contains("l2update") && $0.contains("SKL-USD") }
        let lost = Set(changes.suffix(20))
        for frame in frames where !lost.contains(frame) { _ = harness.receive(frame) }
        var truth = SessionHarness(Coinbase(), ["SKL-USD"], [.orderBook])
        _ = truth.open()
        for frame in frames { _ = truth.receive(frame) }
        let right = try #require(truth.session.book(of: 0)?.book)
        let isRight = harness.session.book(of: 0)?.book == right
        #expect(!isRight)
        func list(_ side: LocalBook.Side) -> String {
            right.best(.max, side).map { #"["\#($0.price)","\#($0.volume)",3]"# }.joined(separator: ",")
        }
        let request = try #require(harness.wait(.seconds(301)).requests.first)
        #expect(request == VenueRequest(.book(0), .get, "/products/SKL-USD/book?level=2"))
        let body = #"{"bids":[\#(list(.bid))],"asks":[\#(list(.ask))],"sequence":5,"time":"2021-04-17T16:44:00Z"}"#
        #expect(harness.answer(request, body).problems.isEmpty)
        let judged = harness.wait(.seconds(2))
        #expect(judged.codes == ["SEQUENCE_GAP"])
        #expect(judged.notices == [.resyncing(symbol: "SKL-USD", reason: "not as the venue has it")])
        #expect(judged.texts.count == 2)
        // The true book stands the same comparison.
        let other = try #require(truth.wait(.seconds(301)).requests.first)
        _ = truth.answer(other, body)
        #expect(truth.wait(.seconds(2)).problems.isEmpty)
    }
}
