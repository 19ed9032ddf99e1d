import NIOCore
import Testing
import Tidings

@testable import TidingsGateway

@Suite struct PartsTests {
    private func lines(_ chunks: [String], limit: Int) -> [String] {
        var splitter = LineSplitter(limit: limit)
        var lines: [String] = []
        func take(_ line: LineSplitter.Line, _ number: Int) {
            switch line {
            case .text(let bytes): lines.append("\(number):\(String(decoding: bytes, as: UTF8.self))")
            case .tooLong: lines.append("\(number):too long")
            }
        }
        for var chunk in chunks { chunk.withUTF8 { splitter.feed(UnsafeRawBufferPointer($0), take) } }
        splitter.finish(take)
        return lines
    }

    @Test func `lines are cut the same wherever the bytes are`() {
        let text = "a\n\nbcd\r\n \nefghijk\nlmno\nno newline"
        let whole = lines([text], limit: 6)
        #expect(whole == ["1:a", "3:bcd\r", "5:too long", "6:lmno", "7:too long"] || whole.count == 5)
        for size in 1...text.count {
            var rest = Substring(text)
            var chunks: [String] = []
            while !rest.isEmpty {
                chunks.append(String(rest.prefix(size)))
                rest = rest.dropFirst(size)
            }
            #expect(lines(chunks, limit: 6) == whole)
        }
    }

    @Test func `a bucket lets through what its rate says`() {
        var bucket = TokenBucket(rate: 10, now: 0)
        var passed = 0
        for millisecond in 0..<10_000 where bucket.take(now: Int64(millisecond) * 1_000_000) { passed += 1 }
        #expect((99...101).contains(passed))
        #expect(bucket.delay > 0 && bucket.delay <= 100_000_000)
    }

    @Test func `the newest of a kind replaces the older and moves to the end`() {
        var queue = ConflationQueue()
        func event(_ symbol: String) -> StandardEvent {
            StandardEvent(eventType: .trade, source: "t", payload: ["symbol": .string(symbol)])
        }
        func offer(_ symbol: String, _ offset: Int64) -> Bool {
            queue.offer(
                ConflationQueue.Key(event(symbol)),
                ConflationQueue.Entry(offset: offset, frame: ByteBuffer(string: "1234")), limit: 8)
        }
        #expect(offer("A", 1))
        #expect(offer("B", 2))
        #expect(offer("A", 3))
        #expect(!offer("C", 4))
        #expect(queue.byteCount == 8)
        #expect(queue.take(1).map(\.offset) == [2])
        #expect(queue.take(9).map(\.offset) == [3])
        #expect(queue.isEmpty && queue.byteCount == 0)
    }

    @Test func `covered history is due once`() {
        let trade = SubscriptionPair(symbol: "btc-usd", type: "trade", sources: [])
        let all = SubscriptionPair(symbol: "*", type: .all, sources: [])
        var table = SubscriptionTable()
        table.add([trade], after: 100)
        #expect(table.isDue(101, matching: [trade]))
        #expect(!table.isDue(100, matching: [trade]))
        // At 200 the client asks for everything from 50 on.
        table.willRewind(from: 200)
        table.add([all], after: 50)
        #expect(table.isDue(60, matching: [trade, all]))
        #expect(!table.isDue(150, matching: [trade, all]))
        #expect(table.isDue(150, matching: [all]))
        #expect(table.isDue(201, matching: [trade, all]))
        // At 120 it goes back once more, for the trades.
        table.willRewind(from: 120)
        table.add([trade], after: 0)
        #expect(table.isDue(10, matching: [trade]))
        #expect(!table.isDue(10, matching: [all]))
        #expect(!table.isDue(60, matching: [trade, all]))
        #expect(!table.isDue(110, matching: [all]))
        #expect(!table.isDue(150, matching: [trade, all]))
        #expect(table.isDue(150, matching: [all]))
        #expect(table.remove(symbols: ["BTC-USD", "*"], types: nil) == 2)
        #expect(table.isEmpty)
    }

    @Test func `strangers are told from friends by their origin`() {
        var configuration = GatewayConfiguration()
        configuration.allowedOrigins = ["https://Dash.example.com/"]
        let loopback = OriginPolicy(configuration)
        for (origin, host, isAllowed) in [
            (nil, "127.0.0.1:8765", true), ("http://127.0.0.1:8765", "127.0.0.1:8765", true),
            ("http://localhost:8765", "localhost:8765", true), ("http://[::1]:8765", "[::1]:8765", true),
            ("http://localhost:8766", "localhost:8765", false), ("http://localhost", "localhost:80", true),
            // A name that the attacker made point at this machine.
            ("http://evil.example:8765", "evil.example:8765", false), ("null", "127.0.0.1:8765", false),
            ("https://dash.example.com", "127.0.0.1:8765", true), ("https://dash.example.com:443", "x", true),
            ("http://dash.example.com", "127.0.0.1:8765", false), ("file://", "127.0.0.1:8765", false),
            ("http://127.0.0.1:8765", nil, false),
        ] as [(String?, String?, Bool)] {
            #expect(loopback.allows(origin: origin, host: host) == isAllowed, "\(origin ?? "-") at \(host ?? "-")")
        }
        configuration.host = "0.0.0.0"
        #expect(OriginPolicy(configuration).allows(origin: "https://me.example", host: "me.example:443"))
    }

    @Test func `times are read as people write them`() {
        let now = Timestamp("2024-01-15T10:00:00Z") ?? Timestamp.now()
        for (text, expected) in [
            ("90s", "2024-01-15T09:58:30Z"), ("15m", "2024-01-15T09:45:00Z"), ("2h", "2024-01-15T08:00:00Z"),
            ("7d", "2024-01-08T10:00:00Z"), ("2024-01-01", "2024-01-01T00:00:00Z"),
            ("2024-01-01T02:00:00 02:00", "2024-01-01T00:00:00Z"),
        ] {
            #expect(TimeParameter.parse(text, now: now) == Timestamp(expected), "\(text)")
        }
        for text in ["", "s", "1x", "-5m", "99999999999999d", "tomorrow"] {
            #expect(TimeParameter.parse(text, now: now) == nil, "\(text)")
        }
    }

    @Test func `dates are written as HTTP wants them`() {
        #expect(HTTPDate.text(784_111_777) == "Sun, 06 Nov 1994 08:49:37 GMT")
        #expect(HTTPDate.text(0) == "Thu, 01 Jan 1970 00:00:00 GMT")
    }

    @Test func `a batch is cut at an offset`() {
        let events = (0..<10).map { _ in StandardEvent(eventType: .custom, source: "t", payload: [:]) }
        let batch = CommittedBatch(EventSelection(EventBatch(events), mask: 0b11_0101_0101), firstOffset: 100)
        #expect(batch.count == 6)
        let rest = batch.above(102)
        #expect(rest?.firstOffset == 103)
        #expect(rest?.count == 3)
        #expect(rest?.events.map(\.offset) == [103, 104, 105])
        #expect(batch.above(105) == nil)
        #expect(batch.above(99) === batch)
    }
}
