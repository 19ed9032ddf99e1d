import NIOCore
import NIOHTTP1
import Testing
import Tidings

@testable import TidingsGateway

#if canImport(FoundationEssentials)
import FoundationEssentials
#else
import Foundation
#endif

@Suite(.timeLimit(.minutes(1)))
struct HTTPTests {
    @Test func `unknown paths and wrong methods are problems`() async throws {
        try await GatewayHarness.run { gateway in
            let missing = try await gateway.request("GET", "/api/v2/events")
            #expect(missing.status == 404)
            #expect(missing.headers.first(name: "content-type") == "application/problem+json")
            #expect(try missing.object["title"]?.string == "Not Found")
            for method in ["PUT", "DELETE", "PATCH", "TRACE", "LINK"] {
                let wrong = try await gateway.request(method, "/api/v1/events")
                #expect(wrong.status == 405)
                #expect(wrong.headers.first(name: "allow") == "GET, HEAD, OPTIONS, POST")
                #expect(try wrong.object["code"]?.string == "method_not_allowed")
            }
            let options = try await gateway.request("OPTIONS", "/api/v1/metrics")
            #expect(options.status == 204)
            #expect(options.headers.first(name: "allow") == "GET, HEAD, OPTIONS")
        }
    }

    @Test func `one connection serves many requests`() async throws {
        try await GatewayHarness.run { gateway in
            let client = try await gateway.http()
            defer { client.close() }
            for number in 1...5 {
                let posted = try await client.request(
                    "POST", "/api/v1/events", headers: [("Content-Type", "application/json")],
                    body: #"{"event_type":"custom"}"#)
                #expect(posted.status == 202)
                #expect(posted.headers.first(name: "date")?.hasSuffix(" GMT") == true)
                let listed = try await client.request("GET", "/api/v1/events?after=\(number - 1)")
                #expect(try listed.object["events"]?.array?.count == 1)
            }
            let last = try await client.request("GET", "/livez", headers: [("Connection", "close")])
            #expect(last.status == 200)
            #expect(try await client.isClosedByServer())
        }
    }

    @Test func `a request that says 100-continue is told to go on`() async throws {
        try await GatewayHarness.run { gateway in
            let raw = try await RawTestClient.connect(port: gateway.port)
            try await raw.send(
                "POST /api/v1/events HTTP/1.1\r\nHost: x\r\nContent-Type: application/json\r\nContent-Length: 23\r\n"
                    + "Expect: 100-continue\r\nConnection: close\r\n\r\n")
            try await eventually("the go-ahead") { raw.text == "HTTP/1.1 100 Continue\r\n\r\n" }
            try await raw.send(#"{"event_type":"custom"}"#)
            #expect(try await raw.everything().contains("HTTP/1.1 202 Accepted"))
        }
    }

    @Test func `connectors, metrics and health are told`() async throws {
        let sources = GatewaySources(
            connectors: {
                [
                    ConnectorSnapshot(
                        connector: "hyperliquid", state: "connected", symbols: ["BTC-USD"],
                        lastMessageAt: Timestamp.now(), latencyMs: 12.5, messages: 7, reconnects: 1),
                    ConnectorSnapshot(connector: "kraken", state: "reconnecting", reason: "refused"),
                ]
            },
            readiness: {
                [ReadinessCheck("store", .pass), ReadinessCheck("feed:kraken", .warn, reason: "stale for 31 s")]
            })
        try await GatewayHarness.run(sources: sources) { gateway in
            try await gateway.publishTrades(1...3)
            let rows = try await gateway.request("GET", "/api/v1/connectors").object["connectors"]?.array ?? []
            #expect(rows.count == 2)
            #expect(rows[0].object?["symbols"] == .array(["BTC-USD"]))
            #expect(rows[0].object?["latency_ms"]?.description == "12.500")
            #expect((rows[0].object?["message_age_ms"]?.int ?? -1) >= 0)
            #expect(rows[1].object?["last_message_at"] == .null)
            #expect(rows[1].object?["reason"]?.string == "refused")
            let metrics = try await gateway.request("GET", "/api/v1/metrics").object
            #expect(metrics["published"]?.int == 3)
            #expect(metrics["by_type"]?.object?["trade"]?.int == 3)
            #expect(metrics["latency_ms"]?.object?["p99"]?.number != nil)
            #expect(metrics["uptime_seconds"]?.number != nil)
            #expect(try await gateway.request("GET", "/livez").body == #"{"status":"pass","checks":{}}"#)
            let ready = try await gateway.request("GET", "/readyz")
            #expect(ready.status == 200)
            #expect(
                ready.body
                    == #"{"status":"warn","checks":{"store":{"status":"pass"},"feed:kraken":{"status":"warn","reason":"stale for 31 s"}}}"#
            )
        }
    }

    @Test func `whoever is not ready says so`() async throws {
        let sources = GatewaySources(readiness: { [ReadinessCheck("store", .fail, reason: "the disk is full")] })
        try await GatewayHarness.run(sources: sources) { gateway in
            let ready = try await gateway.request("GET", "/readyz")
            #expect(ready.status == 503)
            #expect(try ready.object["status"]?.string == "fail")
        }
    }

    @Test func `the dashboard and all its files are served, safely`() async throws {
        try await GatewayHarness.run { gateway in
            let page = try await gateway.request("GET", "/")
            #expect(page.status == 200)
            #expect(page.headers.first(name: "content-type") == "text/html; charset=utf-8")
            #expect(
                page.headers.first(name: "content-security-policy")
                    == "default-src 'self'; connect-src 'self'; img-src 'self' data:; base-uri 'none'; frame-ancestors 'none'; form-action 'none'"
            )
            #expect(page.headers.first(name: "x-content-type-options") == "nosniff")
            #expect(page.headers.first(name: "referrer-policy") == "no-referrer")
            let tag = try #require(page.headers.first(name: "etag"))
            let again = try await gateway.request("GET", "/", headers: [("If-None-Match", tag)])
            #expect(again.status == 304)
            #expect(again.body.isEmpty)
            let head = try await gateway.request("HEAD", "/livez")
            #expect(head.status == 200)
            #expect(head.body.isEmpty)

            let folder = URL(filePath: #filePath).deletingLastPathComponent().deletingLastPathComponent()
                .deletingLastPathComponent().appending(path: "Sources/TidingsGateway/Dashboard/Resources")
            let files = try FileManager.default.contentsOfDirectory(atPath: folder.path)
            #expect(Set(files) == Set(DashboardAssets.all.keys))
            for file in files {
                let answer = try await gateway.request("GET", "/\(file)")
                #expect(answer.status == 200)
                #expect(
                    answer.body == (try String(contentsOf: folder.appending(path: file), encoding: .utf8)), "\(file)")
            }
        }
    }

