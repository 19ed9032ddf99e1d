import HTTPTypes
import NIOCore
import Synchronization
import Tidings

/// Decides for one gateway who comes in: what they show is looked up once, remembered for as long as it holds, and wrong
/// ones are counted by address.
final class AccessControl: Sendable {
    private struct State: ~Copyable {
        /// What was shown and accepted, by hash. Whoever has one of these is not held up by others at their address.
        var accepted: [SHA256Sum: Principal] = [:]
        var failures: FailureLimiter
        var sessions = SessionTable()
    }

    /// nil where nobody has to show who they are.
    private let policy: AccessPolicy?
    private let state: Locked<State>
    private let unknown = Atomic<UInt64>(0)
    private let expired = Atomic<UInt64>(0)
    private let limited = Atomic<UInt64>(0)
    private let forbidden = Atomic<UInt64>(0)

    private static let acceptedCapacity = 4096

    /// - Parameter failures: how many wrong credentials an address may show at once.
    init(_ policy: AccessPolicy?, failures: Int) {
        self.policy = policy
        self.state = Locked(State(failures: FailureLimiter(burst: failures)))
    }

    /// Whether anybody has to show who they are.
    var isEnforced: Bool { self.policy != nil }

    // MARK: Who it is

    /// - Throws: 401 for nothing or something wrong, 429 for too many wrong ones from this address.
    func principal(_ shown: ShownCredential, from address: SocketAddress?) throws(Problem) -> Principal {
        guard let policy = self.policy else { return .anyone }
        let now = Timestamp.now()
        switch shown {
        case .none:
            throw .unauthorized("missing_token", "An access token is needed: Authorization: Bearer TOKEN", error: nil)
        case .malformed(let message):
            try self.checkPatience(address)
            self.noteFailure(address, self.unknown)
            throw .unauthorized("invalid_token", message, error: "invalid_request")
        case .session(let id):
            let principal = self.state.withLock { $0.sessions.principal(of: id, now: now) }
            guard let principal, policy.holds(principal, at: now) else {
                // Sessions end with the program; a browser that does not know yet is no intruder, and 256 random bits
                // are not guessed.
                throw .unauthorized("session_ended", "The session has ended; sign in again", error: "invalid_token")
            }
            return principal
        case .token(let token): return try self.principal(token, address, policy, now)
        }
    }

    private func principal(
        _ token: String, _ address: SocketAddress?, _ policy: AccessPolicy, _ now: Timestamp
    ) throws(Problem) -> Principal {
        let hash = SHA256Sum(of: token)
        if let known = self.state.withLock({ $0.accepted[hash] }), policy.holds(known, at: now) { return known }
        try self.checkPatience(address)
        do throws(AccessPolicy.Refusal) {
            let principal = try policy.principal(of: token, at: now)
            self.state.withLock { state in
                if state.accepted.count >= Self.acceptedCapacity { state.accepted.removeAll() }
                state.accepted[hash] = principal
            }
            return principal
        } catch {
            switch error {
            case .unknown(let message):
                self.noteFailure(address, self.unknown)
                throw .unauthorized("invalid_token", message, error: "invalid_token")
            case .expired(let message):
                self.noteFailure(address, self.expired)
                throw .unauthorized("expired_token", message, error: "invalid_token")
            }
        }
    }

    private func checkPatience(_ address: SocketAddress?) throws(Problem) {
        let network = FailureLimiter.place(of: address)
        let wait = self.state.withLock { $0.failures.wait(network, now: MonotonicClock.nanoseconds()) }
        guard let wait else { return }
        self.limited.wrappingAdd(1, ordering: .relaxed)
        var problem = Problem(
            .tooManyRequests, code: "too_many_failures", "Too many wrong tokens have come from this address")
        problem.headers[.retryAfter] = String(max(1, (wait + 999_999_999) / 1_000_000_000))
        throw problem
    }

    private func noteFailure(_ address: SocketAddress?, _ counter: borrowing Atomic<UInt64>) {
        counter.wrappingAdd(1, ordering: .relaxed)
        let network = FailureLimiter.place(of: address)
        self.state.withLock { $0.failures.noteFailure(network, now: MonotonicClock.nanoseconds()) }
    }

    /// Whether what was granted is still granted. What nobody had to ask for is.
    func holds(_ principal: Principal, at now: Timestamp = .now()) -> Bool {
        self.policy?.holds(principal, at: now) ?? true
    }

    // MARK: What they may do

    /// - Throws: 403 naming the scope.
    func check(_ principal: Principal, may scopes: AccessScope...) throws(Problem) {
        if scopes.contains(where: { principal.scopes.contains($0) }) { return }
        self.forbidden.wrappingAdd(1, ordering: .relaxed)
        throw .forbiddenScope(scopes)
    }

    // MARK: Sessions

    /// Begins a session; returns the cookie.
    func beginSession(_ principal: Principal, isSecure: Bool) -> String {
        let now = Timestamp.now()
        let (id, expires) = self.state.withLock { $0.sessions.begin(principal, now: now) }
        return SessionCookie.setting(id, maxAge: expires.duration(since: now), isSecure: isSecure)
    }

    func endSession(_ id: String) {
        self.state.withLock { $0.sessions.end(id) }
    }

    // MARK: Counting

    var statistics: AccessStatistics {
        AccessStatistics(
            unknown: self.unknown.load(ordering: .relaxed), expired: self.expired.load(ordering: .relaxed),
            limited: self.limited.load(ordering: .relaxed), forbidden: self.forbidden.load(ordering: .relaxed),
            sessions: self.state.withLock { $0.sessions.number })
    }
}

/// How many were turned away, and why.
struct AccessStatistics: Sendable, Equatable {
    /// Credentials that are not known, or not right.
    var unknown: UInt64 = 0
    var expired: UInt64 = 0
    /// Not looked at, as too many wrong ones had come from their address.
    var limited: UInt64 = 0
    /// Known, but without the scope.
    var forbidden: UInt64 = 0
    /// Sessions there are now.
    var sessions = 0
}

extension Problem {
    /// - Parameter error: RFC 6750 section 3.1; nil when nothing was shown.
    static func unauthorized(_ code: String, _ detail: String, error: String?) -> Problem {
        var problem = Problem(.unauthorized, code: code, field: "Authorization", detail)
        problem.headers[.wwwAuthenticate] =
            "Bearer realm=\"tidings\"" + (error.map { ", error=\"\($0)\"" } ?? "")
        return problem
    }

    static func forbiddenScope(_ scopes: [AccessScope]) -> Problem {
        let names = scopes.map { "'\($0.rawValue)'" }.joined(separator: " or ")
        var problem = Problem(.forbidden, code: "insufficient_scope", "This needs a token with the scope \(names)")
        problem.headers[.wwwAuthenticate] =
            "Bearer realm=\"tidings\", error=\"insufficient_scope\", scope=\""
            + scopes.map(\.rawValue).joined(separator: " ") + "\""
        return problem
    }

    static func forbiddenType(_ type: EventType) -> Problem {
        Problem(.forbidden, code: "forbidden", field: "event_type", "This token may not see events of type '\(type)'")
    }
}
