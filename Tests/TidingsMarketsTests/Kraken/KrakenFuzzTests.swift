import Foundation
import Testing
import TidingsTestSupport

@testable import Tidings
@testable import TidingsMarkets

/// A generator of its own, so that a run can be repeated.
struct FuzzGenerator: RandomNumberGenerator {
    private var state: UInt64

    init(seed: UInt64) {
        self.state = seed
    }

    mutating func next() -> UInt64 {
        self.state &+= 0x9E37_79B9_7F4A_7C15
        var mixed = self.state
        mixed = (mixed ^ (mixed >> 30)) &* 0xBF58_476D_1CE4_E5B9
        mixed = (mixed ^ (mixed >> 27)) &* 0x94D0_49BB_1331_11EB
        return mixed ^ (mixed >> 31)
    }

    /// Changes, cuts, repeats or replaces some bytes.
    mutating func mutate(_ frame: inout [UInt8]) {
        let pieces = [
            "-1", "18446744073709551616", "1e999", "null", "\"\"", "{}", "[]", "0", "9223372036854775807", "\\u0000",
        ]
        for _ in 0..<Int.random(in: 1...4, using: &self) {
            guard !frame.isEmpty else { return }
            let place = Int.random(in: 0..<frame.count, using: &self)
            switch Int.random(in: 0..<8, using: &self) {
            case 0...3: frame[place] = .random(in: 0x20...0x7E, using: &self)
            case 4: frame[place] = .random(in: 0...255, using: &self)
            case 5: frame.removeSubrange(place...)
            case 6: frame.insert(contentsOf: frame[place..<min(place + 40, frame.count)], at: place)
            default:
                let piece = Array((pieces.randomElement(using: &self) ?? "0").utf8)
                frame.replaceSubrange(place..<min(place + piece.count, frame.count), with: piece)
            }
        }
    }
}

@Suite struct KrakenFuzzTests {
    private static let isLong = ProcessInfo.processInfo.environment["TIDINGS_LONG"] != nil

    private static var frames: [String] {
        [
            KrakenFeed.ack("book"), KrakenFeed.ack("trade"),
            KrakenFeed.book(
                "snapshot", bids: "1.5:1 1.4:2", asks: "2.5:1 2.6:1",
                checksum: krakenChecksum(bids: "1.5:1 1.4:2", asks: "2.5:1 2.6:1")),
            KrakenFeed.book(
                "update", bids: "1.5:0", asks: "", checksum: krakenChecksum(bids: "1.4:2", asks: "2.5:1 2.6:1"),
                at: "2023-11-14T22:13:20.1Z"),
            KrakenFeed.trades([1, 2, 3], type: "snapshot"), KrakenFeed.trades([9]),
            #"{"channel":"ticker","type":"update","data":[{"symbol":"BTC/USD","bid":0.1,"bid_qty":740.0,"last":0.10035}]}"#,
            #"{"channel":"ohlc","type":"update","data":[{"symbol":"BTC/USD","open":1,"high":2,"low":1,"close":2,"trades":12,"volume":3.1,"interval_begin":"2023-10-04T16:25:00Z","interval":1}]}"#,
            #"{"channel":"status","type":"update","data":[{"system":"online","connection_id":12393906104898154338}]}"#,
            #"{"error":"Exceeded msg rate","method":"subscribe","success":false,"req_id":12}"#,
            #"{"channel":"heartbeat"}"#,
        ]
    }

    @Test func `mutated frames never trap, never invent a symbol and leave everything bounded`() {
        let frames = Self.frames.map { Array($0.utf8) }
        var generator = FuzzGenerator(seed: 4)
        var feed = KrakenFeed(["BTC-USD", "ETH-USD"], channels: MarketChannel.allCases)
        feed.open()
        var connection = 0
        for round in 0..<(Self.isLong ? 4_000_000 : 40_000) {
            var frame = frames[Int.random(in: 0..<frames.count, using: &generator)]
            if round % 4 != 0 { generator.mutate(&frame) }
            feed.output.removeAll()
            feed.now = feed.now.advanced(by: .milliseconds(7))
            frame.withUnsafeBytes { feed.session.receive($0, on: connection, at: feed.now, into: &feed.output) }
            let isKnown = feed.output.events.allSatisfy { $0.symbol == "BTC-USD" || $0.symbol == "ETH-USD" }
            let isBounded = feed.output.events.count < 40 && feed.output.problems.count < 40
            if !isKnown || !isBounded { Issue.record("round \(round): \(String(decoding: frame, as: UTF8.self))") }
            if round % 16 == 0 { feed.session.tick(at: feed.now, into: &feed.output) }
            for request in feed.output.requests {
                feed.answer(request, round % 2 == 0 ? .body(frame) : .failure(status: 500, reason: "x"))
            }
            if round % 1000 == 999 {
                feed.close(connection)
                connection += 1
                feed.open(connection)
            }
            if round % 1500 == 0 { feed.open(connection + 1) }
        }
        #expect(feed.session.links.count <= KrakenSession.maximumLinks)
        #expect(feed.session.markets.allSatisfy { $0.book.count(.bid) <= 1000 && $0.book.count(.ask) <= 1000 })
    }

    @Test func `mutated REST answers never trap`() {
        let bodies = [
            KrakenFeed.restTrades([1, 2, 3]),
            #"{"error":[],"result":{"X":[[1688671200,"1","2","0.5","1.5","1.2","3.3",23]],"last":1688672160}}"#,
            #"{"error":[],"result":{"X":{"wsname":"XBT/USD","pair_decimals":1,"lot_decimals":8,"status":"online"}}}"#,
        ].map { Array($0.utf8) }
        var generator = FuzzGenerator(seed: 5)
        for _ in 0..<(Self.isLong ? 1_000_000 : 10_000) {
            var body = bodies[Int.random(in: 0..<bodies.count, using: &generator)]
            generator.mutate(&body)
            body.withUnsafeBytes { bytes in
                _ = try? KrakenREST.readTrades(bytes)
                _ = try? KrakenREST.readRows(bytes)
                _ = try? Kraken().instruments(from: bytes)
            }
        }
    }

    @Test(.enabled(if: Recording.isThere("kraken.jsonl"), "../shared/recordings/kraken.jsonl is not here"))
    func `the recording's checksums all match, in any order of members and with every book whole at the end`() throws {
        let symbols = ["OCEAN/XBT", "GRT/ETH", "XMR/USD", "WAVES/EUR", "KSM/XBT"]
        let frames = try Recording("kraken.jsonl").received
        var feed = KrakenFeed(symbols)
        feed.open()
        var books = 0
        for frame in frames {
            feed.receive(frame)
            #expect(!feed.codes.contains("CHECKSUM") && !feed.codes.contains("PARSE"))
            books += feed.output.heard.filter { $0 % 2 == 0 }.count
        }
        #expect(books > 0)
        for index in symbols.indices {
            #expect(feed.session.book(of: index)?.isLive == true)
            #expect(feed.session.markets[index].depth == 1000)
        }
    }
}
