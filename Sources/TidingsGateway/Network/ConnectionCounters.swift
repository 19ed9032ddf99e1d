import Synchronization

/// Why a connection or a request was turned away before anything was done for it.
enum ConnectionRefusal: String, CaseIterable, Sendable {
    /// All connections that the gateway holds are taken.
    case connections
    /// Its address has as many connections as one may.
    case addressConnections = "address_connections"
    /// Its address opens them faster than one may.
    case addressRate = "address_rate"
    /// Its address asks faster than one may.
    case requestRate = "request_rate"
    /// The request's head is longer than one may be.
    case head
    /// The path and query are longer than they may be.
    case uri
    /// What came is no HTTP.
    case invalid
    /// It spoke without TLS where TLS is spoken.
    case plaintext
}

/// What a connection took too long for.
enum ConnectionTimeout: String, CaseIterable, Sendable {
    /// The TLS handshake.
    case handshake
    /// The request line and headers.
    case head
    /// The request's body.
    case body
    /// The next request, between two.
    case idle
    /// Taking the answer.
    case response
}

/// What a gateway counts about its connections. Safe from any thread.
final class ConnectionCounters: Sendable {
    private let acceptedCount = Atomic<UInt64>(0)
    private let closedCount = Atomic<UInt64>(0)
    private let handshakeCount = Atomic<UInt64>(0)
    private let failedHandshakeCount = Atomic<UInt64>(0)
    private let acceptErrorCount = Atomic<UInt64>(0)
    private let refusals = Tally(ConnectionRefusal.allCases.count)
    private let timeouts = Tally(ConnectionTimeout.allCases.count)

    /// A counter for each of a few kinds.
    private final class Tally: Sendable {
        private let counts: [Counter]

        private final class Counter: Sendable {
            let count = Atomic<UInt64>(0)
        }

        init(_ kinds: Int) {
            self.counts = (0..<kinds).map { _ in Counter() }
        }

        func add(_ kind: Int) { self.counts[kind].count.wrappingAdd(1, ordering: .relaxed) }
        func value(_ kind: Int) -> UInt64 { self.counts[kind].count.load(ordering: .relaxed) }
    }

    func opened() { self.acceptedCount.wrappingAdd(1, ordering: .relaxed) }
    func closed() { self.closedCount.wrappingAdd(1, ordering: .relaxed) }
    func handshakeDone() { self.handshakeCount.wrappingAdd(1, ordering: .relaxed) }
    func handshakeFailed() { self.failedHandshakeCount.wrappingAdd(1, ordering: .relaxed) }
    func acceptFailed() { self.acceptErrorCount.wrappingAdd(1, ordering: .relaxed) }

    func refused(_ reason: ConnectionRefusal) {
        if let kind = ConnectionRefusal.allCases.firstIndex(of: reason) { self.refusals.add(kind) }
    }

    func timedOut(_ timeout: ConnectionTimeout) {
        if let kind = ConnectionTimeout.allCases.firstIndex(of: timeout) { self.timeouts.add(kind) }
    }

    /// Connections accepted so far; those refused at once are among them.
    var accepted: UInt64 { self.acceptedCount.load(ordering: .relaxed) }
    /// Connections open now.
    var open: UInt64 {
        // What is closed was counted as opened before.
        let closed = self.closedCount.load(ordering: .relaxed)
        return self.accepted &- closed
    }
    var handshakes: UInt64 { self.handshakeCount.load(ordering: .relaxed) }
    var failedHandshakes: UInt64 { self.failedHandshakeCount.load(ordering: .relaxed) }
    /// How many times the system had no connection to give, such as for want of file descriptors.
    var acceptErrors: UInt64 { self.acceptErrorCount.load(ordering: .relaxed) }

    var refusalCounts: [(reason: ConnectionRefusal, count: UInt64)] {
        ConnectionRefusal.allCases.enumerated().map { ($1, self.refusals.value($0)) }
    }

    var timeoutCounts: [(timeout: ConnectionTimeout, count: UInt64)] {
        ConnectionTimeout.allCases.enumerated().map { ($1, self.timeouts.value($0)) }
    }
}
