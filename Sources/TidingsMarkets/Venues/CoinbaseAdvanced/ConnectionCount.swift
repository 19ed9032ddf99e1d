/// Counts the frames of a connection by the number that each carries, one more than the last. A machine.
struct ConnectionCount: Sendable {
    enum Verdict: Sendable, Equatable {
        case inOrder
        /// Lower than or the same as the last: not looked at.
        case repeated
        case gap(expected: UInt64, got: UInt64)
    }

    /// So many lower numbers in a row mean that the count began anew.
    static let maximumRepeated = 8

    private var last: UInt64?
    private var repeated = 0

    @inline(__always)
    mutating func take(_ number: UInt64) -> Verdict {
        guard let last = self.last else {
            self.last = number
            return .inOrder
        }
        if number > last {
            self.last = number
            self.repeated = 0
            return number == last + 1 ? .inOrder : .gap(expected: last + 1, got: number)
        }
        self.repeated += 1
        guard self.repeated >= Self.maximumRepeated else { return .repeated }
        self.last = number
        self.repeated = 0
        return .gap(expected: last &+ 1, got: number)
    }
}
