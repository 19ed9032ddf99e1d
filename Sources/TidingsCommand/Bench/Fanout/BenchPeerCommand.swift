import ArgumentParser
import CFanoutBench
import Foundation
import Logging
import NIOPosix
import Tidings
import TidingsGateway

/// One of the processes that `tidings bench fanout` starts, so that each has CPU time of its own. Not for people.
struct BenchPeerCommand: AsyncParsableCommand {
    enum Role: String, ExpressibleByArgument {
        /// The gateway with a bus and a log in memory.
        case gateway
        /// The server of bare sockets beside it.
        case sockets
        /// Who reads from either.
        case clients
    }

    static let configuration = CommandConfiguration(commandName: "bench-peer", shouldDisplay: false)

    @Argument var role: Role
    /// The file where the clients count what they get.
    @Option(name: .long) var progress: String
    @Option(name: .long) var port: UInt16 = 0
    @Option(name: .long) var clients = 1
    @Option(name: .long) var filters = 1
    @Flag(name: .long) var stamped = false

    func run() async throws {
        let plan = FanoutPlan(clients: self.clients, filters: self.filters)
        switch self.role {
        case .gateway: try await FanoutGateway(plan: plan, progress: self.progress).run()
        case .sockets: try await Self.blocking { self.serveSockets() }
        case .clients: try await Self.blocking { self.runClients(plan) }
        }
    }

    /// The C ends run a loop of their own until they are told to end.
    private static func blocking(_ body: @escaping @Sendable () -> CInt) async throws {
        let result = try await NIOThreadPool.singleton.runIfActive(body)
        if result != 0 { throw CommandError("the bench's process ended early: \(String(cString: strerror(errno)))") }
    }

    private func serveSockets() -> CInt {
        let frame = FanoutPlan.frame()
        return frame.bytes.withUnsafeBufferPointer { bytes in
            self.progress.withCString { progress in
                var configuration = fanout_sockets_config(
                    frame: bytes.baseAddress, frame_length: bytes.count, stamp_offset: frame.stamp,
                    progress_file: progress)
                return fanout_sockets_run(&configuration)
            }
        }
    }

    private func runClients(_ plan: FanoutPlan) -> CInt {
        // They live as long as the process.
        let subscriptions = plan.subscriptions.map { UnsafePointer(strdup($0)) }
        return subscriptions.withUnsafeBufferPointer { subscriptions in
            self.progress.withCString { progress in
                var configuration = fanout_clients_config(
                    port: self.port, clients: CInt(self.clients), subscriptions: subscriptions.baseAddress,
                    subscription_count: CInt(subscriptions.count), stamped: self.stamped ? 1 : 0,
                    progress_file: progress)
                return fanout_clients_run(&configuration)
            }
        }
    }
}
