import NIOCore
import NIOHTTP1
import Tidings

/// A dead letter, and the JSON that it was told in.
struct ToldLetter {
    let letter: DeadLetter
    let json: String
}

/// The dead letters of a running server.
struct DeadLetterServer {
    private let server: ServerClient

    /// Letters may be large: a mebibyte each.
    private static let lettersPerRequest = 50
    private static let maximumAnswer = 256 << 20

    static func with<Result>(
        _ server: ServerAddress, _ body: (DeadLetterServer) async throws -> Result
    ) async throws -> Result {
        try await ServerClient.with(server) { try await body(DeadLetterServer(server: $0)) }
    }

    // MARK: Requests

    /// All letters, some at a time; `limit` of them at most.
    func list(limit: Int, _ body: ([ToldLetter]) throws -> Void) async throws {
        var remaining = limit
        var after = ""
        while remaining > 0 {
            let query = "limit=\(min(Self.lettersPerRequest, remaining))" + after
            let answer = try await self.request(.GET, "?\(query)", expected: .ok)
            guard let list = answer["dead_letters"]?.array else { throw self.server.foreign }
            try body(list.map { try self.letter($0.object) })
            remaining -= list.count
            guard !list.isEmpty, let next = answer["next_after"]?.string else { return }
            after = "&after=\(ServerClient.escaped(next))"
        }
    }

    func letter(_ id: EventID) async throws -> ToldLetter {
        try self.letter(try await self.request(.GET, "/\(ServerClient.escaped(id.description))", expected: .ok))
    }

    /// Returns the server's answer.
    func retry(_ id: EventID) async throws -> JSONObject {
        try await self.request(.POST, "/\(ServerClient.escaped(id.description))/retry", expected: .accepted)
    }

    /// Returns how many there were.
    func purge() async throws -> Int {
        guard let count = try await self.request(.DELETE, "", expected: .ok)["purged"]?.int else {
            throw self.server.foreign
        }
        return count
    }

    private func letter(_ object: JSONObject?) throws -> ToldLetter {
        guard let object, let letter = DeadLetter(object) else { throw self.server.foreign }
        return ToldLetter(letter: letter, json: object.description)
    }

    private func request(
        _ method: HTTPMethod, _ path: String, expected: HTTPResponseStatus
    ) async throws -> JSONObject {
        let (status, body) = try await self.server.request(
            method, "/api/v1/dead-letters" + path, limit: Self.maximumAnswer)
        let object = try? JSONObject(json: String(buffer: body))
        guard status == expected else { throw RefusedRequest(status, object) }
        guard let object else { throw self.server.foreign }
        return object
    }
}
