import Tidings

@testable import TidingsGateway

/// Tokens for tests, and the policy that knows them.
struct Keyring: Sendable {
    let policy: AccessPolicy
    let entries: [AccessToken]

    static let reader = "reader-token"
    static let publisher = "publisher-token"
    static let admin = "admin-token"
    static let all = "all-token"
    static let expired = "expired-token"
    /// Reads and publishes trades and logins of BTC-USD.
    static let restricted = "restricted-token"

    init() throws {
        let past = Timestamp.now().advanced(by: .seconds(-1))
        self.entries = [
            try AccessToken(name: "reader", sha256: SHA256Sum(of: Self.reader), scopes: [.read]),
            try AccessToken(name: "publisher", sha256: SHA256Sum(of: Self.publisher), scopes: [.publish]),
            try AccessToken(name: "admin", sha256: SHA256Sum(of: Self.admin), scopes: [.admin]),
            try AccessToken(name: "all", sha256: SHA256Sum(of: Self.all), scopes: [.read, .publish, .admin]),
            try AccessToken(
                name: "expired", sha256: SHA256Sum(of: Self.expired), scopes: [.read, .publish, .admin], expires: past),
            try AccessToken(
                name: "restricted", sha256: SHA256Sum(of: Self.restricted), scopes: [.read, .publish, .admin],
                types: ["trade", "login.*"], symbols: ["BTC-USD"]),
        ]
        self.policy = AccessPolicy(AccessPolicy.Credentials(tokens: self.entries))
    }

    func revoke(_ token: String) {
        let hash = SHA256Sum(of: token)
        self.policy.replace(with: AccessPolicy.Credentials(tokens: self.entries.filter { $0.sha256 != hash }))
    }

    static func bearer(_ token: String) -> [(String, String)] { [("Authorization", "Bearer \(token)")] }
}
