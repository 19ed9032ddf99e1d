import Foundation
import Testing

@testable import Tidings
@testable import TidingsMarkets

@Suite struct BinanceFuzzTests {
    /// Small, fast and the same everywhere (SplitMix64).
    private struct Generator: RandomNumberGenerator {
        var state: UInt64

        mutating func next() -> UInt64 {
            self.state &+= 0x9E37_79B9_7F4A_7C15
            var mixed = self.state
            mixed = (mixed ^ (mixed >> 30)) &* 0xBF58_476D_1CE4_E5B9
            mixed = (mixed ^ (mixed >> 27)) &* 0x94D0_49BB_1331_11EB
            return mixed ^ (mixed >> 31)
        }
    }

    private static let frames: [[UInt8]] = [
        #"{"stream":"btcusdt@trade","data":{"e":"trade","E":1700000000101,"s":"BTCUSDT","t":12345,"p":"61685.99000000","q":"0.00017000","T":1700000000100,"m":true,"M":true}}"#,
        #"{"e":"trade","E":1700000000101,"s":"ETHBTC","t":12346,"p":"0.05","q":"7","b":1,"a":2,"T":1700000000100,"m":false,"M":true}"#,
        #"{"stream":"btcusdt@aggTrade","data":{"e":"aggTrade","E":1700000000101,"s":"BTCUSDT","a":77,"p":"0.001","q":"100","f":100,"l":105,"T":1700000000100,"m":true,"M":true}}"#,
        #"{"stream":"btcusdt@bookTicker","data":{"u":400900217,"s":"BTCUSDT","b":"25.35190000","B":"31.21000000","a":"25.36520000","A":"40.66000000"}}"#,
        #"{"u":400900218,"s":"ETHBTC","b":"25.3519","B":"31","a":"25.36520000","A":"40.660"}"#,
        #"{"stream":"btcusdt@depth@100ms","data":{"e":"depthUpdate","E":1700000000101,"s":"BTCUSDT","U":101,"u":103,"b":[["10.00000000","1.25869000"],["9.5","0.00000000"],["9.25","1"]],"a":[["11.00000000","2.44807000"],["12","3"]]}}"#,
        #"{"e":"depthUpdate","E":1700000000101,"s":"ETHBTC","U":104,"u":106,"b":[],"a":[["11.00000000","0"]]}"#,
        #"{"stream":"btcusdt@depth5","data":{"lastUpdateId":160,"bids":[["0.0024","10"]],"asks":[["0.0026","100"]]}}"#,
        #"{"e":"24hrTicker","E":1672515782136,"s":"BTCUSDT","p":"0.0015","P":"250.00","w":"0.0018","x":"0.0009","c":"0.0025","Q":"10","b":"0.0024","B":"10","a":"0.0026","A":"100","o":"0.0010","h":"0.0025","l":"0.0010","v":"10000","q":"18","O":0,"C":86400000,"F":0,"L":18150,"n":18151}"#,
        #"{"e":"kline","E":1672515782136,"s":"BTCUSDT","k":{"t":1672515780000,"T":1672515839999,"s":"BTCUSDT","i":"1m","f":100,"L":200,"o":"0.0010","c":"0.0020","h":"0.0025","l":"0.0015","v":"1000","n":100,"x":false,"q":"1.0000","V":"500","Q":"0.500","B":"123456"}}"#,
        #"{"result":null,"id":1}"#, #"{"code":2,"msg":"Invalid request","id":1}"#, #"{"e":"serverShutdown","E":1}"#,
    ].map { Array($0.utf8) }

