/// How long a connection may take for what.
///
/// Counts only the client's time: while the server does not read, because it works or because the bus is full, the clock
/// for what is to be read stands still.
struct RequestClock {
    /// All in nanoseconds.
    struct Limits: Sendable {
        /// The TLS handshake.
        var handshake: Int64 = 10_000_000_000
        /// From the first byte of a request to the end of its head.
        var head: Int64 = 15_000_000_000
        /// From one byte of a body to the next.
        var body: Int64 = 30_000_000_000
        /// A body that is held until it is whole has to come at this rate, once `body` has passed.
        var bodyBytesPerSecond: Int64 = 512
        /// Between requests, and before the first.
        var idle: Int64 = 60_000_000_000
        /// From one part of the answer being taken to the next.
        var response: Int64 = 30_000_000_000

        /// So that no sum with a time of the clock overflows.
        fileprivate var clamped: Limits {
            func clamp(_ time: Int64) -> Int64 { min(max(time, 0), 1 << 60) }
            return Limits(
                handshake: clamp(self.handshake), head: clamp(self.head), body: clamp(self.body),
                bodyBytesPerSecond: self.bodyBytesPerSecond, idle: clamp(self.idle), response: clamp(self.response))
        }
    }

    private enum Reading {
        case handshake
        /// Nothing of the next request has come.
        case nothing
        case head
        /// - Parameter isStreamed: whether it is used as it comes, so that it may come slowly.
        case body(isStreamed: Bool)
    }

    private let limits: Limits
    private var reading: Reading
    /// When what is being read began.
    private var since: Int64
    private var lastByte: Int64
    private var bytes: Int64 = 0
    private var suspendedAt: Int64?
    /// Requests whose answers have not ended.
    private(set) var pending = 0
    /// An answer that has no end of its own: whoever is slow there is dealt with elsewhere.
    private var isStreaming = false
    private var blockedSince: Int64?

    init(_ limits: Limits, hasHandshake: Bool, now: Int64) {
        self.limits = limits.clamped
        self.reading = hasHandshake ? .handshake : .nothing
        self.since = now
        self.lastByte = now
    }

    var isHandshaking: Bool { if case .handshake = self.reading { true } else { false } }
    /// Whether some of a request's head has come, and not all.
    var isInHead: Bool { if case .head = self.reading { true } else { false } }
    var isInBody: Bool { if case .body = self.reading { true } else { false } }

    // MARK: What happens

    mutating func handshakeEnded(now: Int64) {
        guard self.isHandshaking else { return }
        self.begin(.nothing, now)
    }

    mutating func received(_ count: Int, now: Int64) {
        self.lastByte = now
        self.bytes = self.bytes.addingReportingOverflow(Int64(count)).partialValue
        if case .nothing = self.reading { self.begin(.head, now) }
    }

    mutating func headEnded(isStreamed: Bool, now: Int64) {
        self.pending += 1
        self.begin(.body(isStreamed: isStreamed), now)
    }

    mutating func requestEnded(now: Int64) {
        self.begin(.nothing, now)
    }

    mutating func responseStarted(isStreaming: Bool) {
        self.isStreaming = isStreaming
    }

    mutating func responseEnded(now: Int64) {
        self.pending = max(0, self.pending - 1)
        self.isStreaming = false
        switch self.reading {
        case .nothing, .head: self.since = now
        case .handshake, .body: break
        }
    }

    /// The server does not read until ``resumed(now:)``.
    mutating func suspended(now: Int64) {
        if self.suspendedAt == nil { self.suspendedAt = now }
    }

    mutating func resumed(now: Int64) {
        guard let start = self.suspendedAt else { return }
        self.suspendedAt = nil
        self.since += max(0, now - max(start, self.since))
        self.lastByte += max(0, now - max(start, self.lastByte))
    }

    /// Whether the socket takes more of the answer.
    mutating func writable(_ isWritable: Bool, now: Int64) {
        self.blockedSince = isWritable ? nil : self.blockedSince ?? now
    }

    private mutating func begin(_ reading: Reading, _ now: Int64) {
        self.reading = reading
        self.since = now
        self.lastByte = now
        self.bytes = 0
    }

    // MARK: What is due

    /// What is too late at a moment, if anything.
    func expired(now: Int64) -> ConnectionTimeout? {
        guard let (deadline, timeout) = self.due, deadline <= now else { return nil }
        return timeout
    }

    /// When something will be too late unless something happens.
    var deadline: Int64? { self.due?.deadline }

    private var due: (deadline: Int64, timeout: ConnectionTimeout)? {
        if let since = self.blockedSince, !self.isStreaming { return (since + self.limits.response, .response) }
        if case .handshake = self.reading { return (self.since + self.limits.handshake, .handshake) }
        guard self.suspendedAt == nil else { return nil }
        switch self.reading {
        case .handshake: return nil
        case .nothing: return self.pending == 0 ? (self.since + self.limits.idle, .idle) : nil
        case .head: return self.pending == 0 ? (self.since + self.limits.head, .head) : nil
        case .body(let isStreamed):
            let silent = self.lastByte + self.limits.body
            if isStreamed { return (silent, .body) }
            let seconds = Double(self.bytes) / Double(max(self.limits.bodyBytesPerSecond, 1))
            let earned = Int64(min(seconds * 1e9, 3.6e12))
            return (min(silent, self.since + self.limits.body + earned), .body)
        }
    }
}
