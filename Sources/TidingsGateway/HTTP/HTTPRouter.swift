import HTTPTypes
import HummingbirdCore
import Logging
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

    var remoteAddress: SocketAddress? { self.channel.remoteAddress }

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

/// A request that has found its endpoint and may go on to it.
struct HTTPAdmission: Sendable {
    let call: HTTPCall
    fileprivate let endpoint: HTTPEndpoint
    fileprivate let isHead: Bool

    /// Method and path, for the log.
    fileprivate var name: String { "\(self.call.request.method.rawValue) \(self.call.request.uri.path.prefix(200))" }

    /// Whether a handler waits for the request's body.
    var takesBody: Bool { self.call.request.method == .post }
}

/// Finds the answer to a request: the routes are few, so they are simply looked through.
struct HTTPRouter: Sendable {
    let routes: [HTTPRoute]
    private let gate: HTTPGate
    private let logger: Logger

    init(_ routes: [HTTPRoute], gate: HTTPGate, logger: Logger = Logger(label: "tidings.gateway")) {
        self.routes = routes
        self.gate = gate
        self.logger = logger
    }

    /// Whether a request may go on to its endpoint; reads nothing of its body.
    func admit(_ request: Request, on channel: any Channel) -> Result<HTTPAdmission, Problem> {
        do throws(Problem) {
            return .success(try self.admission(request, channel))
        } catch {
            return .failure(error)
        }
    }

    private func admission(_ request: Request, _ channel: any Channel) throws(Problem) -> HTTPAdmission {
        guard let (route, parameter) = self.find(request) else {
            throw .notFound("There is nothing at \(request.uri.path.prefix(200))")
        }
        if request.method == .options, route.endpoints[.options] == nil {
            let endpoint = self.gate.options(route.methods)
            let call = HTTPCall(request: request, channel: channel, parameter: parameter, principal: .stranger)
            return HTTPAdmission(call: call, endpoint: endpoint, isHead: false)
        }
        let isHead = request.method == .head && route.endpoints[.head] == nil
        guard let endpoint = route.endpoints[isHead ? .get : request.method] else {
            var problem = Problem(
                .methodNotAllowed, code: "method_not_allowed",
                "\(request.uri.path.prefix(200)) does not answer \(request.method.rawValue); "
                    + "it answers \(route.methods)")
            problem.headers[.allow] = route.methods
            throw problem
        }
        let principal = try self.gate.admit(request, to: endpoint, on: channel)
        let call = HTTPCall(request: request, channel: channel, parameter: parameter, principal: principal)
        return HTTPAdmission(call: call, endpoint: endpoint, isHead: isHead)
    }

    /// Every problem becomes an answer; only a request that cannot be read to its end throws.
    func respond(to admission: HTTPAdmission) async throws -> Response {
        do {
            let response = try await admission.endpoint.handler(admission.call)
            return admission.isHead ? response.createHeadResponse() : response
        } catch let problem as Problem {
            return problem.response
        } catch let error as EventLogError {
            return Problem.store(error).response
        } catch {
            // Whoever has left, or is thrown out as the server stops, needs no answer.
            guard admission.call.channel.isActive, !(error is CancellationError) else { throw error }
            self.logger.error(
                "A request failed in a way that nobody thought of",
                metadata: [LogKey.error: "\(error)", LogKey.reason: "\(admission.name)"])
            return Problem.internalError.response
        }
    }

    /// Adds what every answer has.
    func finish(_ response: inout Response, to request: Request) {
        self.gate.finish(&response, to: request)
    }

    private func find(_ request: Request) -> (route: HTTPRoute, parameter: String)? {
        let parts = request.uri.path.split(separator: "/")
        for route in self.routes {
            if let parameter = route.match(parts) { return (route, parameter) }
        }
        return nil
    }
}
