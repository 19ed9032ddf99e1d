import HummingbirdCore
import Tidings

/// `GET /api/v1/events/{event_id}/tree`: what led to an event and what came of it, from its root cause.
struct TreeRoute: Sendable {
    let log: any EventLog

    func tree(_ call: HTTPCall) async throws -> Response {
        _ = try call.query([])
        guard let id = EventID(call.parameter) else {
            throw Problem.badValue("event_id", "'event_id' must have 1...128 bytes")
        }
        guard let tree = try await EventTree.build(for: id, in: self.log) else {
            throw Problem.notFound("There is no event \(call.parameter)")
        }
        return .json { $0.write(tree) }
    }
}
