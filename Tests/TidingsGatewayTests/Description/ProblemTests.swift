import Logging
import NIOCore
import NIOHTTP1
import Testing
import Tidings

@testable import TidingsGateway

/// Wrong requests of every kind: each is answered with a problem that the description knows, and every problem that the
/// description names can be had.
@Suite(.timeLimit(.minutes(2)))
struct ProblemTests {
    /// What can happen to any request, whatever it asks for: provoked once each.
    private static let everywhere: Set<Int> = [400, 408, 414, 429, 431, 500, 503]

    /// Notes what was answered to which operation.
    private final class Notes: Sendable {
        private let seen = Locked<[String: Set<Int>]>([:])
        let api: DescribedAPI

        init(_ api: DescribedAPI) { self.api = api }

        /// Holds an answer against RFC 9457 and the description.
        func check(_ name: String, _ status: Int, _ answer: HTTPTestResponse) throws {
            let comment: Comment = "\(name) \(status): \(answer.status) \(answer.body.prefix(300))"
            #expect(answer.status == status, comment)
            #expect(answer.headers.first(name: "content-type") == "application/problem+json", comment)
            #expect(answer.headers.first(name: "x-content-type-options") == "nosniff", comment)
            #expect(answer.headers.first(name: "date") != nil, comment)
            let problem = try answer.object
            #expect(problem["status"]?.int == status, comment)
            #expect(problem["type"]?.string == "about:blank", comment)
            #expect(problem["title"]?.string?.isEmpty == false, comment)
            #expect(problem["detail"]?.string?.isEmpty == false, comment)
            let code = problem["code"]?.string ?? ""
            #expect(!code.isEmpty && !code.contains(" "), comment)
            if status == 429 || status == 503 {
                #expect(Int(answer.headers.first(name: "retry-after") ?? "") ?? 0 > 0, comment)
            }
            if let operation = self.api.operations.first(where: { $0.name == name }) {
                #expect(operation.statuses.contains(status), comment)
            }
            self.seen.withLock { _ = $0[name, default: []].insert(status) }
        }

        func statuses(of name: String) -> Set<Int> { self.seen.withLock { $0[name] ?? [] } }
    }

    private static let upgrade = [
        ("Connection", "Upgrade"), ("Upgrade", "websocket"), ("Sec-WebSocket-Version", "13"),
        ("Sec-WebSocket-Key", "dGhlIHNhbXBsZSBub25jZQ=="),
    ]

    @Test func `every problem that is described can be had, and is a problem by RFC 9457`() async throws {
        let notes = Notes(try DescribedAPI.enforced())
        try await Self.askWrongly(notes)
        try await Self.askAsStrangers(notes)
        for operation in notes.api.operations {
            #expect(operation.statuses.isSuperset(of: Self.everywhere), "\(operation.name)")
            let promised = operation.statuses.filter { $0 >= 400 }.subtracting(Self.everywhere)
            #expect(notes.statuses(of: operation.name).isSuperset(of: promised), "\(operation.name)")
        }
    }

    // MARK: Without tokens

    private static func askWrongly(_ notes: Notes) async throws {
        let sources = GatewaySources(retryDeadLetter: { _ in throw EventBusError(.noSuchHandler, "not here") })
        let configure: (inout GatewayConfiguration) -> Void = {
            $0.limits.bodyBytes = 4096
            $0.limits.eventBytes = 1024
        }
        try await GatewayHarness.run(sources: sources, configure: configure) { gateway in
            for operation in notes.api.operations {
                try await Self.askUnderForeignNames(operation, notes, gateway)
            }
            for method in ["GET", "DELETE"] {
                try await notes.check(
                    "\(method) /api/v1/dead-letters/{id}", 404,
                    gateway.request(method, "/api/v1/dead-letters/none"))
            }
            let retry = "POST /api/v1/dead-letters/{id}/retry"
            try await notes.check(retry, 404, gateway.request("POST", "/api/v1/dead-letters/none/retry"))
            let letter = Self.letter()
            try await gateway.log.deadLetters.put(letter)
            try await notes.check(retry, 409, gateway.request("POST", "/api/v1/dead-letters/\(letter.id)/retry"))
            for suffix in ["", "/tree"] {
                try await notes.check(
                    "GET /api/v1/events/{event_id}\(suffix)", 404,
                    gateway.request("GET", "/api/v1/events/none\(suffix)"))
            }
            try await notes.check(
                "GET /api/v1/order-books/{symbol}", 404, gateway.request("GET", "/api/v1/order-books/NONE"))
            let post = "POST /api/v1/events"
            try await notes.check(post, 400, gateway.post("[]"))
            try await notes.check(post, 400, gateway.post("{"))
            try await notes.check(post, 413, gateway.post(String(repeating: " ", count: 5000)))
            try await notes.check(post, 415, gateway.post("{}", type: "text/plain"))
            try await notes.check(post, 415, gateway.request("POST", "/api/v1/events", body: "{}"))
            try await Self.askForWebSockets(notes, gateway)
            try await notes.check("GET /nowhere", 404, gateway.request("GET", "/nowhere"))
            try await Self.askWithWrongMethods(notes, gateway)
        }
    }

