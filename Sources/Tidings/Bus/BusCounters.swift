/// What a bus counts while it publishes; guarded by the bus's lock.
struct BusCounters: ~Copyable {
    private(set) var published: UInt64 = 0
    var duplicates: UInt64 = 0
    var refused: UInt64 = 0
    /// One for each interned type, and a last one for all others.
    private var byType = ContiguousArray<UInt64>(repeating: 0, count: EventType.capacity + 1)

    @inline(__always)
    mutating func count(_ type: EventType, _ times: UInt64 = 1) {
        self.published &+= times
        self.byType[type.index ?? EventType.capacity] &+= times
    }

    /// Counts events, or takes their count back.
    mutating func count(_ mask: UInt64, of batch: EventBatch, takingBack: Bool = false) {
        for index in MaskIndices(mask: mask) {
            let type = batch.slots[index].eventType
            let slot = type.index ?? EventType.capacity
            self.byType[slot] = takingBack ? self.byType[slot] &- 1 : self.byType[slot] &+ 1
        }
        let count = UInt64(mask.nonzeroBitCount)
        self.published = takingBack ? self.published &- count : self.published &+ count
    }

    var countsByType: [String: UInt64] {
        var counts: [String: UInt64] = [:]
        for index in self.byType.indices where self.byType[index] > 0 {
            let name = index == EventType.capacity ? "other" : EventType.table.string(UInt32(index))
            counts[name] = self.byType[index]
        }
        return counts
    }
}
