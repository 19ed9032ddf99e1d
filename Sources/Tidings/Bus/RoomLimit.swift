/// How long a publisher waits for room: for ever unless told otherwise, and never beyond its task's cancellation.
struct RoomLimit: Sendable {
    private let deadline: ContinuousClock.Instant?
    private let patience: Duration?

    /// - Parameter patience: counted from now; `nil` for ever.
    init(_ patience: Duration? = nil) {
        self.patience = patience
        self.deadline = patience.map { ContinuousClock.now + $0 }
    }

    /// Whether the calling task has waited long enough.
    var isReached: Bool {
        if Task.isCancelled { return true }
        guard let deadline = self.deadline else { return false }
        return ContinuousClock.now >= deadline
    }

    /// The patience, for an error's text.
    var text: String { self.patience.map { "\($0)" } ?? "ever" }

    /// Waits, and wakes the one who waits when the time has come or the task is cancelled.
    ///
    /// - Parameters:
    ///   - wait: looks at ``isReached`` under the lock under which it queues, so that a wake-up is never missed: what sets
    ///     the limit off comes before the wake-up, which takes that lock.
    ///   - wake: lets everybody who waits there look again.
    func bounding(_ wait: () async -> Void, wake: @escaping @Sendable () -> Void) async {
        guard let deadline = self.deadline else {
            return await withTaskCancellationHandler(operation: wait, onCancel: wake)
        }
        await withTaskGroup(of: Void.self) { group in
            group.addTask {
                // Cancelled when the wait is over, and then there is nobody to wake.
                do { try await Task.sleep(until: deadline, clock: .continuous) } catch { return }
                wake()
            }
            await withTaskCancellationHandler(operation: wait, onCancel: wake)
            group.cancelAll()
        }
    }
}
