import CFanoutBench
import Foundation
import Logging
import NIOPosix
import ServiceLifecycle
import Tidings
import TidingsGateway

/// The gateway under test, in a process of its own: events go in through the bus, are committed to a log in memory and
/// come out of the sockets. It takes the same orders as the bare-socket server.
struct FanoutGateway: Sendable {
    let plan: FanoutPlan
    let progress: String

    func run() async throws {
        OpenFiles.raiseLimit()
        var logger = Logger(label: "tidings.bench")
        // The end is not graceful.
        logger.logLevel = .critical
        let log = MemoryEventLog(capacity: 65_536)
        // Every event is new: nothing has to be remembered.
        let bus = MemoryEventBus(log: log, duplicateWindow: 1024, logger: logger)
        var configuration = GatewayConfiguration()
        configuration.port = 0
        configuration.limits.clients = self.plan.clients + 100
        let gateway = try Gateway(configuration: configuration, bus: bus, log: log, logger: logger) { address in
            StandardOutput.write("listening \(address.port)\n")
        }
        try await withThrowingTaskGroup(of: Void.self) { group in
            group.addTask { try await gateway.run() }
            try await NIOThreadPool.singleton.runIfActive { try self.obey(bus) }
            group.cancelAll()
        }
        await bus.stop()
    }

    /// Publishes as it is told, on a thread of its own, until there are no more orders.
    private func obey(_ bus: MemoryEventBus) throws {
        guard let progress = fanout_progress_open(self.progress) else { throw CommandError("no progress file") }
        var pace = Pace.none
        var published = 0
        while true {
            let (line, hasEnded) = Self.order(within: pace.wait(published: published, progress))
            if hasEnded { return }
            if let line {
                if line == "stop" {
                    StandardOutput.write("stopped \(pace.deliveries(published, self.plan))\n")
                    pace = .none
                } else {
                    pace = Pace(line, self.plan, received: fanout_progress_read(progress))
                    published = 0
                }
                continue
            }
            while let count = pace.due(published: published, progress) {
                _ = try bus.tryPublish(self.plan.batch(count))
                published += 1
                if case .burst = pace { break }
            }
        }
    }

    private static func order(within nanoseconds: Int64) -> (line: String?, hasEnded: Bool) {
        withUnsafeTemporaryAllocation(of: CChar.self, capacity: 256) { line in
            let result = fanout_order_wait(nanoseconds, line.baseAddress)
            guard result == 1, let start = line.baseAddress else { return (nil, result < 0) }
            return (String(cString: start), false)
        }
    }

    /// When the next turn is to be published.
    private enum Pace {
        case none
        /// One event at a time, at a fixed rate.
        case paced(start: Int64, interval: Int64)
        /// So many events at a time, while fewer than `window` deliveries are under way.
        case burst(events: Int, deliveriesPerTurn: UInt64, window: UInt64, received: UInt64)

        init(_ order: String, _ plan: FanoutPlan, received: UInt64) {
            let words = order.split(separator: " ")
            switch words.first {
            case "paced":
                let rate = words.dropFirst().first.flatMap { Double($0) } ?? 1
                self = .paced(start: MonotonicClock.nanoseconds(), interval: Int64(1e9 / rate))
            case "burst":
                let numbers = words.dropFirst().compactMap { Int($0) }
                guard numbers.count == 2 else {
                    self = .none
                    return
                }
                self = .burst(
                    events: numbers[0], deliveriesPerTurn: UInt64(plan.clients * plan.deliveries(of: numbers[0])),
                    window: UInt64(numbers[1]), received: received)
            default: self = .none
            }
        }

        /// Nanoseconds until there may be something to do.
        func wait(published: Int, _ progress: UnsafePointer<UInt64>) -> Int64 {
            switch self {
            case .none: 1_000_000_000
            case .paced(let start, let interval):
                max(start + Int64(published + 1) * interval - MonotonicClock.nanoseconds(), 0)
            case .burst: self.due(published: published, progress) == nil ? 200_000 : 0
            }
        }

        /// How many events the next turn has, if it is time for it.
        func due(published: Int, _ progress: UnsafePointer<UInt64>) -> Int? {
            switch self {
            case .none: return nil
            case .paced(let start, let interval):
                return MonotonicClock.nanoseconds() >= start + Int64(published + 1) * interval ? 1 : nil
            case .burst(let events, let perTurn, let window, let received):
                let sent = UInt64(published) * perTurn
                return sent &- (fanout_progress_read(progress) &- received) < window ? events : nil
            }
        }

        /// What each client should have got.
        func deliveries(_ published: Int, _ plan: FanoutPlan) -> Int {
            if case .burst(let events, _, _, _) = self { return published * plan.deliveries(of: events) }
            return published
        }
    }
}
