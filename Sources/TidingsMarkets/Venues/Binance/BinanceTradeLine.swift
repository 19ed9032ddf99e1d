import Tidings

/// One numbered line of a symbol's trades (`t` of `trade`, or `a` of `aggTrade`): what came, what is missing, and what is
/// being fetched. A machine.
///
/// Numbers go up by one. A jump is a loss, to be fetched; but one that is absurdly wide may as well be a damaged frame,
/// and is only believed when the next trade goes on from it.
struct BinanceTradeLine: Sendable {
    enum Verdict: Sendable, Equatable {
        case new
        case known
        /// New, and these have not come.
        case newAfterGap(ClosedRange<UInt64>)
        /// Far ahead of the last: to be published, but not believed yet.
        case suspicious(after: UInt64)
        /// Published when it was not believed; it came again, so these are missing.
        case knownAfterGap(ClosedRange<UInt64>)
    }

    /// Lost trades that are being fetched.
    struct Refill: Sendable, Equatable {
        /// Those still missing.
        var range: ClosedRange<UInt64>
        var pagesLeft = BinanceTradeLine.maximumPages
        var retriesLeft = BinanceTradeLine.maximumRetries
        /// When to ask again for what the venue did not have yet.
        var retryAt: Int64?
    }

    /// A jump of more than this has to be confirmed by the next trade.
    static let plausibleJump: UInt64 = 10_000
    /// So many holes are fetched at a time; what is more is reported and left.
    static let maximumRefills = 8
    /// So many answers of a thousand trades are asked for to fill one hole.
    static let maximumPages = 20
    /// Its history may lag behind the venue's feed: how often what was not there is asked for again.
    static let maximumRetries = 3
    static let retryDelay: Int64 = 2_000_000_000

    let isAggregated: Bool
    private(set) var ledger = TradeLedger()
    private var suspect: UInt64?
    var refills: [Refill] = []

    init(isAggregated: Bool) {
        self.isAggregated = isAggregated
    }

    /// A trade has come over the feed.
    @inline(__always)
    mutating func take(_ number: UInt64) -> Verdict {
        if let last = self.ledger.last, number > last, number - last > Self.plausibleJump || self.suspect != nil {
            return self.takeUnlikely(number, after: last)
        }
        switch self.ledger.take(number) {
        case .new: return .new
        case .known: return .known
        case .newAfterGap(let hole): return .newAfterGap(hole)
        }
    }

    @inline(never)
    private mutating func takeUnlikely(_ number: UInt64, after last: UInt64) -> Verdict {
        if let suspect = self.suspect, number >= suspect, number - suspect <= Self.plausibleJump {
            // It was true. What is missing between the two, if anything, is found with the whole of it.
            self.suspect = nil
            let first = self.ledger.take(suspect)
            if number == suspect {
                if case .newAfterGap(let hole) = first { return .knownAfterGap(hole) }
                return .known
            }
            let second = self.ledger.take(number)
            guard case .newAfterGap(let hole) = first else { return .new }
            if case .newAfterGap(let next) = second { return .newAfterGap(hole.lowerBound...next.upperBound) }
            return .newAfterGap(hole)
        }
        guard number - last > Self.plausibleJump else {
            // The feed goes on where it was: what jumped was a mistake.
            self.suspect = nil
            switch self.ledger.take(number) {
            case .new: return .new
            case .known: return .known
            case .newAfterGap(let hole): return .newAfterGap(hole)
            }
        }
        self.suspect = number
        return .suspicious(after: last)
    }

    /// A trade of the venue's history: whether it is one of those that are missing.
    mutating func fill(_ number: UInt64, within range: ClosedRange<UInt64>) -> Bool {
        guard range.contains(number), let last = self.ledger.last, number < last else { return false }
        return self.ledger.take(number) == .new
    }

    /// The venue has passed over what is missing in a range: it will not come.
    ///
    /// - Returns: how many these are, and from where to where.
    mutating func giveUp(_ range: ClosedRange<UInt64>) -> (count: UInt64, range: ClosedRange<UInt64>)? {
        let missing = self.missing(in: range)
        self.ledger.giveUp(range)
        return missing
    }

    /// What has not come of a range.
    func missing(in range: ClosedRange<UInt64>) -> (count: UInt64, range: ClosedRange<UInt64>)? {
        let holes = self.ledger.missing(in: range).sorted { $0.lowerBound < $1.lowerBound }
        guard let first = holes.first, let last = holes.last else { return nil }
        let count = holes.reduce(0 as UInt64) { $0 &+ ($1.upperBound - $1.lowerBound) &+ 1 }
        return (count, first.lowerBound...last.upperBound)
    }
}
