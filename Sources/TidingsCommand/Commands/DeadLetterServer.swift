import AsyncHTTPClient
import Foundation
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
    private let client: HTTPClient
    private let server: ServerAddress

    /// Letters may be large: a mebibyte each.
    private static let lettersPerRequest = 50
    private static let maximumAnswer = 256 << 20

    static func with<Result>(
        _ server: ServerAddress, _ body: (DeadLetterServer) async throws -> Result
    ) async throws -> Result {
        var configuration = HTTPClient.Configuration()
        // Nobody there is an answer; trying again is for the user to decide.
        configuration.connectionPool.retryConnectionEstablishment = false
        let client = HTTPClient(eventLoopGroupProvider: .singleton, configuration: configuration)
        do {
            let result = try await body(DeadLetterServer(client: client, server: server))
            try await client.shutdown()
            return result
        } catch {
            try? await client.shutdown()
            throw error
        }
    }

    // MARK: Requests

    /// All letters, some at a time; `limit` of them at most.
    func list(limit: Int, _ body: ([ToldLetter]) throws -> Void) async throws {
        var remaining = limit
        var after = ""
        while remaining > 0 {
            let query = "limit=\(min(Self.lettersPerRequest, remaining))" + after
            let answer = try await self.request(.GET, "?\(query)", expected: .ok)
            guard let list = answer["dead_letters"]?.array else { throw self.foreign }
            try body(list.map { try self.letter($0.object) })
            remaining -= list.count
            guard !list.isEmpty, let next = answer["next_after"]?.string else { return }
            after = "&after=\(Self.escaped(next))"
        }
    }

    func letter(_ id: EventID) async throws -> ToldLetter {
        try self.letter(try await self.request(.GET, "/\(Self.escaped(id.description))", expected: .ok))
    }

    /// Returns the server's answer.
    func retry(_ id: EventID) async throws -> JSONObject {
        try await self.request(.POST, "/\(Self.escaped(id.description))/retry", expected: .accepted)
    }

    /// Returns how many there were.
    func purge() async throws -> Int {
        guard let count = try await self.request(.DELETE, "", expected: .ok)["purged"]?.int else { throw self.foreign }
        return count
    }

    private func letter(_ object: JSONObject?) throws -> ToldLetter {
        guard let object, let letter = DeadLetter(object) else { throw self.foreign }
        return ToldLetter(letter: letter, json: object.description)
    }

    private func request(
        _ method: HTTPMethod, _ path: String, expected: HTTPResponseStatus
    ) async throws -> JSONObject {
        var request = HTTPClientRequest(url: self.server.http + "/api/v1/dead-letters" + path)
        request.method = method
        let response: HTTPClientResponse
        let text: String
        do {
            response = try await self.client.execute(request, timeout: .seconds(60))
            text = String(buffer: try await response.body.collect(upTo: Self.maximumAnswer))
        } catch {
            throw CommandError("cannot reach \(self.server.http): \(Self.reason(error))")
        }
        let object = try? JSONObject(json: text)
        guard response.status == expected else {
            let detail = object?["detail"]?.string ?? response.status.reasonPhrase
            throw RefusedRequest(status: response.status.code, detail: detail)
        }
        guard let object else { throw self.foreign }
        return object
    }

    private var foreign: CommandError {
        CommandError("\(self.server.http) did not answer as a Tidings server would")
    }

    private static func escaped(_ text: String) -> String {
        let plain = CharacterSet(charactersIn: "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789-._~")
        return text.addingPercentEncoding(withAllowedCharacters: plain) ?? text
    }

    private static func reason(_ error: any Error) -> String {
        let text = "\(error)"
        return text.contains("onnection refused") ? "connection refused; is `tidings run` running?" : text
    }
}

/// What the server says when it does not do what it was asked to.
struct RefusedRequest: Error, CustomStringConvertible {
    let status: UInt
    let detail: String

    var description: String { "the server refused the request: \(self.detail) (\(self.status))" }
}
