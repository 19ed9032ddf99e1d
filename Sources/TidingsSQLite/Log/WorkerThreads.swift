import NIOPosix
import Tidings

/// Threads of our own for what blocks, so that no thread of Swift's concurrency ever waits for the disk.
///
/// Work is started in the order in which it was submitted.
final class WorkerThreads: Sendable {
    private let pool: NIOThreadPool

    init(count: Int) {
        self.pool = NIOThreadPool(numberOfThreads: max(count, 1))
        self.pool.start()
    }

    /// Runs `body` on one of the threads, to its end even if the caller is cancelled meanwhile.
    func run<Value: Sendable>(
        _ body: @escaping @Sendable () throws(EventLogError) -> Value
    ) async throws(EventLogError) -> Value {
        let outcome: Result<Value, EventLogError> = await withCheckedContinuation { continuation in
            self.pool.submit { state in
                guard state == .active else {
                    continuation.resume(returning: .failure(EventLogError(.closed, "the event log is closed")))
                    return
                }
                do throws(EventLogError) {
                    continuation.resume(returning: .success(try body()))
                } catch {
                    continuation.resume(returning: .failure(error))
                }
            }
        }
        return try outcome.get()
    }

    /// Ends the threads; work that has not begun fails as closed.
    func stop() async {
        // It only fails when it was stopped before.
        try? await self.pool.shutdownGracefully()
    }
}
