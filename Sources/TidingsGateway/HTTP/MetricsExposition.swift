import HTTPTypes
import HummingbirdCore
import NIOCore
import Tidings

/// `GET /metrics`: what the program counts, as Prometheus reads it.
///
/// Written from the counters themselves; no metrics backend takes part. Times are in seconds and sizes in bytes. At most
/// 100 types, subscribers and connectors have labels of their own, the rest is `other`.
final class MetricsExposition: Sendable {
    private struct Labels: ~Copyable {
        var types = BoundedLabels()
        var subscribers = BoundedLabels()
        var connectors = BoundedLabels()
        var processors = BoundedLabels()
    }

    private let bus: any EventBus
    private let log: any EventLog
    private let ingest: EventIngest
    private let sources: GatewaySources
    private let feed: StreamFeed
    private let access: AccessControl
    private let connections: ConnectionSettings
    private let labels = Locked(Labels())

    init(
        bus: any EventBus, log: any EventLog, ingest: EventIngest, sources: GatewaySources, feed: StreamFeed,
        connections: ConnectionSettings, access: AccessControl
    ) {
        self.connections = connections
        self.access = access
        self.bus = bus
        self.log = log
        self.ingest = ingest
        self.sources = sources
        self.feed = feed
    }

    func metrics(_ call: HTTPCall) async throws -> Response {
        _ = try call.query([])
        let text = await self.text()
        return Response(
            status: .ok,
            headers: [.contentType: MetricsExpositionText.contentType, .cacheControl: "no-store"],
            body: ResponseBody(byteBuffer: ByteBuffer(string: text)))
    }

    func text() async -> String {
        let connectors = await self.sources.connectors()
        // A store that does not answer must not take the other metrics away.
        let letters = try? await self.log.deadLetters.count()
        let evicted = await self.log.deadLetters.evictedCount()
        var text = MetricsExpositionText()
        let snapshot = self.bus.snapshot
        self.write(snapshot.statistics, to: &text)
        self.write(self.labels.withLock { $0.subscribers.labelled(snapshot.subscriptions) }, to: &text)
        self.writeLog(snapshot.log, to: &text)
        if let letters { text.single("tidings_dead_letters", .gauge, "Dead letters that are kept.", letters) }
        text.single(
            "tidings_dead_letters_evicted_total", .counter, "Dead letters that went for want of room.", evicted)
        self.write(self.feed.statistics, to: &text)
        self.write(self.access.statistics, to: &text)
        self.connections.write(to: &text)
        self.write(connectors, to: &text)
        let processors = self.sources.processors()
        self.write(self.labels.withLock { $0.processors.labelled(processors) }, to: &text)
        MetricsExpositionProcess.current().write(to: &text)
        return text.text
    }

    private func write(_ access: AccessStatistics, to text: inout MetricsExpositionText) {
        text.family(
            "tidings_access_refused_total", .counter,
            "Requests and WebSockets that were turned away: wrong or expired tokens, too many of them, missing scopes."
        ) { family in
            family.sample(access.unknown, ("reason", "unknown"))
            family.sample(access.expired, ("reason", "expired"))
            family.sample(access.limited, ("reason", "limited"))
            family.sample(access.forbidden, ("reason", "forbidden"))
        }
        text.single("tidings_access_sessions", .gauge, "Sessions of browsers.", access.sessions)
    }

    // MARK: The bus

    private func write(_ statistics: BusStatistics, to text: inout MetricsExpositionText) {
        let byType = self.labels.withLock { $0.types.labelled(statistics.byType) }
        text.family("tidings_events_published_total", .counter, "Events accepted.") { family in
            for (type, count) in byType.sorted(by: { $0.key < $1.key }) { family.sample(count, ("type", type)) }
        }
        for total in BusTotal.allCases {
            var value = total.value(in: statistics)
            if total == .duplicates { value &+= self.ingest.duplicates }
            text.single("tidings_events_\(total)_total", .counter, total.help, value)
        }
    }

