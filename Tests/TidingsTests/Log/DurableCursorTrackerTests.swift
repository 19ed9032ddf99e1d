import Testing

@testable import Tidings

@Suite struct DurableCursorTrackerTests {
    private static let bounds = LogBounds(oldest: 1, head: 100)

    private func tracker(_ cursor: DurableCursor = DurableCursor(), capacity: Int = 4096) -> Holder {
        Holder(DurableCursorTracker(cursor, bounds: Self.bounds, capacity: capacity))
    }

    @Test func `the low water rises over whatever is done without a gap`() {
        let tracker = self.tracker()
        for offset: Int64 in 1...5 { #expect(tracker.examine(offset)) }
        tracker.acknowledge(3)
        tracker.acknowledge(2)
        #expect(tracker.cursor == DurableCursor(lowWater: 0, acknowledged: [2, 3]))
        tracker.acknowledge(1)
        #expect(tracker.cursor == DurableCursor(lowWater: 3))
        tracker.acknowledge(5)
        #expect(tracker.cursor == DurableCursor(lowWater: 3, acknowledged: [5]))
        tracker.acknowledge(4)
        #expect(tracker.cursor == DurableCursor(lowWater: 5))
    }

    @Test func `what does not match counts as done`() {
        let tracker = self.tracker()
        #expect(tracker.examine(4))
        #expect(tracker.lowWater == 3)
        #expect(tracker.examine(9))
        tracker.pass(through: 20)
        #expect(tracker.lowWater == 3)
        tracker.acknowledge(4)
        #expect(tracker.lowWater == 8)
        tracker.acknowledge(9)
        #expect(tracker.lowWater == 20)
    }

    @Test func `after a crash only what was not acknowledged is handed out again`() {
        let tracker = self.tracker(DurableCursor(lowWater: 10, acknowledged: [12, 13, 16]))
        #expect(tracker.position == 10)
        let handedOut = (Int64(1)...18).filter { tracker.examine($0) }
        #expect(handedOut == [11, 14, 15, 17, 18])
        tracker.acknowledge(11)
        #expect(tracker.cursor == DurableCursor(lowWater: 13, acknowledged: [16]))
    }

    @Test func `handing out stops at the bound, and goes on when the oldest is done`() {
        let tracker = self.tracker(capacity: 3)
        for offset: Int64 in 1...3 { #expect(tracker.examine(offset)) }
        #expect(tracker.room == 0)
        tracker.acknowledge(2)
        tracker.acknowledge(3)
        #expect(tracker.room == 0)
        tracker.acknowledge(1)
        #expect(tracker.room == 3)
    }

    @Test func `a smaller bound than the cursor was saved with still gets on`() {
        let tracker = self.tracker(DurableCursor(lowWater: 1, acknowledged: [3, 4, 6, 7]), capacity: 2)
        var handedOut: [Int64] = []
        for offset: Int64 in 2...9 {
            while tracker.room == 0 { tracker.acknowledge(handedOut.last ?? 0) }
            if tracker.examine(offset) { handedOut.append(offset) }
        }
        #expect(handedOut == [2, 5, 8, 9])
    }

    @Test func `retention moves the cursor, and a late acknowledgement of what it deleted changes nothing`() {
        let tracker = self.tracker(DurableCursor(lowWater: 2, acknowledged: [5]))
        for offset: Int64 in 3...8 { _ = tracker.examine(offset) }
        tracker.acknowledge(7)
        tracker.deleted(below: 7)
        #expect(tracker.cursor == DurableCursor(lowWater: 7))
        #expect(tracker.outstanding == 1)
        #expect(!tracker.acknowledge(4))
        #expect(tracker.cursor == DurableCursor(lowWater: 7))
        tracker.deleted(below: 50)
        #expect(tracker.position == 49)
        #expect(!tracker.examine(30))
        #expect(tracker.examine(50))
    }

    @Test func `a cursor is taken for saving once for each change`() {
        let tracker = self.tracker()
        #expect(tracker.takeCursorToSave() == nil)
        _ = tracker.examine(1)
        #expect(tracker.takeCursorToSave() == nil)
        tracker.acknowledge(1)
        #expect(tracker.takeCursorToSave() == DurableCursor(lowWater: 1))
        #expect(tracker.takeCursorToSave() == nil)
        tracker.savingFailed()
        #expect(tracker.takeCursorToSave() == DurableCursor(lowWater: 1))
    }

    @Test func `a cursor ahead of its log is brought back to it`() {
        let tracker = DurableCursorTracker(
            DurableCursor(lowWater: 40, acknowledged: [42]), bounds: LogBounds(oldest: 1, head: 30))
        #expect(tracker.cursor == DurableCursor(lowWater: 30))
        #expect(tracker.hasUnsavedProgress)
    }

    @Test func `numbers of any size from a damaged cursor do not trap`() {
        for number: Int64 in [.min, -1, 0, .max] {
            let tracker = self.tracker(
                DurableCursor(lowWater: number, acknowledged: [number, 7, 7, 3, .max, .min]))
            _ = tracker.examine(101)
            #expect(tracker.lowWater == 100)
        }
    }
}

/// A tracker that expectations may change: they take no `inout`.
@dynamicMemberLookup
private final class Holder {
    private var tracker: DurableCursorTracker

    init(_ tracker: DurableCursorTracker) {
        self.tracker = tracker
    }

    subscript<Value>(dynamicMember path: KeyPath<DurableCursorTracker, Value>) -> Value { self.tracker[keyPath: path] }

    func examine(_ offset: Int64) -> Bool { self.tracker.examine(offset) }
    func pass(through offset: Int64) { self.tracker.pass(through: offset) }
    @discardableResult func acknowledge(_ offset: Int64) -> Bool { self.tracker.acknowledge(offset) }
    func deleted(below oldest: Int64) { self.tracker.deleted(below: oldest) }
    func takeCursorToSave() -> DurableCursor? { self.tracker.takeCursorToSave() }
    func savingFailed() { self.tracker.savingFailed() }
}
