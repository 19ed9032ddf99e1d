import AsyncHTTPClient
import Foundation
import NIOCore
import NIOHTTP1
import Tidings

/// One running server, asked over HTTP; for as long as `with` runs.
struct ServerClient {
    let address: ServerAddress
    private let client: HTTPClient

    static func with<Result>(
        _ address: ServerAddress, _ body: (ServerClient) async throws -> Result
    ) async throws -> Result {
        var configuration = HTTPClient.Configuration()
        // Nobody there is an answer; trying again is for the user to decide.
        configuration.connectionPool.retryConnectionEstablishment = false
        address.trust?.apply(to: &configuration)
        let client = HTTPClient(eventLoopGroupProvider: .singleton, configuration: configuration)
        do {
            let result = try await body(ServerClient(address: address, client: client))
            try await client.shutdown()
            return result
        } catch {
            try? await client.shutdown()
            throw error
        }
    }

    /// Sends a request and returns the answer, whatever its status.
    ///
    /// - Parameter limit: the longest answer that is read, in bytes.
    func request(
        _ method: HTTPMethod, _ path: String, limit: Int
    ) async throws -> (status: HTTPResponseStatus, body: ByteBuffer) {
        var request = HTTPClientRequest(url: self.address.http + path)
        request.method = method
        self.address.token?.apply(to: &request.headers)
        do {
            let response = try await self.client.execute(request, timeout: .seconds(60))
            return (response.status, try await response.body.collect(upTo: limit))
        } catch {
            throw CommandError("cannot reach \(self.address.http): \(Self.reason(error))")
        }
    }

    /// For an answer that is not what the contract says.
    var foreign: CommandError {
        CommandError("\(self.address.http) did not answer as a Tidings server would")
    }

    /// A text as one part of a path or a query.
    static func escaped(_ text: String) -> String {
        let plain = CharacterSet(charactersIn: "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789-._~")
        return text.addingPercentEncoding(withAllowedCharacters: plain) ?? text
    }

    private static func reason(_ error: any Error) -> String {
        let text = "\(error)"
        if let problem = ServerTrust.problem(text) { return problem }
        return text.contains("onnection refused") ? "connection refused; is `tidings run` running?" : text
    }
}

/// What the server says when it does not do what it was asked to.
struct RefusedRequest: Error, CustomStringConvertible {
    let status: UInt
    let detail: String

    init(_ status: HTTPResponseStatus, _ problem: JSONObject?) {
        self.status = status.code
        self.detail = problem?["detail"]?.string ?? status.reasonPhrase
    }

    var description: String { "the server refused the request: \(self.detail) (\(self.status))" }
}
