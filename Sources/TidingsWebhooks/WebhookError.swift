public import Tidings

/// Why a webhook was not delivered.
///
/// Its text goes to logs, `error` events and dead letters: it names host and status, and holds neither the URL's path,
/// nor credentials, nor the secret.
public struct WebhookError: RetryableError, Sendable, Equatable, CustomStringConvertible {
    public struct Code: RawRepresentable, Hashable, Sendable {
        public let rawValue: String

        public init(rawValue: String) {
            self.rawValue = rawValue
        }

        /// The receiver answered, and not with 2xx.
        public static let status = Code(rawValue: "status")
        /// There was no whole answer in time.
        public static let timeout = Code(rawValue: "timeout")
        /// The receiver could not be reached, or the connection broke.
        public static let connection = Code(rawValue: "connection")
        /// The webhook was shut down.
        public static let stopped = Code(rawValue: "stopped")
    }

    public let code: Code
    public let message: String
    /// The HTTP status, where there was one.
    public let status: Int?
    /// What `Retry-After` asked for.
    public let retryAfter: Duration?

    public init(_ code: Code, _ message: String, status: Int? = nil, retryAfter: Duration? = nil) {
        self.code = code
        self.message = message
        self.status = status
        self.retryAfter = retryAfter
    }

    /// Whether the same request may do better later: after no answer at all, 408, 425, 429 and 5xx.
    public var isRetryable: Bool {
        guard let status = self.status else { return true }
        return [408, 425, 429].contains(status) || (500...599).contains(status)
    }

    public var description: String { self.message }
}
