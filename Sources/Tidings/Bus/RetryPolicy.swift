/// How often, and after which pauses, a handler that failed is called again.
///
/// Pauses grow from `firstDelay` by `multiplier` up to `maximumDelay`; each is drawn evenly between its half and its
/// whole, so that handlers which failed together do not come back together.
public struct RetryPolicy: Sendable, Equatable {
    /// Calls in all, the first included.
    public var attempts: Int
    public var firstDelay: Duration
    public var multiplier: Double
    public var maximumDelay: Duration

    public init(
        attempts: Int, firstDelay: Duration = .milliseconds(100), multiplier: Double = 2,
        maximumDelay: Duration = .seconds(30)
    ) {
        self.attempts = max(attempts, 1)
        self.firstDelay = max(firstDelay, .zero)
        self.multiplier = max(multiplier, 1)
        self.maximumDelay = max(maximumDelay, .zero)
    }

    /// Called once.
    public static let none = RetryPolicy(attempts: 1)

    /// The pause after a failed attempt, counted from 1; `nil` when there is no further one.
    ///
    /// - Parameter random: evenly between 0 and 1.
    func delay(afterAttempt attempt: Int, error: any Error, random: Double) -> Duration? {
        let retryable = error as? any RetryableError
        guard attempt < self.attempts, retryable?.isRetryable ?? true else { return nil }
        if let wanted = retryable?.retryAfter { return min(max(wanted, .zero), self.maximumDelay) }
        var delay = self.firstDelay
        for _ in 1..<max(attempt, 1) {
            delay = delay * self.multiplier
            if delay >= self.maximumDelay { break }
        }
        return min(delay, self.maximumDelay) * (0.5 + random / 2)
    }
}

/// An error that knows whether, and when, trying again makes sense.
public protocol RetryableError: Error {
    /// `false` when the same call would fail again: the event goes to the dead letters at once.
    var isRetryable: Bool { get }
    /// When to try again, where the other side said so; bounded by the policy's `maximumDelay`.
    var retryAfter: Duration? { get }
}

extension RetryableError {
    public var isRetryable: Bool { true }
    public var retryAfter: Duration? { nil }
}
