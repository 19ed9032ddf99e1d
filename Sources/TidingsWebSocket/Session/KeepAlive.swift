/// When to ping, and when to give up. Whatever arrives after a ping counts as its answer: the peer lives.
struct KeepAlive: Sendable {
    enum Outcome: Equatable {
        case nothing
        case ping(UInt64)
        case missed
    }

    private let interval: Int64?
    private let timeout: Int64
    private var nextPing: Int64
    private var waitingSince: Int64?
    private var number: UInt64 = 0

    init(interval: Duration?, timeout: Duration, now: Int64) {
        // A zero interval would never let the driver sleep.
        self.interval = interval.map { max($0.clampedNanoseconds, 1_000_000) }
        self.timeout = max(timeout.clampedNanoseconds, 1_000_000)
        self.nextPing = now.addingClamped(self.interval ?? 0)
    }

    var nextWake: Int64? {
        guard self.interval != nil else { return nil }
        guard let waitingSince = self.waitingSince else { return self.nextPing }
        return waitingSince.addingClamped(self.timeout)
    }

    mutating func received(now: Int64) { self.waitingSince = nil }

    mutating func wake(now: Int64, isReading: Bool) -> Outcome {
        guard let interval = self.interval else { return .nothing }
        if let since = self.waitingSince {
            guard now >= since.addingClamped(self.timeout) else { return .nothing }
            guard isReading else {
                self.waitingSince = now
                return .nothing
            }
            self.waitingSince = nil
            return .missed
        }
        guard now >= self.nextPing else { return .nothing }
        self.nextPing = now.addingClamped(interval)
        self.waitingSince = now
        self.number &+= 1
        return .ping(self.number)
    }
}

extension Int64 {
    func addingClamped(_ other: Int64) -> Int64 {
        let (sum, overflow) = self.addingReportingOverflow(other)
        return overflow ? (other > 0 ? .max : .min) : sum
    }

    func addingClamped(_ duration: Duration) -> Int64 { self.addingClamped(duration.clampedNanoseconds) }
}