    private func write(_ subscriptions: [SubscriptionSnapshot], to text: inout MetricsExpositionText) {
        for total in SubscriptionTotal.allCases {
            text.family("tidings_subscription_\(total)_total", .counter, total.help) { family in
                for subscription in subscriptions {
                    family.sample(total.value(in: subscription.statistics), ("subscriber", subscription.name))
                }
            }
        }
        func gauge(_ name: String, _ help: String, _ value: (SubscriptionStatistics) -> some MetricValue) {
            text.family(name, .gauge, help) { family in
                for subscription in subscriptions {
                    family.sample(value(subscription.statistics), ("subscriber", subscription.name))
                }
            }
        }
        gauge("tidings_subscription_pending_events", "Events that wait for a subscriber.") { $0.pending }
        gauge("tidings_subscription_lag_seconds", "How long the event that waits longest has waited.") {
            $0.oldestAge?.fractionalSeconds ?? 0
        }
        gauge("tidings_subscription_stuck_calls", "Calls of handlers that overran deadline and grace and still run.") {
            $0.stuck
        }
        text.family(
            "tidings_delivery_latency_seconds", .histogram,
            "How long events waited between publishing and being handed to a subscriber."
        ) { family in
            for subscription in subscriptions where subscription.latency.total > 0 {
                family.histogram(subscription.latency, ("subscriber", subscription.name))
            }
        }
        text.family("tidings_handler_duration_seconds", .histogram, "How long calls of handlers took.") { family in
            for subscription in subscriptions where subscription.handling.total > 0 {
                family.histogram(subscription.handling, ("subscriber", subscription.name))
            }
        }
    }

    // MARK: The log

    private func writeLog(_ lag: LogLag?, to text: inout MetricsExpositionText) {
        let bounds = self.log.bounds
        text.single("tidings_log_head_offset", .gauge, "The offset of the newest event in the log.", bounds.head)
        text.single(
            "tidings_log_oldest_offset", .gauge,
            "The offset of the oldest event in the log; one past the head while it is empty.", bounds.oldest)
        guard let lag else { return }
        text.single(
            "tidings_log_pending_events", .gauge, "Events published and not committed to the log yet.", lag.pending)
        text.single(
            "tidings_log_lag_seconds", .gauge, "How long the event that waits longest for its commit has waited.",
            lag.oldestAge?.fractionalSeconds ?? 0)
        text.family(
            "tidings_log_commit_latency_seconds", .histogram,
            "How long events waited between publishing and their commit to the log."
        ) { $0.histogram(lag.latency) }
    }

    // MARK: The gateway

    private func write(_ streams: StreamStatistics, to text: inout MetricsExpositionText) {
        text.single("tidings_gateway_clients", .gauge, "Streaming clients connected now.", streams.clients)
        text.single(
            "tidings_gateway_sent_total", .counter, "Events sent to streaming clients, once for each client.",
            streams.sent)
        text.single(
            "tidings_gateway_dropped_total", .counter, "Events that streaming clients lost because they were slow.",
            streams.dropped)
        text.single(
            "tidings_gateway_slow_clients_total", .counter, "Streaming clients closed because they stayed stuck.",
            streams.closedAsSlow)
        text.single(
            "tidings_gateway_offset", .gauge, "The offset up to which live events have gone out.", streams.position)
        text.family(
            "tidings_gateway_latency_seconds", .histogram,
            "How long live events waited between publishing and being sent to streaming clients."
        ) { $0.histogram(streams.latency) }
    }

    // MARK: Processors

    private func write(_ processors: [ProcessorSnapshot], to text: inout MetricsExpositionText) {
        func family(_ name: String, _ help: String, _ value: (ProcessorStatistics) -> UInt64) {
            text.family("tidings_processor_\(name)_total", .counter, help) { family in
                for processor in processors {
                    family.sample(value(processor.statistics), ("processor", processor.name))
                }
            }
        }
        family("processed", "Events that a processor was given.") { $0.processed }
        family("emitted", "Events that a processor made or changed.") { $0.emitted }
        family("filtered", "Events that a processor filtered.") { $0.filtered }
        family("failed", "Events at which a processor threw, or which it refused.") { $0.failed }
        text.family("tidings_processor_counted_total", .counter, "What a processor counts itself.") { family in
            for processor in processors {
                for (what, count) in processor.statistics.counters.sorted(by: { $0.key < $1.key }) {
                    family.sample(count, ("processor", processor.name), ("what", what))
                }
            }
        }
        text.family("tidings_processor_duration_seconds", .histogram, "How long calls of a processor took.") { family in
            for processor in processors where processor.statistics.time.total > 0 {
                family.histogram(processor.statistics.time, ("processor", processor.name))
            }
        }
    }

