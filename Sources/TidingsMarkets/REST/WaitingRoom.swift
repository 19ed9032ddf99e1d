import NIOCore
import NIOPosix
import Tidings

/// Where tasks wait for a time to pass; it ends at once for one that is cancelled, and for all when the room is closed.
final class WaitingRoom: Sendable {
    private struct Guest {
        var continuation: CheckedContinuation<Bool, Never>
        var alarm: Scheduled<Void>?
    }

    private struct State {
        var guests: [Int: Guest] = [:]
        var nextNumber = 0
        var isClosed = false
    }

    private let state = Locked(State())
    private let eventLoop: any EventLoop = MultiThreadedEventLoopGroup.singleton.next()

    /// Waits.
    ///
    /// - Returns: whether the time has passed.
    func wait(for duration: Duration) async -> Bool {
        let number = self.state.withLock { state in
            state.nextNumber += 1
            return state.nextNumber
        }
        return await withTaskCancellationHandler {
            await withCheckedContinuation { continuation in
                let isIn = self.state.withLock { state in
                    // A task that is cancelled from here on finds itself among the guests.
                    guard !state.isClosed, !Task.isCancelled else { return false }
                    state.guests[number] = Guest(continuation: continuation)
                    return true
                }
                guard isIn else { return continuation.resume(returning: false) }
                let alarm = self.eventLoop.scheduleTask(in: .nanoseconds(duration.boundedNanoseconds)) {
                    self.leave(number, hasPassed: true)
                }
                let isStillIn = self.state.withLock { state in
                    state.guests[number]?.alarm = alarm
                    return state.guests[number] != nil
                }
                if !isStillIn { alarm.cancel() }
            }
        } onCancel: {
            self.leave(number, hasPassed: false)
        }
    }

    private func leave(_ number: Int, hasPassed: Bool) {
        let guest = self.state.withLock { $0.guests.removeValue(forKey: number) }
        guest?.alarm?.cancel()
        guest?.continuation.resume(returning: hasPassed)
    }

    /// Ends all waiting, now and in future.
    func close() {
        let guests = self.state.withLock { state in
            state.isClosed = true
            defer { state.guests = [:] }
            return state.guests
        }
        for guest in guests.values {
            guest.alarm?.cancel()
            guest.continuation.resume(returning: false)
        }
    }
}
