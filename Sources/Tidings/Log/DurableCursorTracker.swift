import DequeModule

/// Which events of the log a durable subscription is handed, and what is to be remembered of it across a crash.
///
/// Events are examined in the order of their offsets: each either concerns the subscription and is handed out, or is
/// passed over, which counts as done. Acknowledgements come in any order. The low water rises over whatever is done
/// without a gap; what is done above it is remembered one by one, so that a crash hands out again what was not
/// acknowledged in the last cursor that was saved, and nothing else. At most ``capacity`` offsets are outstanding or
/// remembered at a time: then handing out stops until the oldest is acknowledged.
///
/// A value without input or output; whoever owns it reads the log, calls the handler and saves the cursor.
package struct DurableCursorTracker: Sendable {
    private struct Entry {
        let offset: Int64
        var isDone: Bool
    }

    package let capacity: Int
    /// Up to here everything was examined: reading goes on above it.
    package private(set) var position: Int64
    /// What was handed out, from the oldest that is not done, in order.
    private var window = Deque<Entry>()
    /// What was done before a restart and was not examined since, in order.
    private var known = Deque<Int64>()
    /// How many offsets are handed out and not acknowledged.
    package private(set) var outstanding = 0
    /// Whether the cursor is another than the one last taken for saving.
    package private(set) var hasUnsavedProgress = false

    /// - Parameters:
    ///   - cursor: as it was saved last; a new one for a new subscription.
    ///   - bounds: of the log as it is now.
    ///   - capacity: how many offsets may be outstanding or remembered above the low water.
    package init(_ cursor: DurableCursor, bounds: LogBounds, capacity: Int = 4096) {
        self.capacity = max(capacity, 1)
        // A log never has less than its cursors know of; one that was put back from an older copy may.
        let head = max(bounds.head, 0)
        self.position = min(max(cursor.lowWater, 0), head)
        self.known = Deque(Set(cursor.acknowledged).filter { $0 > self.position && $0 <= head }.sorted())
        self.hasUnsavedProgress = cursor.lowWater != self.position || cursor.acknowledged != Array(self.known)
        self.deleted(below: bounds.oldest)
    }

    /// Everything up to here is done.
    package var lowWater: Int64 {
        self.window.first.map { $0.offset - 1 } ?? self.position
    }

    /// What is to be saved.
    package var cursor: DurableCursor {
        DurableCursor(
            lowWater: self.lowWater, acknowledged: self.window.filter(\.isDone).map(\.offset) + Array(self.known))
    }

    /// How many more events may be handed out now.
    ///
    /// One at least while none is outstanding, even if the cursor was saved by a subscription with a larger capacity.
    package var room: Int {
        max(self.capacity - self.window.count - self.known.count, self.outstanding == 0 ? 1 : 0)
    }

    /// Takes the next event of the log that matches; what lies between it and the last is passed over. Call it only
    /// while there is ``room``.
    ///
    /// - Returns: whether to hand it out; not so when it was acknowledged before a restart, or examined before.
    package mutating func examine(_ offset: Int64) -> Bool {
        guard offset > self.position else { return false }
        self.pass(through: offset - 1)
        if self.known.first == offset {
            self.pass(through: offset)
            return false
        }
        self.position = offset
        self.window.append(Entry(offset: offset, isDone: false))
        self.outstanding += 1
        return true
    }

    /// Notes that no further event up to `offset` concerns the subscription.
    package mutating func pass(through offset: Int64) {
        while let first = self.known.first, first <= offset {
            self.known.removeFirst()
            // Below an outstanding one it still has to be remembered.
            if !self.window.isEmpty { self.window.append(Entry(offset: first, isDone: true)) }
        }
        guard offset > self.position else { return }
        self.position = offset
        if self.window.isEmpty { self.hasUnsavedProgress = true }
    }

    /// Notes that a handed-out event is done: handled, or kept as a dead letter.
    ///
    /// - Returns: whether it was outstanding; not so for one acknowledged before or deleted meanwhile.
    @discardableResult
    package mutating func acknowledge(_ offset: Int64) -> Bool {
        var low = self.window.startIndex
        var high = self.window.endIndex
        while low < high {
            let middle = (low + high) / 2
            if self.window[middle].offset < offset { low = middle + 1 } else { high = middle }
        }
        guard low < self.window.endIndex, self.window[low].offset == offset, !self.window[low].isDone else {
            return false
        }
        self.window[low].isDone = true
        self.outstanding -= 1
        self.hasUnsavedProgress = true
        self.dropDone()
        return true
    }

    /// Notes that the log has nothing below `oldest` any more: what is not done there never will be.
    package mutating func deleted(below oldest: Int64) {
        while let first = self.window.first, first.offset < oldest {
            if !first.isDone { self.outstanding -= 1 }
            self.window.removeFirst()
            self.hasUnsavedProgress = true
        }
        self.dropDone()
        self.pass(through: oldest - 1)
    }

    private mutating func dropDone() {
        while let first = self.window.first, first.isDone { self.window.removeFirst() }
    }

    // MARK: Saving

    /// The cursor, where it has changed since the last time: to be saved now.
    package mutating func takeCursorToSave() -> DurableCursor? {
        guard self.hasUnsavedProgress else { return nil }
        self.hasUnsavedProgress = false
        return self.cursor
    }

    /// Notes that the cursor taken last could not be saved.
    package mutating func savingFailed() {
        self.hasUnsavedProgress = true
    }
}
