import NIOHTTP1
import Testing
import Tidings
import TidingsWebSocket

@testable import TidingsGateway

/// What somebody sees and may send whose token is for trades and logins of BTC-USD.
@Suite(.timeLimit(.minutes(1)))
struct RestrictedTests {
    private static let headers = Keyring.bearer(Keyring.restricted)

    private static func harness<Result: Sendable>(
        _ body: @Sendable (GatewayHarness, Keyring) async throws -> Result
    ) async throws -> Result {
        let keyring = try Keyring()
        return try await GatewayHarness.run(configure: { $0.access = keyring.policy }) { try await body($0, keyring) }
    }

    private static func get(_ gateway: GatewayHarness, _ path: String) async throws -> HTTPTestResponse {
        try await gateway.request("GET", path, headers: Self.headers)
    }

    private static func source(_ gateway: GatewayHarness, _ id: String) async throws -> Name? {
        let id = try #require(EventID(id))
        let logged = try await gateway.log.event(id)
        return try logged?.event().source
    }

    private static func ids(_ answer: HTTPTestResponse) throws -> [String] {
        try #require(try answer.object["events"]?.array).compactMap { $0.object?["event"]?.object?["event_id"]?.string }
    }

    @Test func `a list has what may be seen, page by page`() async throws {
        try await Self.harness { gateway, _ in
            // Mixed, so that whole pages hold nothing that may be seen.
            try await gateway.publishTrades(1...300, symbol: "ETH-USD")
            try await gateway.publishTrades(1...3)
            try await gateway.publishTrades(1...3, type: .ticker)
            try await gateway.publishTrades(4...6)
            let visible = (1...6).map { "BTC-USD-trade-\($0)" }
            #expect(try await Self.ids(Self.get(gateway, "/api/v1/events")) == visible)
            #expect(try await Self.ids(Self.get(gateway, "/api/v1/events?order=desc")) == visible.reversed())
            let first = try await Self.get(gateway, "/api/v1/events?limit=2")
            #expect(try Self.ids(first) == ["BTC-USD-trade-1", "BTC-USD-trade-2"])
            let next = try #require(try first.object["next_after"]?.int)
            #expect(
                try await Self.ids(Self.get(gateway, "/api/v1/events?after=\(next)")) == Array(visible.dropFirst(2)))
            for query in ["type=ticker", "symbol=ETH-USD", "type=*&symbol=ETH-USD", "source=other"] {
                #expect(try await Self.ids(Self.get(gateway, "/api/v1/events?\(query)")).isEmpty, "\(query)")
            }
        }
    }

    @Test func `an event that may not be seen is not there`() async throws {
        try await Self.harness { gateway, _ in
            try await gateway.publishTrades(1...1)
            try await gateway.publishTrades(1...1, symbol: "ETH-USD")
            #expect(try await Self.get(gateway, "/api/v1/events/BTC-USD-trade-1").status == 200)
            for path in ["ETH-USD-trade-1", "ETH-USD-trade-1/tree", "unknown"] {
                let answer = try await Self.get(gateway, "/api/v1/events/\(path)")
                #expect(answer.status == 404)
                #expect(try answer.object["code"]?.string == "not_found")
            }
        }
    }

    @Test func `a tree keeps what hangs together without what may not be seen`() async throws {
        try await Self.harness { gateway, _ in
            func event(_ id: String, _ type: String, _ parent: String?, _ second: Int) -> String {
                let parent = parent.map { #","parent_event_id":"\#($0)","correlation_id":"root""# } ?? ""
                return #"{"event_id":"\#(id)","event_type":"\#(type)","timestamp":"2026-01-15T10:30:0\#(second)Z","#
                    + #""source":"s","payload":{"symbol":"BTC-USD"}\#(parent)}"#
            }
            let events = [
                event("root", "ticker", nil, 0), event("top", "trade", "root", 1), event("hidden", "custom", "top", 2),
                event("below", "trade", "hidden", 3), event("asked", "trade", "top", 4),
                event("child", "login.failed", "asked", 6), event("beside", "trade", "root", 7),
            ]
            let sent = try await gateway.request(
                "POST", "/api/v1/events",
                headers: Keyring.bearer(Keyring.all) + [("Content-Type", "application/json")],
                body: "[\(events.joined(separator: ","))]")
            #expect(sent.status == 202)
            let tree = try await Self.get(gateway, "/api/v1/events/asked/tree")
            #expect(tree.status == 200)
            let object = try tree.object
            #expect(object["incomplete"]?.bool == true)
            let root = try #require(object["root"]?.object)
            #expect(root["event"]?.object?["event_id"]?.string == "top")
            #expect(root["elapsed_ms"]?.int == 0)
            let asked = try #require(root["children"]?.array?.first?.object)
            #expect(root["children"]?.array?.count == 1)
            #expect(asked["event"]?.object?["event_id"]?.string == "asked")
            #expect(asked["elapsed_ms"]?.int == 3000)
            #expect(asked["children"]?.array?.count == 1)
            for id in ["root", "hidden", "below", "beside"] { #expect(!tree.body.contains("\"event_id\":\"\(id)\"")) }
            let all = try await gateway.request(
                "GET", "/api/v1/events/asked/tree", headers: Keyring.bearer(Keyring.all))
            #expect(try all.object["incomplete"]?.bool == false)
            #expect(all.body.contains("\"event_id\":\"hidden\""))
        }
    }

    @Test func `books, candles, counters and connectors know no more`() async throws {
        let keyring = try Keyring()
        let sources = GatewaySources(connectors: {
            [
                ConnectorSnapshot(connector: "a", state: "subscribed", symbols: ["BTC-USD", "ETH-USD"]),
                ConnectorSnapshot(connector: "b", state: "subscribed", symbols: ["ETH-USD"]),
            ]
        })
        let some = try AccessToken(
            name: "btc", sha256: SHA256Sum(of: "btc"), scopes: [.read], symbols: ["BTC-USD"])
        keyring.policy.replace(with: .init(tokens: keyring.entries + [some]))
        try await GatewayHarness.run(sources: sources, configure: { $0.access = keyring.policy }) { gateway in
            try await gateway.publishTrades(1...2)
            try await gateway.publishTrades(1...1, type: .ticker)
            for symbol: Name in ["BTC-USD", "ETH-USD"] {
                let level = [OrderBook.Level(price: 1, volume: 1)]
                _ = try await gateway.bus.publish(
                    StandardEvent(
                        eventType: .orderBook, source: "binance",
                        payload: .orderBook(
                            OrderBook(
                                symbol: symbol, kind: .snapshot, bids: level, asks: level,
                                bestBid: level.first, bestAsk: level.first, sequence: 1,
                                context: MarketContext(venueSymbol: nil, instrument: .spot)))))
            }
            let metrics = try await Self.get(gateway, "/api/v1/metrics").object
            #expect(metrics["by_type"]?.object == ["trade": 2] as JSONObject?)
            for path in ["order-books/BTC-USD", "candles?symbol=BTC-USD&interval=1m"] {
                let answer = try await Self.get(gateway, "/api/v1/\(path)")
                #expect(answer.status == 403, "\(path)")
                #expect(try answer.object["code"]?.string == "forbidden")
            }
            #expect(try await Self.get(gateway, "/api/v1/connectors").body == #"{"connectors":[]}"#)
            let btc = Keyring.bearer("btc")
            #expect(try await gateway.request("GET", "/api/v1/order-books/BTC-USD", headers: btc).status == 200)
            #expect(try await gateway.request("GET", "/api/v1/order-books/ETH-USD", headers: btc).status == 404)
            let rows = try await gateway.request("GET", "/api/v1/connectors", headers: btc).object["connectors"]?.array
            #expect(rows?.count == 1)
            #expect(rows?.first?.object?["symbols"]?.array == ["BTC-USD"])
        }
    }

    @Test func `what may not be sent is refused by itself, and the rest is taken`() async throws {
        try await Self.harness { gateway, _ in
            let events = [
                #"{"event_id":"a","event_type":"trade","payload":{"symbol":"BTC-USD"}}"#,
                #"{"event_id":"b","event_type":"ticker","payload":{"symbol":"BTC-USD"}}"#,
                #"{"event_id":"c","event_type":"trade","payload":{"symbol":"ETH-USD","venue_symbol":"BTC-USD"}}"#,
                #"{"event_id":"d","event_type":"login.failed","payload":{"symbol":"btc-usd"}}"#,
            ]
            let json = Self.headers + [("Content-Type", "application/json")]
            let answer = try await gateway.request(
                "POST", "/api/v1/events", headers: json, body: "[\(events.joined(separator: ","))]")
            #expect(answer.status == 202)
            #expect(
                answer.body.hasPrefix(
                    #"{"accepted":2,"duplicates":0,"rejected":[{"index":1,"error":{"code":"forbidden","#
                        + #""field":"event_type","#))
            #expect(answer.body.contains(#"{"index":2,"error":{"code":"forbidden","field":"payload.symbol""#))
            let lines = Self.headers + [("Content-Type", "application/x-ndjson")]
            let refused = try await gateway.request(
                "POST", "/api/v1/events", headers: lines, body: events[1] + "\n" + events[2])
            #expect(refused.status == 400)
            #expect(try refused.object["rejected"]?.array?.count == 2)
            // Who names no source is the token's name.
            #expect(try await Self.source(gateway, "a") == "restricted")

            let socket = try await gateway.socket(
                headers: [WebSocketHeader("Authorization", "Bearer \(Keyring.restricted)")])
            let no = try await socket.ask(#"{"action":"publish","id":1,"event":\#(events[1])}"#)
            #expect(
                no
                    == #"{"type":"error","action":"published","error":"this token may not send events of type 'ticker'","#
                    + #""code":"forbidden","field":"event_type","id":1}"#)
            let yes = try await socket.ask(
                #"{"action":"publish","event":{"event_id":"e","event_type":"trade","payload":{"symbol":"BTC-USD"}}}"#)
            #expect(yes.contains("\"status\":\"accepted\""))
            #expect(try await Self.source(gateway, "e") == "restricted")
        }
    }

    @Test func `clients of one interest and other rights each get what is theirs`() async throws {
        try await Self.harness { gateway, _ in
            func socket(_ token: String) async throws -> TestSocket {
                let socket = try await gateway.socket(headers: [WebSocketHeader("Authorization", "Bearer \(token)")])
                let answer = try await socket.ask(#"{"action":"subscribe","symbols":["*"],"event_types":["*"]}"#)
                #expect(answer.contains("\"subscribed\""))
                return socket
            }
            let all = try await socket(Keyring.all)
            let reader = try await socket(Keyring.reader)
            let restricted = try await socket(Keyring.restricted)
            for number in 1...20 {
                try await gateway.publishTrades(number...number, symbol: "ETH-USD")
                try await gateway.publishTrades(number...number, type: .ticker)
                try await gateway.publishTrades(number...number)
            }
            #expect(try await all.offsets(60) == Array(1...60))
            #expect(try await reader.offsets(60) == Array(1...60))
            #expect(try await restricted.offsets(20) == (1...20).map { $0 * 3 })

            // History as well.
            let late = try await gateway.socket(
                headers: [WebSocketHeader("Authorization", "Bearer \(Keyring.restricted)")])
            _ = try await late.ask(#"{"action":"subscribe","event_types":["*"],"from":"start"}"#)
            #expect(try await late.offsets(20) == (1...20).map { $0 * 3 })
            try await gateway.publishTrades(21...21, symbol: "ETH-USD")
            try await gateway.publishTrades(21...21)
            #expect(try await late.offsets(1) == [62])
            #expect(try await restricted.offsets(1) == [62])
            // What was asked for and may not be seen is not delivered.
            let other = try await gateway.socket(
                headers: [WebSocketHeader("Authorization", "Bearer \(Keyring.restricted)")])
            _ = try await other.ask(#"{"action":"subscribe","symbols":["ETH-USD"],"from":"start"}"#)
            #expect(try await other.ask(#"{"action":"ping"}"#) == #"{"type":"pong"}"#)
        }
    }

    @Test func `a stream over HTTP has what may be seen, from history and live`() async throws {
        try await Self.harness { gateway, _ in
            try await gateway.publishTrades(1...5, symbol: "ETH-USD")
            try await gateway.publishTrades(1...2)
            let client = try await gateway.http()
            try await client.sendHead("GET", "/api/v1/stream?after=0", headers: Self.headers)
            try await client.sendEnd()
            #expect(try await client.head().status == .ok)
            var text = ""
            while !text.contains("BTC-USD-trade-2") { text += try #require(try await client.bodyPart()) }
            try await gateway.publishTrades(6...6, symbol: "ETH-USD")
            try await gateway.publishTrades(3...3)
            while !text.contains("BTC-USD-trade-3") { text += try #require(try await client.bodyPart()) }
            #expect(!text.contains("ETH-USD"))
            client.close()
        }
    }

    @Test func `an admin who may see some dead letters handles those and no others`() async throws {
        try await Self.harness { gateway, _ in
            let purge = try await gateway.request("DELETE", "/api/v1/dead-letters", headers: Self.headers)
            #expect(purge.status == 403)
            for (id, symbol) in [("mine", "BTC-USD"), ("other", "ETH-USD")] {
                let now = Timestamp.now()
                try await gateway.log.deadLetters.put(
                    DeadLetter(
                        id: EventID(id) ?? EventID(),
                        event: StandardEvent(eventType: .trade, source: "s", payload: ["symbol": .string(symbol)]),
                        subscriber: "h", firstError: "e", lastError: "e", attempts: 1, firstFailedAt: now,
                        lastFailedAt: now))
            }
            let list = try await gateway.request("GET", "/api/v1/dead-letters", headers: Self.headers)
            #expect(try list.object["dead_letters"]?.array?.count == 1)
            #expect(list.body.contains("\"mine\""))
            for (method, path) in [("GET", "other"), ("DELETE", "other"), ("POST", "other/retry")] {
                let answer = try await gateway.request(method, "/api/v1/dead-letters/\(path)", headers: Self.headers)
                #expect(answer.status == 404, "\(method) \(path)")
            }
            let removed = try await gateway.request("DELETE", "/api/v1/dead-letters/mine", headers: Self.headers)
            #expect(removed.status == 204)
        }
    }
}
