import HTTPTypes
import HummingbirdCore
import NIOCore
import NIOHTTP1
import Tidings

/// One HTTP request on its way to an answer.
struct HTTPCall {
    let request: Request
    /// The channel it came in on; its event loop is the client's.
    let channel: any Channel
    /// What stands at the route's wildcard.
    let parameter: String
    /// Who asks.
    let principal: Principal

    func query(_ allowed: Set<String>) throws(Problem) -> QueryParameters {
        try QueryParameters(self.request.uri.query, allowed: allowed)
    }
}

/// What a path answers.
struct HTTPRoute {
    /// A path; a part `*`, of which there may be one, stands for any one part.
    let path: [Substring]
    let endpoints: [HTTPRequest.Method: HTTPEndpoint]

    init(_ path: String, _ endpoints: [HTTPRequest.Method: HTTPEndpoint]) {
        self.path = path.split(separator: "/")
        self.endpoints = endpoints
    }

    /// What `Allow` says.
    var methods: String {
        var names = self.endpoints.keys.map(\.rawValue)
        if self.endpoints[.get] != nil { names.append("HEAD") }
        return (names + ["OPTIONS"]).sorted().joined(separator: ", ")
    }

    /// What stands at the wildcard, or nothing; nil when the path is another.
    func match(_ parts: [Substring]) -> String? {
        guard parts.count == self.path.count else { return nil }
        for (expected, part) in zip(self.path, parts) where expected != "*" && expected != part { return nil }
        guard let wildcard = self.path.firstIndex(of: "*") else { return "" }
        return PercentEncoding.decode(parts[wildcard])
    }
}

/// Finds the answer to a request: the routes are few, so they are simply looked through.
struct HTTPRouter: Sendable {
    private let routes: [HTTPRoute]
    private let origins: OriginPolicy

    init(_ routes: [HTTPRoute], origins: OriginPolicy) {
        self.routes = routes
        self.origins = origins
    }

    /// Every problem becomes an answer; only a request that cannot be read to its end throws.
    func respond(to request: Request, on channel: any Channel) async throws -> Response {
        do {
            return try await self.answer(request, channel)
        } catch let problem as Problem {
            return problem.response
        } catch let error as EventLogError {
            return Problem.store(error).response
        }
    }

    /// Whether a handler waits for the request's body.
    func takesBody(_ request: Request) -> Bool {
        request.method == .post && self.find(request)?.route.endpoints[.post] != nil
    }

    private func find(_ request: Request) -> (route: HTTPRoute, parameter: String)? {
        let parts = request.uri.path.split(separator: "/")
        for route in self.routes {
            if let parameter = route.match(parts) { return (route, parameter) }
        }
        return nil
    }

    private func answer(_ request: Request, _ channel: any Channel) async throws -> Response {
        guard let (route, parameter) = self.find(request) else {
            throw Problem.notFound("There is nothing at \(request.uri.path.prefix(200))")
        }
        let call = HTTPCall(request: request, channel: channel, parameter: parameter, principal: .anyone)
        switch request.method {
        case .head where route.endpoints[.head] == nil:
            guard let endpoint = route.endpoints[.get] else { break }
            return try await endpoint.handler(call).createHeadResponse()
        case .options:
            return Response(status: .noContent, headers: [.allow: route.methods])
        default:
            guard let endpoint = route.endpoints[request.method] else { break }
            let changes = request.method != .get
            let origin = request.headers[.origin]
            if changes, let origin, !self.origins.allows(origin: origin, host: request.head.authority) {
                throw Problem.foreignOrigin(origin)
            }
            return try await endpoint.handler(call)
        }
        var problem = Problem(
            .methodNotAllowed, code: "method_not_allowed",
            "\(request.uri.path.prefix(200)) does not answer \(request.method.rawValue); it answers \(route.methods)")
        problem.headers[.allow] = route.methods
        throw problem
    }
}
