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
            frame.withRawUTF8 { session.receive($0, at: Self.receivedAt, into: &output) }
        }
        return output
    }

    private func makeSession() throws -> HyperliquidSession {
        HyperliquidSession(
            symbols: try Venue.named("hyperliquid").instruments(["BTC"]), channels: [.trades, .l2Book])
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

    @Test func `what the venue replays on a reconnect has the ids it had before`() throws {
        let frames = try Recording("hyperliquid-btc.jsonl").received
        var first = try self.makeSession()
        var second = try self.makeSession()
        let ids = Set(self.play(frames, into: &first).events.map(\.eventID))
        #expect(Set(self.play(frames, into: &second).events.map(\.eventID)) == ids)
        // Within one process the session also remembers the books.
        let again = self.play(frames, into: &first).events
        #expect(again.filter { $0.eventType == .orderBook }.isEmpty)
        #expect(Set(again.map(\.eventID)).isSubset(of: ids))
    }

    @Test func `mutated frames never trap and never invent a coin`() throws {
        let frames = try Recording("hyperliquid-btc.jsonl").received.map { Array($0.utf8) }
        var generator = SystemRandomNumberGenerator()
        var session = try self.makeSession()
        var output = VenueOutput()
        let rounds = ProcessInfo.processInfo.environment["TIDINGS_LONG"] == nil ? 3000 : 300_000
        for _ in 0..<rounds {
            guard var frame = frames.randomElement(using: &generator) else { continue }
            for _ in 0..<Int.random(in: 1...8, using: &generator) {
                switch Int.random(in: 0..<3, using: &generator) {
                case 0:
                    frame[Int.random(in: 0..<frame.count, using: &generator)] = .random(in: 0...255, using: &generator)
                case 1: frame.removeSubrange(Int.random(in: 0..<frame.count, using: &generator)...)
                default:
                    let start = Int.random(in: 0..<frame.count, using: &generator)
                    let end = min(start + 40, frame.count)
                    frame.insert(contentsOf: frame[start..<end], at: start)
                }
                if frame.isEmpty { break }
            }
            output.removeAll()
            frame.withUnsafeBytes { session.receive($0, at: Self.receivedAt, into: &output) }
            #expect(output.events.allSatisfy { $0.symbol == "BTC-USD" })
        }
    }
}
