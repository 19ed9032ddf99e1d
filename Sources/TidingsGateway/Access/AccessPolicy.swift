import Tidings

/// Who may come in: the access tokens and keys that are known now. Whoever has it may replace them while gateways run;
/// what is taken out stops working within a second, for open streams as well.
///
/// Thread-safe.
public final class AccessPolicy: Sendable {
    /// What somebody can show to come in.
    public struct Credentials: Sendable {
        public var tokens: [AccessToken]
        public var keys: JWTKeySet?

        public init(tokens: [AccessToken] = [], keys: JWTKeySet? = nil) {
            self.tokens = tokens
            self.keys = keys
        }
    }

    private struct State {
        var credentials: Credentials
        /// By hash, for asking again whether what was granted still holds; never asked with what a client sent.
        var tokens: [SHA256Sum: AccessToken]
        var fingerprints: Set<SHA256Sum>

        init(_ credentials: Credentials) {
            self.credentials = credentials
            self.tokens = Dictionary(credentials.tokens.map { ($0.sha256, $0) }, uniquingKeysWith: { $1 })
            self.fingerprints = Set(credentials.keys?.keys.map(\.fingerprint) ?? [])
        }
    }

    private let state: Locked<State>

    public init(_ credentials: Credentials) {
        self.state = Locked(State(credentials))
    }

    /// From now on these count and no others.
    public func replace(with credentials: Credentials) {
        let new = State(credentials)
        self.state.withLock { $0 = new }
    }

    /// Why a credential is not accepted.
    enum Refusal: Error, Equatable {
        case unknown(String)
        case expired(String)
    }

    /// Whose credential it is. Takes as long for a token that is nearly right as for any other wrong one.
    func principal(of token: String, at now: Timestamp) throws(Refusal) -> Principal {
        let credentials = self.state.withLock { $0.credentials }
        let hash = SHA256Sum(of: token)
        var found: AccessToken?
        for entry in credentials.tokens where entry.sha256.isSame(as: hash) { found = entry }
        if let found {
            if let expires = found.expires, expires <= now { throw .expired("The token has expired") }
            return found.principal
        }
        guard let keys = credentials.keys, token.utf8.count(where: { $0 == UInt8(ascii: ".") }) == 2 else {
            throw .unknown("The token is not known")
        }
        do throws(JWTKeySet.Refusal) {
            return try keys.principal(of: token, at: now)
        } catch {
            throw error.isExpired ? .expired(error.message) : .unknown(error.message)
        }
    }

    /// Whether what was granted before is still granted, exactly so.
    func holds(_ principal: Principal, at now: Timestamp) -> Bool {
        if principal.hasExpired(at: now) { return false }
        switch principal.credential {
        case nil: return false
        case .jwt(let key, _): return self.state.withLock { $0.fingerprints.contains(key) }
        case .token(let hash):
            guard let entry = self.state.withLock({ $0.tokens[hash] }) else { return false }
            var granted = principal
            granted.isFromCookie = false
            return entry.principal == granted
        }
    }
}
