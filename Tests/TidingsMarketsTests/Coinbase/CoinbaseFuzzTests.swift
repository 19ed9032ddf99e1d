import Foundation
import Testing
import Tidings

@testable import TidingsMarkets

/// Mutated frames and answers for both interfaces: no trap, no hang, no event of a product that nobody asked for, and
/// nothing that grows without bound. About two seconds; ten million frames with `TIDINGS_LONG=1`.
@Suite struct CoinbaseFuzzTests {
    private struct Mutator {
        var state: UInt64

        mutating func next() -> UInt64 {
            self.state ^= self.state << 13
            self.state ^= self.state >> 7
            self.state ^= self.state << 17
            return self.state
        }

        mutating func below(_ bound: Int) -> Int { Int(self.next() % UInt64(max(1, bound))) }

        mutating func mutate(_ frame: inout [UInt8]) {
            let letters = Array(#"{}[]",:\0123456789-.eE9null true"#.utf8)
            for _ in 0..<1 + self.below(4) where !frame.isEmpty {
                let position = self.below(frame.count)
                switch self.below(6) {
                case 0: frame[position] = UInt8(truncatingIfNeeded: self.next())
                case 1, 2: frame[position] = letters[self.below(letters.count)]
                case 3: frame.removeSubrange(position..<min(frame.count, position + 1 + self.below(8)))
                case 4: frame.insert(letters[self.below(letters.count)], at: position)
                default:
                    let end = min(frame.count, position + 1 + self.below(24))
                    if frame.count < 4096 { frame.insert(contentsOf: frame[position..<end], at: position) }
                }
            }
        }
    }

    private static let exchange = [
        #"{"type":"match","trade_id":10,"sequence":50,"time":"2023-11-14T22:13:20.02Z","product_id":"BTC-USD","size":"5.2","price":"400.23","side":"sell"}"#,
        #"{"type":"last_match","trade_id":12,"time":"2023-11-14T22:13:21.02Z","product_id":"BTC-USD","size":"5.2","price":"400.23","side":"buy"}"#,
        #"{"type":"snapshot","product_id":"BTC-USD","bids":[["10.00","1.50"],["9.99","2"]],"asks":[["10.01","3"],["10.02","4"]]}"#,
        #"{"type":"l2update","product_id":"BTC-USD","time":"2023-11-14T22:13:22Z","changes":[["buy","10.00","0"],["sell","10.03","7.7"]]}"#,
        #"{"type":"ticker","sequence":5,"product_id":"BTC-USD","price":"1285.22","volume_24h":"2","best_bid":"10","best_ask":"11","time":"2023-11-14T22:13:20Z","trade_id":37}"#,
        #"{"type":"heartbeat","sequence":90,"last_trade_id":14,"product_id":"BTC-USD","time":"2023-11-14T22:13:20Z"}"#,
        #"{"type":"subscriptions","channels":[{"name":"level2","product_ids":["BTC-USD"]}]}"#,
        #"{"type":"error","message":"no","reason":"none"}"#,
    ]

    private static let advanced = [
        #"{"channel":"l2_data","timestamp":"2023-02-09T20:32:50.714964855Z","sequence_num":0,"events":[{"type":"snapshot","product_id":"BTC-USD","updates":[{"side":"bid","event_time":"x","price_level":"21921.73","new_quantity":"0.06"},{"side":"offer","price_level":"21921.74","new_quantity":"0.1"}]}]}"#,
        #"{"channel":"l2_data","timestamp":"2023-02-09T20:32:50.714964855Z","sequence_num":1,"events":[{"type":"update","product_id":"BTC-USD","updates":[{"side":"bid","price_level":"21921.73","new_quantity":"0"}]}]}"#,
        #"{"channel":"market_trades","timestamp":"2023-02-09T20:32:50Z","sequence_num":2,"events":[{"type":"snapshot","trades":[{"trade_id":"12","product_id":"BTC-USD","price":"1260.01","size":"0.3","side":"BUY","time":"2023-02-09T20:32:50Z"}]}]}"#,
        #"{"channel":"ticker","timestamp":"2023-02-09T20:32:50Z","sequence_num":3,"events":[{"type":"snapshot","tickers":[{"type":"ticker","product_id":"BTC-USD","price":"1","volume_24_h":"2","best_bid":"3","best_ask":"4"}]}]}"#,
        #"{"channel":"candles","timestamp":"2023-02-09T20:32:50Z","sequence_num":4,"events":[{"type":"snapshot","candles":[{"start":"1688998200","high":"2","low":"1","open":"1","close":"2","volume":"3","product_id":"BTC-USD"}]}]}"#,
        #"{"channel":"heartbeats","timestamp":"2023-02-09T20:32:50Z","sequence_num":5,"events":[{"current_time":"x","heartbeat_counter":"3049"}]}"#,
        #"{"channel":"subscriptions","sequence_num":6,"events":[{"subscriptions":{"level2":["BTC-USD"]}}]}"#,
    ]

