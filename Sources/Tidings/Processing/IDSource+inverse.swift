import Synchronization

extension EventID {
    /// A place in the sequence of identifiers that this process makes; see ``wasMade(since:)``.
    static var mark: UInt64 { IDSource.counter.load(ordering: .relaxed) }

    /// Whether this process made this identifier as a new one after a mark was taken: then nobody chose it, and nobody
    /// but its maker knows it yet.
    func wasMade(since mark: UInt64) -> Bool {
        guard let (high, low) = self.uuid, high >> 12 & 0xF == 7, low >> 62 == 2 else { return false }
        let number = IDSource.number(behind: low & IDSource.mask)
        return number >= mark && number < Self.mark
    }
}

extension IDSource {
    /// The count that was scrambled into `id`: the steps of `next` backwards.
    static func number(behind id: UInt64) -> UInt64 {
        var mixed = Self.unfold(id, by: 31)
        mixed = Self.unfold(mixed &* Self.inverse(of: 0x94D0_49BB_1331_11EB) & Self.mask, by: 27)
        mixed = Self.unfold(mixed &* Self.inverse(of: 0xBF58_476D_1CE4_E5B9) & Self.mask, by: 30)
        return (mixed &- Self.seed) &* Self.inverse(of: 0x9E37_79B9_7F4A_7C15) & Self.mask
    }

    /// The `x` of `x ^ (x >> shift)`.
    private static func unfold(_ folded: UInt64, by shift: UInt64) -> UInt64 {
        folded ^ (folded >> shift) ^ (folded >> (2 * shift))
    }

    /// What an odd factor has to be multiplied with to give 1: Newton's iteration doubles the bits that are right.
    private static func inverse(of factor: UInt64) -> UInt64 {
        var inverse = factor
        for _ in 0..<5 { inverse = inverse &* (2 &- factor &* inverse) }
        return inverse
    }
}
