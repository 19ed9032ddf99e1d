import Tidings

/// A clock that stands still until a test moves it.
///
/// ```swift
/// let clock = ManualClock()
/// async let finished: Void = work(on: clock)
/// try await clock.waitForSleepers()
/// clock.advance(by: .seconds(30))
/// await finished
/// ```
/// Sleepers wake in the order of their deadlines. All methods are safe to call from any task.
public final class ManualClock: Clock {
    /// A moment of this clock; the first is 0.
    public struct Instant: InstantProtocol, CustomStringConvertible {
        public let sinceStart: Duration

        public init(sinceStart: Duration = .zero) {
            self.sinceStart = sinceStart
        }

        public func advanced(by duration: Duration) -> Instant { Instant(sinceStart: self.sinceStart + duration) }
        public func duration(to other: Instant) -> Duration { other.sinceStart - self.sinceStart }
        public static func < (left: Instant, right: Instant) -> Bool { left.sinceStart < right.sinceStart }
        public var description: String { "\(self.sinceStart)" }
    }

    private struct Sleeper {
        let deadline: Instant
        let continuation: CheckedContinuation<Void, any Error>
    }

    private struct State {
        var now = Instant()
        var nextID: UInt64 = 0
        var sleepers: [UInt64: Sleeper] = [:]
        /// Those cancelled before they fell asleep.
        var cancelled: Set<UInt64> = []
    }

    private let state = Locked(State())
    private let sleeperCounts = Recorder<Void>()

    public init() {}

    public var now: Instant { self.state.withLock { $0.now } }
    public var minimumResolution: Duration { .nanoseconds(1) }

    /// How many tasks sleep now.
    public var sleeperCount: Int { self.state.withLock { $0.sleepers.count } }

    /// Sleeps until a test has moved the clock there. Throws `CancellationError` when the task is cancelled.
    public func sleep(until deadline: Instant, tolerance: Duration? = nil) async throws {
        try Task.checkCancellation()
        let id = self.state.withLock { state in
            state.nextID += 1
            return state.nextID
        }
        try await withTaskCancellationHandler {
            try await withCheckedThrowingContinuation { (continuation: CheckedContinuation<Void, any Error>) in
                let outcome = self.state.withLock { state -> Result<Void, any Error>? in
                    if state.cancelled.remove(id) != nil { return .failure(CancellationError()) }
                    if deadline <= state.now { return .success(()) }
                    state.sleepers[id] = Sleeper(deadline: deadline, continuation: continuation)
                    return nil
                }
                if let outcome { continuation.resume(with: outcome) } else { self.sleeperCounts.add(()) }
            }
        } onCancel: {
            let sleeper = self.state.withLock { state -> Sleeper? in
                if let sleeper = state.sleepers.removeValue(forKey: id) { return sleeper }
                state.cancelled.insert(id)
                return nil
            }
            sleeper?.continuation.resume(throwing: CancellationError())
        }
        self.state.withLock { _ = $0.cancelled.remove(id) }
    }

    /// Moves the clock and wakes whoever was to sleep no longer than that.
    public func advance(by duration: Duration) {
        self.advance(to: self.now.advanced(by: duration))
    }

    /// Moves the clock to a moment; never back.
    public func advance(to moment: Instant) {
        let due = self.state.withLock { state -> [Sleeper] in
            state.now = max(state.now, moment)
            let now = state.now
            let due = state.sleepers.filter { $0.value.deadline <= now }
            for id in due.keys { state.sleepers[id] = nil }
            return due.sorted { ($0.value.deadline, $0.key) < ($1.value.deadline, $1.key) }.map(\.value)
        }
        for sleeper in due { sleeper.continuation.resume() }
    }

    /// Returns once at least `count` tasks sleep at the same time; throws a ``ConformanceFailure`` when that takes longer
    /// than `patience` of real time.
    public func waitForSleepers(_ count: Int = 1, within patience: Duration = .seconds(10)) async throws {
        let end = ContinuousClock.now.advanced(by: patience)
        while true {
            let seen = self.sleeperCounts.values.count
            if self.sleeperCount >= count { return }
            try await self.sleeperCounts.wait(
                for: seen + 1, within: ContinuousClock.now.duration(to: end), "\(count) tasks that sleep on the clock")
        }
    }
}
