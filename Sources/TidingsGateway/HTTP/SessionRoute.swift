import HTTPTypes
import HummingbirdCore
import NIOCore
import Tidings

/// `/api/v1/session`: a browser's way in. A page hands in an access token once and has a cookie from then on, which no
/// script can read; SSE and the dashboard use it.
struct SessionRoute: Sendable {
    let access: AccessControl
    let isSecure: Bool

    /// A body has a token in it and nothing else.
    private static let bodyBytes = JWTKeySet.maximumTokenBytes + 1024

    /// Who the caller is, and what they may do.
    func show(_ call: HTTPCall) async throws -> Response {
        _ = try call.query([])
        return Self.answer(try self.access.principal(ShownCredential(call.request.headers), from: call.remoteAddress))
    }

    func begin(_ call: HTTPCall) async throws -> Response {
        _ = try call.query([])
        let shown = try await self.shown(call.request)
        guard self.access.isEnforced else { return Self.answer(.anyone) }
        let principal = try self.access.principal(shown, from: call.remoteAddress)
        var response = Self.answer(principal)
        response.headers[.setCookie] = self.access.beginSession(principal, isSecure: self.isSecure)
        return response
    }

    func end(_ call: HTTPCall) async throws -> Response {
        _ = try call.query([])
        if let id = ShownCredential.session(in: call.request.headers[values: .cookie]) { self.access.endSession(id) }
        let cookie = SessionCookie.clearing(isSecure: self.isSecure)
        return Response(status: .noContent, headers: [.cacheControl: "no-store", .setCookie: cookie])
    }

    /// A token from the header, else from the body, which has to make sense in either case; an older session is none.
    private func shown(_ request: Request) async throws -> ShownCredential {
        let header = ShownCredential(authorization: request.headers[values: .authorization], cookies: [])
        let body = try await self.token(request, isRequired: header == .none)
        guard header == .none, let body else { return header }
        return ShownCredential(authorization: ["Bearer \(body)"], cookies: [])
    }

    /// The token in the body; nil when there is no body, and needs to be none.
    private func token(_ request: Request, isRequired: Bool) async throws -> String? {
        let type = (request.headers[.contentType] ?? "").prefix { $0 != ";" }.lowercased()
        if type.isEmpty { return nil }
        guard type == "application/json" else {
            throw Problem(
                .unsupportedMediaType, code: "unsupported_content_type", field: "Content-Type",
                "Content-Type must be application/json")
        }
        var body = ByteBuffer()
        for try await var part in request.body {
            guard body.readableBytes + part.readableBytes <= Self.bodyBytes else {
                var problem = Problem(.contentTooLarge, code: "body_too_large", "The body is longer than any token")
                problem.headers[.connection] = "close"
                throw problem
            }
            body.writeBuffer(&part)
        }
        if body.readableBytes == 0, !isRequired { return nil }
        // What is wrong with the JSON is not told in its own words: it may be the token.
        let object = body.withUnsafeReadableBytes { try? JSONObject(json: $0) }
        guard let token = object?["token"]?.string else {
            throw Problem.badValue("token", "The body must be {\"token\": \"...\"}")
        }
        return token
    }

    private static func answer(_ principal: Principal) -> Response {
        .json { writer in
            writer.literal("{\"name\":")
            if let name = principal.name { writer.write(string: name) } else { writer.literal("null") }
            writer.literal(",\"scopes\":")
            writer.write(strings: AccessScope.allCases.filter { principal.scopes.contains($0) }.map(\.rawValue))
            writer.literal(",\"types\":")
            writer.write(strings: principal.rights.types.map(\.text))
            writer.literal(",\"symbols\":")
            writer.write(strings: principal.rights.symbols.map(\.description))
            if let expires = principal.expires {
                writer.literal(",\"expires\":")
                writer.write(expires)
            }
            writer.literal("}")
        }
    }
}
