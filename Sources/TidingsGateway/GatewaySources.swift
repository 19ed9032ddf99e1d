public import Tidings

/// What the gateway asks others about, each time somebody asks the gateway.
public struct GatewaySources: Sendable {
    /// The connectors, as they are now.
    public var connectors: @Sendable () async -> [ConnectorSnapshot]
    /// What has to be well for the program to be ready.
    public var readiness: @Sendable () async -> [ReadinessCheck]
    /// The processors, and what they have done so far.
    public var processors: @Sendable () -> [ProcessorSnapshot]
    /// Puts a dead letter through the handler that failed; throws ``EventBusError`` with `notFound`, `noSuchHandler`, or
    /// why the bus cannot do it now. Without one no letter has a handler here.
    public var retryDeadLetter: @Sendable (EventID) async throws -> Void

    public init(
        connectors: @escaping @Sendable () async -> [ConnectorSnapshot] = { [] },
        readiness: @escaping @Sendable () async -> [ReadinessCheck] = { [] },
        retryDeadLetter: @escaping @Sendable (EventID) async throws -> Void = { _ in
            throw EventBusError(.noSuchHandler, "this server runs no handlers")
        },
        processors: @escaping @Sendable () -> [ProcessorSnapshot] = { [] }
    ) {
        self.connectors = connectors
        self.readiness = readiness
        self.retryDeadLetter = retryDeadLetter
        self.processors = processors
    }
}

/// One row of `GET /api/v1/connectors`.
public struct ConnectorSnapshot: Sendable {
    /// The connector's name.
    public var connector: String
    /// `connected`, `stale`, `reconnecting` and so on.
    public var state: String
    public var symbols: [String]
    /// When its socket last read something; nil before the first time.
    public var lastMessageAt: Timestamp?
    /// How late its events are: from the venue's time to ours, in milliseconds.
    public var latencyMs: Double?
    /// Frames read since the start.
    public var messages: UInt64
    public var reconnects: UInt64
    public var resyncs: UInt64
    /// Why it is in this state, where there is something to say.
    public var reason: String?

    public init(
        connector: String, state: String, symbols: [String] = [], lastMessageAt: Timestamp? = nil,
        latencyMs: Double? = nil, messages: UInt64 = 0, reconnects: UInt64 = 0, resyncs: UInt64 = 0,
        reason: String? = nil
    ) {
        self.connector = connector
        self.state = state
        self.symbols = symbols
        self.lastMessageAt = lastMessageAt
        self.latencyMs = latencyMs
        self.messages = messages
        self.reconnects = reconnects
        self.resyncs = resyncs
        self.reason = reason
    }
}

/// The state of one thing that readiness depends on.
public struct ReadinessCheck: Sendable {
    /// How well it is; the worst of all checks is the answer.
    public enum Status: String, Sendable, Comparable {
        case pass
        /// Something to look at, but work goes on.
        case warn
        /// Not ready.
        case fail

        private var severity: Int { self == .pass ? 0 : self == .warn ? 1 : 2 }

        public static func < (left: Status, right: Status) -> Bool { left.severity < right.severity }
    }

    /// `store`, `redis`, `feed:hyperliquid`.
    public var name: String
    public var status: Status
    public var reason: String?

    public init(_ name: String, _ status: Status, reason: String? = nil) {
        self.name = name
        self.status = status
        self.reason = reason
    }
}
