import NIOCore
import NIOHTTP1
import Tidings

/// Asks a running server for the tree of an event.
struct TreeServer {
    private let address: ServerAddress

    /// A tree has its limits at the server; an answer beyond them is none of ours.
    private static let maximumAnswer = 128 << 20

    init(_ address: ServerAddress) {
        self.address = address
    }

    func tree(_ id: EventID) async throws -> EventTree {
        try await ServerClient.with(self.address) { server in
            let path = "/api/v1/events/\(ServerClient.escaped(id.description))/tree"
            let (status, body) = try await server.request(.GET, path, limit: Self.maximumAnswer)
            guard status == .ok else { throw self.refusal(id, status, body) }
            let parsed: Result<EventTree, EventDecodingError> = body.withUnsafeReadableBytes { bytes in
                do throws(EventDecodingError) {
                    return .success(try EventTree(json: bytes))
                } catch {
                    return .failure(error)
                }
            }
            switch parsed {
            case .success(let tree): return tree
            case .failure(let error): throw CommandError("\(server.foreign): \(error)")
            }
        }
    }

    private func refusal(_ id: EventID, _ status: HTTPResponseStatus, _ body: ByteBuffer) -> any Error {
        let problem = try? JSONObject(json: String(buffer: body))
        // Whoever else says 404 does not know the path.
        if status == .notFound, problem?["detail"]?.string == "There is no event \(id)" {
            return CommandError("there is no event \(id) at \(self.address.http)")
        }
        return CommandError("\(RefusedRequest(status, problem))")
    }
}
