/// Reads events back: what every log can do, and whoever opens a log's file only to look.
///
/// All methods are safe to call from any thread.
public protocol EventReader: Sendable {
    /// Events in the order asked for.
    func read(_ query: LogQuery) async throws(EventLogError) -> [LoggedEvent]

    /// The event with an id.
    func event(_ id: EventID) async throws(EventLogError) -> LoggedEvent?

    /// The offsets of those ids that are known.
    func offsets(of ids: [EventID]) async throws(EventLogError) -> [EventID: Int64]
}
