import Tidings

/// The sessions of browsers: a random id in a cookie stands for what was granted to a token. Kept in memory only, so they
/// end with the program.
struct SessionTable {
    private struct Session {
        let principal: Principal
        let expires: Timestamp
        /// Rises; tells which is older.
        let number: UInt64
    }

    private let capacity: Int
    private let perCredential: Int
    private var sessions: [SHA256Sum: Session] = [:]
    private var count: UInt64 = 0

    static let lifetime = Duration.seconds(12 * 3600)

    /// - Parameters:
    ///   - capacity: the most sessions; the oldest goes.
    ///   - perCredential: the most for one token, so that its holder cannot end those of others.
    init(capacity: Int = 4096, perCredential: Int = 64) {
        self.capacity = max(capacity, 1)
        self.perCredential = max(perCredential, 1)
    }

    /// Begins one; returns its id, which is only kept hashed.
    mutating func begin(_ principal: Principal, now: Timestamp) -> (id: String, expires: Timestamp) {
        self.sessions = self.sessions.filter { $0.value.expires > now }
        let own = self.sessions.filter { $0.value.principal.credential == principal.credential }
        if own.count >= self.perCredential { self.removeOldest(of: own) }
        if self.sessions.count >= self.capacity { self.removeOldest(of: self.sessions) }
        let end = now.advanced(by: Self.lifetime)
        let expires = principal.expires.map { min($0, end) } ?? end
        var generator = SystemRandomNumberGenerator()
        let id = Base64URL.encode((0..<32).map { _ in UInt8.random(in: .min ... .max, using: &generator) })
        var granted = principal
        granted.isFromCookie = true
        self.count += 1
        self.sessions[SHA256Sum(of: id)] = Session(principal: granted, expires: expires, number: self.count)
        return (id, expires)
    }

    private mutating func removeOldest(of some: [SHA256Sum: Session]) {
        guard let oldest = some.min(by: { $0.value.number < $1.value.number }) else { return }
        self.sessions[oldest.key] = nil
    }

    /// Who came with a session, as long as it lasts. Looked up by the hash of what came, so the time it takes tells nothing
    /// of the ids there are.
    func principal(of id: String, now: Timestamp) -> Principal? {
        guard let session = self.sessions[SHA256Sum(of: id)], session.expires > now else { return nil }
        return session.principal
    }

    mutating func end(_ id: String) {
        self.sessions[SHA256Sum(of: id)] = nil
    }

    var number: Int { self.sessions.count }
}
