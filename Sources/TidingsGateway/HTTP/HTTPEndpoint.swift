import HummingbirdCore

/// What one method of a path does, and what its caller has to be allowed to do.
struct HTTPEndpoint: Sendable {
    typealias Handler = @Sendable (HTTPCall) async throws -> Response

    /// nil when anybody may ask, even without a token.
    let scope: AccessScope?
    let handler: Handler

    static func open(_ handler: @escaping Handler) -> HTTPEndpoint { HTTPEndpoint(scope: nil, handler: handler) }
    static func read(_ handler: @escaping Handler) -> HTTPEndpoint { HTTPEndpoint(scope: .read, handler: handler) }
    static func publish(_ handler: @escaping Handler) -> HTTPEndpoint {
        HTTPEndpoint(scope: .publish, handler: handler)
    }
    static func admin(_ handler: @escaping Handler) -> HTTPEndpoint { HTTPEndpoint(scope: .admin, handler: handler) }
}
