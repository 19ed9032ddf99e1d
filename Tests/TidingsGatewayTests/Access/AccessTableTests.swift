import HTTPTypes
import HummingbirdCore
import NIOCore
import NIOHTTP1
import NIOPosix
import Testing
import Tidings

@testable import TidingsGateway

/// Every endpoint with every kind of token, from the list of routes itself.
@Suite(.timeLimit(.minutes(2)))
struct AccessTableTests {
    private struct Row: Sendable {
        let method: String
        let path: String
        let scope: AccessScope?

        var name: String { "\(self.method) \(self.path)" }
    }

    /// The routes of a gateway, with something at each wildcard.
    private static func rows() async throws -> [Row] {
        let log = MemoryEventLog()
        let bus = MemoryEventBus(log: log)
        let configuration = GatewayConfiguration()
        let gateway = try Gateway(configuration: configuration, bus: bus, log: log)
        let feed = try await StreamFeed.make(
            on: [MultiThreadedEventLoopGroup.singleton.any()], log: log, scope: WorkScope(),
            configuration: configuration)
        let access = AccessControl(nil, failures: 1)
        let ingest = EventIngest(bus: bus, log: log, access: access)
        let routes = gateway.routes(feed, ingest)
        await bus.stop()
        return routes.flatMap { route in
            let path = "/" + route.path.map { $0 == "*" ? "x" : String($0) }.joined(separator: "/")
            return route.endpoints.map { Row(method: $0.key.rawValue, path: path, scope: $0.value.scope) }
        }.sorted { $0.name < $1.name }
    }

    private static func harness<Result: Sendable>(
        _ body: @Sendable (GatewayHarness) async throws -> Result
    ) async throws -> Result {
        let keyring = try Keyring()
        return try await GatewayHarness.run(
            configure: { configuration in
                configuration.access = keyring.policy
                configuration.limits.failedAuthentications = 100_000
            }, body)
    }

    /// The head of an answer, which for a stream is all there is to wait for.
    private static func ask(
        _ gateway: GatewayHarness, _ row: Row, _ token: String?, query: String = ""
    ) async throws -> (status: Int, challenge: String?) {
        let client = try await gateway.http()
        defer { client.close() }
        try await client.sendHead(row.method, row.path + query, headers: token.map { Keyring.bearer($0) } ?? [])
        try await client.sendEnd()
        let head = try await client.head()
        #expect(head.headers.first(name: "x-content-type-options") == "nosniff", "\(row.name)")
        #expect(head.headers.first(name: "referrer-policy") == "no-referrer", "\(row.name)")
        #expect(head.headers.first(name: "content-security-policy") != nil, "\(row.name)")
        #expect(head.headers.first(name: "cross-origin-resource-policy") == "same-origin", "\(row.name)")
        return (Int(head.status.code), head.headers.first(name: "www-authenticate"))
    }

    private static let byScope: [AccessScope: String] = [
        .read: Keyring.reader, .publish: Keyring.publisher, .admin: Keyring.admin,
    ]

    @Test func `each endpoint lets in whoever has its scope, and nobody else`() async throws {
        let rows = try await Self.rows()
        #expect(rows.count > 30)
        try await Self.harness { gateway in
            for row in rows {
                guard let scope = row.scope else { continue }
                for (token, what) in [(nil, "no"), ("wrong", "a wrong"), (Keyring.expired, "an expired")] {
                    let answer = try await Self.ask(gateway, row, token)
                    #expect(answer.status == 401, "\(row.name) with \(what) token")
                    #expect(answer.challenge?.hasPrefix("Bearer ") == true, "\(row.name) with \(what) token")
                }
                for (other, token) in Self.byScope {
                    let answer = try await Self.ask(gateway, row, token)
                    if other == scope {
                        #expect(answer.status != 401 && answer.status != 403, "\(row.name) with \(other)")
                    } else {
                        #expect(answer.status == 403, "\(row.name) with \(other)")
                        #expect(answer.challenge?.contains("scope=\"\(scope.rawValue)\"") == true)
                    }
                }
            }
        }
    }

