import HTTPTypes
import HummingbirdCore
import Tidings

/// How the program and its parts are doing.
struct StatusRoutes: Sendable {
    let bus: any EventBus
    let ingest: EventIngest
    let sources: GatewaySources
    let feed: StreamFeed
    /// Where TLS is spoken.
    let identity: ServerIdentity?
    /// Monotonic nanoseconds.
    let startedAt: Int64

    func connectors(_ call: HTTPCall) async throws -> Response {
        _ = try call.query([])
        let rights = call.principal.rights
        let rows = rights.includes(type: .connectorStatus) ? Self.visible(await self.sources.connectors(), rights) : []
        let now = Timestamp.now()
        return .json { writer in
            writer.literal("{\"connectors\":[")
            for (index, row) in rows.enumerated() {
                if index > 0 { writer.write(byte: UInt8(ascii: ",")) }
                writer.write(row, now: now)
            }
            writer.literal("]}")
        }
    }

    /// Of the connectors those that have symbols which may be seen, with these.
    private static func visible(_ rows: [ConnectorSnapshot], _ rights: EventRights) -> [ConnectorSnapshot] {
        guard !rights.symbols.isEmpty else { return rows }
        return rows.compactMap { row in
            var row = row
            row.symbols = row.symbols.filter { rights.includes(symbol: Name($0)) }
            return row.symbols.isEmpty ? nil : row
        }
    }

    /// What was handed on counts alike, whether to a handler, a tap, who draws batches, or a streaming client; and so does
    /// how long it waited between publishing and that.
    func metrics(_ call: HTTPCall) async throws -> Response {
        _ = try call.query([])
        let rights = call.principal.rights
        let statistics = self.bus.statistics
        let duplicates = statistics.duplicates + self.ingest.duplicates
        let streams = self.feed.statistics
        var latency = statistics.latency
        latency.add(streams.latency)
        return .json { writer in
            writer.literal("{\"published\":")
            writer.write(statistics.published)
            writer.literal(",\"delivered\":")
            writer.write(statistics.delivered &+ streams.sent)
            writer.literal(",\"dropped\":")
            writer.write(statistics.dropped &+ streams.dropped)
            writer.literal(",\"failed\":")
            writer.write(statistics.failed)
            writer.literal(",\"duplicates\":")
            writer.write(duplicates)
            writer.literal(",\"by_type\":{")
            let byType = statistics.byType.filter { rights.includes(type: EventType(rawValue: $0.key)) }
            for (index, (type, count)) in byType.sorted(by: { $0.key < $1.key }).enumerated() {
                if index > 0 { writer.write(byte: UInt8(ascii: ",")) }
                writer.write(string: type)
                writer.write(byte: UInt8(ascii: ":"))
                writer.write(count)
            }
            writer.literal("},\"latency_ms\":{\"p50\":")
            writer.write(mantissa: latency.quantile(0.50) / 1000, scale: 3)
            writer.literal(",\"p95\":")
            writer.write(mantissa: latency.quantile(0.95) / 1000, scale: 3)
            writer.literal(",\"p99\":")
            writer.write(mantissa: latency.quantile(0.99) / 1000, scale: 3)
            writer.literal("},\"clients\":{\"connected\":")
            writer.write(streams.clients)
            writer.literal(",\"dropped\":")
            writer.write(streams.dropped)
            writer.literal(",\"closed_as_slow\":")
            writer.write(streams.closedAsSlow)
            writer.literal("},\"uptime_seconds\":")
            writer.write(mantissa: (MonotonicClock.nanoseconds() - self.startedAt) / 1_000_000, scale: 3)
            writer.literal("}")
        }
    }

    /// Whether the program runs at all: whoever gets this answer knows.
    func live(_ call: HTTPCall) async throws -> Response {
        _ = try call.query([])
        return .json { $0.literal("{\"status\":\"pass\",\"checks\":{}}") }
    }

    /// Whether the program can do its work.
    func ready(_ call: HTTPCall) async throws -> Response {
        _ = try call.query([])
        var checks = await self.sources.readiness()
        if let identity = self.identity { checks.append(identity.readiness) }
        let status = checks.map(\.status).max() ?? .pass
        return .json(status == .fail ? .serviceUnavailable : .ok) { writer in
            writer.literal("{\"status\":")
            writer.write(string: status.rawValue)
            writer.literal(",\"checks\":{")
            for (index, check) in checks.enumerated() {
                if index > 0 { writer.write(byte: UInt8(ascii: ",")) }
                writer.write(string: check.name)
                writer.literal(":{\"status\":")
                writer.write(string: check.status.rawValue)
                if let reason = check.reason {
                    writer.literal(",\"reason\":")
                    writer.write(string: reason)
                }
                writer.literal("}")
            }
            writer.literal("}}")
        }
    }
}

extension JSONWriter {
    fileprivate mutating func write(_ row: ConnectorSnapshot, now: Timestamp) {
        self.literal("{\"connector\":")
        self.write(string: row.connector)
        self.literal(",\"state\":")
        self.write(string: row.state)
        self.literal(",\"symbols\":")
        self.write(strings: row.symbols)
        self.literal(",\"last_message_at\":")
        if let moment = row.lastMessageAt {
            self.write(moment)
            self.literal(",\"message_age_ms\":")
            self.write(
                max(0, now.nanoseconds.subtractingReportingOverflow(moment.nanoseconds).partialValue) / 1_000_000)
        } else {
            self.literal("null,\"message_age_ms\":null")
        }
        self.literal(",\"latency_ms\":")
        if let latency = row.latencyMs, latency.isFinite, abs(latency) < 1e12 {
            self.write(mantissa: Int64((latency * 1000).rounded()), scale: 3)
        } else {
            self.literal("null")
        }
        self.literal(",\"messages\":")
        self.write(row.messages)
        self.literal(",\"reconnects\":")
        self.write(row.reconnects)
        self.literal(",\"resyncs\":")
        self.write(row.resyncs)
        self.literal(",\"reason\":")
        if let reason = row.reason { self.write(string: reason) } else { self.literal("null") }
        self.literal("}")
    }
}
