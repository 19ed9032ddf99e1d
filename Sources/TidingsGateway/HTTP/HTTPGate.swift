import HTTPTypes
import HummingbirdCore
import NIOCore

/// What a request has to get past before anything is done for it: the name it called the server by, who sends it, and the
/// web page that made it.
struct HTTPGate: Sendable {
    let access: AccessControl
    let origins: OriginPolicy
    let hosts: HostPolicy

    /// - Returns: who sends it.
    /// - Throws: 401, 403, 421 or 429.
    func admit(_ request: Request, to endpoint: HTTPEndpoint, on channel: any Channel) throws(Problem) -> Principal {
        if !endpoint.answersAnyHost && !self.access.isEnforced { try self.hosts.check(request.head.authority) }
        let isChange = request.method != .get && request.method != .head
        let origin = request.headers[.origin]
        if isChange, let origin, !self.origins.allows(origin: origin, host: request.head.authority) {
            throw .foreignOrigin(origin)
        }
        guard let scope = endpoint.scope else { return self.access.isEnforced ? .stranger : .anyone }
        let principal = try self.access.principal(ShownCredential(request.headers), from: channel.remoteAddress)
        // A cookie comes by itself, whoever made the request; a page always says which one it is.
        if isChange, principal.isFromCookie, origin == nil { throw .missingOrigin }
        try self.access.check(principal, may: scope)
        return principal
    }

    // MARK: Pages of other origins

    /// Answers `OPTIONS`, for a page of an allowed origin with what it may send (CORS preflight, Fetch section 3.2.3).
    func options(_ methods: String) -> HTTPEndpoint {
        .open { call in
            var response = Response(status: .noContent, headers: [.allow: methods])
            let headers = call.request.headers
            guard let origin = headers[.origin], headers[.accessControlRequestMethod] != nil,
                self.origins.isListed(origin)
            else { return response }
            response.headers[.accessControlAllowMethods] = methods
            response.headers[.accessControlAllowHeaders] = Self.allowedHeaders(headers[.accessControlRequestHeaders])
            response.headers[.accessControlMaxAge] = "600"
            return response
        }
    }

    /// The page is trusted with any header that is one.
    private static func allowedHeaders(_ wanted: String?) -> String {
        let names = (wanted ?? "").split(separator: ",").prefix(32).map { $0.filter { $0 != " " } }
        let known = names.filter { $0.utf8.count <= 64 && HTTPField.Name(String($0)) != nil }
        return known.isEmpty ? "Authorization, Content-Type, Last-Event-ID" : known.joined(separator: ", ")
    }

    /// Adds what every answer has.
    func finish(_ response: inout Response, to request: Request) {
        response.headers[.xContentTypeOptions] = "nosniff"
        func add(_ name: String, _ value: String) {
            guard let name = HTTPField.Name(name), response.headers[name] == nil else { return }
            response.headers[name] = value
        }
        add("Referrer-Policy", "no-referrer")
        // What is no page of ours runs nothing and is framed by nobody.
        add("Content-Security-Policy", "default-src 'none'; frame-ancestors 'none'")
        guard let origin = request.headers[.origin], self.origins.isListed(origin) else {
            add("Cross-Origin-Resource-Policy", "same-origin")
            if self.origins.hasListed { response.headers.appendVary("Origin") }
            return
        }
        add("Cross-Origin-Resource-Policy", "cross-origin")
        response.headers[.accessControlAllowOrigin] = origin
        response.headers[.accessControlAllowCredentials] = "true"
        response.headers[.accessControlExposeHeaders] = "Allow, Retry-After, WWW-Authenticate"
        response.headers.appendVary("Origin")
    }
}

extension HTTPFields {
    fileprivate mutating func appendVary(_ name: String) {
        self[.vary] = self[.vary].map { "\($0), \(name)" } ?? name
    }
}

extension ShownCredential {
    init(_ headers: HTTPFields) {
        self.init(authorization: headers[values: .authorization], cookies: headers[values: .cookie])
    }
}

extension Problem {
    static var missingOrigin: Problem {
        Problem(
            .forbidden, code: "missing_origin", field: "Origin",
            "With a session's cookie a request that changes something has to say which page made it; other programs send "
                + "Authorization: Bearer TOKEN")
    }
}