    private static let bytes = Array(#"{}[]",:.0123456789eE-+\ntruefalsBCSTUabkmpqu "#.utf8)

    private static func mutate(_ frame: [UInt8], _ generator: inout Generator) -> [UInt8] {
        var frame = frame
        for _ in 0..<Int.random(in: 0...4, using: &generator) where !frame.isEmpty {
            let place = Int.random(in: 0..<frame.count, using: &generator)
            switch Int.random(in: 0..<6, using: &generator) {
            case 0: frame[place] = .random(in: 0...255, using: &generator)
            case 1: frame[place] = Self.bytes.randomElement(using: &generator) ?? 0
            case 2: frame.removeSubrange(place...)
            case 3: frame.insert(contentsOf: frame[place..<min(place + 40, frame.count)], at: place)
            case 4: frame.removeSubrange(place..<min(place + Int.random(in: 1...8, using: &generator), frame.count))
            default:
                // Another number in the place of a digit.
                if let digit = frame[place...].firstIndex(where: { (0x30...0x39).contains($0) }) {
                    frame[digit] = .random(in: 0x30...0x39, using: &generator)
                }
            }
        }
        return frame
    }

    private static func makeFeed() -> BinanceFeed {
        var feed = BinanceFeed(["BTC-USDT", "ETH-BTC"])
        feed.open()
        return feed
    }

    /// Every frame goes to two sessions: as it is, and behind a space, which the quick reader does not take.
    @Test func `mutated frames never trap, and both readers make the same events of them`() {
        let rounds = ProcessInfo.processInfo.environment["TIDINGS_LONG"] == nil ? 100_000 : 10_000_000
        var generator = Generator(state: 7)
        var (quick, careful) = (Self.makeFeed(), Self.makeFeed())
        var differences = 0
        for round in 0..<rounds {
            if round % 2000 == 0 { (quick, careful) = (Self.makeFeed(), Self.makeFeed()) }
            guard let frame = Self.frames.randomElement(using: &generator) else { return }
            let mutated = Self.mutate(frame, &generator)
            quick.now = quick.now.advanced(by: .milliseconds(1))
            careful.now = quick.now
            mutated.withUnsafeBytes { quick.session.receive($0, on: 1, at: quick.now, into: &quick.output) }
            ([0x20] + mutated).withUnsafeBytes {
                careful.session.receive($0, on: 1, at: careful.now, into: &careful.output)
            }
            Self.answer(&quick, round)
            Self.answer(&careful, round)
            let isSame =
                quick.output.events == careful.output.events && quick.output.codes == careful.output.codes
                && quick.output.notices == careful.output.notices && quick.output.heard == careful.output.heard
            let isOurs = quick.output.events.allSatisfy { $0.symbol == "BTC-USDT" || $0.symbol == "ETH-BTC" }
            if !isSame || !isOurs {
                differences += 1
                if differences < 5 { Issue.record("\(String(decoding: mutated, as: UTF8.self))") }
            }
            quick.output.removeAll()
            careful.output.removeAll()
        }
        #expect(differences == 0)
    }

    private static func answer(_ feed: inout BinanceFeed, _ round: Int) {
        var requests = 0
        while !feed.output.requests.isEmpty, requests < 4 {
            requests += 1
            switch round % 4 {
            case 0: feed.answer(BinanceFeed.snapshot(UInt64(99 + round % 10)))
            case 1: feed.answer(BinanceFeed.past(12_000...12_010))
            case 2: feed.answer(.failure(status: 404, reason: "no"))
            default: feed.answer("{")
            }
        }
        if round % 16 == 0 { feed.session.tick(at: feed.now, into: &feed.output) }
    }

    @Test func `mutated answers never trap`() {
        let rounds = ProcessInfo.processInfo.environment["TIDINGS_LONG"] == nil ? 20_000 : 1_000_000
        let answers = [
            BinanceFeed.snapshot(100), BinanceFeed.past(1...3),
            #"[[1672515780000,"0.0010","0.0025","0.0015","0.0020","1000",1672515839999,"1.0000",100,"500","0.500","0"]]"#,
            #"{"symbols":[{"symbol":"ETHBTC","status":"TRADING","baseAsset":"ETH","quoteAsset":"BTC","filters":[{"filterType":"PRICE_FILTER","tickSize":"0.00001000"}]}]}"#,
        ].map { Array($0.utf8) }
        let bitcoin = Instrument(symbol: "BTC-USDT", venueSymbol: "BTCUSDT")
        let queries = [
            HistoryQuery(
                bitcoin, .candles(interval: "1m", since: Timestamp(nanoseconds: 0), until: BinanceFeed.start)),
            HistoryQuery(bitcoin, .trades(limit: 10)),
        ]
        let venue = Binance()
        var generator = Generator(state: 11)
        for _ in 0..<rounds {
            guard let answer = answers.randomElement(using: &generator) else { return }
            let mutated = Self.mutate(answer, &generator)
            _ = BinanceSnapshot(mutated)
            mutated.withUnsafeBytes { bytes in
                _ = try? venue.instruments(from: bytes)
                for query in queries {
                    guard let request = try? venue.request(for: query) else { continue }
                    _ = try? venue.page(of: query, request: request, from: bytes, at: BinanceFeed.start)
                }
            }
        }
    }
}
