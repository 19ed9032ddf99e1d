import DequeModule
import Logging

/// The bus's way into its log: a bounded queue that one task empties, committing whatever came in while the last commit
/// ran. At once when idle, large when busy, no timer.
///
/// When an append fails, publishers that wait for it are told so, and everything else stays queued and is tried again: the
/// queue fills up, publishers feel it, and nothing is lost.
final class LogStage: Sendable {
    typealias Outcome = Result<AppendOutcome, EventLogError>

    /// A publisher that waits for its commit. The outcome goes through a lock of our own rather than through the
    /// continuation, whose hand-over the thread sanitizer does not see.
    final class Waiter: Sendable {
        private struct State {
            var outcome: Outcome?
            var continuation: CheckedContinuation<Void, Never>?
        }

        private let state = Locked(State())

        func resume(returning outcome: Outcome) {
            let continuation = self.state.withLock { state in
                state.outcome = outcome
                return state.continuation
            }
            continuation?.resume()
        }

        /// Returns once the events are committed, or cannot be. Called once.
        func wait() async -> Outcome {
            await withCheckedContinuation { continuation in
                let isThere = self.state.withLock { state in
                    if state.outcome != nil { return true }
                    state.continuation = continuation
                    return false
                }
                if isThere { continuation.resume() }
            }
            return self.state.withLock { $0.outcome } ?? .failure(EventLogError(.closed, "the log is closed"))
        }
    }

    private struct Entry {
        var selection: EventSelection
        var waiter: Waiter?
        /// When it came, or the first of what was joined with it.
        let queuedAt: Int64
    }

    private struct State: ~Copyable {
        var entries = Deque<Entry>()
        var count = 0
        var reserved = 0
        var isWriting = false
        /// Since when what is being written has been waiting.
        var writingSince: Int64?
        /// How long it took from publishing to the commit.
        var latency = LatencyHistogram()
        var isFinished = false
        var writer: CheckedContinuation<Void, Never>?
        var waitingForRoom: [CheckedContinuation<Void, Never>] = []
        var waitingForIdle: [CheckedContinuation<Void, Never>] = []
        var lastError: EventLogError?

        var isIdle: Bool { self.entries.isEmpty && !self.isWriting }

        mutating func append(_ selection: EventSelection, _ waiter: Waiter?, at now: Int64) {
            if waiter == nil, let last = self.entries.last, last.waiter == nil,
                last.selection.batch === selection.batch, last.selection.mask < selection.mask
            {
                // Published one by one into the same batch. Bits only ever grow, so the order stays.
                self.entries[self.entries.count - 1].selection = EventSelection(
                    selection.batch, mask: last.selection.mask | selection.mask)
                return
            }
            self.entries.append(Entry(selection: selection, waiter: waiter, queuedAt: now))
        }
    }

    private static let capacity = 131_072
    private static let largestCommit = 8192

    let log: any EventLog
    private let logger: Logger
    private let state = Locked(State())

    init(log: any EventLog, logger: Logger) {
        self.log = log
        self.logger = logger
    }

    /// Why the last append failed; `nil` while all is well.
    var lastError: EventLogError? {
        self.state.withLock { $0.lastError }
    }

    /// What has been published and is not committed yet.
    var lag: LogLag {
        self.state.withLock { state in
            LogLag(
                pending: state.count, oldestOffer: state.writingSince ?? state.entries.first?.queuedAt,
                latency: state.latency)
        }
    }

    // MARK: Publishers

    func reserve(_ events: Int) -> Bool {
        self.state.withLock { state in
            let used = state.count + state.reserved
            guard used + events <= Self.capacity || used == 0 else { return false }
            state.reserved += events
            return true
        }
    }

    func release(_ events: Int) {
        self.state.withLock { $0.reserved -= events }
    }

    /// Queues events for which room was reserved. The waiter, if any, is resumed when they are committed.
    func enqueue(
        _ selection: EventSelection, reserved: Int, waiter: Waiter?, at now: Int64 = MonotonicClock.nanoseconds()
    ) {
        selection.batch.noteQueued(at: now)
        let writer = self.state.withLock { state -> CheckedContinuation<Void, Never>? in
            state.reserved -= reserved
            state.count += selection.count
            state.append(selection, waiter, at: now)
            let writer = state.writer
            state.writer = nil
            return writer
        }
        writer?.resume()
    }

    func waitForRoom(_ events: Int, _ limit: RoomLimit) async {
        await withCheckedContinuation { continuation in
            let mustWait = self.state.withLock { state in
                let used = state.count + state.reserved
                if used + events <= Self.capacity || used == 0 || limit.isReached { return false }
                state.waitingForRoom.append(continuation)
                return true
            }
            if !mustWait { continuation.resume() }
        }
    }

