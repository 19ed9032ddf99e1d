import NIOCore
import NIOHTTP1
import Testing
import Tidings
import TidingsWebSocket

@testable import TidingsGateway

@Suite(.timeLimit(.minutes(1)))
struct WebSocketTests {
    @Test func `requests are answered in the words of the contract`() async throws {
        try await GatewayHarness.run { gateway in
            let socket = try await gateway.socket()
            let epoch = gateway.log.epoch
            for (request, answer) in [
                (#"{"action":"ping"}"#, #"{"type":"pong"}"#),
                (#"{"action":"ping","id":7}"#, #"{"type":"pong","id":7}"#),
                (
                    #"{"action":"subscribe","symbols":["btc-usd"],"event_types":["trade"],"id":"a"}"#,
                    #"{"type":"ack","action":"subscribed","data":{"symbols":["btc-usd"],"event_types":["trade"],"epoch":"\#(epoch)","offset":0},"id":"a"}"#
                ),
                (
                    #"{"action":"subscribe","symbols":["ETH-USD"]}"#,
                    #"{"type":"ack","action":"subscribed","data":{"symbols":["ETH-USD"],"event_types":["*"],"epoch":"\#(epoch)","offset":0}}"#
                ),
                (
                    #"{"action":"subscribe","event_types":["login.*"],"from":"start"}"#,
                    #"{"type":"ack","action":"subscribed","data":{"symbols":["*"],"event_types":["login.*"],"epoch":"\#(epoch)","offset":0,"recovered":true}}"#
                ),
                (
                    #"{"action":"unsubscribe","symbols":["BTC-usd"],"event_type":"trade"}"#,
                    #"{"type":"ack","action":"unsubscribed","data":{"symbols":["BTC-usd"],"event_type":"trade","removed_count":1}}"#
                ),
                (
                    #"{"action":"unsubscribe","symbols":["ETH-USD","BTC-USD"]}"#,
                    #"{"type":"ack","action":"unsubscribed","data":{"symbols":["ETH-USD","BTC-USD"],"event_type":null,"removed_count":1}}"#
                ),
                (#"{"action":"subscribe"}"#, #"{"type":"error","error":"Missing 'symbols' field"}"#),
                (#"{"action":"subscribe","symbols":[]}"#, #"{"type":"error","error":"Missing 'symbols' field"}"#),
                (
                    #"{"action":"subscribe","symbols":["A"],"event_types":[]}"#,
                    #"{"type":"error","error":"Missing 'symbols' field"}"#
                ),
                (#"{"action":"unsubscribe"}"#, #"{"type":"error","error":"Missing 'symbols' field"}"#),
                (
                    #"{"action":"subscribe","symbols":"BTC"}"#,
                    #"{"type":"error","error":"'symbols' must be a list of strings"}"#
                ),
                (
                    #"{"action":"subscribe","symbols":["A"],"event_types":[1],"id":null}"#,
                    #"{"type":"error","error":"'event_types' must be a list of strings","id":null}"#
                ),
                (#"{"action":"zzz","id":[1]}"#, #"{"type":"error","error":"Unknown action: zzz","id":[1]}"#),
                (#"[1]"#, #"{"type":"error","error":"Invalid JSON: expected an object"}"#),
                (
                    #"{"action":"#,
                    #"{"type":"error","error":"Invalid JSON: the JSON ends too early at byte 10"}"#
                ),
                (#"{"action":"publish"}"#, #"{"type":"error","error":"Missing 'event' field"}"#),
                (
                    #"{"action":"publish","event":{"event_id":"e1","event_type":"custom"},"id":1}"#,
                    #"{"type":"ack","action":"published","data":{"event_id":"e1","offset":1,"status":"accepted"},"id":1}"#
                ),
                (
                    #"{"action":"publish","event":{"event_id":"e1","event_type":"custom"}}"#,
                    #"{"type":"ack","action":"published","data":{"event_id":"e1","offset":1,"status":"duplicate"}}"#
                ),
                (
                    #"{"action":"publish","event":{"event_type":"custom","priority":11},"id":2}"#,
                    #"{"type":"error","action":"published","error":"must be 1...10, was 11","code":"invalid_priority","field":"priority","id":2}"#
                ),
                (
                    #"{"action":"publish","event":{"event_type":"custom","payload":{"n":NaN}}}"#,
                    #"{"type":"error","error":"Invalid JSON: NaN and Infinity are not JSON numbers at byte 66"}"#
                ),
            ] {
                #expect(try await socket.ask(request) == answer)
            }
            try await socket.close()
        }
    }

    @Test func `clients get what they asked for and nothing else`() async throws {
        try await GatewayHarness.run { gateway in
            let trades = try await gateway.socket()
            let logins = try await gateway.socket()
            let both = try await gateway.socket()
            _ = try await trades.ask(#"{"action":"subscribe","symbols":["btc-usd"],"event_types":["trade"]}"#)
            _ = try await logins.ask(#"{"action":"subscribe","event_types":["login.*"],"sources":["web"]}"#)
            _ = try await both.ask(#"{"action":"subscribe","symbols":["*"]}"#)
            _ = try await both.ask(#"{"action":"subscribe","symbols":["BTC-USD"],"event_types":["trade","*"]}"#)
            let events = [
                ("trade", "test", "BTC-USD"), ("trade", "test", "ETH-USD"), ("login.success", "web", nil),
                ("login.success", "other", nil), ("ticker", "test", "BTC-USD"), ("trade", "test", "Btc-Usd"),
            ].map { type, source, symbol in
                StandardEvent(
                    eventType: EventType(rawValue: type), source: Name(source),
                    payload: symbol.map { ["symbol": .string($0)] } ?? [:])
            }
            _ = try await gateway.bus.publish(EventBatch(events))
            #expect(try await trades.offsets(2) == [1, 6])
            #expect(try await logins.offsets(1) == [3])
            let first = try await both.next()
            #expect(first?.description == #"{"type":"event","offset":1,"data":\#(events[0].json)}"#)
            #expect(try await both.offsets(5) == [2, 3, 4, 5, 6])
            // Nothing is left but the answer.
            for socket in [trades, logins, both] {
                #expect(try await socket.ask(#"{"action":"ping"}"#) == #"{"type":"pong"}"#)
            }
        }
    }

    @Test func `nothing comes after an unsubscribe`() async throws {
        try await GatewayHarness.run { gateway in
            let socket = try await gateway.socket()
            _ = try await socket.ask(#"{"action":"subscribe","symbols":["BTC-USD","ETH-USD"]}"#)
            try await gateway.publishTrades(1...1)
            #expect(try await socket.offsets(1) == [1])
            _ = try await socket.ask(#"{"action":"unsubscribe","symbols":["BTC-USD"]}"#)
            try await gateway.publishTrades(2...3)
            try await gateway.publishTrades(1...1, symbol: "ETH-USD")
            #expect(try await socket.offsets(1) == [4])
        }
    }

    @Test func `many publishes in one read keep their order`() async throws {
        try await GatewayHarness.run { gateway in
            let socket = try await gateway.socket()
            for number in 1...300 {
                try await socket.send(
                    #"{"action":"publish","event":{"event_type":"custom","payload":{"n":\#(number)}},"id":\#(number)}"#)
                if number % 100 == 0 { try await socket.send(#"{"action":"ping","id":\#(number)}"#) }
            }
            var ids: [Int] = []
            var offsets: [Int] = []
            while ids.count < 303 {
                let next = try await socket.next()
                let answer = try #require(next)
                ids.append(try #require(answer["id"]?.int))
                if let offset = answer["data"]?.object?["offset"]?.int { offsets.append(offset) }
            }
            #expect(offsets == Array(1...300))
            #expect(ids == Array(1...100) + [100] + Array(101...200) + [200] + Array(201...300) + [300])
        }
    }

    @Test func `a binary frame ends the connection`() async throws {
        try await GatewayHarness.run { gateway in
            let socket = try await gateway.socket()
            try await socket.connection().send(binary: ByteBuffer(bytes: [1, 2]))
            #expect(try await socket.closure().code.rawValue == 1003)
        }
    }

    @Test func `a message that is too big ends the connection`() async throws {
        try await GatewayHarness.run {
            $0.limits.eventBytes = 1000
        } _: { gateway in
            let socket = try await gateway.socket()
            try await socket.send(String(repeating: " ", count: 100_000))
            #expect(try await socket.closure().code.rawValue == 1009)
        }
    }

    @Test func `there is a limit on subscriptions`() async throws {
        try await GatewayHarness.run {
            $0.limits.subscriptions = 3
        } _: { gateway in
            let socket = try await gateway.socket()
            _ = try await socket.ask(#"{"action":"subscribe","symbols":["A","B"]}"#)
            #expect(
                try await socket.ask(#"{"action":"subscribe","symbols":["C","D"]}"#)
                    == #"{"type":"error","error":"Too many subscriptions: at most 3 pairs of symbol and type"}"#)
        }
    }

    @Test func `a handshake that cannot be is answered over HTTP`() async throws {
        try await GatewayHarness.run {
            $0.limits.clients = 1
        } _: { gateway in
            let plain = try await gateway.request("GET", "/ws")
            #expect(plain.status == 426)
            #expect(plain.headers.first(name: "upgrade") == "websocket")
            #expect(try plain.object["code"]?.string == "upgrade_required")

            let used = try await gateway.http()
            _ = try await used.request("GET", "/livez")
            let late = try await used.request(
                "GET", "/ws",
                headers: [
                    ("Upgrade", "websocket"), ("Connection", "Upgrade"), ("Sec-WebSocket-Version", "13"),
                    ("Sec-WebSocket-Key", "AAAAAAAAAAAAAAAAAAAAAA=="),
                ])
            #expect(late.status == 426)
            #expect(try late.object["detail"]?.string?.contains("first request") == true)
            #expect(try await used.isClosedByServer())

            let foreign = await #expect(throws: WebSocketError.self) {
                try await gateway.socket(headers: [WebSocketHeader("Origin", "http://evil.example")])
            }
            #expect(foreign?.status == 403)
            let own = try await gateway.socket(headers: [WebSocketHeader("Origin", "http://127.0.0.1:\(gateway.port)")])
            let full = await #expect(throws: WebSocketError.self) { try await gateway.socket() }
            #expect(full?.status == 503)
            try await own.close()
            _ = try await own.closure()
            try await eventually("the place is free again") { gateway.gateway.streamStatistics.clients == 0 }
            _ = try await gateway.socket()
        }
    }

    @Test func `frames that come with the handshake are not lost`() async throws {
        try await GatewayHarness.run { gateway in
            let raw = try await RawTestClient.connect(port: gateway.port)
            var bytes = ByteBuffer(
                string: "GET /ws HTTP/1.1\r\nHost: x\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n"
                    + "Sec-WebSocket-Version: 13\r\nSec-WebSocket-Key: AAAAAAAAAAAAAAAAAAAAAA==\r\n\r\n")
            bytes.writeWebSocketText(#"{"action":"ping"}"#, maskingKey: 0x1234_5678)
            try await raw.send(bytes)
            try await eventually("the answer") { raw.text.contains(#"{"type":"pong"}"#) }
            raw.close()
        }
    }
}
