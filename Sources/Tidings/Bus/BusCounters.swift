import Synchronization

/// Counters of a bus that any thread may raise.
///
/// - Note: `@unchecked Sendable` is sound: the pointer never changes after `init`, and every element is an atomic.
final class BusCounters: @unchecked Sendable {
    let published = Atomic<UInt64>(0)
    let tapped = Atomic<UInt64>(0)
    let duplicates = Atomic<UInt64>(0)
    let refused = Atomic<UInt64>(0)
    /// One for each interned type, and a last one for all others.
    private let byType: UnsafeMutablePointer<Atomic<UInt64>>

    init() {
        self.byType = .allocate(capacity: EventType.capacity + 1)
        for index in 0...EventType.capacity { (self.byType + index).initialize(to: Atomic(0)) }
    }

    deinit {
        self.byType.deinitialize(count: EventType.capacity + 1)
        self.byType.deallocate()
    }

    func count(_ selection: EventSelection) {
        self.published.wrappingAdd(UInt64(selection.count), ordering: .relaxed)
        var slot = -1
        var run: UInt64 = 0
        for index in selection.indices {
            let type = selection.batch.events[index].eventType.index ?? EventType.capacity
            if type != slot {
                if run > 0 { self.byType[slot].wrappingAdd(run, ordering: .relaxed) }
                slot = type
                run = 0
            }
            run += 1
        }
        if run > 0 { self.byType[slot].wrappingAdd(run, ordering: .relaxed) }
    }

    var countsByType: [String: UInt64] {
        var counts: [String: UInt64] = [:]
        for index in 0...EventType.capacity {
            let count = self.byType[index].load(ordering: .relaxed)
            if count == 0 { continue }
            counts[index == EventType.capacity ? "other" : EventType.table.string(UInt32(index))] = count
        }
        return counts
    }
}
