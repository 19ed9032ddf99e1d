/// Which handlers wait for which others, to find out before a wait whether it would be for ever.
///
/// A machine without locks or tasks. A handler waits for another while it waits for room in that one's queue, or for an
/// event to be handled by it. Only handlers that wait are known here, so it is small, and nothing is looked up while
/// nobody waits.
struct WaitGraph {
    private struct Handler {
        /// How many calls of it may run at once.
        var calls: Int
        /// For whom each waiting call waits, by number of the wait.
        var waits: [UInt64: Set<UInt64>]
    }

    private var handlers: [UInt64: Handler] = [:]
    private var nextWait: UInt64 = 1

    /// Notes that a call of a handler waits for all of `others`; `nil`, and nothing is noted, when the handler could then
    /// never go on.
    ///
    /// - Parameter calls: how many calls of the handler may run at once.
    mutating func begin(_ handler: UInt64, calls: Int, for others: Set<UInt64>) -> UInt64? {
        let wait = self.nextWait
        self.nextWait += 1
        self.handlers[handler, default: Handler(calls: calls, waits: [:])].waits[wait] = others
        guard self.blocked.contains(handler) else { return wait }
        self.end(handler, wait)
        return nil
    }

    mutating func end(_ handler: UInt64, _ wait: UInt64) {
        self.handlers[handler]?.waits[wait] = nil
        if self.handlers[handler]?.waits.isEmpty ?? false { self.handlers[handler] = nil }
    }

    /// The handlers all of whose calls wait for one another.
    private var blocked: Set<UInt64> {
        var blocked = Set(self.handlers.filter { $0.value.waits.count >= $0.value.calls }.keys)
        while true {
            // Whoever has a call that waits for none of them goes on in time.
            let free = blocked.filter { handler in
                self.handlers[handler]?.waits.values.contains { $0.isDisjoint(with: blocked) } ?? true
            }
            if free.isEmpty { return blocked }
            blocked.subtract(free)
        }
    }
}
