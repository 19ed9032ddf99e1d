import Testing
import Tidings

/// The quick decoder comes to the same results as the careful one, and the quick readers of payloads to the same as plain
/// ones.
@Suite struct QuickDecodingTests {
    static func carefully(_ bytes: [UInt8]) -> Result<StandardEvent, EventDecodingError> {
        bytes.withUnsafeBytes { buffer in
            do throws(EventDecodingError) {
                return .success(try StandardEvent(carefully: buffer, defaults: Reading.defaults))
            } catch {
                return .failure(error)
            }
        }
    }

    static func quickly(_ bytes: [UInt8]) -> Result<StandardEvent, EventDecodingError> {
        do throws(EventDecodingError) {
            return .success(try Reading.event(bytes: bytes))
        } catch {
            return .failure(error)
        }
    }

    /// Both ways. What is filled in is told from what was read: an identifier by reading twice, a moment by being this one.
    static func compare(_ bytes: [UInt8]) {
        let shown = String(decoding: bytes, as: UTF8.self).debugDescription
        let start = Timestamp.now()
        let outcomes = (self.quickly(bytes), self.carefully(bytes), self.carefully(bytes))
        switch outcomes {
        case (.failure(let quick), .failure(let careful), _): #expect(quick == careful, "\(shown)")
        case (.success(var quick), .success(let careful), .success(let again)):
            #expect(quick.timestamp.precision == careful.timestamp.precision, "\(shown)")
            if careful.eventID != again.eventID {
                if quick.correlationID == quick.eventID { quick.correlationID = careful.correlationID }
                quick.eventID = careful.eventID
            }
            let moments = start...Timestamp.now()
            if moments.contains(quick.timestamp) && moments.contains(careful.timestamp) {
                quick.timestamp = careful.timestamp
            }
            #expect(quick == careful, "\(shown)")
            #expect(quick.json == careful.json, "\(shown)")
            #expect(quick.symbol == careful.symbol && quick.payload.venueSymbol == careful.payload.venueSymbol)
            #expect(quick.payload.object.depth == careful.payload.object.depth, "\(shown)")
            #expect(quick.extra?.depth == careful.extra?.depth, "\(shown)")
            self.comparePayloads(quick.payload, shown)
        case (let quick, let careful, _): Issue.record("\(shown): \(quick) and \(careful)")
        }
    }

    static func comparePayloads(_ payload: Payload, _ shown: String) {
        let object = payload.object
        #expect(payload.trade == ReferencePayloads.trade(object), "\(shown)")
        #expect(Payload.object(object).trade == ReferencePayloads.trade(object), "\(shown)")
        #expect(payload.ticker == ReferencePayloads.ticker(object), "\(shown)")
        #expect(payload.orderBook == ReferencePayloads.orderBook(object), "\(shown)")
        #expect(payload.candle == ReferencePayloads.candle(object), "\(shown)")
        if let trade = payload.trade, let other = ReferencePayloads.trade(object) {
            // Equality of numbers and times forgives what writing does not.
            #expect(Payload.trade(trade).description == Payload.trade(other).description, "\(shown)")
        }
    }

    @Test(.timeLimit(.minutes(2)))
    func `damaged events are judged and read alike`() async {
        let rounds = await EventFuzzTests().repeatedly { random in
            Self.compare(EventFuzzTests.mutate(random.pick(EventFuzzTests.seeds), &random))
        }
        #expect(rounds > 100)
    }

    /// An event out of members as they come, some of them wrong.
    static func event(_ random: inout SeededGenerator) -> String {
        var members: [String] = []
        for _ in 0..<random.below(9) {
            var key = random.pick([
                "event_id", "event_type", "event_type", "timestamp", "source", "payload", "payload", "correlation_id",
                "parent_event_id", "priority", "processed_at", "processing_time_ms", "other", "replay", "",
            ])
            let value: String =
                switch random.below(10) {
                case 0: "null"
                case 1: RandomJSON.value(&random, depth: 2)
                default: self.value(for: key, &random)
                }
            if random.chance(4) { key = key.replacing("e", with: "\\u0065") }
            members.append("\"\(key)\":\(value)")
        }
        return "{" + members.joined(separator: ",") + "}"
    }

