/// Knows which trades of a symbol have come, by the numbers that the venue counts them with. A machine.
///
/// Numbers go up by one: a jump is a loss, a number that was there before is a repetition. Lost ones are remembered, up to
/// a bound, so that they are taken when they come late, and only once.
struct TradeLedger: Sendable {
    enum Verdict: Sendable, Equatable {
        case new
        /// Seen before: not to be published again.
        case known
        /// New, and these have not come.
        case newAfterGap(ClosedRange<UInt64>)
    }

    /// So many holes are remembered; the oldest are given up.
    static let maximumHoles = 64

    private(set) var last: UInt64?
    private(set) var holes: [ClosedRange<UInt64>] = []

    /// A trade has come.
    @inline(__always)
    mutating func take(_ number: UInt64) -> Verdict {
        guard let last = self.last else {
            self.last = number
            return .new
        }
        if number <= last { return self.fill(number) ? .new : .known }
        self.last = number
        guard number - last > 1 else { return .new }
        let hole = last + 1...number - 1
        self.holes.append(hole)
        self.forgetSurplus()
        return .newAfterGap(hole)
    }

    /// The venue says that this is its newest trade: what is missing up to it.
    mutating func expect(_ number: UInt64) -> ClosedRange<UInt64>? {
        guard let last = self.last, number > last else { return nil }
        self.last = number
        let hole = last + 1...number
        self.holes.append(hole)
        self.forgetSurplus()
        return hole
    }

    /// What was lost in a range cannot be had any more.
    mutating func giveUp(_ range: ClosedRange<UInt64>) {
        self.holes = self.holes.flatMap { Self.subtract(range, from: $0) }
        self.forgetSurplus()
    }

    /// The holes that are within a range.
    func missing(in range: ClosedRange<UInt64>) -> [ClosedRange<UInt64>] {
        self.holes.filter { $0.overlaps(range) }.map { $0.clamped(to: range) }
    }

    private mutating func fill(_ number: UInt64) -> Bool {
        guard let index = self.holes.firstIndex(where: { $0.contains(number) }) else { return false }
        self.holes.replaceSubrange(index...index, with: Self.subtract(number...number, from: self.holes[index]))
        self.forgetSurplus()
        return true
    }

    /// A late trade in the middle of a hole makes two of it, so this happens also when nothing is lost.
    private mutating func forgetSurplus() {
        if self.holes.count > Self.maximumHoles { self.holes.removeFirst(self.holes.count - Self.maximumHoles) }
    }

    private static func subtract(
        _ range: ClosedRange<UInt64>, from hole: ClosedRange<UInt64>
    ) -> [ClosedRange<UInt64>] {
        guard hole.overlaps(range) else { return [hole] }
        var rest: [ClosedRange<UInt64>] = []
        if hole.lowerBound < range.lowerBound { rest.append(hole.lowerBound...range.lowerBound - 1) }
        if hole.upperBound > range.upperBound { rest.append(range.upperBound + 1...hole.upperBound) }
        return rest
    }
}
