/// Which candles a ``CandleProcessor`` makes, and how long they wait for late trades.
public struct CandleConfiguration: Sendable, Equatable {
    /// What becomes of a trade that comes after its candle stopped waiting.
    public enum LatePolicy: String, Sendable, CaseIterable {
        /// It is left out and counted.
        case drop
        /// The candle is published again with it, if it is among the last ``amendable`` ones of its series; else it is left
        /// out and counted.
        case amend
    }

    public var intervals: [CandleInterval]
    /// How long after its end, in event time, a candle waits for late trades before it is closed. At most 64 times the
    /// shortest interval.
    public var late: Duration = .seconds(2)
    public var latePolicy = LatePolicy.drop
    /// At most one version of an open candle in so much event time; zero for one with each trade, `nil` for closed candles
    /// only.
    public var updates: Duration? = .seconds(1)
    /// The most series (source, symbol, interval) at a time: the one that was not traded for longest goes, and its open
    /// candle with it, and is counted.
    public var capacity = 10_000

    /// How many closed candles of a series are remembered where late trades amend them.
    public static let amendable = 16
    /// The most that ``late`` may be of the shortest interval.
    public static let longestWait: Int64 = 64

    public init(intervals: [CandleInterval]) {
        self.intervals = intervals
    }

    var lateNanoseconds: Int64 {
        let shortest = self.intervals.map(\.length).min() ?? 1
        let (longest, overflow) = shortest.multipliedReportingOverflow(by: Self.longestWait)
        return min(max(0, self.late.clampedNanoseconds), overflow ? .max / 4 : longest)
    }
}

extension Duration {
    /// In nanoseconds, as far as 64 bits hold them.
    var clampedNanoseconds: Int64 {
        let (seconds, attoseconds) = self.components
        return Int64(clamping: Int128(seconds) * 1_000_000_000 + Int128(attoseconds / 1_000_000_000))
    }
}

extension Int64 {
    func clampedSum(_ other: Int64) -> Int64 {
        let (sum, overflow) = self.addingReportingOverflow(other)
        return overflow ? (other < 0 ? .min : .max) : sum
    }

    func clampedDifference(_ other: Int64) -> Int64 {
        let (difference, overflow) = self.subtractingReportingOverflow(other)
        return overflow ? (other < 0 ? .max : .min) : difference
    }
}
