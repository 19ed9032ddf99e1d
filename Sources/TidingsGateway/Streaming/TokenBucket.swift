/// Lets so many events through in a second, with short bursts of a twentieth of that.
struct TokenBucket {
    let rate: Double
    private let capacity: Double
    private var tokens: Double
    /// Monotonic nanoseconds.
    private var updatedAt: Int64

    /// - Parameter rate: events per second, above 0.
    init(rate: Double, now: Int64) {
        self.rate = rate
        self.capacity = max(1, rate / 20)
        self.tokens = self.capacity
        self.updatedAt = now
    }

    /// Whether one more may go now.
    mutating func take(now: Int64) -> Bool {
        self.tokens = min(self.capacity, self.tokens + Double(max(now - self.updatedAt, 0)) * self.rate / 1e9)
        self.updatedAt = now
        // A timer set for the exact moment may find a rounding error's worth too little.
        guard self.tokens >= 0.999_999 else { return false }
        self.tokens -= 1
        return true
    }

    /// Nanoseconds until the next one may go.
    var delay: Int64 {
        Int64(min(max(0, 1 - self.tokens) / self.rate * 1e9, 3.6e12).rounded(.up))
    }
}