    private static func askUnderForeignNames(
        _ operation: DescribedAPI.Operation, _ notes: Notes, _ gateway: GatewayHarness
    ) async throws {
        if operation.statuses.contains(421) {
            let client = try await RawTestClient.connect(port: gateway.port)
            defer { client.close() }
            let head = "\(operation.method) \(operation.path()) HTTP/1.1\r\nHost: evil.example\r\n"
            try await client.send(head + "Content-Length: 0\r\n\r\n")
            try await notes.check(operation.name, 421, Self.answer(client))
        }
        if operation.method != "GET" {
            let headers = [("Origin", "https://evil.example")]
            try await notes.check(
                operation.name, 403, gateway.request(operation.method, operation.path(), headers: headers))
        }
    }

    private static func askWithWrongMethods(_ notes: Notes, _ gateway: GatewayHarness) async throws {
        for template in Set(notes.api.operations.map(\.template)) {
            let known = notes.api.operations.filter { $0.template == template }
            var allowed = Set(known.map(\.method) + ["OPTIONS"])
            if allowed.contains("GET") { allowed.insert("HEAD") }
            let path = known[0].path()
            for method in ["GET", "POST", "PUT", "PATCH", "DELETE", "TRACE", "PROPFIND"] where !allowed.contains(method)
            {
                let answer = try await gateway.request(method, path)
                try notes.check("\(method) \(template)", 405, answer)
                let allow = answer.headers.first(name: "allow") ?? ""
                #expect(Set(allow.split(separator: ", ").map(String.init)) == allowed, "\(method) \(template)")
            }
            let options = try await gateway.request("OPTIONS", path)
            #expect(options.status == 204 && options.body.isEmpty, "OPTIONS \(template)")
        }
    }

    private static func askForWebSockets(_ notes: Notes, _ gateway: GatewayHarness) async throws {
        try await notes.check("GET /ws", 426, gateway.request("GET", "/ws"))
        let foreign = Self.upgrade + [("Origin", "https://evil.example")]
        try await notes.check("GET /ws", 403, gateway.request("GET", "/ws", headers: foreign))
        let old = Self.upgrade.map { $0.0 == "Sec-WebSocket-Version" ? ($0.0, "8") : $0 }
        let answer = try await gateway.request("GET", "/ws", headers: old)
        try notes.check("GET /ws", 426, answer)
        #expect(answer.headers.first(name: "sec-websocket-version") == "13")
        let bad = Self.upgrade.map { $0.0 == "Sec-WebSocket-Key" ? ($0.0, "short") : $0 }
        try await notes.check("GET /ws", 400, gateway.request("GET", "/ws", headers: bad))
    }

    /// The first answer on a raw connection.
    private static func answer(_ client: RawTestClient) async throws -> HTTPTestResponse {
        @Sendable func parse() -> HTTPTestResponse? {
            let text = client.text
            guard let end = text.firstRange(of: "\r\n\r\n") else { return nil }
            let lines = text[..<end.lowerBound].split(separator: "\r\n")
            var headers = HTTPHeaders()
            for line in lines.dropFirst() {
                let sides = line.split(separator: ":", maxSplits: 1).map { $0.drop { $0 == " " } }
                if sides.count == 2 { headers.add(name: String(sides[0]), value: String(sides[1])) }
            }
            let body = String(text[end.upperBound...])
            guard body.utf8.count >= Int(headers.first(name: "content-length") ?? "") ?? 0 else { return nil }
            let status = lines.first?.split(separator: " ").dropFirst().first.flatMap { Int($0) } ?? 0
            return HTTPTestResponse(status: status, headers: headers, body: body)
        }
        try await eventually("an answer") { parse() != nil }
        return try #require(parse())
    }

    private static func letter() -> DeadLetter {
        DeadLetter(
            id: EventID(high: 1, low: 1), event: StandardEvent(eventType: .custom, source: "test", payload: [:]),
            subscriber: "webhook", firstError: "no", lastError: "no", attempts: 3, firstFailedAt: .now(),
            lastFailedAt: .now())
    }

    // MARK: With tokens

