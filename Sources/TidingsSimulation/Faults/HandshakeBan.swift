internal import Tidings

/// The time in which nobody gets in, after a `429`.
final class HandshakeBan: Sendable {
    private let end = Locked<Int64>(.min)

    /// Refuses handshakes until the monotonic time `end`, in nanoseconds.
    func begin(until end: Int64) {
        self.end.withLock { $0 = max($0, end) }
    }

    /// Whole seconds to wait, rounded up; `nil` when everybody may come in.
    func secondsLeft(now: Int64) -> Int? {
        let end = self.end.withLock { $0 }
        guard end > now else { return nil }
        return Int((end - now + 999_999_999) / 1_000_000_000)
    }
}
