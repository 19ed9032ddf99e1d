import Foundation
import Testing
import Tidings
import TidingsTestSupport

/// `tidings run` with processors, as a user configures them.
@Suite(.timeLimit(.minutes(2))) struct ProcessorTests {
    private static let configuration = """
        listen: 127.0.0.1:0
        store: {file: tidings.db}
        processors:
          - validate: {symbols: [BTC-*]}
          - dedupe: {by: [source, trade_id], types: [trade]}
          - candles: {intervals: [1s, 1m], late: 1s, updates: none}
          - price_alert: {symbols: [btc-usd], change: 5%, window: 1m}
          - vwap: {window: 5m}
        """

    private static func trade(
        _ second: Double, _ price: String, _ volume: String, _ number: Int, id: String? = nil
    ) -> String {
        let time = Timestamp(
            nanoseconds: 1_705_314_600_000_000_000 + Int64(second * 1000) * 1_000_000, precision: .milliseconds)
        return
            #"{"event_type":"trade","source":"binance","event_id":"\#(id ?? "t\(number)")","timestamp":"\#(time)","payload":{"#
            + #""symbol":"BTC-USD","price":\#(price),"volume":\#(volume),"timestamp":"\#(time)","trade_id":"\#(number)"}}"#
    }

    private static func get(_ url: String) async throws -> JSONObject {
        let answer = try await request(url)
        #expect(answer.status == 200, "\(answer.body)")
        return try JSONObject(json: answer.body)
    }

    @Test func `trades become candles, averages and alerts, and candles are served`() async throws {
        try await withFolder { folder in
            let file = folder.appending(path: "tidings.yaml")
            try Data(Self.configuration.utf8).write(to: file)
            let program = try Program(["run", "--config", file.path])
            let server = "http://" + (try await program.address())
            let lines = [
                Self.trade(0, "100.00", "0.5", 1), Self.trade(0.5, "101.00", "0.25", 2),
                Self.trade(0.6, "9", "9", 2, id: "again"),
                Self.trade(1.2, "106.00", "1", 3), Self.trade(61, "104", "2", 4), Self.trade(62.5, "105", "1", 5),
                #"{"event_type":"trade","source":"binance","payload":{"symbol":"ETH-USD","price":1,"volume":1}}"#,
            ]
            let answer = try await request(
                server + "/api/v1/events", method: "POST", contentType: "application/x-ndjson",
                body: Data(lines.joined(separator: "\n").utf8))
            #expect(answer.status == 202)
            let url = server + "/api/v1/candles?symbol=btc-usd&interval="
            var minute: [JSONValue] = []
            while minute.isEmpty {
                minute = try await Self.get(url + "1m")["candles"]?.array ?? []
            }
            #expect(
                minute.first?.description
                    == #"{"timestamp":"2024-01-15T10:30:00Z","open":100.00,"high":106.00,"low":100.00,"close":106.00,"#
                    + #""volume":1.75,"trades":3,"closed":true}"#)
            // Nothing follows the last second: time closes it.
            var seconds: [JSONValue] = []
            while seconds.count < 4 {
                seconds = try await Self.get(url + "1s&source=candles:binance")["candles"]?.array ?? []
            }
            #expect(seconds.compactMap { $0.object?["trades"]?.int } == [2, 1, 1, 1])
            let events = try await Self.get(server + "/api/v1/events?type=price_alert,vwap")["events"]?.array ?? []
            let alerts = events.compactMap { $0.object?["event"]?.object }.filter { $0["event_type"] == "price_alert" }
            #expect(alerts.count == 1 && alerts.first?["parent_event_id"] == "t3" && alerts.first?["priority"] == 2)
            #expect(alerts.first?["payload"]?.object?["change_percent"]?.number == 6)
            #expect(events.contains { $0.object?["event"]?.object?["payload"]?.object?["vwap"]?.number == 100 })
            let metrics = try await request(server + "/metrics").body
            #expect(metrics.contains(#"tidings_processor_failed_total{processor="validate"} 1"#))
            #expect(metrics.contains(#"tidings_processor_filtered_total{processor="dedupe"} 1"#))
            #expect(metrics.contains(#"tidings_processor_processed_total{processor="candles"} 5"#))
            #expect(metrics.contains(#"tidings_processor_counted_total{processor="candles",what="late"} 0"#))
            program.interrupt()
            #expect(await program.waitUntilEnded() == 0)
        }
    }

    @Test func `a wrong processor is named with file, line and field`() async throws {
        try await withFolder { folder in
            let file = folder.appending(path: "tidings.yaml")
            try Data("listen: 127.0.0.1:0\nprocessors:\n  - candles: {intervals: [1x]}\n".utf8).write(to: file)
            let (status, _, error) = try await Program.run("run", "--config", file.path)
            #expect(status == 1 || status == 64)
            #expect(error.contains("tidings.yaml:3:") && error.contains("processors[0].candles.intervals[0]"))
        }
    }
}
