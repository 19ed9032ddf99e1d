import Tidings

/// A part of a query's result.
struct LogPage: Sendable {
    var events: [LoggedEvent]
    /// Whether nothing follows.
    var isLast: Bool
}
