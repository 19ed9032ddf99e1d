public import Logging
import ServiceLifecycle
public import Tidings

/// The events of a bus or an emitter, live to any WebSocket client; the shortest way to a ``Gateway``.
///
///     let server = WebSocketServer(port: 8765)
///     try await server.attach(to: emitter)
///     try await server.start()
///
/// On its port there is all that a gateway has: `/ws`, `/api/v1/stream`, `/api/v1/events`, the dashboard at `/`. What
/// clients publish goes to the bus it is attached to. Streams are served from that bus's log; a bus without one (an
/// `EventEmitter()` makes such) gets one in memory, which keeps the newest 100,000 events from the moment of attaching on,
/// also while the server is stopped, so that clients find what they missed.
///
/// May be started and stopped as often as one likes. All methods are safe to call from anywhere; those that change
/// something wait for one another. A server that is let go without ``stop()`` stops listening at once, without telling its
/// clients.
public actor WebSocketServer {
    private let configuration: GatewayConfiguration
    private let logger: Logger
    private var served: Served?
    private var run: Run?
    private let turns = SerialTurns()

    /// What is served.
    private struct Served {
        let bus: any EventBus
        let log: any EventLog
    }

    /// Whether a gateway is over.
    private final class Ending: Sendable {
        let hasEnded = Locked(false)
    }

    /// A gateway from start to stop.
    private final class Run: Sendable {
        let address: GatewayAddress
        let services: ServiceGroup
        let task: Task<Void, Never>

        init(address: GatewayAddress, services: ServiceGroup, task: Task<Void, Never>) {
            self.address = address
            self.services = services
            self.task = task
        }

        deinit { self.task.cancel() }
    }

    /// - Parameters:
    ///   - port: where to listen; 0 takes any free one, which ``address`` tells.
    ///   - configuration: everything else: host, limits, access, TLS. Its port is not used.
    public init(
        port: Int = 8765, configuration: GatewayConfiguration = GatewayConfiguration(),
        logger: Logger = Logger(label: "tidings.gateway")
    ) {
        var configuration = configuration
        configuration.port = port
        self.configuration = configuration
        self.logger = logger
    }

    // MARK: What is served

    /// Serves the events of a bus, from now on; a server that was never attached makes a bus of its own, see ``bus``.
    ///
    /// - Throws: ``GatewayError`` with `configuration` while the server runs, and ``EventBusError`` when the bus has
    ///   stopped.
    public func attach(to bus: any EventBus) async throws {
        try await self.turns.run {
            guard self.run == nil else {
                throw GatewayError(
                    .configuration, "a server that runs cannot be attached to another bus: stop it first")
            }
            self.served = try Self.served(bus)
        }
    }

    /// Serves what is emitted from now on.
    ///
    /// - Throws: as ``attach(to:)-(EventBus)``.
    public func attach(to emitter: EventEmitter) async throws {
        try await self.attach(to: emitter.bus)
    }

    /// The bus that is served, for publishing and subscribing.
    public var bus: any EventBus {
        if let served = self.served { return served.bus }
        let log = MemoryEventLog()
        let bus = MemoryEventBus(log: log)
        self.served = Served(bus: bus, log: log)
        return bus
    }

    private static func served(_ bus: any EventBus) throws(EventBusError) -> Served {
        if let log = (bus as? MemoryEventBus)?.log { return Served(bus: bus, log: log) }
        let attached = try AttachedBus(bus)
        return Served(bus: attached, log: attached.log)
    }

    // MARK: Running

    /// Where clients connect; nil while the server does not listen.
    public var address: GatewayAddress? { self.run?.address }

    /// Listens; returns once clients can connect. Does nothing when the server runs.
    ///
    /// - Throws: ``GatewayError``: `addressInUse` when somebody else listens on the port.
    public func start() async throws {
        try await self.turns.run {
            try await self.startNow()
        }
    }

    private func startNow() async throws {
        guard self.run == nil else { return }
        _ = self.bus
        guard let served = self.served else { return }
        let (listening, continuation) = AsyncThrowingStream.makeStream(
            of: GatewayAddress.self, bufferingPolicy: .bufferingNewest(1))
        let gateway = try Gateway(
            configuration: self.configuration, bus: served.bus, log: served.log, logger: self.logger
        ) { continuation.yield($0) }
        let services = ServiceGroup(services: [gateway], logger: self.logger)
        // Owned by the run, which cancels it when it is let go; `stop()` waits for it.
        let ending = Ending()
        let task = Task { [weak self] in
            do {
                try await services.run()
                continuation.finish()
            } catch {
                continuation.finish(throwing: error)
            }
            ending.hasEnded.withLock { $0 = true }
            await self?.ended(services)
        }
        do {
            for try await address in listening {
                // One that has ended again already will not say so twice.
                if ending.hasEnded.withLock({ $0 }) { break }
                self.run = Run(address: address, services: services, task: task)
                return
            }
        } catch let error as GatewayError {
            throw error
        } catch {
            throw GatewayError(.cannotListen, "cannot listen: \(error)", underlying: error)
        }
        // Whoever started it was cancelled meanwhile, or it ended at once.
        task.cancel()
        await task.value
        try Task.checkCancellation()
        throw GatewayError(.cannotListen, "the server ended as soon as it had begun")
    }

    /// A gateway has ended by itself.
    private func ended(_ services: ServiceGroup) {
        if self.run?.services === services { self.run = nil }
    }

    /// Tells clients where to resume (1001), finishes requests in progress, closes what is left after
    /// ``GatewayConfiguration/stopTimeout``, and returns when the port is free. The bus goes on. Does nothing when the
    /// server does not run.
    public func stop() async {
        await self.turns.run {
            await self.stopNow()
        }
    }

    private func stopNow() async {
        guard let run = self.run else { return }
        await run.services.triggerGracefulShutdown()
        await run.task.value
        self.run = nil
    }
}
