/// A setting of a webhook that cannot be.
public struct WebhookConfigurationError: Error, Sendable, Equatable, CustomStringConvertible {
    /// The setting as the configuration file names it, such as `url`.
    public let field: String
    /// What is wrong with it. Holds nothing secret.
    public let message: String

    public init(_ field: String, _ message: String) {
        self.field = field
        self.message = message
    }

    public var description: String { "\(self.field): \(self.message)" }
}