    private static func askAsStrangers(_ notes: Notes) async throws {
        let keyring = try Keyring()
        try await GatewayHarness.run(configure: { $0.access = keyring.policy }) { gateway in
            for operation in notes.api.operations where operation.statuses.contains(401) {
                try await notes.check(
                    operation.name, 401,
                    gateway.request(operation.method, operation.path()))
                guard let scope = operation.scope else { continue }
                let other = scope == .read ? Keyring.publisher : Keyring.reader
                let headers = Keyring.bearer(other)
                try await notes.check(
                    operation.name, 403, gateway.request(operation.method, operation.path(), headers: headers))
            }
            try await notes.check("GET /ws", 401, gateway.request("GET", "/ws", headers: Self.upgrade))
            let session = "POST /api/v1/session"
            try await notes.check(session, 400, gateway.post("{}", path: "/api/v1/session"))
            try await notes.check(session, 415, gateway.post("{}", type: "text/plain", path: "/api/v1/session"))
            let long = "{\"token\":\"\(String(repeating: "x", count: 100_000))\"}"
            try await notes.check(session, 413, gateway.post(long, path: "/api/v1/session"))
        }
    }

    // MARK: What can happen to any request

    @Test func `requests that are too long or no HTTP are problems`() async throws {
        let notes = Notes(try DescribedAPI.enforced())
        try await GatewayHarness.run { gateway in
            let long = String(repeating: "x", count: 20_000)
            try await notes.check("GET /livez", 414, gateway.request("GET", "/livez?\(long)"))
            let headers = (0..<5).map { ("X-\($0)", long) }
            try await notes.check("GET /livez", 431, gateway.request("GET", "/livez", headers: headers))
            for text in [
                "GET / HTTP/1.1\r\nno header\r\n\r\n", "hello\r\n\r\n", "GET  HTTP/9.9\r\n\r\n", "\u{16}\u{3}\u{1}",
            ] {
                let client = try await RawTestClient.connect(port: gateway.port)
                defer { client.close() }
                try await client.send(text + "\r\n\r\n")
                try await notes.check("GET /", 400, Self.answer(client))
            }
        }
    }

    @Test func `a request that comes too slowly is a problem`() async throws {
        let notes = Notes(try DescribedAPI.enforced())
        let configure: (inout GatewayConfiguration) -> Void = {
            $0.timeouts.head = .milliseconds(100)
            $0.timeouts.body = .milliseconds(100)
        }
        try await GatewayHarness.run(configure: configure) { gateway in
            for text in [
                "GET /livez HTT",
                "POST /api/v1/events HTTP/1.1\r\nHost: a.localhost\r\nContent-Type: application/json\r\nContent-Length: 9\r\n\r\n{",
            ] {
                let client = try await RawTestClient.connect(port: gateway.port)
                defer { client.close() }
                try await client.send(text)
                try await notes.check("GET /livez", 408, Self.answer(client))
            }
        }
    }

    @Test func `a connection for which there is no place is told so`() async throws {
        let notes = Notes(try DescribedAPI.enforced())
        try await GatewayHarness.run(configure: { $0.limits.connections = 1 }) { gateway in
            let first = try await gateway.http()
            defer { first.close() }
            #expect((try await first.request("GET", "/livez")).status == 200)
            // It is told before it has asked, and may find the connection closed when it does.
            let second = try await RawTestClient.connect(port: gateway.port)
            defer { second.close() }
            try await notes.check("GET /livez", 503, Self.answer(second))
        }
    }

    @Test func `an internal error tells nothing and is logged`() async throws {
        struct Secret: Error {}
        let notes = Notes(try DescribedAPI.enforced())
        let sources = GatewaySources(retryDeadLetter: { _ in throw Secret() })
        try await GatewayHarness.run(sources: sources) { gateway in
            let letter = Self.letter()
            try await gateway.log.deadLetters.put(letter)
            let client = try await gateway.http()
            defer { client.close() }
            let answer = try await client.request("POST", "/api/v1/dead-letters/\(letter.id)/retry")
            try notes.check("POST /api/v1/dead-letters/{id}/retry", 500, answer)
            #expect(!answer.body.contains("Secret"))
            #expect((try await client.request("GET", "/livez")).status == 200)
        }
    }

    @Test func `an answer to HEAD has no body, not even a problem`() async throws {
        try await GatewayHarness.run { gateway in
            for path in ["/nowhere", "/api/v1/events?x=1", "/livez", "/api/v1/events/none", "/openapi.json"] {
                let client = try await RawTestClient.connect(port: gateway.port)
                defer { client.close() }
                try await client.send("HEAD \(path) HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n\r\n")
                let text = try await client.everything()
                #expect(text.hasSuffix("\r\n\r\n"), "\(path): \(text)")
                #expect(text.lowercased().contains("content-length: "), "\(path)")
            }
        }
    }

    @Test func `all unknown parameters are named`() async throws {
        try await GatewayHarness.run { gateway in
            let answer = try await gateway.request("GET", "/api/v1/events?one=1&limit=5&two=2").object
            #expect(answer["code"]?.string == "unknown_parameter")
            #expect(answer["field"]?.string == "one")
            #expect(answer["errors"]?.array?.compactMap { $0.object?["field"]?.string } == ["one", "two"])
            #expect(answer["errors"]?.array?.first?.object?["code"]?.string == "unknown_parameter")
        }
    }
}
