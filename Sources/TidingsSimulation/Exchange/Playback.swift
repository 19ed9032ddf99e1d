/// One connection's way through a source of frames: says what is due when. Time comes in, frames go out; no I/O.
///
/// Times are nanoseconds of a monotonic clock.
package struct Playback<Source: PlaybackSource>: Sendable {
    /// What to do next.
    package enum Step: Equatable, Sendable {
        /// A tick was played, and there may be more right now.
        case again
        /// Nothing before this time.
        case wait(until: Int64)
        /// The fault with this index is due.
        case fault(Int)
        /// Nothing is left, until something else is subscribed to.
        case idle
    }

    /// Where the playback stands in the clock's time.
    private enum Phase: Sendable {
        /// Clients subscribe with several messages: the first frame waits until they had the time to.
        case settling(until: Int64)
        /// The source's time `position` is at the clock's time `origin`.
        case playing(origin: Int64, position: Int64)
    }

    package private(set) var source: Source
    private var factor: Double?
    private var phase: Phase
    private let start: Int64
    private var faults: ArraySlice<PlannedFault>
    private let settleTime: Int64
    private let settleEnd: Int64
    private var skips = 0
    private var isCorrupting = false

    /// A playback that begins with the source's next tick, `settleTime` after its last early subscription and
    /// never later than ten times that.
    package init(
        _ source: Source, speed: PlaybackSpeed, faults: [PlannedFault] = [], settleTime: Int64 = 0, now: Int64
    ) {
        self.source = source
        self.factor = speed.factor
        self.start = source.nextOffset ?? 0
        self.faults = faults[...]
        self.settleTime = settleTime
        self.settleEnd = now + settleTime * 10
        self.phase = .settling(until: now + settleTime)
    }

    /// A playback that joins a source that runs already: its time 0 is at the clock's time `origin`.
    package init(joining source: Source, speed: PlaybackSpeed, faults: [PlannedFault] = [], origin: Int64) {
        self.source = source
        self.factor = speed.factor
        self.start = source.nextOffset ?? 0
        self.faults = faults[...]
        self.settleTime = 0
        self.settleEnd = 0
        self.phase = .playing(origin: origin, position: 0)
    }

    /// The client changed its subscriptions.
    package mutating func select(_ subscriptions: Set<Topic>, now: Int64) {
        self.select(SimulatedClient(subscriptions: subscriptions), now: now)
    }

    /// The client changed its subscriptions.
    package mutating func select(_ client: SimulatedClient, now: Int64) {
        self.source.select(client)
        if case .settling = self.phase {
            self.phase = .settling(until: min(now + self.settleTime, self.settleEnd))
        }
    }

    /// Plays at most one tick.
    /// - Parameter leaveOut: called for each frame that a fault keeps from being sent.
    package mutating func step(
        now: Int64, emit: (UnsafeRawBufferPointer) -> Void, leaveOut: () -> Void = {}
    ) -> Step {
        if case .settling(let end) = self.phase {
            if now < end { return .wait(until: end) }
            self.phase = .playing(origin: now, position: self.start)
        }
        let next = self.source.nextOffset
        if let fault = self.faults.first, let due = self.due(fault, before: next) {
            if due > now { return .wait(until: due) }
            self.faults.removeFirst()
            return .fault(fault.index)
        }
        guard let next else { return .idle }
        let due = self.time(of: next)
        if due > now { return .wait(until: due) }
        if self.isCorrupting {
            self.advanceCorrupting(emit: emit, leaveOut: leaveOut)
            return .again
        }
        var skips = self.skips
        self.source.advance { frame in
            if skips > 0 {
                skips -= 1
                leaveOut()
            } else {
                emit(frame)
            }
        }
        self.skips = skips
        return .again
    }

    /// As a tick is played, but the first frame that lends itself to it is changed.
    private mutating func advanceCorrupting(emit: (UnsafeRawBufferPointer) -> Void, leaveOut: () -> Void) {
        var frames: [[UInt8]] = []
        self.source.advance { frames.append(Array($0)) }
        for frame in frames {
            if self.skips > 0 {
                self.skips -= 1
                leaveOut()
                continue
            }
            if self.isCorrupting, let changed = frame.withUnsafeBytes({ self.source.corrupted($0) }) {
                self.isCorrupting = false
                changed.withUnsafeBytes(emit)
            } else {
                frame.withUnsafeBytes(emit)
            }
        }
    }

    /// Whether there are frames to come.
    package var isPlaying: Bool { self.source.nextOffset != nil }

    /// Puts an error into the next book.
    package mutating func corrupt() {
        self.isCorrupting = true
    }

    /// When a fault is due, if that is before anything else. At full speed time passes with the frames only.
    private func due(_ fault: PlannedFault, before next: Int64?) -> Int64? {
        let (offset, overflow) = self.start.addingReportingOverflow(fault.offset)
        if overflow { return nil }
        guard let next else { return self.factor == nil ? nil : self.time(of: offset) }
        return offset <= next ? self.time(of: offset) : nil
    }

    private func time(of offset: Int64) -> Int64 {
        guard let factor = self.factor, case .playing(let origin, let position) = self.phase else { return .min }
        let time = Double(offset - position) / factor
        return time < 9e18 - Double(origin) ? origin + Int64(time) : .max
    }

    /// Leaves out the next frames that would be sent.
    package mutating func skip(_ frames: Int) {
        self.skips += frames
    }

    /// From here on everything takes ten times as long; at full speed it goes on at the recorded pace.
    package mutating func slowDown(now: Int64) {
        guard case .playing = self.phase else { return }
        self.phase = .playing(origin: now, position: self.source.nextOffset ?? self.start)
        self.factor = self.factor.map { $0 / 10 } ?? 1
    }
}