    private static func value(for key: String, _ random: inout SeededGenerator) -> String {
        switch key {
        case "event_id", "correlation_id", "parent_event_id":
            random.chance(80) ? "\"\(RandomEvents.identifier(&random))\"" : RandomJSON.string(&random)
        case "event_type":
            random.pick([#""trade""#, #""trade""#, #""order_book""#, #""a b""#, #""x.y""#, #""tr\u0061de""#])
        case "timestamp", "processed_at": self.time(&random)
        case "source": random.chance(70) ? #""kraken""# : RandomJSON.string(&random)
        case "payload": self.payload(&random)
        case "priority": random.pick(["1", "5", "10", "0", "11", "\"3\"", "1.0", "-1", "1e0", "05"])
        case "processing_time_ms": RandomJSON.number(&random)
        default: RandomJSON.value(&random, depth: 2)
        }
    }

    private static func time(_ random: inout SeededGenerator) -> String {
        switch random.below(5) {
        case 0: RandomJSON.number(&random)
        case 1:
            random.pick([#""2024-02-30T00:00:00Z""#, #""2024-01-15""#, #""2024-01-15T10:30:60Z""#, "1705314600123"])
        case 2: "\"2024-01-15T10:30:0\(random.below(12)).\(random.below(1 << 40))Z\""
        case 3: "\"2024-01-15T10:30:00+0\(random.below(9)):00\""
        default: "\"\(RandomEvents.timestamp(&random))\""
        }
    }

    static func payload(_ random: inout SeededGenerator) -> String {
        var members: [String] = []
        for _ in 0..<random.below(14) {
            var key = random.pick([
                "symbol", "symbol", "price", "price", "volume", "volume", "timestamp", "side", "trade_id",
                "venue_symbol",
                "instrument", "received_at", "bid", "ask", "bid_volume", "ask_volume", "bids", "asks", "kind",
                "sequence",
                "open", "high", "low", "close", "trades", "closed", "interval", "of", "else", "SYMBOL", "pricey",
            ])
            let value: String =
                switch key {
                case _ where random.chance(10): RandomJSON.value(&random, depth: 2)
                case "symbol", "venue_symbol", "interval", "of":
                    random.chance(80) ? random.pick([#""BTC-USD""#, #""BTC\u002dUSD""#, #""é""#]) : "null"
                case "timestamp", "received_at": self.time(&random)
                case "side": random.pick([#""buy""#, #""sell""#, #""b\u0075y""#, "\"Buy\"", "null"])
                case "instrument": random.pick([#""spot""#, #""perpetual""#, "\"future\"", "1"])
                case "kind": random.pick([#""snapshot""#, #""delta""#, "null", "\"\""])
                case "closed": random.pick(["true", "false", "null", "\"true\""])
                case "bids", "asks": self.levels(&random)
                case "trade_id", "sequence", "trades":
                    random.pick([
                        "12", "\"12\"", "\"007\"", "0", "\"0\"", "-1", "1.0", "\"18446744073709551615\"",
                        "18446744073709551616", "\"9999999999999999999\"", "\"abc\"", "\"\\u0031\"", "\"\"",
                    ])
                default: random.chance(30) ? "\"\(RandomJSON.number(&random))\"" : RandomJSON.number(&random)
                }
            if random.chance(4) { key = key.replacing("i", with: "\\u0069") }
            members.append("\"\(key)\":\(value)")
        }
        return "{" + members.joined(separator: ",") + "}"
    }

    private static func levels(_ random: inout SeededGenerator) -> String {
        func number(_ random: inout SeededGenerator) -> String {
            random.chance(30) ? "\"\(RandomJSON.number(&random))\"" : RandomJSON.number(&random)
        }
        let rows = (0..<random.below(4)).map { _ in
            switch random.below(20) {
            case 0: RandomJSON.value(&random, depth: 1)
            case 1: "[\(number(&random))]"
            case 2: "[\(number(&random)),\(number(&random)),\(RandomJSON.value(&random, depth: 1))]"
            case 3: "[]"
            case 4: "[\(number(&random)),null]"
            default: "[\(number(&random)),\(number(&random))]"
            }
        }
        return "[" + rows.joined(separator: ",") + "]"
    }

    @Test(.timeLimit(.minutes(2)))
    func `events put together at random are judged and read alike, with and without white space`() async {
        let rounds = await EventFuzzTests().repeatedly { random in
            var text = Self.event(&random)
            if random.chance(30) { text = RandomJSON.spread(text, &random) }
            var bytes = Array(text.utf8)
            if random.chance(20) { bytes = EventFuzzTests.mutate(bytes, &random) }
            Self.compare(bytes)
        }
        #expect(rounds > 100)
    }

    @Test func `every event cut short is refused alike`() {
        var random = SeededGenerator(seed: 9)
        for _ in 0..<40 {
            let bytes = Array(RandomEvents.event(&random).json.utf8)
            for count in stride(from: 0, to: bytes.count, by: 3) { Self.compare(Array(bytes[..<count])) }
        }
    }

    @Test func `canonical times are read as any time is, byte by byte`() {
        var random = SeededGenerator(seed: 10)
        let alphabet = Array("0123456789-:TZ.z+ x/".utf8)
        for _ in 0..<20_000 {
            var text = Array("\(RandomEvents.timestamp(&random))".utf8)
            for _ in 0..<random.below(3) { text[random.below(text.count)] = random.pick(alphabet) }
            let json = Array(#"{"event_type":"t","timestamp":""#.utf8) + text + Array(#""}"#.utf8)
            let expected = Timestamp(String(decoding: text, as: UTF8.self))
            let read = try? Self.quickly(json).get().timestamp
            #expect(
                read == expected && read?.precision == expected?.precision, "\(String(decoding: text, as: UTF8.self))")
        }
    }

    @Test func `identifiers are read as UUIDs only in their canonical form, byte by byte`() {
        var random = SeededGenerator(seed: 11)
        let alphabet = Array("0123456789abcdefABCDEFgG-/:@`".utf8) + [0x00, 0x1F]
        for _ in 0..<20_000 {
            let (high, low) = (random.next(), random.next())
            let id = EventID(high: high, low: low)
            var text = Array(id.description.utf8)
            #expect(text.withUnsafeBytes { parseUUID($0) }.map { $0.high == high && $0.low == low } == true)
            let place = random.below(36)
            text[place] = random.pick(alphabet)
            let isSign = [8, 13, 18, 23].contains(place)
            let isCanonical = isSign ? text[place] == 0x2D : "0123456789abcdef".utf8.contains(text[place])
            #expect((text.withUnsafeBytes { parseUUID($0) } != nil) == isCanonical)
        }
    }
}