    @Test func `only what tells nothing is open to all`() async throws {
        let open = try await Self.rows().filter { $0.scope == nil }.map(\.name)
        let files = DashboardAssets.all.keys.map { "GET /\($0)" }
        let expected = ["GET /", "GET /livez", "GET /readyz", "GET /ws"] + files
        // These look at what is shown themselves.
        let session = ["DELETE", "GET", "POST"].map { "\($0) /api/v1/session" }
        let descriptions = ["GET /asyncapi.json", "GET /openapi.json"]
        #expect(Set(open).subtracting(descriptions) == Set(expected + session))
        try await Self.harness { gateway in
            for name in expected where name != "GET /ws" {
                let path = String(name.dropFirst(4))
                let answer = try await gateway.request("GET", path)
                #expect(answer.status != 401, "\(name)")
            }
            for method in ["GET", "POST"] {
                let answer = try await gateway.request(method, "/api/v1/session")
                #expect(answer.status == 401)
            }
        }
    }

    @Test func `a token in the address is no token`() async throws {
        let rows = try await Self.rows().filter { $0.scope == .read && $0.method == "GET" }
        try await Self.harness { gateway in
            for row in rows {
                for name in ["token", "access_token"] {
                    let query = "?\(name)=\(Keyring.all)"
                    let without = try await Self.ask(gateway, row, nil, query: query)
                    #expect(without.status == 401, "\(row.name)\(query)")
                    #expect(
                        try await Self.ask(gateway, row, Keyring.all, query: query).status == 400,
                        "\(row.name)\(query)")
                }
            }
        }
    }

    @Test func `what is wrong with a token is told as a problem, without the token`() async throws {
        try await Self.harness { gateway in
            for (token, code) in [
                (nil, "missing_token"), ("s3cret-token", "invalid_token"), (Keyring.expired, "expired_token"),
            ] {
                let answer = try await gateway.request(
                    "GET", "/api/v1/metrics", headers: token.map { Keyring.bearer($0) } ?? [])
                #expect(answer.headers.first(name: "content-type") == "application/problem+json")
                #expect(try answer.object["code"]?.string == code)
                if let token { #expect(!answer.body.contains(token)) }
            }
            let forbidden = try await gateway.request(
                "GET", "/metrics", headers: Keyring.bearer(Keyring.reader))
            #expect(try forbidden.object["detail"]?.string?.contains("'admin'") == true)
        }
    }

    @Test func `a body is not asked for when nobody may send it`() async throws {
        try await Self.harness { gateway in
            let client = try await gateway.http()
            try await client.sendHead(
                "POST", "/api/v1/events",
                headers: [
                    ("Content-Type", "application/json"), ("Content-Length", "1000"), ("Expect", "100-continue"),
                ])
            #expect(try await client.head().status == .unauthorized)
            client.close()
        }
    }

    @Test func `too many wrong tokens from an address are not looked at, and known ones still are`() async throws {
        let keyring = try Keyring()
        try await GatewayHarness.run(configure: { configuration in
            configuration.access = keyring.policy
            configuration.limits.failedAuthentications = 5
        }) { gateway in
            let good = Keyring.bearer(Keyring.all)
            #expect(try await gateway.request("GET", "/api/v1/metrics", headers: good).status == 200)
            var statuses: [Int] = []
            for number in 0..<20 {
                let headers = Keyring.bearer("wrong-\(number)")
                statuses.append(try await gateway.request("GET", "/api/v1/metrics", headers: headers).status)
            }
            #expect(statuses.prefix(5) == [401, 401, 401, 401, 401])
            #expect(statuses.contains(429))
            let limited = try await gateway.request("GET", "/api/v1/metrics", headers: Keyring.bearer("wrong"))
            if limited.status == 429 {
                #expect(
                    limited.headers.first(name: "retry-after") == "2"
                        || limited.headers.first(name: "retry-after") == "1")
            }
            // Whoever was let in before is not held up.
            #expect(try await gateway.request("GET", "/api/v1/metrics", headers: good).status == 200)
            let metrics = try await gateway.request("GET", "/metrics", headers: good).body
            #expect(metrics.contains("tidings_access_refused_total{reason=\"unknown\"}"))
            #expect(!metrics.contains("tidings_access_refused_total{reason=\"limited\"} 0"))
        }
    }

    @Test func `on loopback nobody is asked`() async throws {
        try await GatewayHarness.run { gateway in
            #expect(try await gateway.request("GET", "/metrics").status == 200)
            let session = try await gateway.request("GET", "/api/v1/session")
            #expect(session.body == #"{"name":null,"scopes":["read","publish","admin"],"types":[],"symbols":[]}"#)
        }
    }
}
