import Foundation
import NIOHTTP1
import Testing
import Tidings

@testable import TidingsGateway

@Suite(.timeLimit(.minutes(1)))
struct MetricsTests {
    /// A gateway in which something of everything has happened.
    private static func busy<Result: Sendable>(
        _ body: @Sendable (GatewayHarness) async throws -> Result
    ) async throws -> Result {
        var connector = ConnectorSnapshot(connector: "simulated", state: "subscribed", symbols: ["BTC-USD"])
        connector.messages = 17
        connector.lastMessageAt = Timestamp(nanoseconds: 1_700_000_000_500_000_000)
        connector.latencyMs = 12.5
        let simulated = connector
        let sources = GatewaySources(connectors: {
            [simulated, simulated, ConnectorSnapshot(connector: "odd \"\\\n", state: "stale")]
        })
        return try await GatewayHarness.run(sources: sources) { gateway in
            try gateway.bus.addTap(to: .all, name: "tap") { _ in }
            try gateway.bus.addHandler(to: .all, options: SubscriptionOptions(name: "worker")) { event in
                if event.eventType == "broken" { throw Broken() }
            }
            // Its name takes more than letters, and there are two of it.
            for _ in 0..<2 { try gateway.bus.addTap(to: .all, name: "snow ☃ quote\" back\\slash\r\nline") { _ in } }
            let stuck = try gateway.bus.batches(
                matching: .all, options: SubscriptionOptions(name: "reader", capacity: 2, overflow: .dropOldest))
            try await gateway.publishTrades(1...5)
            try await gateway.publishTrades(1...1)
            for type: EventType in ["broken", "login.failed"] {
                _ = try await gateway.bus.publishAndWait(
                    StandardEvent(eventType: type, source: "test", payload: [:]))
            }
            try await eventually("the dead letter") { try await gateway.log.deadLetters.count() == 1 }
            let result = try await body(gateway)
            stuck.subscription.cancel()
            return result
        }
    }

    private struct Broken: Error {}

