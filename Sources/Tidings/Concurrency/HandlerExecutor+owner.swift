extension HandlerExecutor {
    /// One user of the executor, known by name: a subscription gives it to its tasks as their executor preference.
    ///
    /// Child tasks and the asynchronous functions they call, those of actors without an executor of their own too, run
    /// with it; a `Task {}` started inside does not.
    package final class Owner: TaskExecutor {
        package let name: String
        /// 0, the most urgent, to 9.
        let lane: Int
        let onHold: (@Sendable (HandlerHold) -> Void)?
        private let executor: HandlerExecutor

        init(name: String, lane: Int, executor: HandlerExecutor, onHold: (@Sendable (HandlerHold) -> Void)?) {
            self.name = name
            self.lane = lane
            self.executor = executor
            self.onHold = onHold
        }

        package func enqueue(_ job: consuming ExecutorJob) {
            self.executor.add(UnownedJob(job), of: self)
        }
    }

    /// An owner of tasks.
    /// - Parameters:
    ///   - priority: its lane, 0, the most urgent, to 9; anything beyond counts as the nearest.
    ///   - onHold: called when one of its jobs has held a thread for ``Configuration/blockedAfter``, once a hold, and
    ///     once more when that job has returned. It runs on the watcher's thread and must not block.
    package func owner(
        named name: String, priority: Int, onHold: (@Sendable (HandlerHold) -> Void)? = nil
    ) -> Owner {
        let lane = min(max(priority, 0), HandlerQueue<Job>.laneCount - 1)
        return Owner(name: name, lane: lane, executor: self, onHold: onHold)
    }
}

/// A thread that one job of a handler has held for long: the handler blocks or computes without a suspension.
package struct HandlerHold: Sendable, Equatable {
    package enum Phase: Sendable {
        /// It holds the thread still.
        case blocked
        /// It has returned.
        case released
    }

    /// The owner's name.
    package let owner: String
    package let phase: Phase
    /// How long the thread was held when the watcher looked; up to 100 ms more than it really was.
    package let duration: Duration
}