    // MARK: Connectors

    private func write(_ connectors: [ConnectorSnapshot], to text: inout MetricsExpositionText) {
        var states: [String: [String: Int]] = [:]
        var totals: [String: ConnectorTotals] = [:]
        self.labels.withLock { labels in
            for connector in connectors {
                let name = labels.connectors.label(for: connector.connector)
                states[name, default: [:]][connector.state, default: 0] += 1
                totals[name, default: ConnectorTotals()].add(connector)
            }
        }
        let names = totals.sorted { $0.key < $1.key }
        text.family("tidings_connector_state", .gauge, "Connectors of a name that are in a state.") { family in
            for (name, counts) in states.sorted(by: { $0.key < $1.key }) {
                for (state, count) in counts.sorted(by: { $0.key < $1.key }) {
                    family.sample(count, ("connector", name), ("state", state))
                }
            }
        }
        func family(
            _ name: String, _ kind: MetricsExpositionText.Kind, _ help: String,
            _ value: (ConnectorTotals) -> (some MetricValue)?
        ) {
            text.family(name, kind, help) { family in
                for (name, totals) in names {
                    if let value = value(totals) { family.sample(value, ("connector", name)) }
                }
            }
        }
        family("tidings_connector_messages_total", .counter, "Frames read from a venue.") { $0.messages }
        family("tidings_connector_reconnects_total", .counter, "Connections made again.") { $0.reconnects }
        family("tidings_connector_resyncs_total", .counter, "Order books fetched anew after a gap.") { $0.resyncs }
        family("tidings_connector_last_message_timestamp_seconds", .gauge, "When something was last read.") {
            $0.lastMessageAt
        }
        family("tidings_connector_latency_seconds", .gauge, "From the venue's time of an event to ours.") { $0.latency }
    }

    private struct ConnectorTotals {
        var messages: UInt64 = 0
        var reconnects: UInt64 = 0
        var resyncs: UInt64 = 0
        /// Seconds since 1970.
        var lastMessageAt: Double?
        /// Seconds.
        var latency: Double?

        mutating func add(_ connector: ConnectorSnapshot) {
            self.messages &+= connector.messages
            self.reconnects &+= connector.reconnects
            self.resyncs &+= connector.resyncs
            let read = connector.lastMessageAt.map { Double($0.nanoseconds) / 1e9 }
            self.lastMessageAt = [self.lastMessageAt, read].compactMap(\.self).max()
            self.latency = [self.latency, connector.latencyMs.map { $0 / 1000 }].compactMap(\.self).max()
        }
    }
}

extension BusTotal {
    fileprivate var help: String {
        switch self {
        case .duplicates: "Events that were known already."
        case .refused: "Events refused because somebody was full."
        case .delivered: "Events handled or drawn, once for each subscription."
        case .dropped: "Events that a full subscription gave up."
        case .conflated: "Events that a newer one of the same key replaced."
        case .failed: "Calls of handlers and taps that threw or overran their deadline."
        case .retried: "Calls of handlers made again after a failure."
        case .dead: "Events that became dead letters."
        }
    }
}

extension SubscriptionTotal {
    fileprivate var help: String {
        switch self {
        case .delivered: "Events handled or drawn by a subscriber."
        case .dropped: "Events that found no room at a subscriber."
        case .conflated: "Events that a newer one of the same key replaced."
        case .failed: "Calls of a subscriber that threw or overran their deadline."
        case .retried: "Calls of a subscriber made again after a failure."
        case .dead: "Events of a subscriber that became dead letters."
        }
    }
}
