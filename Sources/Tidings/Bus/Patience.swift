import Synchronization

/// Looks again every other microsecond for a while before a consumer parks, where that has paid of late.
///
/// Waking a parked task costs its publisher some microseconds, in which it could have published a dozen events. Only one
/// consumer of the process looks at a time, so that waiting never takes more than one core, and one that looks in vain
/// soon does so seldom: a success earns credit, a failure spends it, and without credit only one in 32 parks is tried.
final class Patience: Sendable {
    private static let isSomebodyLooking = Atomic<Bool>(false)
    /// How long it looks away in between: what comes one by one gathers meanwhile, and is taken in one go.
    private static let interval: Int64 = 2000
    private static let looks = 5
    private static let maximumCredit = 8
    private static let probeInterval = 32

    private let credit = Atomic<Int>(0)
    private let parks = Atomic<Int>(0)

    /// Whether `isReady` became true within a moment.
    func spin(_ isReady: () -> Bool) -> Bool {
        let credit = self.credit.load(ordering: .relaxed)
        if credit == 0 {
            let parks = self.parks.wrappingAdd(1, ordering: .relaxed).newValue
            guard parks % Self.probeInterval == 0 else { return false }
        }
        guard !Self.isSomebodyLooking.exchange(true, ordering: .relaxed) else { return false }
        defer { Self.isSomebodyLooking.store(false, ordering: .relaxed) }
        var next = MonotonicClock.nanoseconds() + Self.interval
        for _ in 0..<Self.looks {
            while MonotonicClock.nanoseconds() < next {}
            if isReady() {
                self.credit.store(min(credit + 1, Self.maximumCredit), ordering: .relaxed)
                return true
            }
            next += Self.interval
        }
        self.credit.store(max(credit - 1, 0), ordering: .relaxed)
        return false
    }
}