    @Test func `what is counted is told as Prometheus reads it`() async throws {
        try await Self.busy { gateway in
            let answer = try await gateway.request("GET", "/metrics")
            #expect(answer.status == 200)
            #expect(answer.headers.first(name: "content-type") == "text/plain; version=0.0.4; charset=utf-8")
            let metrics = try PrometheusText(answer.body)
            #expect(metrics["tidings_events_published_total", ["type": "trade"]] == 5)
            #expect(metrics["tidings_events_published_total", ["type": "login.failed"]] == 1)
            #expect(metrics["tidings_events_duplicates_total"] == 1)
            #expect(metrics["tidings_events_dead_total"] == 1)
            #expect(metrics["tidings_dead_letters"] == 1)
            #expect(metrics["tidings_subscription_failed_total", ["subscriber": "worker"]] == 1)
            #expect(metrics["tidings_subscription_pending_events", ["subscriber": "reader"]] == 2)
            #expect((metrics["tidings_subscription_lag_seconds", ["subscriber": "reader"]] ?? 0) > 0)
            let head = Double(gateway.log.bounds.head)
            #expect(metrics["tidings_log_head_offset"] == head)
            #expect(metrics["tidings_log_oldest_offset"] == 1)
            #expect(metrics["tidings_log_pending_events"] == 0)
            #expect(metrics["tidings_log_commit_latency_seconds_count"] == head)
            let twins = metrics[
                "tidings_subscription_delivered_total", ["subscriber": "snow ☃ quote\" back\\slash\r\nline"]]
            #expect(twins == metrics["tidings_subscription_delivered_total", ["subscriber": "tap"]].map { $0 * 2 })
            #expect(metrics["tidings_connector_messages_total", ["connector": "simulated"]] == 34)
            #expect(metrics["tidings_connector_state", ["connector": "simulated", "state": "subscribed"]] == 2)
            #expect(metrics["tidings_connector_state", ["connector": "odd \"\\\n", "state": "stale"]] == 1)
            #expect(metrics["tidings_connector_latency_seconds", ["connector": "simulated"]] == 0.0125)
            #expect(
                metrics["tidings_connector_last_message_timestamp_seconds", ["connector": "simulated"]]
                    == 1_700_000_000.5)
        }
    }

    @Test func `histograms rise to their count`() async throws {
        try await Self.busy { gateway in
            let metrics = try PrometheusText(await gateway.request("GET", "/metrics").body)
            for (name, kind) in metrics.types where kind == "histogram" {
                for labels in metrics.labels(of: name + "_count") {
                    let buckets = metrics.buckets(name, labels)
                    #expect(buckets.count > 10)
                    #expect(zip(buckets, buckets.dropFirst()).allSatisfy { $0.le < $1.le && $0.count <= $1.count })
                    #expect(buckets.last?.le == .infinity)
                    let count = try #require(metrics[name + "_count", labels])
                    #expect(buckets.last?.count == count)
                    let sum = try #require(metrics[name + "_sum", labels])
                    #expect(count > 0 ? sum > 0 : sum == 0)
                }
            }
            #expect(metrics["tidings_handler_duration_seconds_count", ["subscriber": "worker"]].map { $0 >= 5 } == true)
            #expect(metrics.types["tidings_delivery_latency_seconds"] == "histogram")
        }
    }

    #if os(Linux)
    @Test func `the process tells what it uses`() async throws {
        try await GatewayHarness.run { gateway in
            let metrics = try PrometheusText(await gateway.request("GET", "/metrics").body)
            let now = Date().timeIntervalSince1970
            let cpu = try #require(metrics["process_cpu_seconds_total"])
            #expect(cpu > 0 && cpu < now)
            #expect((1e6...1e11).contains(try #require(metrics["process_resident_memory_bytes"])))
            #expect((3...100_000).contains(try #require(metrics["process_open_fds"])))
            #expect(try #require(metrics["process_max_fds"]) >= 256)
            let started = try #require(metrics["process_start_time_seconds"])
            #expect(started <= now + 1 && started > now - 86_400)
        }
    }
    #endif

    @Test func `an idle gateway has nothing to complain about either`() async throws {
        try await GatewayHarness.run { gateway in
            let text = try await gateway.request("GET", "/metrics").body
            let metrics = try PrometheusText(text)
            #expect(metrics["tidings_events_delivered_total"] == 0)
            #expect(metrics["tidings_gateway_clients"] == 0)
            try Promtool.check(text)
            let refused = try await gateway.request("GET", "/metrics?x=1")
            #expect(refused.status == 400)
        }
    }

    @Test(.enabled(if: Promtool.path != nil, "promtool is not installed (Debian: apt-get install prometheus)"))
    func `promtool has no complaint`() async throws {
        try await Self.busy { gateway in
            try Promtool.check(try await gateway.request("GET", "/metrics").body)
        }
    }

    @Test func `what live clients and handlers were handed counts as delivered`() async throws {
        try await GatewayHarness.run { gateway in
            let before = try await gateway.request("GET", "/api/v1/metrics").object
            #expect(before["delivered"]?.int == 0)
            let socket = try await gateway.socket()
            _ = try await socket.ask(#"{"action":"subscribe","symbols":["*"]}"#)
            try await gateway.publishTrades(1...10)
            try await eventually("ten deliveries") {
                try await gateway.request("GET", "/api/v1/metrics").object["delivered"]?.int == 10
            }
            let after = try await gateway.request("GET", "/api/v1/metrics").object
            #expect(after["published"]?.int == 10)
            #expect(after["dropped"]?.int == 0)
            let p99 = try #require(after["latency_ms"]?.object?["p99"]?.number.flatMap { Double("\($0)") })
            #expect(p99 > 0 && p99 < 20_000)
            try gateway.bus.addTap(to: .all, name: "tap") { _ in }
            try await gateway.publishTrades(11...12)
            try await eventually("two more for each") {
                try await gateway.request("GET", "/api/v1/metrics").object["delivered"]?.int == 14
            }
            let metrics = try PrometheusText(await gateway.request("GET", "/metrics").body)
            #expect(metrics["tidings_gateway_sent_total"] == 12)
            #expect(metrics["tidings_gateway_clients"] == 1)
            #expect(metrics["tidings_gateway_latency_seconds_count"] == 12)
            #expect(metrics["tidings_events_delivered_total"] == 2)
        }
    }

    @Test func `values are written as the format wants them`() {
        #expect(Double.infinity.metricText == "+Inf")
        #expect((-Double.infinity).metricText == "-Inf")
        #expect(Double.nan.metricText == "NaN")
        #expect(3.0.metricText == "3")
        #expect(1.024e-06.metricText == "1.024e-06")
        #expect(MetricsExpositionText.escaped(label: "a\"b\\c\nd\r\n") == "a\\\"b\\\\c\\nd\r\\n")
        #expect(MetricsExpositionText.escaped("a\"b\\c\nd") == "a\"b\\\\c\\nd")
    }
}
