/// Some of the events of a batch, in their order.
public struct EventSelection: Sendable, Sequence {
    public let batch: EventBatch
    /// One bit for each selected event.
    package let mask: UInt64

    /// All events of a batch.
    public init(_ batch: EventBatch) {
        self.init(batch, mask: batch.fullMask)
    }

    @inline(__always)
    package init(_ batch: EventBatch, mask: UInt64) {
        self.batch = batch
        self.mask = mask
    }

    public var count: Int { self.mask.nonzeroBitCount }
    public var isEmpty: Bool { self.mask == 0 }

    /// The places of the selected events within the batch.
    package var indices: MaskIndices { MaskIndices(mask: self.mask) }

    /// How much of a subscription's capacity the events take.
    var weight: Int {
        if self.batch.isLight { return self.count }
        var weight = 0
        for index in self.indices { weight += self.batch.slots[index].weight }
        return weight
    }

    public func makeIterator() -> Iterator {
        Iterator(batch: self.batch, indices: self.indices)
    }

    public var underestimatedCount: Int { self.count }

    public struct Iterator: IteratorProtocol {
        let batch: EventBatch
        var indices: MaskIndices

        public mutating func next() -> StandardEvent? {
            self.indices.next().map { self.batch.slots[$0] }
        }
    }
}

/// The positions of the bits that are set, lowest first.
package struct MaskIndices: Sequence, IteratorProtocol, Sendable {
    private var mask: UInt64

    @inline(__always)
    package init(mask: UInt64) {
        self.mask = mask
    }

    @inline(__always)
    package mutating func next() -> Int? {
        guard self.mask != 0 else { return nil }
        let index = self.mask.trailingZeroBitCount
        self.mask &= self.mask &- 1
        return index
    }
}