    /// Lets everybody who waits for room look again, at the clock as well.
    func wakeRoomWaiters() {
        let woken = self.state.withLock { state in
            let woken = state.waitingForRoom
            state.waitingForRoom = []
            return woken
        }
        for continuation in woken { continuation.resume() }
    }

    /// Returns once everything queued so far is committed, or cannot be for now.
    func waitUntilIdle() async {
        await withCheckedContinuation { continuation in
            let isIdle = self.state.withLock { state in
                if state.isIdle || state.lastError != nil { return true }
                state.waitingForIdle.append(continuation)
                return false
            }
            if isIdle { continuation.resume() }
        }
    }

    /// Ends ``run()`` once the queue is empty; entries that cannot be committed are given up and counted.
    func finish() {
        let writer = self.state.withLock { state -> CheckedContinuation<Void, Never>? in
            state.isFinished = true
            let writer = state.writer
            state.writer = nil
            return writer
        }
        writer?.resume()
    }

    /// Takes events again after ``finish()``; ``run()`` has to be called again.
    func reopen() {
        self.state.withLock { $0.isFinished = false }
    }

    // MARK: Writer

    /// Commits what is queued until ``finish()``. Called once.
    func run() async {
        var delay = Duration.milliseconds(50)
        while let entries = await self.take() {
            do throws(EventLogError) {
                let outcomes = try await self.log.append(entries.map(\.selection))
                self.settle(entries, with: outcomes.map { .success($0) }, error: nil)
                delay = .milliseconds(50)
            } catch {
                self.logger.warning(
                    "Events could not be appended to the log", metadata: [LogKey.error: "\(error.message)"])
                self.retain(entries, error: error)
                if self.state.withLock({ $0.isFinished }) { return self.giveUp() }
                try? await Task.sleep(for: delay)
                delay = min(delay * 2, .seconds(1))
            }
        }
    }

    private func take() async -> [Entry]? {
        while true {
            let taken = self.state.withLock { state -> [Entry]? in
                if state.entries.isEmpty { return state.isFinished ? nil : [] }
                var entries: [Entry] = []
                var events = 0
                while let entry = state.entries.first,
                    entries.isEmpty || events + entry.selection.count <= Self.largestCommit
                {
                    events += entry.selection.count
                    entry.selection.batch.seal()
                    entries.append(state.entries.removeFirst())
                }
                state.isWriting = true
                state.writingSince = entries.first?.queuedAt
                return entries
            }
            guard let taken, taken.isEmpty else { return taken }
            await withCheckedContinuation { continuation in
                let mustWait = self.state.withLock { state in
                    guard state.entries.isEmpty && !state.isFinished else { return false }
                    state.writer = continuation
                    return true
                }
                if !mustWait { continuation.resume() }
            }
        }
    }

    private func settle(_ entries: [Entry], with outcomes: [Outcome], error: EventLogError?) {
        let now = MonotonicClock.nanoseconds()
        let woken = self.state.withLock { state -> [CheckedContinuation<Void, Never>] in
            state.lastError = error
            state.isWriting = false
            state.writingSince = nil
            if error == nil {
                for entry in entries {
                    state.latency.record(
                        nanoseconds: now - entry.queuedAt, times: UInt64(entry.selection.count))
                }
            }
            state.count -= entries.reduce(0) { $0 + $1.selection.count }
            var woken = state.waitingForRoom
            state.waitingForRoom = []
            if state.isIdle || error != nil {
                woken += state.waitingForIdle
                state.waitingForIdle = []
            }
            return woken
        }
        for (entry, outcome) in zip(entries, outcomes) { entry.waiter?.resume(returning: outcome) }
        for continuation in woken { continuation.resume() }
    }

    /// Tells those who wait, and puts the rest back in front.
    private func retain(_ entries: [Entry], error: EventLogError) {
        let kept = entries.filter { $0.waiter == nil }
        self.state.withLock { state in
            for entry in kept.reversed() { state.entries.prepend(entry) }
        }
        let refused = entries.filter { $0.waiter != nil }
        self.settle(refused, with: refused.map { _ in .failure(error) }, error: error)
    }

    private func giveUp() {
        let lost = self.state.withLock { state -> [Entry] in
            let lost = Array(state.entries)
            state.entries.removeAll()
            return lost
        }
        let count = lost.reduce(0) { $0 + $1.selection.count }
        self.settle(
            lost, with: lost.map { _ in .failure(EventLogError(.closed, "the log is closed")) }, error: self.lastError)
        if count > 0 {
            self.logger.error(
                "Events were lost because the log would not take them", metadata: [LogKey.dropped: "\(count)"])
        }
    }
}
