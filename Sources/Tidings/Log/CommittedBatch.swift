import Synchronization

/// Events of one batch that a log has committed, with consecutive offsets.
///
/// What every live stream is fed from. The text that each of them sends is made at most once.
public final class CommittedBatch: Sendable {
    public let selection: EventSelection
    /// The offset of the first selected event; each next one has the next offset.
    public let firstOffset: Int64

    public init(_ selection: EventSelection, firstOffset: Int64) {
        self.selection = selection
        self.firstOffset = firstOffset
    }

    public var count: Int { self.selection.count }
    public var lastOffset: Int64 { self.firstOffset + Int64(self.count) - 1 }

    /// The selected events with their offsets, in order.
    public var events: [LoggedEvent] {
        zip(self.selection, self.firstOffset...).map { LoggedEvent(offset: $1, event: $0) }
    }

    /// The offset of the event at a place of the batch.
    @inline(__always)
    package func offset(at index: Int) -> Int64 {
        let below = self.selection.mask & ((1 << UInt64(index)) &- 1)
        return self.firstOffset + Int64(below.nonzeroBitCount)
    }
}
