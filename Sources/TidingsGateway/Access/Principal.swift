import Tidings

/// What an access token lets its holder do.
public enum AccessScope: String, CaseIterable, Hashable, Sendable {
    /// See events, and how the program is doing.
    case read
    /// Send events.
    case publish
    /// Retry and discard dead letters, and see `/metrics`.
    case admin
}

/// Who asks, and what they may do and see.
struct Principal: Hashable, Sendable {
    /// The access token's name; nil where nobody has to show who they are.
    var name: String?
    var scopes: Set<AccessScope>
    /// The events they may see and send.
    var rights = EventRights.all
    /// When it ends; nil for never.
    var expires: Timestamp?
    /// What it was granted for; nil where nobody has to show who they are.
    var credential: Credential?
    /// Whether a browser sent it by itself, so that any page may have been the reason.
    var isFromCookie = false

    /// What somebody has shown.
    enum Credential: Hashable, Sendable {
        /// A token of the token file, by its hash.
        case token(SHA256Sum)
        /// A JWT, by the hash of the key that signed it, and its own.
        case jwt(key: SHA256Sum, token: SHA256Sum)
    }

    /// Whoever comes, where nobody is asked.
    static let anyone = Principal(name: nil, scopes: Set(AccessScope.allCases))
    /// Whoever has shown nothing, where that is asked for.
    static let stranger = Principal(name: nil, scopes: [], rights: .all)

    /// The source of events that name none.
    func source(or usual: Name) -> Name {
        self.name.map { Name($0) } ?? usual
    }

    func hasExpired(at now: Timestamp) -> Bool {
        self.expires.map { $0 <= now } ?? false
    }
}
