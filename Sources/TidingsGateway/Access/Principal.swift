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
    /// The types of events they may see and send; empty when any.
    var types: [EventTypePattern] = []
    /// The symbols, in capitals, whose events they may see and send; empty when any.
    var symbols: [Name] = []

    /// Whoever comes, where nobody is asked.
    static let anyone = Principal(name: nil, scopes: Set(AccessScope.allCases))
}
