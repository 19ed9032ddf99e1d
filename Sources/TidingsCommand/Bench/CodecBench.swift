import Foundation
import Tidings

/// `tidings bench codec`: events to JSON and back.
enum CodecBench {
    static let all: [any BenchSubject] = [
        RateBench(
            name: "encode-trade", unit: "events/s", reference: "Foundation JSONEncoder",
            work: { amount in Self.encode(BenchEvents.trade, amount) },
            referenceWork: { amount in try Self.foundationEncode(amount) }),
        RateBench(
            name: "decode-trade", unit: "events/s", reference: "Foundation JSONDecoder",
            work: { amount in try Self.decode(BenchEvents.foreignTrade, amount) { $0.trade != nil } },
            referenceWork: { amount in try Self.foundationDecode(amount) }),
        RateBench(
            name: "encode-order-book", unit: "events/s", reference: "memory copy of its JSON",
            work: { amount in Self.encode(BenchEvents.orderBook, amount) },
            referenceWork: { amount in Self.copy(BenchEvents.orderBook.json, amount) }),
        RateBench(
            name: "decode-order-book", unit: "events/s", reference: "memory copy of its JSON",
            work: { amount in try Self.decode(BenchEvents.orderBook.json, amount) { $0.orderBook != nil } },
            referenceWork: { amount in Self.copy(BenchEvents.orderBook.json, amount) }),
        RateBench(
            name: "decode-open-object", unit: "events/s", reference: "memory copy of its JSON",
            work: { amount in try Self.decode(BenchEvents.openObject, amount) { $0["item"] != nil } },
            referenceWork: { amount in Self.copy(BenchEvents.openObject, amount) }),
    ]

    private static func encode(_ event: StandardEvent, _ amount: Int) -> Int {
        var writer = JSONWriter(capacity: 1 << 16)
        var bytes = 0
        for _ in 0..<amount {
            writer.write(event)
            if writer.count > 1 << 15 {
                bytes += writer.count
                writer.reset()
            }
        }
        precondition(bytes + writer.count > amount, "nothing was encoded")
        return amount
    }

    private static func decode(_ json: String, _ amount: Int, check: (Payload) -> Bool) throws -> Int {
        let defaults = EventDecodingDefaults(source: "bench")
        var good = 0
        try json.withRawUTF8 { bytes throws(EventDecodingError) in
            for _ in 0..<amount {
                let event = try StandardEvent(json: bytes, defaults: defaults)
                if check(event.payload) { good += 1 }
            }
        }
        precondition(good == amount, "an event was decoded wrongly")
        return amount
    }

    private static func copy(_ json: String, _ amount: Int) -> Int {
        let bytes = Array(json.utf8)
        let target = UnsafeMutableRawBufferPointer.allocate(byteCount: bytes.count, alignment: 8)
        defer { target.deallocate() }
        var sum: UInt64 = 0
        for index in 0..<amount {
            bytes.withUnsafeBytes { target.copyMemory(from: $0) }
            sum &+= UInt64(target[index % bytes.count])
        }
        precondition(sum > 0)
        return amount
    }

    // MARK: Foundation

    private struct Plain: Codable {
        struct Payload: Codable {
            var symbol: String
            var price: Double
            var volume: Double
            var timestamp: String
        }

        var event_id: String
        var event_type: String
        var timestamp: String
        var source: String
        var payload: Payload
        var correlation_id: String
        var priority: Int
    }

    private static let plain = Plain(
        event_id: "550e8400-e29b-41d4-a716-446655440000", event_type: "trade", timestamp: "2024-01-15T10:30:00Z",
        source: "hyperliquid",
        payload: .init(symbol: "BTC-USD", price: 50000, volume: 1.5, timestamp: "2024-01-15T10:30:00Z"),
        correlation_id: "550e8400-e29b-41d4-a716-446655440001", priority: 5)

    private static func foundationEncode(_ amount: Int) throws -> Int {
        let encoder = JSONEncoder()
        var bytes = 0
        for _ in 0..<amount { bytes += try encoder.encode(Self.plain).count }
        precondition(bytes > amount)
        return amount
    }

    private static func foundationDecode(_ amount: Int) throws -> Int {
        let decoder = JSONDecoder()
        let data = try JSONEncoder().encode(Self.plain)
        for _ in 0..<amount {
            let event = try decoder.decode(Plain.self, from: data)
            precondition(event.priority == 5)
        }
        return amount
    }
}
