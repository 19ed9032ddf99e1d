extension ExactDecimal: Comparable, Hashable {
    public static func == (left: ExactDecimal, right: ExactDecimal) -> Bool {
        left.compared(to: right) == 0
    }

    public static func < (left: ExactDecimal, right: ExactDecimal) -> Bool {
        left.compared(to: right) < 0
    }

    public func hash(into hasher: inout Hasher) {
        let digits = SignificantDigits(self)
        hasher.combine(digits.sign)
        hasher.combine(digits.exponent)
        hasher.combine(digits.significant)
    }

    /// Negative, zero or positive as this number is less than, equal to or greater than `other`.
    @inline(__always)
    private func compared(to other: ExactDecimal) -> Int {
        if case .compact(let left, let leftScale) = self.storage,
            case .compact(let right, let rightScale) = other.storage
        {
            if leftScale == rightScale {
                return left == right ? 0 : left < right ? -1 : 1
            }
            let difference = leftScale < rightScale ? rightScale - leftScale : leftScale - rightScale
            if difference <= 18 {
                let factor = Int128(powerOfTen(Int(difference)))
                let scaledLeft = leftScale < rightScale ? Int128(left) * factor : Int128(left)
                let scaledRight = leftScale < rightScale ? Int128(right) : Int128(right) * factor
                return scaledLeft == scaledRight ? 0 : scaledLeft < scaledRight ? -1 : 1
            }
        }
        return SignificantDigits(self).compared(to: SignificantDigits(other))
    }
}

/// A number in one normal form: sign * 0.significant * 10^exponent, without zeros at either end.
struct SignificantDigits {
    var sign: Int
    var exponent: Int
    var significant: [UInt8]

    init(_ number: ExactDecimal) {
        var exponent = 0
        var digits: [UInt8] = []
        var isNegative = false
        var point: Int?
        var rest = Substring(number.description).utf8
        while let byte = rest.popFirst() {
            switch byte {
            case UInt8(ascii: "-"): isNegative = true
            case UInt8(ascii: "."): point = digits.count
            case UInt8(ascii: "e"), UInt8(ascii: "E"):
                // An exponent beyond Int is so far away that its direction alone decides.
                let text = String(Substring(rest))
                exponent = Int(text) ?? (text.hasPrefix("-") ? .min / 4 : .max / 4)
                rest = Substring().utf8
            default: digits.append(byte &- UInt8(ascii: "0"))
            }
        }
        exponent = max(min(exponent, .max / 4), .min / 4) + (point ?? digits.count)
        let leading = digits.prefix { $0 == 0 }.count
        digits.removeFirst(leading)
        exponent -= leading
        while digits.last == 0 { digits.removeLast() }
        self.significant = digits
        self.sign = digits.isEmpty ? 0 : isNegative ? -1 : 1
        self.exponent = digits.isEmpty ? 0 : exponent
    }

    /// The number as an integer and its count of digits after the point, of which those beyond `maximumScale` are cut
    /// off; `nil` when it is 10^19 or more.
    func plain(maximumScale: Int) -> (mantissa: Int128, scale: Int)? {
        guard self.exponent <= 19 else { return nil }
        let kept = self.significant.prefix(max(0, max(self.exponent, -maximumScale) + maximumScale))
        var mantissa = kept.reduce(Int128(0)) { $0 * 10 + Int128($1) } * Int128(self.sign)
        if kept.isEmpty { return (0, 0) }
        let scale = kept.count - self.exponent
        if scale < 0 { mantissa *= Int128(powerOfTen(-scale)) }
        return (mantissa, max(0, scale))
    }

    func compared(to other: SignificantDigits) -> Int {
        if self.sign != other.sign { return self.sign < other.sign ? -1 : 1 }
        if self.sign == 0 { return 0 }
        let magnitude: Int
        if self.exponent != other.exponent {
            magnitude = self.exponent < other.exponent ? -1 : 1
        } else if self.significant == other.significant {
            magnitude = 0
        } else {
            magnitude = self.significant.lexicographicallyPrecedes(other.significant) ? -1 : 1
        }
        return magnitude * self.sign
    }
}
