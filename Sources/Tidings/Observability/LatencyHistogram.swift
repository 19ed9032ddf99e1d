/// How often which duration occurred, in logarithmic steps of an eighth of a power of two (at most 12.5 % off).
public struct LatencyHistogram: Sendable {
    private static let subBuckets = 8
    private static let bucketCount = 64 * 8

    private var counts: [UInt64]
    public private(set) var total: UInt64 = 0
    /// All durations together, in nanoseconds, exactly; it wraps after 584 years.
    public private(set) var sum: UInt64 = 0

    public init() {
        self.counts = []
    }

    /// Adds one duration in nanoseconds.
    public mutating func record(nanoseconds: Int64, times: UInt64 = 1) {
        if self.counts.isEmpty { self.counts = Array(repeating: 0, count: Self.bucketCount) }
        let value = UInt64(max(nanoseconds, 0))
        self.counts[Self.bucket(value)] += times
        self.total += times
        self.sum &+= value &* times
    }

    public mutating func add(_ other: LatencyHistogram) {
        guard other.total > 0 else { return }
        if self.counts.isEmpty { self.counts = Array(repeating: 0, count: Self.bucketCount) }
        for index in other.counts.indices { self.counts[index] += other.counts[index] }
        self.total += other.total
        self.sum &+= other.sum
    }

    /// What was recorded since an earlier state of this histogram. A histogram that has started anew since then is taken
    /// whole.
    package func since(_ earlier: LatencyHistogram) -> LatencyHistogram {
        guard earlier.total > 0, !self.counts.isEmpty else { return self }
        var difference = self
        for index in earlier.counts.indices {
            guard self.counts[index] >= earlier.counts[index] else { return self }
            difference.counts[index] -= earlier.counts[index]
        }
        difference.total -= earlier.total
        difference.sum &-= earlier.sum
        return difference
    }

    /// How many durations were shorter than two to the power of `exponent` nanoseconds, exactly.
    ///
    /// - Parameter exponent: 3...63.
    package func count(belowPowerOfTwo exponent: Int) -> UInt64 {
        guard !self.counts.isEmpty else { return 0 }
        return self.counts[..<((exponent - 2) * Self.subBuckets)].reduce(0, +)
    }

    /// How often about which duration occurred, ascending; the durations are in nanoseconds and at most 12.5 % too long.
    package var recorded: [(nanoseconds: Int64, times: UInt64)] {
        self.counts.enumerated().lazy.filter { $0.element > 0 }
            .map { (Int64(clamping: Self.upperBound($0.offset)), $0.element) }
    }

    /// The duration in nanoseconds that the given share (0...1) of all did not exceed; 0 when there are none.
    public func quantile(_ share: Double) -> Int64 {
        guard self.total > 0 else { return 0 }
        let target = max(UInt64((Double(self.total) * share).rounded(.up)), 1)
        var seen: UInt64 = 0
        for (index, count) in self.counts.enumerated() where count > 0 {
            seen += count
            if seen >= target { return Int64(clamping: Self.upperBound(index)) }
        }
        return 0
    }

    private static func bucket(_ value: UInt64) -> Int {
        if value < UInt64(Self.subBuckets) { return Int(value) }
        let exponent = 63 - value.leadingZeroBitCount
        let fraction = Int((value >> UInt64(exponent - 3)) & 7)
        return (exponent - 2) * Self.subBuckets + fraction
    }

    private static func upperBound(_ bucket: Int) -> UInt64 {
        if bucket < Self.subBuckets { return UInt64(bucket) }
        let exponent = bucket / Self.subBuckets + 2
        let fraction = UInt64(bucket % Self.subBuckets)
        return ((8 + fraction + 1) << UInt64(exponent - 3)) - 1
    }
}
