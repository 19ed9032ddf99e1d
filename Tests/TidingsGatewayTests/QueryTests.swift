import NIOHTTP1
import Testing
import Tidings

@testable import TidingsGateway

@Suite(.timeLimit(.minutes(1)))
struct QueryTests {
    private func offsets(_ answer: HTTPTestResponse) throws -> [Int] {
        try answer.object["events"]?.array?.compactMap { $0.object?["offset"]?.int } ?? []
    }

    @Test func `events are read in pages in either order`() async throws {
        try await GatewayHarness.run { gateway in
            try await gateway.publishTrades(1...250)
            let first = try await gateway.request("GET", "/api/v1/events")
            #expect(first.status == 200)
            #expect(first.headers.first(name: "content-type") == "application/json")
            #expect(try offsets(first) == Array(1...100))
            #expect(try first.object["next_after"]?.int == 100)
            let last = try await gateway.request("GET", "/api/v1/events?after=200&limit=50")
            #expect(try offsets(last) == Array(201...250))
            #expect(try last.object["next_after"] == nil)
            let newest = try await gateway.request("GET", "/api/v1/events?order=desc&limit=3")
            #expect(try offsets(newest) == [250, 249, 248])
            #expect(try newest.object["next_after"]?.int == 248)
            let below = try await gateway.request("GET", "/api/v1/events?order=desc&after=3")
            #expect(try offsets(below) == [2, 1])
            #expect(try below.object["next_after"] == nil)
        }
    }

    @Test func `a long list comes in parts and whole`() async throws {
        try await GatewayHarness.run { gateway in
            try await gateway.publishTrades(1...5000)
            let all = try await gateway.request("GET", "/api/v1/events?limit=10000")
            #expect(try offsets(all) == Array(1...5000))
            #expect(try all.object["next_after"] == nil)
            let most = try await gateway.request("GET", "/api/v1/events?limit=4999&order=desc")
            #expect(try offsets(most) == (2...5000).reversed())
            #expect(try most.object["next_after"]?.int == 2)
        }
    }

    @Test func `filters are ORed within and ANDed between, repeated or with commas`() async throws {
        try await GatewayHarness.run { gateway in
            for (type, symbol, source) in [
                ("trade", "BTC-USD", "a"), ("trade", "ETH-USD", "b"), ("ticker", "BTC-USD", "a"),
                ("login.success", nil, "a"), ("trade", "btc-usd", "b"),
            ] {
                let payload: JSONObject = symbol.map { ["symbol": .string($0), "item": "i1"] } ?? ["item": "i2"]
                let event = StandardEvent(
                    eventType: EventType(rawValue: type), source: Name(source), payload: .object(payload),
                    timestamp: Timestamp("2024-01-15T10:30:00Z"), correlationID: EventID("c-\(type)"))
                _ = try await gateway.bus.publish(event)
            }
            for (query, expected) in [
                ("type=trade", [1, 2, 5]), ("type=trade&symbol=BTC-USD", [1, 5]), ("symbol=btc-usd", [1, 3, 5]),
                ("type=ticker,login.*", [3, 4]), ("type=ticker&type=login.*", [3, 4]), ("source=b", [2, 5]),
                ("symbol=*", [1, 2, 3, 4, 5]), ("item=i2", [4]), ("correlation_id=c-ticker", [3]),
                ("since=2024-01-15T10:30:00Z", [1, 2, 3, 4, 5]), ("until=2024-01-15T10:30:00Z", []),
                ("since=2024-01-15T12:30:00+02:00&until=2024-01-15T12:30:01%2B02:00", [1, 2, 3, 4, 5]),
                ("since=1h", []), ("type=nothing", []), ("symbol=ETH%2DUSD", [2]),
            ] {
                let answer = try await gateway.request("GET", "/api/v1/events?\(query)")
                #expect(try offsets(answer) == expected, "\(query)")
            }
        }
    }

    @Test(arguments: [
        ("foo=1", "unknown_parameter", "foo"), ("limit=0", "invalid_limit", "limit"),
        ("limit=10001", "invalid_limit", "limit"), ("limit=x", "invalid_limit", "limit"),
        ("after=-1", "invalid_after", "after"), ("order=up", "invalid_order", "order"),
        ("since=yesterday", "invalid_since", "since"), ("type=a*b", "invalid_type", "type"),
        ("limit=1&limit=2", "invalid_limit", "limit"), ("type=%zz", "invalid_query", nil),
    ])
    func `a bad parameter is named`(query: String, code: String, field: String?) async throws {
        try await GatewayHarness.run { gateway in
            let answer = try await gateway.request("GET", "/api/v1/events?\(query)")
            #expect(answer.status == 400)
            #expect(answer.headers.first(name: "content-type") == "application/problem+json")
            #expect(try answer.object["code"]?.string == code)
            #expect(try answer.object["field"]?.string == field)
            #expect(try answer.object["status"]?.int == 400)
        }
    }

    @Test func `one event is found by its id`() async throws {
        try await GatewayHarness.run { gateway in
            let event = StandardEvent(eventType: "custom", source: "test", payload: .empty, eventID: EventID("a/b c"))
            _ = try await gateway.bus.publish(event)
            let found = try await gateway.request("GET", "/api/v1/events/a%2Fb%20c")
            #expect(found.status == 200)
            #expect(found.body == #"{"offset":1,"event":\#(event.json)}"#)
            let missing = try await gateway.request("GET", "/api/v1/events/nobody")
            #expect(missing.status == 404)
            #expect(try missing.object["code"]?.string == "not_found")
        }
    }
}
