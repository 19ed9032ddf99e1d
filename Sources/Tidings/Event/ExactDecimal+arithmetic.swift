/// Exact arithmetic: no digit is lost and nothing overflows. Each of these gives `nil` for a number that would have more
/// than a thousand digits written out, such as `1e999999`.
extension ExactDecimal {
    /// The exact sum, with as many digits after the point as the longer of the two has: `1.5 + 0.50 = 2.00`.
    public func adding(_ other: ExactDecimal) -> ExactDecimal? {
        if let (left, leftScale) = self.compact, let (right, rightScale) = other.compact {
            let scale = max(leftScale, rightScale)
            if scale - min(leftScale, rightScale) <= 18 {
                let first = Int128(left) * Int128(powerOfTen(Int(scale - leftScale)))
                let second = Int128(right) * Int128(powerOfTen(Int(scale - rightScale)))
                if let mantissa = Int64(exactly: first + second) {
                    return ExactDecimal(mantissa: mantissa, scale: scale)
                }
            }
        }
        guard let left = WideDecimal(self), let right = WideDecimal(other) else { return nil }
        return (left + right).exact
    }

    /// The exact difference.
    public func subtracting(_ other: ExactDecimal) -> ExactDecimal? {
        guard let left = WideDecimal(self), let right = WideDecimal(other) else { return nil }
        return (left + -right).exact
    }

    /// The exact product.
    public func multiplied(by other: ExactDecimal) -> ExactDecimal? {
        if let (left, leftScale) = self.compact, let (right, rightScale) = other.compact,
            leftScale <= 127, rightScale <= 127
        {
            let (mantissa, overflow) = left.multipliedReportingOverflow(by: right)
            if !overflow { return ExactDecimal(mantissa: mantissa, scale: leftScale + rightScale) }
        }
        guard let left = WideDecimal(self), let right = WideDecimal(other) else { return nil }
        return (left * right).exact
    }

    /// The quotient with `digits` digits after the point; of two numbers that are equally near, the one whose last digit
    /// is even. `nil` too when `other` is zero.
    public func divided(by other: ExactDecimal, digits: Int) -> ExactDecimal? {
        guard (0...500).contains(digits), let left = WideDecimal(self), let right = WideDecimal(other) else {
            return nil
        }
        return left.divided(by: right, scale: digits)?.exact
    }

    /// Whether it has at most a thousand digits written out.
    var canBeCalculatedWith: Bool { self.compact != nil || WideDecimal(self) != nil }
}
