import HTTPTypes
import NIOCore
import Tidings

/// Decides who may connect and ask. Safe from any thread.
final class AddressLimiter: Sendable {
    /// What is known of an address: a group that is counted, or nothing for those that are exempt.
    typealias Group = IPAddress

    private struct State: ~Copyable {
        var table: AddressTable
        var connections = 0
    }

    private let limits: AddressLimits
    private let connections: Int
    private let state: Locked<State>

    /// The table holds this many addresses more than there can be connections.
    private static let spareAddresses = 65_536

    init(_ limits: GatewayConfiguration.Limits) {
        self.limits = limits.address
        self.connections = limits.connections
        self.state = Locked(
            State(table: AddressTable(limits.address, capacity: limits.connections + Self.spareAddresses)))
    }

    /// What an address counts as; nil for one that is exempt, or that is no IP address.
    func group(of address: SocketAddress?) -> Group? {
        guard let address = IPAddress(address), !self.limits.exempt.contains(where: { $0.contains(address) }) else {
            return nil
        }
        return address.group
    }

    /// Takes a place for a connection; nil, or why there is none. A place taken is given back by ``disconnect(_:)``.
    func connect(_ group: Group?, now: Int64 = MonotonicClock.nanoseconds()) -> Refusal? {
        self.state.withLock { state in
            guard state.connections < self.connections else { return Refusal(.connections, delay: 1_000_000_000) }
            if let group {
                switch state.table.connect(group, now: now) {
                case .admitted: break
                case .tooMany: return Refusal(.addressConnections, delay: 1_000_000_000)
                case .tooFast(let delay): return Refusal(.addressRate, delay: delay)
                }
            }
            state.connections += 1
            return nil
        }
    }

    func disconnect(_ group: Group?) {
        self.state.withLock { state in
            state.connections -= 1
            if let group { state.table.disconnect(group) }
        }
    }

    /// Counts a request; nil, or why it is one too many.
    func request(_ group: Group?, now: Int64 = MonotonicClock.nanoseconds()) -> Refusal? {
        guard let group else { return nil }
        switch self.state.withLock({ $0.table.request(group, now: now) }) {
        case .admitted: return nil
        case .tooMany: return Refusal(.requestRate, delay: 1_000_000_000)
        case .tooFast(let delay): return Refusal(.requestRate, delay: delay)
        }
    }

    /// Addresses remembered now.
    var addresses: Int { self.state.withLock { $0.table.count } }

    struct Refusal: Sendable {
        let reason: ConnectionRefusal
        /// Nanoseconds until it makes sense to come back.
        let delay: Int64

        init(_ reason: ConnectionRefusal, delay: Int64) {
            self.reason = reason
            self.delay = delay
        }

        var problem: Problem {
            var problem: Problem
            switch self.reason {
            case .connections:
                problem = Problem(.serviceUnavailable, code: "too_many_connections", "All connections are taken")
            case .addressConnections:
                problem = Problem(
                    .tooManyRequests, code: "too_many_connections", "Your address has too many connections open")
            case .addressRate:
                problem = Problem(
                    .tooManyRequests, code: "too_many_connections", "Your address opens connections too fast")
            default:
                problem = Problem(.tooManyRequests, code: "too_many_requests", "Your address asks too often")
            }
            problem.headers[.retryAfter] = "\(max(1, (self.delay + 999_999_999) / 1_000_000_000))"
            return problem
        }
    }
}
