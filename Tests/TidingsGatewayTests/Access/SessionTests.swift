import NIOCore
import NIOHTTP1
import Testing
import Tidings
import TidingsWebSocket

@testable import TidingsGateway

@Suite(.timeLimit(.minutes(1)))
struct SessionTests {
    private static func harness<Result: Sendable>(
        _ configure: @escaping @Sendable (inout GatewayConfiguration) -> Void = { _ in },
        _ body: @Sendable (GatewayHarness, Keyring) async throws -> Result
    ) async throws -> Result {
        let keyring = try Keyring()
        return try await GatewayHarness.run(configure: { configuration in
            configuration.access = keyring.policy
            configure(&configuration)
        }) { try await body($0, keyring) }
    }

    /// Signs in, as the dashboard does; returns the `Cookie` header.
    private static func signIn(_ gateway: GatewayHarness, _ token: String) async throws -> (String, String) {
        let answer = try await gateway.request(
            "POST", "/api/v1/session",
            headers: [("Content-Type", "application/json"), ("Origin", "http://127.0.0.1:\(gateway.port)")],
            body: #"{"token":"\#(token)"}"#)
        #expect(answer.status == 200)
        let cookie = try #require(answer.headers.first(name: "set-cookie"))
        return ("Cookie", String(cookie.prefix { $0 != ";" }))
    }

    private static func origin(_ gateway: GatewayHarness) -> (String, String) {
        ("Origin", "http://127.0.0.1:\(gateway.port)")
    }

    @Test func `a session stands for its token, and ends`() async throws {
        try await Self.harness { gateway, _ in
            let answer = try await gateway.request(
                "POST", "/api/v1/session", headers: Keyring.bearer(Keyring.reader))
            #expect(answer.body == #"{"name":"reader","scopes":["read"],"types":[],"symbols":[]}"#)
            let cookie = try #require(answer.headers.first(name: "set-cookie"))
            #expect(cookie.hasPrefix("tidings_session="))
            #expect(cookie.hasSuffix("; Path=/; HttpOnly; SameSite=Strict"))
            #expect(cookie.contains("; Max-Age=43"))
            #expect(!cookie.contains(Keyring.reader))

            let session = try await Self.signIn(gateway, Keyring.all)
            #expect(try await gateway.request("GET", "/api/v1/metrics", headers: [session]).status == 200)
            #expect(
                try await gateway.request("GET", "/api/v1/session", headers: [session]).object["name"]?.string == "all")
            let end = try await gateway.request("DELETE", "/api/v1/session", headers: [session, Self.origin(gateway)])
            #expect(end.status == 204)
            #expect(end.headers.first(name: "set-cookie")?.hasPrefix("tidings_session=; Max-Age=0") == true)
            let after = try await gateway.request("GET", "/api/v1/metrics", headers: [session])
            #expect(after.status == 401)
            #expect(try after.object["code"]?.string == "session_ended")
        }
    }

