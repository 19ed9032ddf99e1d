import HummingbirdCore

/// What one method of a path does, and what its caller has to be allowed to do.
struct HTTPEndpoint: Sendable {
    typealias Handler = @Sendable (HTTPCall) async throws -> Response

    /// nil when anybody may ask, even without a token.
    let scope: AccessScope?
    /// Whether it is no matter by which name the server was called; see ``HostPolicy``.
    var answersAnyHost = false
    let handler: Handler

    /// Tells nothing that anybody could not know.
    static func open(_ handler: @escaping Handler) -> HTTPEndpoint {
        HTTPEndpoint(scope: nil, answersAnyHost: true, handler: handler)
    }
    /// For anybody who called the server by its name.
    static func page(_ handler: @escaping Handler) -> HTTPEndpoint { HTTPEndpoint(scope: nil, handler: handler) }
    static func read(_ handler: @escaping Handler) -> HTTPEndpoint { HTTPEndpoint(scope: .read, handler: handler) }
    static func publish(_ handler: @escaping Handler) -> HTTPEndpoint {
        HTTPEndpoint(scope: .publish, handler: handler)
    }
    static func admin(_ handler: @escaping Handler) -> HTTPEndpoint { HTTPEndpoint(scope: .admin, handler: handler) }
}
