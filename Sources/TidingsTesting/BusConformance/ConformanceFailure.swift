/// What a bus did that its guarantees rule out, or did not do in time.
public struct ConformanceFailure: Error, Sendable, CustomStringConvertible {
    /// The check that failed, where one was running.
    public var check: String?
    public let message: String

    public init(_ message: String, check: String? = nil) {
        self.message = message
        self.check = check
    }

    public var description: String {
        self.check.map { "\($0): \(self.message)" } ?? self.message
    }
}