    @Test func `no session is begun for a wrong token or another page`() async throws {
        try await Self.harness { gateway, _ in
            let json = ("Content-Type", "application/json")
            for (body, status) in [
                (#"{"token":"wrong"}"#, 401), (#"{"token":"expired-token"}"#, 401), (#"{"token":1}"#, 400),
                (#"{}"#, 400), ("nonsense", 400), (#"{"token":"a b"}"#, 401),
                (#"{"token":""# + String(repeating: "x", count: 40_000) + "\"}", 413),
            ] {
                let answer = try await gateway.request("POST", "/api/v1/session", headers: [json], body: body)
                #expect(answer.status == status, "\(body.prefix(40))")
                #expect(answer.headers["set-cookie"].isEmpty)
                #expect(!answer.body.contains("wrong"))
            }
            let foreign = try await gateway.request(
                "POST", "/api/v1/session", headers: [json, ("Origin", "https://evil.example")],
                body: #"{"token":"all-token"}"#)
            #expect(foreign.status == 403)
            let form = try await gateway.request(
                "POST", "/api/v1/session", headers: [("Content-Type", "text/plain")], body: #"{"token":"all-token"}"#)
            #expect(form.status == 415)
        }
    }

    @Test func `with a cookie only a page that may can change anything`() async throws {
        try await Self.harness { gateway, _ in
            let session = try await Self.signIn(gateway, Keyring.all)
            let json = ("Content-Type", "application/json")
            let event = #"{"event_type":"custom"}"#
            func post(_ headers: [(String, String)]) async throws -> (Int, String?) {
                let answer = try await gateway.request(
                    "POST", "/api/v1/events", headers: headers + [json], body: event)
                return (answer.status, try answer.object["code"]?.string)
            }
            #expect(try await post([session]) == (403, "missing_origin"))
            #expect(try await post([session, ("Origin", "https://evil.example")]) == (403, "foreign_origin"))
            #expect(try await post([session, ("Origin", "null")]) == (403, "foreign_origin"))
            #expect(try await post([session, Self.origin(gateway)]) == (202, nil))
            #expect(try await post(Keyring.bearer(Keyring.all)) == (202, nil))
            #expect(
                try await gateway.request("DELETE", "/api/v1/dead-letters", headers: [session]).status == 403)

            // A WebSocket is opened by pages only, too.
            let cookie = WebSocketHeader(session.0, session.1)
            let silent = await #expect(throws: WebSocketError.self) { try await gateway.socket(headers: [cookie]) }
            #expect(silent?.status == 403)
            let own = Self.origin(gateway)
            _ = try await gateway.socket(headers: [cookie, WebSocketHeader(own.0, own.1)])
        }
    }

    @Test func `a session ends with its token`() async throws {
        try await Self.harness { gateway, keyring in
            let session = try await Self.signIn(gateway, Keyring.reader)
            #expect(try await gateway.request("GET", "/api/v1/metrics", headers: [session]).status == 200)
            keyring.revoke(Keyring.reader)
            #expect(try await gateway.request("GET", "/api/v1/metrics", headers: [session]).status == 401)
        }
    }

    // MARK: WebSocket

    @Test func `a WebSocket takes the token from a header or a subprotocol`() async throws {
        try await Self.harness { gateway, _ in
            func refused(_ headers: [WebSocketHeader]) async throws -> Int? {
                let error = await #expect(throws: WebSocketError.self) { try await gateway.socket(headers: headers) }
                return error?.status
            }
            #expect(try await refused([]) == 401)
            #expect(try await refused([WebSocketHeader("Authorization", "Bearer wrong")]) == 401)
            #expect(try await refused([WebSocketHeader("Authorization", "Bearer \(Keyring.expired)")]) == 401)
            #expect(try await refused([WebSocketHeader("Authorization", "Bearer \(Keyring.admin)")]) == 403)
            _ = try await gateway.socket(headers: [WebSocketHeader("Authorization", "Bearer \(Keyring.reader)")])

            let head = try await gateway.request(
                "GET", "/ws?token=\(Keyring.all)", headers: Self.upgrade)
            #expect(head.status == 401)
            for (offered, answered) in [
                ("tidings, bearer.\(Keyring.reader)", "tidings"), ("bearer.\(Keyring.reader), chat", "chat"),
            ] {
                let client = try await gateway.http()
                try await client.sendHead("GET", "/ws", headers: Self.upgrade + [("Sec-WebSocket-Protocol", offered)])
                try await client.sendEnd()
                let answer = try await client.head()
                #expect(answer.status == .switchingProtocols)
                #expect(answer.headers["sec-websocket-protocol"] == [answered])
                client.close()
            }
        }
    }

    private static let upgrade = [
        ("Upgrade", "websocket"), ("Connection", "Upgrade"), ("Sec-WebSocket-Version", "13"),
        ("Sec-WebSocket-Key", "AAAAAAAAAAAAAAAAAAAAAA=="),
    ]

    @Test func `a WebSocket does what its scopes allow`() async throws {
        try await Self.harness { gateway, _ in
            let reader = try await gateway.socket(
                headers: [WebSocketHeader("Authorization", "Bearer \(Keyring.reader)")])
            let no = try await reader.ask(#"{"action":"publish","event":{"event_type":"custom"},"id":"x"}"#)
            #expect(
                no == #"{"type":"error","action":"published","error":"this needs a token with the scope 'publish'","#
                    + #""code":"forbidden","id":"x"}"#)
            let publisher = try await gateway.socket(
                headers: [WebSocketHeader("Authorization", "Bearer \(Keyring.publisher)")])
            let subscribe = try await publisher.ask(#"{"action":"subscribe","symbols":["*"]}"#)
            #expect(
                subscribe == #"{"type":"error","error":"This needs a token with the scope 'read'","code":"forbidden"}"#)
            let yes = try await publisher.ask(#"{"action":"publish","event":{"event_type":"custom"}}"#)
            #expect(yes.contains("accepted"))
        }
    }

    @Test func `open streams end when their token is taken out or runs out`() async throws {
        try await Self.harness { gateway, keyring in
            let socket = try await gateway.socket(
                headers: [WebSocketHeader("Authorization", "Bearer \(Keyring.reader)")])
            let other = try await gateway.socket(headers: [WebSocketHeader("Authorization", "Bearer \(Keyring.all)")])
            let stream = try await gateway.http()
            try await stream.sendHead("GET", "/api/v1/stream", headers: Keyring.bearer(Keyring.reader))
            try await stream.sendEnd()
            #expect(try await stream.head().status == .ok)
            keyring.revoke(Keyring.reader)
            #expect(
                try await gateway.request("GET", "/api/v1/metrics", headers: Keyring.bearer(Keyring.reader)).status
                    == 401)
            let closure = try await socket.closure()
            #expect(closure.code == .policyViolation)
            while try await stream.bodyPart(.seconds(5)) != nil {}
            #expect(try await other.ask(#"{"action":"ping"}"#) == #"{"type":"pong"}"#)

            let soon = try AccessToken(
                name: "soon", sha256: SHA256Sum(of: "soon"), scopes: [.read],
                expires: Timestamp.now().advanced(by: .milliseconds(700)))
            keyring.policy.replace(with: .init(tokens: keyring.entries + [soon]))
            let short = try await gateway.socket(headers: [WebSocketHeader("Authorization", "Bearer soon")])
            #expect(try await short.closure().code == .policyViolation)

            // Fewer rights end it as well: it would go on with those it had.
            let less = try AccessToken(
                name: "all", sha256: SHA256Sum(of: Keyring.all), scopes: [.read, .publish, .admin], types: ["trade"])
            keyring.policy.replace(with: .init(tokens: [less]))
            #expect(try await other.closure().code == .policyViolation)
        }
    }

    // MARK: Hosts and pages of other origins

    @Test func `a foreign name is not answered where nobody is asked`() async throws {
        try await GatewayHarness.run(configure: { $0.allowedOrigins = ["https://dash.example.com"] }) { gateway in
            func status(_ host: String, _ path: String) async throws -> Int {
                let raw = try await RawTestClient.connect(port: gateway.port)
                defer { raw.close() }
                try await raw.send(
                    ByteBuffer(string: "GET \(path) HTTP/1.1\r\nHost: \(host)\r\nConnection: close\r\n\r\n"))
                try await eventually("an answer") { raw.text.contains("\r\n\r\n") }
                return Int(raw.text.split(separator: " ")[1]) ?? 0
            }
            for path in ["/", "/api/v1/events", "/api/v1/metrics", "/app.js"] {
                #expect(try await status("evil.example:\(gateway.port)", path) == 421, "\(path)")
                #expect(try await status("dash.example.com", path) == 200)
                #expect(try await status("localhost:1", path) == 200)
            }
            #expect(try await status("evil.example", "/livez") == 200)
            let raw = try await RawTestClient.connect(port: gateway.port)
            try await raw.send(
                ByteBuffer(
                    string: "GET /ws HTTP/1.1\r\nHost: evil.example\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n"
                        + "Sec-WebSocket-Version: 13\r\nSec-WebSocket-Key: AAAAAAAAAAAAAAAAAAAAAA==\r\n\r\n"))
            try await eventually("an answer") { raw.text.contains("\r\n\r\n") }
            #expect(raw.text.hasPrefix("HTTP/1.1 421 "))
            raw.close()
        }
    }

    @Test func `a page of an allowed origin can read and publish, another cannot`() async throws {
        try await Self.harness({ $0.allowedOrigins = ["https://dash.example.com"] }) { gateway, _ in
            let page = ("Origin", "https://dash.example.com")
            let ask = [
                ("Access-Control-Request-Method", "POST"), ("Access-Control-Request-Headers", "authorization, x-a"),
            ]
            let preflight = try await gateway.request("OPTIONS", "/api/v1/events", headers: [page] + ask)
            #expect(preflight.status == 204)
            #expect(preflight.headers.first(name: "access-control-allow-origin") == page.1)
            #expect(preflight.headers.first(name: "access-control-allow-methods")?.contains("POST") == true)
            #expect(preflight.headers.first(name: "access-control-allow-headers") == "authorization, x-a")
            #expect(preflight.headers.first(name: "vary") == "Origin")
            let read = try await gateway.request(
                "GET", "/api/v1/metrics", headers: [page] + Keyring.bearer(Keyring.all))
            #expect(read.status == 200)
            #expect(read.headers.first(name: "access-control-allow-origin") == page.1)
            #expect(read.headers.first(name: "cross-origin-resource-policy") == "cross-origin")
            let sent = try await gateway.request(
                "POST", "/api/v1/events",
                headers: [page, ("Content-Type", "application/json")] + Keyring.bearer(Keyring.all),
                body: #"{"event_type":"custom"}"#)
            #expect(sent.status == 202)
            // Errors can be read, too.
            let wrong = try await gateway.request("GET", "/api/v1/metrics", headers: [page])
            #expect(wrong.status == 401)
            #expect(wrong.headers.first(name: "access-control-allow-origin") == page.1)

            let evil = ("Origin", "https://evil.example")
            let refused = try await gateway.request("OPTIONS", "/api/v1/events", headers: [evil] + ask)
            #expect(refused.headers.first(name: "access-control-allow-origin") == nil)
            #expect(refused.headers.first(name: "access-control-allow-methods") == nil)
            let foreign = try await gateway.request(
                "POST", "/api/v1/events",
                headers: [evil, ("Content-Type", "application/json")] + Keyring.bearer(Keyring.all),
                body: #"{"event_type":"custom"}"#)
            #expect(foreign.status == 403)
        }
    }

    @Test func `the dashboard's pages say what they may do`() async throws {
        try await Self.harness { gateway, _ in
            let page = try await gateway.request("GET", "/")
            #expect(page.status == 200)
            #expect(page.headers.first(name: "content-security-policy")?.hasPrefix("default-src 'self'") == true)
            #expect(page.headers.first(name: "cross-origin-opener-policy") == "same-origin")
            #expect(page.headers.first(name: "x-frame-options") == "DENY")
        }
    }
}
