/// An event that is not what its type says, and the field that shows it.
///
/// Thrown by a processor at ingress it refuses the event, and an `error` event with the code `VALIDATION` tells of it.
public struct EventValidationError: Error, Sendable, Equatable, CustomStringConvertible {
    /// A path such as `payload.price`.
    public let field: String
    /// Such as `is missing`; follows the field in the description.
    public let problem: String

    public init(field: String, problem: String) {
        self.field = field
        self.problem = problem
    }

    public var description: String { "\(self.field): \(self.problem)" }
}
