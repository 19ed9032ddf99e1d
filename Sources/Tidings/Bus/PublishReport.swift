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
    /// Why events were refused, by place.
    package var refusals: [Int: EventBusError]
    /// What the log did with them, where one is attached and the publisher waited for it.
    private var outcome: AppendOutcome?
    /// The results, where somebody else's bus gave them.
    private var given: [PublishResult]?

    package init(count: Int, accepted: UInt64, duplicates: UInt64 = 0, refusals: [Int: EventBusError] = [:]) {
        self.count = count
        self.accepted = accepted
        self.duplicates = duplicates
        self.refusals = refusals
        self.outcome = nil
        self.given = nil
    }

    /// A report for a bus of your own: the result of each event, in order.
    ///
    /// - Parameter results: at most ``EventBatch/capacity``.
    public init(_ results: [PublishResult]) {
        precondition(results.count <= EventBatch.capacity, "a batch holds at most \(EventBatch.capacity) events")
        self.init(count: results.count, accepted: 0)
        for (index, result) in results.enumerated() {
            switch result {
            case .accepted: self.accepted |= 1 << UInt64(index)
            case .duplicate: self.duplicates |= 1 << UInt64(index)
            case .refused(let error): self.refusals[index] = error
            }
        }
        self.given = results
    }

    public var acceptedCount: Int { self.accepted.nonzeroBitCount }
    public var duplicateCount: Int { self.duplicates.nonzeroBitCount }
    public var refusedCount: Int { self.refusals.count }

    public subscript(index: Int) -> PublishResult {
        if let given = self.given { return given[index] }
        let bit: UInt64 = 1 << UInt64(index)
        if self.accepted & bit != 0 { return .accepted(offset: self.outcome?.committed?.offset(at: index)) }
        if self.duplicates & bit != 0 { return .duplicate(offset: self.outcome?.duplicates[index]) }
        return .refused(self.refusals[index] ?? EventBusError(.refused, "was not accepted"))
    }

    /// The result of each event, in order.
    public var results: [PublishResult] { (0..<self.count).map { self[$0] } }

    /// Adds what the log said of the accepted events.
    mutating func settle(_ outcome: AppendOutcome) {
        self.outcome = outcome
        for index in outcome.duplicates.keys {
            self.accepted &= ~(1 << UInt64(index))
            self.duplicates |= 1 << UInt64(index)
        }
    }

    /// Takes the acceptance of some events back.
    mutating func refuse(_ mask: UInt64, _ error: EventBusError) {
        for index in MaskIndices(mask: mask) { self.refusals[index] = error }
        self.accepted &= ~mask
    }
}
