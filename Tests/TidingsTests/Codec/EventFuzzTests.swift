import Foundation
import Testing
import Tidings

/// Nothing that the network sends may trap.
@Suite struct EventFuzzTests {
    static let isLong = ProcessInfo.processInfo.environment["TIDINGS_LONG"] != nil

    static let seeds: [[UInt8]] = [
        #"{"event_type":"trade","payload":{"symbol":"BTC-USD","price":50000.00,"side":"buy"},"priority":"3"}"#,
        #"{"event_id":"018d0a5e-7c00-7000-8000-000000000001","event_type":"t","timestamp":"2024-01-15T10:30:00.1Z"}"#,
        #"{"event_type":"order_book","payload":{"symbol":"X","bids":[["1.0",2]],"asks":[[3,4e-7]]},"x":[null]}"#,
        #"{"event_type":"t","timestamp":1705314600.123456789,"processing_time_ms":-1.5e3,"\u0065":"\ud800\ud83d"}"#,
        #"{"event_type":"ohlcv","payload":{"symbol":"é","open":1,"high":2,"low":0,"close":1,"volume":"3"}}"#,
    ].map { Array($0.utf8) }

    static let bits: [[UInt8]] =
        [
            "null", "\"", "\\", "\\u", "\\ud800", "{", "}", "[", "]", ",", ":", "-", "1e999", "99999999999999999999",
            "NaN",
            "\"event_type\"", "\"priority\":11", "é", " ", "\n", "0.", "true", "[[[[[[[[", "{\"a\":",
        ].map { Array($0.utf8) } + [[0], [0xFF], [0xC0, 0x80], [0xED, 0xA0, 0x80], [0xF0, 0x9F], [0x80]]

    static func mutate(_ seed: [UInt8], _ random: inout SeededGenerator) -> [UInt8] {
        var text = seed
        for _ in 0...random.below(3) {
            let place = random.below(text.count + 1)
            switch random.below(5) {
            case 0: text.insert(contentsOf: random.pick(Self.bits), at: place)
            case 1: text.removeSubrange(place..<min(text.count, place + 1 + random.below(4)))
            case 2 where place < text.count: text[place] = UInt8(truncatingIfNeeded: random.next())
            case 3 where place < text.count: text[place] ^= 1 << UInt8(random.below(8))
            case 4: text.removeLast(text.count - place)
            default: break
            }
        }
        return text
    }

    /// Runs `body` 200,000 times, or as often as fits 2.5 s of a debug build; ten times that in the long belt.
    func repeatedly(_ body: (inout SeededGenerator) -> Void) async -> Int {
        let factor = Self.isLong ? 10 : 1
        let end = ContinuousClock.now + .milliseconds(2500 * factor)
        var random = SeededGenerator(seed: UInt64(factor))
        var rounds = 0
        while rounds < 200_000 * factor && (rounds % 256 != 0 || ContinuousClock.now < end) {
            body(&random)
            rounds += 1
            // Other tests wait for this thread.
            if rounds % 256 == 0 { await Task.yield() }
        }
        return rounds
    }

    @Test(.timeLimit(.minutes(2)))
    func `damaged events are refused or read, and what is read can be written and read again`() async {
        let rounds = await self.repeatedly { random in
            let text = Self.mutate(random.pick(Self.seeds), &random)
            do throws(EventDecodingError) {
                let event = try Reading.event(bytes: text)
                guard random.chance(10) else { return }
                let payload = event.payload
                _ = (payload.trade, payload.ticker, payload.orderBook, payload.candle)
                let json = event.json
                let again = try Reading.event(json)
                #expect(again == event && again.json == json, "\(json)")
            } catch {
                #expect(!error.message.isEmpty)
            }
        }
        #expect(rounds > 100)
    }

    @Test(.timeLimit(.minutes(2)))
    func `random bytes are refused`() async {
        let rounds = await self.repeatedly { random in
            let text = (0..<random.below(24)).map { _ in UInt8(truncatingIfNeeded: random.next()) }
            text.withUnsafeBytes { buffer in
                do throws(EventDecodingError) {
                    let event = try StandardEvent(json: buffer, defaults: Reading.defaults)
                    Issue.record("\(text) was read as \(event)")
                } catch {
                    // As it should be.
                }
                _ = ExactDecimal(bytes: buffer)
                _ = Timestamp(bytes: buffer)
                _ = EventType(String(decoding: buffer, as: UTF8.self))
            }
        }
        #expect(rounds > 100)
    }
}
