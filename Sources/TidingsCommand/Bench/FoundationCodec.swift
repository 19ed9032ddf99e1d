import Foundation

/// The same events as plain `Codable` structures: what Foundation's coders do with them.
enum FoundationCodec {
    struct Event<Payload: Codable & Sendable>: Codable, Sendable {
        var event_id: String
        var event_type: String
        var timestamp: String
        var source: String
        var payload: Payload
        var correlation_id: String
        var priority: Int
    }

    struct Trade: Codable, Sendable {
        var symbol: String
        var price: Double
        var volume: Double
        var timestamp: String
        var side: String?
    }

    struct Book: Codable, Sendable {
        var symbol: String
        var bid: Double
        var ask: Double
        var bid_volume: Double
        var ask_volume: Double
        var bids: [[Double]]
        var asks: [[Double]]
        var kind: String
        var timestamp: String
        var venue_symbol: String
        var instrument: String
        var received_at: String
    }

    struct Field: Codable, Sendable {
        var scraper: String
        var item: String
        var url: String
        var field: String
        var value: String
        var selector: String
        var fallback_index: Int
    }

    static let trade = Event(
        event_id: "550e8400-e29b-41d4-a716-446655440000", event_type: "trade", timestamp: "2024-01-15T10:30:00Z",
        source: "hyperliquid",
        payload: Trade(symbol: "BTC-USD", price: 50000, volume: 1.5, timestamp: "2024-01-15T10:30:00Z", side: "buy"),
        correlation_id: "550e8400-e29b-41d4-a716-446655440001", priority: 5)

    static func read<Payload>(_ type: Event<Payload>.Type, _ json: String) throws -> Event<Payload> {
        try JSONDecoder().decode(type, from: Data(json.utf8))
    }

    static func encode<Payload>(_ event: Event<Payload>, _ amount: Int) throws -> Int {
        let encoder = JSONEncoder()
        var bytes = 0
        for _ in 0..<amount { bytes += try encoder.encode(event).count }
        precondition(bytes > amount, "nothing was encoded")
        return amount
    }

    static func decode<Payload>(_ type: Event<Payload>.Type, _ json: String, _ amount: Int) throws -> Int {
        let decoder = JSONDecoder()
        let data = Data(json.utf8)
        for _ in 0..<amount {
            let event = try decoder.decode(type, from: data)
            precondition(event.priority == 5, "an event was decoded wrongly")
        }
        return amount
    }
}
