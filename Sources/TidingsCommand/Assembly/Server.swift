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
        let access = try await self.watchAccess(logger)
        FileSizeSignal.ignore()
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
                    try await self.serve(bus, log, connectors, webhooks, processors, access, logger)
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
        _ processors: Processors, _ access: AccessWatcher?, _ logger: Logger
    ) async throws {
        let gateway = try Gateway(
            configuration: self.gatewayConfiguration(access?.policy), bus: bus, log: log,
            sources: self.sources(bus, connectors, processors),
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
        // The files of the certificate are watched as well; this is for who does not want to wait for that.
        if self.configuration.tls != nil {
            let reload = CancelledWork {
                for await _ in await UnixSignalsSequence(trapping: .sighup) { gateway.reloadCertificate() }
            }
            services.append(.init(service: reload, successTerminationBehavior: .ignore))
        }
        if let access {
            services.append(
                .init(service: CancelledWork { await access.run() }, successTerminationBehavior: .ignore))
        }
        // First of all what clients are sending is taken to its end: the bus and the log are still there for it.
        services.append(.init(service: gateway.intake))
        var group = ServiceGroupConfiguration(
            services: services, gracefulShutdownSignals: [.sigint, .sigterm], logger: logger)
        group.maximumGracefulShutdownDuration = .milliseconds(9500)
        try await processors.started { try await ServiceGroup(configuration: group).run() }
    }

    /// Reads who may come in, if the configuration says where that stands.
    private func watchAccess(_ logger: Logger) async throws -> AccessWatcher? {
        guard let files = self.configuration.access else { return nil }
        return try await AccessWatcher(files, logger: logger)
    }

    private func gatewayConfiguration(_ access: AccessPolicy?) -> GatewayConfiguration {
        var gateway = GatewayConfiguration()
        gateway.access = access
        gateway.host = self.configuration.listen.host
        gateway.port = self.configuration.listen.port
        gateway.insecure = self.configuration.insecure
        gateway.allowedOrigins = self.configuration.origins
        gateway.limits.eventBytes = self.configuration.eventBytes
        gateway.limits.bodyBytes = self.configuration.bodyBytes
        gateway.limits.clients = self.configuration.clients
        gateway.limits.publishRate = self.configuration.publishRate
        gateway.publishPatience = self.configuration.publishWait
        gateway.compression = self.configuration.compression
        gateway.limits.clientBufferBytes = self.configuration.clientBufferBytes
        gateway.limits.connections = self.configuration.connections ?? max(25_000, self.configuration.clients + 5000)
        self.configuration.address.apply(to: &gateway.limits.address)
        self.configuration.timeouts.apply(to: &gateway)
        gateway.tls = self.configuration.tls.map { .init(certificate: $0.certificate, key: $0.key) }
        // Requests may take three seconds before, and handlers four: the program is to end within ten.
        gateway.stopTimeout = .seconds(2)
        return gateway
    }

    /// Where the log's file is, if it is in one.
    private var storeFolder: String? {
        guard case .file(let file) = self.configuration.store else { return nil }
        guard let slash = file.lastIndex(of: "/") else { return "." }
        return slash == file.startIndex ? "/" : String(file[..<slash])
    }

    /// What the gateway asks about.
    private func sources(
        _ bus: MemoryEventBus, _ connectors: [Connector], _ processors: Processors
    ) -> GatewaySources {
        let folder = self.storeFolder
        return GatewaySources(
            connectors: { connectors.map { ConnectorSnapshot($0.health) } },
            readiness: {
                let error = bus.logError
                let store = ReadinessCheck("store", error == nil ? .pass : .fail, reason: error?.message)
                let disk = folder.map { [ReadinessCheck.disk(folder: $0)] } ?? []
                return [store] + disk + connectors.map { ReadinessCheck(feed: $0.health) }
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
