/// SplitMix64: the same seed gives the same numbers everywhere.
package struct SeededGenerator: RandomNumberGenerator, Sendable {
    private var state: UInt64

    package init(seed: UInt64) {
        self.state = seed
    }

    package mutating func next() -> UInt64 {
        self.state &+= 0x9E37_79B9_7F4A_7C15
        var value = self.state
        value = (value ^ (value >> 30)) &* 0xBF58_476D_1CE4_E5B9
        value = (value ^ (value >> 27)) &* 0x94D0_49BB_1331_11EB
        return value ^ (value >> 31)
    }

    /// From 0 up to, without, 1.
    mutating func unit() -> Double {
        Double(self.next() >> 11) * 0x1p-53
    }

    mutating func chance(_ probability: Double) -> Bool {
        self.unit() < probability
    }

    /// Near enough to a normal distribution with deviation 1, and never beyond 6.
    mutating func normal() -> Double {
        (0..<12).reduce(-6) { sum, _ in sum + self.unit() }
    }

    mutating func number(_ range: ClosedRange<Int64>) -> Int64 {
        let width = UInt64(range.upperBound - range.lowerBound) + 1
        return range.lowerBound + Int64(self.next() % width)
    }
}
