import HummingbirdCore
import Tidings

/// `GET /api/v1/events/{event_id}/tree`: what led to an event and what came of it, from its root cause.
///
/// Whoever may not see all of it gets the part around the event that hangs together without what they may not see, and
/// is told that it is incomplete.
struct TreeRoute: Sendable {
    let log: any EventLog

    func tree(_ call: HTTPCall) async throws -> Response {
        _ = try call.query([])
        guard let id = EventID(call.parameter) else {
            throw Problem.badValue("event_id", "'event_id' must have 1...128 bytes")
        }
        let rights = call.principal.rights
        guard let whole = try await EventTree.build(for: id, in: self.log),
            let tree = rights.isUnrestricted ? whole : whole.visible({ rights.includes($0) })
        else {
            throw Problem.notFound("There is no event \(call.parameter)")
        }
        return .json { $0.write(tree) }
    }
}
