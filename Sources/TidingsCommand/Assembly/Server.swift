import Logging
import ServiceLifecycle
import Tidings
import TidingsGateway
import TidingsMarkets
import TidingsSQLite
import UnixSignals

/// Everything `tidings run` runs, put together and taken down in order.
struct Server {
    let configuration: RunConfiguration
    /// How events are printed, if at all.
    let console: EventLine?
    /// What runs besides, such as the demo's exchange; it is stopped after the connectors.
    private let extras: [any Service]

    /// How many of the newest events are remembered from the log, so that what a venue repeats is known.
    private static let remembered: Int64 = 65_536

    init(_ configuration: RunConfiguration, console: EventLine?, extras: [any Service] = []) {
        self.configuration = configuration
        self.console = console
        self.extras = extras
    }

    /// Runs until interrupted or something essential fails.
    func run() async throws {
        let logger = Logger(label: "tidings")
        OpenFiles.raiseLimit()
        let log = try await self.openLog()
        do {
            let (ingress, conflating) = self.configuration.ingress.chain(byteLimit: self.configuration.eventBytes)
            let bus = MemoryEventBus(log: log, ingress: ingress)
            let processors = Processors(
                self.configuration.processors, ingress: ingress, conflating: conflating, bus: bus)
            try await Self.remember(log, in: bus)
            let connectors = try self.configuration.connectors.map { try Connector($0.settings, bus: bus) }
            do {
                try await Webhooks.attached(self.configuration.webhooks, to: bus) { webhooks in
                    try await self.serve(bus, log, connectors, webhooks, processors, logger)
                }
            } catch {
                // Durable handlers read the log until then.
                await bus.stop()
                throw error
            }
        } catch {
            await log.close()
            throw error
        }
        await log.close()
    }

    private func openLog() async throws -> any EventLog {
        switch self.configuration.store {
        case .none: return MemoryEventLog()
        case .file(let file):
            var settings = SQLiteLogConfiguration(file: file)
            settings.durability =
                SQLiteLogConfiguration.Durability(rawValue: self.configuration.durability.rawValue) ?? .normal
            return try await SQLiteEventLog.open(settings)
        }
    }

    /// Lets the bus know the newest events of the log.
    private static func remember(_ log: any EventLog, in bus: MemoryEventBus) async throws {
        let head = log.bounds.head
        var after = max(head - Self.remembered, 0)
        while after < head {
            let events = try await log.read(LogQuery(after: after, limit: 4096))
            guard let last = events.last else { return }
            bus.remember(try events.map { try $0.event().eventID })
            after = last.offset
        }
    }

    private func serve(
        _ bus: MemoryEventBus, _ log: any EventLog, _ connectors: [Connector], _ webhooks: Webhooks,
        _ processors: Processors, _ logger: Logger
    ) async throws {
        let gateway = try Gateway(
            configuration: self.gatewayConfiguration, bus: bus, log: log,
            sources: Self.sources(bus, connectors, processors),
            onListening: { address in
                let isJSON = if case .json = self.console?.format { true } else { false }
                StandardOutput.write(
                    isJSON ? "{\"listening\":\(JSONValue.string("\(address)"))}\n" : "listening on \(address)\n")
            })
        let heartbeat = Heartbeat(bus: bus, interval: self.configuration.heartbeat) {
            connectors.map { connector in
                let health = connector.health
                return (health.connector, health.state.rawValue)
            }
        }
        // Stopped from the last to the first: nothing comes in any more, what is there is handled and stored, and only
        // then do clients hear of the end.
        var services = [ServiceGroupConfiguration.ServiceConfiguration(service: gateway)]
        if let console = self.console {
            let handler = ConsoleHandler(line: console) { StandardOutput.write($0) }
            let batches = try handler.attach(to: bus)
            services.append(.init(service: Work { await handler.run(batches) }, successTerminationBehavior: .ignore))
        }
        // They handle what the bus hands them while it stops.
        services += processors.derivers.map { processor in
            .init(service: CancelledWork { try? await processor.run() }, successTerminationBehavior: .ignore)
        }
        services.append(.init(service: BusService(bus: bus) { await webhooks.shutdown() }))
        services.append(.init(service: CancelledWork { await heartbeat.run() }, successTerminationBehavior: .ignore))
        services += processors.conflating.map { conflation in
            .init(service: CancelledWork { await conflation.run(on: bus) }, successTerminationBehavior: .ignore)
        }
        services += self.extras.map { .init(service: $0) }
        services += connectors.map { connector in
            .init(service: CancelledWork { await connector.run() }, successTerminationBehavior: .ignore)
        }
        var group = ServiceGroupConfiguration(
            services: services, gracefulShutdownSignals: [.sigint, .sigterm], logger: logger)
        group.maximumGracefulShutdownDuration = .seconds(9)
        try await processors.started { try await ServiceGroup(configuration: group).run() }
    }

    private var gatewayConfiguration: GatewayConfiguration {
        var gateway = GatewayConfiguration()
        gateway.host = self.configuration.listen.host
        gateway.port = self.configuration.listen.port
        gateway.insecure = self.configuration.insecure
        gateway.allowedOrigins = self.configuration.origins
        gateway.limits.eventBytes = self.configuration.eventBytes
        gateway.limits.bodyBytes = self.configuration.bodyBytes
        gateway.limits.clients = self.configuration.clients
        gateway.limits.clientBufferBytes = self.configuration.clientBufferBytes
        return gateway
    }

    /// What the gateway asks about.
    private static func sources(
        _ bus: MemoryEventBus, _ connectors: [Connector], _ processors: Processors
    ) -> GatewaySources {
        GatewaySources(
            connectors: { connectors.map { ConnectorSnapshot($0.health) } },
            readiness: {
                let error = bus.logError
                let store = ReadinessCheck("store", error == nil ? .pass : .fail, reason: error?.message)
                return [store] + connectors.map { ReadinessCheck(feed: $0.health) }
            },
            retryDeadLetter: { try await bus.retry($0) },
            processors: { processors.snapshots })
    }
}

extension ConnectorSnapshot {
    fileprivate init(_ health: ConnectorHealth) {
        self.init(
            connector: health.connector, state: health.state.rawValue, symbols: health.symbols,
            lastMessageAt: health.lastMessageAt, latencyMs: health.latencyMs, messages: health.messages,
            reconnects: health.reconnects, resyncs: health.resyncs, reason: health.reason)
    }
}

extension ReadinessCheck {
    /// A feed that is not well is something to look at; the rest of the program goes on.
    fileprivate init(feed health: ConnectorHealth) {
        let isWell = health.state == .subscribed || health.state == .connected
        self.init(
            "feed:\(health.connector)", isWell ? .pass : .warn,
            reason: isWell ? nil : health.reason ?? health.state.rawValue)
    }
}
