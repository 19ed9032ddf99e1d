/// How long to wait before the next attempt to connect: doubling up to a cap, with jitter.
///
/// A machine without clock or chance: both are given to it. The delay starts over only after a connection has been
/// healthy for a while, so a venue that accepts and drops connections is not hammered.
struct Backoff: Sendable {
    struct Configuration: Sendable, Equatable {
        var first = Duration.milliseconds(250)
        var most = Duration.seconds(5)
        /// The share by which a delay may be shorter or longer.
        var jitter = 0.2
        /// A connection that lived this long makes the next delay the first again.
        var healthyAfter = Duration.seconds(30)

        init() {}
    }

    let configuration: Configuration
    /// Attempts since the last healthy connection.
    private(set) var attempt = 0

    init(_ configuration: Configuration = Configuration()) {
        self.configuration = configuration
    }

    /// A connection ended after having lived for a while.
    mutating func connectionEnded(after life: Duration) {
        if life >= self.configuration.healthyAfter { self.attempt = 0 }
    }

    /// The delay before the next attempt.
    ///
    /// - Parameters:
    ///   - chance: 0..<1, evenly distributed.
    ///   - atLeast: what the other side asked for, such as `Retry-After`; it is not capped.
    mutating func nextDelay(chance: Double, atLeast: Duration? = nil) -> Duration {
        self.attempt += 1
        var delay = self.configuration.first
        for _ in 1..<min(self.attempt, 32) where delay < self.configuration.most { delay *= 2 }
        delay = min(delay, self.configuration.most)
        let factor = 1 + self.configuration.jitter * (2 * chance - 1)
        return max(delay * factor, atLeast ?? .zero)
    }
}
