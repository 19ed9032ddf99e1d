/// What became of one published event.
public enum PublishResult: Sendable, Equatable {
    /// Taken; with its offset where a log is attached and the publisher waited for it.
    case accepted(offset: Int64?)
    /// Known already, and not delivered again; with the offset it has, where that is known.
    case duplicate(offset: Int64?)
    /// Not taken.
    case refused(EventBusError)
}

/// What became of each event of a batch.
public struct PublishReport: Sendable {
    /// How many events were published.
    public let count: Int
    package var accepted: UInt64
    package var duplicates: UInt64
    /// Offsets by place, where a log gave any.
    package var offsets: [Int: Int64]
    package var refusals: [Int: EventBusError]

    package init(
        count: Int, accepted: UInt64, duplicates: UInt64 = 0, offsets: [Int: Int64] = [:],
        refusals: [Int: EventBusError] = [:]
    ) {
        self.count = count
        self.accepted = accepted
        self.duplicates = duplicates
        self.offsets = offsets
        self.refusals = refusals
    }

    public var acceptedCount: Int { self.accepted.nonzeroBitCount }
    public var duplicateCount: Int { self.duplicates.nonzeroBitCount }
    public var refusedCount: Int { self.refusals.count }

    public subscript(index: Int) -> PublishResult {
        let bit: UInt64 = 1 << UInt64(index)
        if self.accepted & bit != 0 { return .accepted(offset: self.offsets[index]) }
        if self.duplicates & bit != 0 { return .duplicate(offset: self.offsets[index]) }
        return .refused(self.refusals[index] ?? EventBusError(.refused, "was not accepted"))
    }

    /// The result of each event, in order.
    public var results: [PublishResult] { (0..<self.count).map { self[$0] } }
}
