internal import Tidings

/// The time in which nobody gets in, after a `429`.
final class HandshakeBan: Sendable {
    private let end = Locked<Int64>(.min)
    private let duration: Int64

    init(lasting duration: Duration) {
        // An hour is more than any session lasts.
        self.duration = min(max(duration.wholeNanoseconds, 0), 3_600_000_000_000)
    }

    /// Refuses handshakes from the monotonic time `now` on, in nanoseconds.
    func begin(at now: Int64) {
        self.end.withLock { $0 = max($0, now + self.duration) }
    }

    /// Whole seconds to wait, rounded up; `nil` when everybody may come in.
    func secondsLeft(now: Int64) -> Int? {
        let end = self.end.withLock { $0 }
        guard end > now else { return nil }
        return Int((end - now + 999_999_999) / 1_000_000_000)
    }
}