    @Test func `what is not HTTP gets an answer and the door`() async throws {
        try await GatewayHarness.run { gateway in
            let raw = try await RawTestClient.connect(port: gateway.port)
            try await raw.send("\u{16}\u{03}\u{01}garbage\r\n\r\n")
            let answer = try await raw.everything()
            #expect(answer.hasPrefix("HTTP/1.1 400 "))
            #expect(answer.contains("application/problem+json"))
        }
    }

    @Test func `a client of HTTP 1.0 gets its answer and the end of the connection`() async throws {
        try await GatewayHarness.run { gateway in
            let raw = try await RawTestClient.connect(port: gateway.port)
            try await raw.send("GET /livez HTTP/1.0\r\n\r\n")
            let answer = try await raw.everything()
            #expect(answer.hasSuffix(#"{"status":"pass","checks":{}}"#))
        }
    }

    @Test func `requests sent without waiting are answered in order`() async throws {
        try await GatewayHarness.run { gateway in
            let raw = try await RawTestClient.connect(port: gateway.port)
            try await raw.send(
                "GET /livez HTTP/1.1\r\nHost: x\r\n\r\nGET /nothing HTTP/1.1\r\nHost: x\r\n\r\n"
                    + "GET /readyz HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n")
            let answer = try await raw.everything()
            let statuses = answer.split(separator: "HTTP/1.1 ").map { String($0.prefix(3)) }
            #expect(statuses == ["200", "404", "200"])
        }
    }
}