    private static let answers = [
        #"[{"time":"2023-11-14T22:13:20Z","trade_id":11,"price":"4","size":"5","side":"sell"}]"#,
        #"[[1700000000,1,2,1.5,1.25,7e-3],[1699999940,1,2,1.5,1.25,7]]"#,
        #"{"bids":[["1","2",3]],"asks":[["2","2",3]],"sequence":7}"#,
        #"{"candles":[{"start":"1700000000","low":"1","high":"2","open":"1","close":"2","volume":"3"}]}"#,
        #"{"trades":[{"trade_id":"13","product_id":"BTC-USD","price":"1","size":"2","time":"2023-11-14T22:13:20Z","side":"BUY"}]}"#,
        #"[{"id":"BTC-USD","base_increment":"0.01","quote_increment":"0.1","status":"online"}]"#,
    ]

    @Test(arguments: ["coinbase", "coinbase-advanced"])
    func `mutated frames and answers never trap and never invent a product`(name: String) throws {
        let venue = try Venues.named(name)
        let frames = (name == "coinbase" ? Self.exchange : Self.advanced).map { Array($0.utf8) }
        let bodies = Self.answers.map { Array($0.utf8) }
        let instruments = ["BTC-USD", "ETH-USDC"].compactMap { venue.instrument(named: $0) }
        let isLong = ProcessInfo.processInfo.environment["TIDINGS_LONG"] != nil
        var mutator = Mutator(state: 0x9E37_79B9_7F4A_7C15)
        var session = venue.makeSession(FeedPlan(instruments: instruments, channels: MarketChannel.allCases))
        var output = VenueOutput()
        var now = Timestamp(nanoseconds: 1_700_000_000_000_000_000, precision: .microseconds)
        session.opened(1, at: now, into: &output)
        var requests: [VenueRequest] = []
        var wrong = 0
        for round in 0..<(isLong ? 5_000_000 : 100_000) {
            var frame = frames[mutator.below(frames.count)]
            if mutator.below(8) != 0 { mutator.mutate(&frame) }
            output.removeAll()
            frame.withUnsafeBytes { session.receive($0, on: 1 + mutator.below(2), at: now, into: &output) }
            requests.append(contentsOf: output.requests)
            if round % 16 == 0, let request = requests.popLast() {
                var body = bodies[mutator.below(bodies.count)]
                mutator.mutate(&body)
                session.receive(.body(body), to: request, at: now, into: &output)
                _ = try? body.withUnsafeBytes { bytes throws(VenueError) in try venue.instruments(from: bytes) }
            }
            if round % 64 == 0 {
                now = now.advanced(by: .milliseconds(100))
                session.tick(at: now, into: &output)
            }
            if round % 5000 == 0 {
                session.closed(1, at: now, into: &output)
                session.opened(1, at: now, into: &output)
            }
            if requests.count > 64 { requests.removeFirst(requests.count - 64) }
            if !output.events.allSatisfy({ $0.symbol == "BTC-USD" || $0.symbol == "ETH-USDC" }) { wrong += 1 }
        }
        #expect(wrong == 0)
    }
}
