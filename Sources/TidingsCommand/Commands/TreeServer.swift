import AsyncHTTPClient
import Foundation
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
        var configuration = HTTPClient.Configuration()
        // Nobody there is an answer; trying again is for the user to decide.
        configuration.connectionPool.retryConnectionEstablishment = false
        let client = HTTPClient(eventLoopGroupProvider: .singleton, configuration: configuration)
        do {
            let tree = try await self.tree(id, client)
            try await client.shutdown()
            return tree
        } catch {
            try? await client.shutdown()
            throw error
        }
    }

    private func tree(_ id: EventID, _ client: HTTPClient) async throws -> EventTree {
        let request = HTTPClientRequest(url: "\(self.address.http)/api/v1/events/\(Self.escaped(id))/tree")
        let response: HTTPClientResponse
        let body: ByteBuffer
        do {
            response = try await client.execute(request, timeout: .seconds(60))
            body = try await response.body.collect(upTo: Self.maximumAnswer)
        } catch {
            throw CommandError("cannot reach \(self.address.http): \(Self.reason(error))")
        }
        guard response.status == .ok else { throw self.refusal(id, response.status, body) }
        let parsed: Result<EventTree, EventDecodingError> = body.withUnsafeReadableBytes { bytes in
            do throws(EventDecodingError) {
                return .success(try EventTree(json: bytes))
            } catch {
                return .failure(error)
            }
        }
        switch parsed {
        case .success(let tree): return tree
        case .failure(let error):
            throw CommandError("\(self.address.http) did not answer as a Tidings server would: \(error)")
        }
    }

    private func refusal(_ id: EventID, _ status: HTTPResponseStatus, _ body: ByteBuffer) -> CommandError {
        let problem = try? JSONObject(json: String(buffer: body))
        // Whoever else says 404 does not know the path.
        if status == .notFound, problem?["detail"]?.string == "There is no event \(id)" {
            return CommandError("there is no event \(id) at \(self.address.http)")
        }
        let detail = problem?["detail"]?.string ?? status.reasonPhrase
        return CommandError("the server refused the request: \(detail) (\(status.code))")
    }

    private static func escaped(_ id: EventID) -> String {
        let plain = CharacterSet(charactersIn: "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789-._~")
        return id.description.addingPercentEncoding(withAllowedCharacters: plain) ?? id.description
    }

    private static func reason(_ error: any Error) -> String {
        let text = "\(error)"
        return text.contains("onnection refused") ? "connection refused; is `tidings run` running?" : text
    }
}
