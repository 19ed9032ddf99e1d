import NIOConcurrencyHelpers

/// A value that only one thread at a time can reach.
///
/// The one lock type of the project. It is built on `NIOLock` because the thread sanitizer reports false races on
/// `Synchronization.Mutex` on Linux, and it holds `~Copyable` state, which `NIOLockedValueBox` cannot.
/// Keep the critical section short: decide under the lock, act outside it.
///
/// - Note: `@unchecked Sendable` is sound: `state` is private and every access to it happens inside `lock`.
package final class Locked<State: ~Copyable>: @unchecked Sendable {
    private let lock = NIOLock()
    // The lock makes every access exclusive; checking that again at run time costs as much as the lock does.
    @exclusivity(unchecked) private var state: State

    package init(_ state: consuming sending State) {
        self.state = state
    }

    /// Runs `body` with exclusive access to the state.
    @inline(__always)
    package func withLock<Result: ~Copyable, Failure: Error>(
        _ body: (inout State) throws(Failure) -> Result
    ) throws(Failure) -> Result {
        self.lock.lock()
        defer { self.lock.unlock() }
        return try body(&self.state)
    }
}
