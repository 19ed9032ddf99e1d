import Dispatch
import Synchronization

/// The plain thread that looks after an executor: when it looks, and when it sleeps for good.
///
/// It sleeps in steps while there is anything to watch, and parks 100 ms after the last activity; so a busy bus never
/// pays for waking it and an idle one not for its looking. After some idle seconds the thread ends and the next
/// activity starts another.
///
/// Whoever begins something that wants watching first stores that it has begun and then loads `mode`; the watcher first
/// stores that it parks and then looks whether anything has begun. All four are sequentially consistent, so that at
/// least one of the two sees the other.
final class HandlerWatcher: Sendable {
    /// How closely it looks.
    enum Mode: Int, AtomicRepresentable {
        /// There is no thread.
        case absent
        case parked
        /// Jobs or calls run: looks at ``Pulse/interval``.
        case coarse
        /// Jobs wait for a thread: looks every 5 ms.
        case fine
    }

    /// What it found when it looked.
    struct Pulse {
        /// Something ran since it looked last.
        var isActive: Bool
        /// Jobs wait for a thread, or somebody waits for the threads to end.
        var isPressed: Bool
        /// How long it may look away, in nanoseconds.
        var interval: Int64
    }

    static let fineInterval: Int64 = 5_000_000
    static let lingering: Int64 = 100_000_000

    /// The mode as it was last decided. Not `Locked<Void>` around the atomic alone: an empty state has the address of the
    /// lock object itself, and the thread sanitizer then reports a race with reading the object's type.
    private let decided = Locked(Mode.absent)
    /// The same, to be read without the lock; stored under it.
    private let mode = Atomic<Mode>(.absent)
    private let wakeUp = DispatchSemaphore(value: 0)
    private let looks = Atomic<Int>(0)

    /// How often the thread has woken up.
    var wakeUps: Int { self.looks.load(ordering: .relaxed) }

    var isParked: Bool { self.mode.load(ordering: .relaxed).rawValue <= Mode.parked.rawValue }

    /// Sees to it that the watcher looks at least so closely. A load and a comparison when it does already.
    @inline(__always)
    func arm(_ wanted: Mode, for executor: HandlerExecutor) {
        if self.mode.load(ordering: .sequentiallyConsistent).rawValue < wanted.rawValue {
            self.raise(to: wanted, for: executor)
        }
    }

    @inline(never)
    private func raise(to wanted: Mode, for executor: HandlerExecutor) {
        let found: Mode = self.decided.withLock { decided in
            let found = decided
            if found.rawValue < wanted.rawValue {
                decided = wanted
                self.mode.store(wanted, ordering: .sequentiallyConsistent)
            }
            return found
        }
        guard found.rawValue < wanted.rawValue else { return }
        guard found == .absent else {
            self.wakeUp.signal()
            return
        }
        let started = PlainThread.start(named: "tidings-watch") { self.run(for: executor) }
        // Without a thread now, the next job or call tries again.
        if !started { self.change(to: .absent) }
    }

    /// Looks at once, if it does not sleep for good.
    func hurry() {
        if !self.isParked { self.wakeUp.signal() }
    }

    private func change(to mode: Mode) {
        self.decided.withLock { decided in
            decided = mode
            self.mode.store(mode, ordering: .sequentiallyConsistent)
        }
    }

    private func run(for executor: HandlerExecutor) {
        var memory = HandlerExecutor.Watch()
        var (lastActive, lastPressed) = (MonotonicClock.nanoseconds(), MonotonicClock.nanoseconds())
        var interval = Self.fineInterval
        while true {
            _ = self.wakeUp.wait(timeout: .now() + .nanoseconds(Int(interval)))
            self.looks.wrappingAdd(1, ordering: .relaxed)
            let now = MonotonicClock.nanoseconds()
            let pulse = executor.look(at: now, &memory)
            if pulse.isActive { lastActive = now }
            if pulse.isPressed { lastPressed = now }
            interval = pulse.interval
            switch self.mode.load(ordering: .relaxed) {
            case .fine where now - lastPressed < Self.lingering:
                interval = Self.fineInterval
            case .fine:
                self.change(to: .coarse)
                if executor.isPressed { self.arm(.fine, for: executor) }
            case _ where pulse.isPressed:
                self.arm(.fine, for: executor)
            default:
                guard now - lastActive >= Self.lingering else { continue }
                self.change(to: .parked)
                if executor.isActive {
                    self.arm(.coarse, for: executor)
                    continue
                }
                guard self.sleepForGood(for: executor.idleNanoseconds) else { return }
                (lastActive, lastPressed) = (MonotonicClock.nanoseconds(), MonotonicClock.nanoseconds())
                interval = Self.fineInterval
            }
        }
    }

    /// Sleeps until armed; false when the thread is to end.
    private func sleepForGood(for nanoseconds: Int) -> Bool {
        while self.wakeUp.wait(timeout: .now() + .nanoseconds(nanoseconds)) == .success {
            // A signal left over from earlier wakes it as well.
            if !self.isParked { return true }
        }
        return self.decided.withLock { decided in
            guard decided == .parked else { return true }
            decided = .absent
            self.mode.store(.absent, ordering: .sequentiallyConsistent)
            return false
        }
    }
}
