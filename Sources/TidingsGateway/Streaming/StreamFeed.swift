import NIOCore
import Synchronization
package import Tidings

/// All hubs of a gateway, one for each event loop, fed by one observer of the log.
final class StreamFeed: Sendable {
    struct Lane: Sendable {
        let eventLoop: any EventLoop
        let mailbox: StreamMailbox
        let hub: NIOLoopBound<StreamHub>
    }

    let epoch: String
    let log: any EventLog
    let scope: WorkScope
    private let lanes: [Lane]
    private let capacity: Int
    private let clients = Atomic<Int>(0)

    private init(lanes: [Lane], log: any EventLog, scope: WorkScope, capacity: Int) {
        self.lanes = lanes
        self.log = log
        self.epoch = log.epoch
        self.scope = scope
        self.capacity = capacity
    }

    static func make(
        on eventLoops: [any EventLoop], log: any EventLog, scope: WorkScope, configuration: GatewayConfiguration
    ) async throws -> StreamFeed {
        let limits = StreamHub.Limits(
            clientBufferBytes: configuration.limits.clientBufferBytes,
            slowClientGrace: configuration.slowClientGrace.wholeNanoseconds)
        var lanes: [Lane] = []
        for eventLoop in eventLoops {
            let lane = try await eventLoop.submit {
                let mailbox = StreamMailbox()
                let hub = StreamHub(eventLoop: eventLoop, log: log, scope: scope, limits: limits, mailbox: mailbox)
                return Lane(eventLoop: eventLoop, mailbox: mailbox, hub: NIOLoopBound(hub, eventLoop: eventLoop))
            }.get()
            lanes.append(lane)
        }
        return StreamFeed(lanes: lanes, log: log, scope: scope, capacity: configuration.limits.clients)
    }

    /// Begins to pass on what the log commits.
    func start() -> LogObservation {
        let lanes = self.lanes
        let (token, bounds) = self.log.follow { batch in
            for lane in lanes where lane.mailbox.offer(batch) {
                lane.eventLoop.execute { lane.hub.value.drain() }
            }
        }
        for lane in self.lanes {
            lane.mailbox.note(position: bounds.head)
            lane.eventLoop.execute { lane.hub.value.start(at: bounds.head) }
        }
        return token
    }

    /// Ends every stream, telling the clients where to resume.
    func stop() {
        for lane in self.lanes { lane.eventLoop.execute { lane.hub.value.stop() } }
    }

    /// Ends the streams of those whose access has ended.
    func checkAccess(_ access: AccessControl) {
        let now = Timestamp.now()
        for lane in self.lanes { lane.eventLoop.execute { lane.hub.value.checkAccess(access, at: now) } }
    }

    /// The hub of the event loop that we are on.
    func hub(on eventLoop: any EventLoop) -> StreamHub? {
        self.lanes.first { $0.eventLoop === eventLoop }?.hub.value
    }

    // MARK: Counting

    /// Takes a client's place; false when all are taken.
    func reserveClient() -> Bool {
        if self.clients.wrappingAdd(1, ordering: .relaxed).newValue <= self.capacity { return true }
        self.releaseClient()
        return false
    }

    func releaseClient() {
        self.clients.wrappingSubtract(1, ordering: .relaxed)
    }

    var hasRoom: Bool { self.clientCount < self.capacity }

    var clientCount: Int { self.clients.load(ordering: .relaxed) }

    /// What all hubs hold.
    func census() async throws -> StreamCensus {
        var sum = StreamCensus()
        for lane in self.lanes {
            let census = try await lane.eventLoop.submit { lane.hub.value.census }.get()
            sum.clients += census.clients
            sum.joining += census.joining
            sum.groups += census.groups
            sum.replays += census.replays
        }
        return sum
    }

    var statistics: StreamStatistics {
        let counters = self.lanes.map(\.mailbox.counters)
        let traffic = self.lanes.map(\.mailbox.traffic)
        return StreamStatistics(
            clients: self.clientCount, sent: traffic.reduce(0) { $0 + $1.sent },
            latency: traffic.reduce(into: LatencyHistogram()) { $0.add($1.latency) },
            dropped: counters.reduce(0) { $0 + $1.dropped },
            closedAsSlow: counters.reduce(0) { $0 + $1.closedAsSlow }, position: counters.map(\.position).min() ?? 0)
    }
}

/// How streaming is going.
package struct StreamStatistics: Sendable {
    /// Clients connected now, WebSocket and SSE.
    package var clients = 0
    /// Events sent to clients, once for each client; what is replayed to them as well.
    package var sent: UInt64 = 0
    /// How long live events waited between publishing and being sent.
    package var latency = LatencyHistogram()
    /// Events that clients lost.
    package var dropped: UInt64 = 0
    /// Clients that were closed because they stayed stuck.
    package var closedAsSlow: UInt64 = 0
    /// The offset that has gone out on every event loop.
    package var position: Int64 = 0
}

/// What the hubs hold for their clients: nothing of it may stay when they have gone.
package struct StreamCensus: Sendable, Equatable {
    package var clients = 0
    /// Clients that take their place in a group before the next turn.
    package var joining = 0
    package var groups = 0
    /// Clients that are getting history.
    package var replays = 0
}

extension Duration {
    /// In nanoseconds, clamped to what fits.
    var wholeNanoseconds: Int64 {
        let (seconds, attoseconds) = self.components
        guard seconds < 9_000_000_000 else { return .max }
        return max(0, seconds * 1_000_000_000 + attoseconds / 1_000_000_000)
    }
}
