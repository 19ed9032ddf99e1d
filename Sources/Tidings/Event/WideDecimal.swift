/// A decimal number of any length that is used for calculating: sign, magnitude, digits after the point.
///
/// The magnitude is held in pieces of nine digits, the lowest first, without zeros at the top.
struct WideDecimal {
    private static let base: UInt64 = 1_000_000_000
    /// Numbers further from 1 than this, or of more digits, are not calculated with: `1e999999` is one short text and a
    /// megabyte of digits.
    private static let mostDigits = 1000

    private(set) var isNegative: Bool
    private(set) var pieces: [UInt32]
    /// How many digits stand after the point; never negative.
    private(set) var scale: Int

    var isZero: Bool { self.pieces.isEmpty }

    private init(isNegative: Bool, pieces: [UInt32], scale: Int) {
        self.isNegative = isNegative
        self.pieces = pieces
        self.scale = scale
        while self.pieces.last == 0 { self.pieces.removeLast() }
        if self.pieces.isEmpty { self.isNegative = false }
    }

    /// `nil` for a number that is too long written out.
    init?(_ number: ExactDecimal) {
        if let (mantissa, scale) = number.compact {
            self.init(isNegative: mantissa < 0, pieces: Self.pieces(of: mantissa.magnitude), scale: Int(scale))
            return
        }
        let digits = SignificantDigits(number)
        let most = Self.mostDigits
        guard digits.significant.count <= most, abs(digits.exponent) <= most else { return nil }
        var significant = digits.significant
        let scale = digits.exponent >= significant.count ? 0 : significant.count - digits.exponent
        if digits.exponent > significant.count {
            significant += [UInt8](repeating: 0, count: digits.exponent - significant.count)
        }
        self.init(isNegative: digits.sign < 0, pieces: Self.pieces(of: significant), scale: scale)
    }

    private static func pieces(of number: UInt64) -> [UInt32] {
        var rest = number
        var pieces: [UInt32] = []
        while rest > 0 {
            pieces.append(UInt32(rest % Self.base))
            rest /= Self.base
        }
        return pieces
    }

    /// - Parameter digits: the highest first.
    private static func pieces(of digits: [UInt8]) -> [UInt32] {
        var pieces: [UInt32] = []
        var end = digits.count
        while end > 0 {
            let start = max(0, end - 9)
            pieces.append(digits[start..<end].reduce(0) { $0 * 10 + UInt32($1) })
            end = start
        }
        return pieces
    }

    /// The digits of the magnitude, the highest first.
    private var digits: [UInt8] {
        var digits: [UInt8] = []
        for (index, piece) in self.pieces.reversed().enumerated() {
            let text = "\(piece)"
            if index > 0 { digits += [UInt8](repeating: 0, count: 9 - text.utf8.count) }
            digits += text.utf8.map { $0 &- UInt8(ascii: "0") }
        }
        return digits
    }

    /// `nil` for a number that is too long written out.
    var exact: ExactDecimal? {
        var digits = self.digits
        guard digits.count <= Self.mostDigits, self.scale <= Self.mostDigits else { return nil }
        if digits.count <= self.scale {
            digits.insert(contentsOf: [UInt8](repeating: 0, count: self.scale + 1 - digits.count), at: 0)
        }
        var text = digits.map { $0 &+ UInt8(ascii: "0") }
        if self.scale > 0 { text.insert(UInt8(ascii: "."), at: text.count - self.scale) }
        if self.isNegative { text.insert(UInt8(ascii: "-"), at: 0) }
        return ExactDecimal(String(decoding: text, as: UTF8.self))
    }

    // MARK: Calculating

    static func + (left: WideDecimal, right: WideDecimal) -> WideDecimal {
        let scale = max(left.scale, right.scale)
        let (first, second) = (left.scaled(to: scale), right.scaled(to: scale))
        if first.isNegative == second.isNegative {
            return WideDecimal(
                isNegative: first.isNegative, pieces: Self.sum(first.pieces, second.pieces), scale: scale)
        }
        let isFirstLess = Self.isLess(first.pieces, second.pieces)
        let (larger, smaller) = isFirstLess ? (second, first) : (first, second)
        return WideDecimal(
            isNegative: larger.isNegative, pieces: Self.difference(larger.pieces, smaller.pieces), scale: scale)
    }

    static prefix func - (number: WideDecimal) -> WideDecimal {
        WideDecimal(isNegative: !number.isNegative, pieces: number.pieces, scale: number.scale)
    }

    static func * (left: WideDecimal, right: WideDecimal) -> WideDecimal {
        WideDecimal(
            isNegative: left.isNegative != right.isNegative, pieces: Self.product(left.pieces, right.pieces),
            scale: left.scale + right.scale)
    }

    /// The quotient with so many digits after the point; of two that are equally near, the even one.
    func divided(by divisor: WideDecimal, scale: Int) -> WideDecimal? {
        guard !divisor.isZero else { return nil }
        let numerator = Self.product(self.pieces, Self.powerOfTen(scale + divisor.scale))
        let denominator = Self.product(divisor.pieces, Self.powerOfTen(self.scale))
        var quotient: [UInt8] = []
        var rest: [UInt32] = []
        let digits = WideDecimal(isNegative: false, pieces: numerator, scale: 0).digits
        for digit in digits {
            rest = Self.sum(Self.product(rest, [10]), [UInt32(digit)])
            var times: UInt8 = 0
            while !Self.isLess(rest, denominator) {
                rest = Self.difference(rest, denominator)
                times += 1
            }
            quotient.append(times)
        }
        let twice = Self.product(rest, [2])
        let isHalf = !Self.isLess(twice, denominator) && !Self.isLess(denominator, twice)
        let isOdd = (quotient.last ?? 0) % 2 == 1
        let roundsUp = isHalf ? isOdd : !Self.isLess(twice, denominator)
        let pieces = Self.pieces(of: quotient)
        return WideDecimal(
            isNegative: self.isNegative != divisor.isNegative, pieces: roundsUp ? Self.sum(pieces, [1]) : pieces,
            scale: scale)
    }

    /// The same number with more digits after the point.
    private func scaled(to scale: Int) -> WideDecimal {
        guard scale > self.scale else { return self }
        return WideDecimal(
            isNegative: self.isNegative, pieces: Self.product(self.pieces, Self.powerOfTen(scale - self.scale)),
            scale: scale)
    }

    private static func powerOfTen(_ exponent: Int) -> [UInt32] {
        [UInt32](repeating: 0, count: exponent / 9) + [UInt32(Tidings.powerOfTen(exponent % 9))]
    }

    // MARK: Magnitudes

    private static func trimmed(_ pieces: [UInt32]) -> ArraySlice<UInt32> {
        var slice = pieces[...]
        while slice.last == 0 { slice.removeLast() }
        return slice
    }

    private static func isLess(_ left: [UInt32], _ right: [UInt32]) -> Bool {
        let (left, right) = (Self.trimmed(left), Self.trimmed(right))
        if left.count != right.count { return left.count < right.count }
        for (first, second) in zip(left.reversed(), right.reversed()) where first != second { return first < second }
        return false
    }

    private static func sum(_ left: [UInt32], _ right: [UInt32]) -> [UInt32] {
        var sum: [UInt32] = []
        var carry: UInt64 = 0
        for index in 0..<max(left.count, right.count) {
            carry += UInt64(index < left.count ? left[index] : 0) + UInt64(index < right.count ? right[index] : 0)
            sum.append(UInt32(carry % Self.base))
            carry /= Self.base
        }
        if carry > 0 { sum.append(UInt32(carry)) }
        return sum
    }

    /// - Parameter smaller: not above the other.
    private static func difference(_ larger: [UInt32], _ smaller: [UInt32]) -> [UInt32] {
        var difference: [UInt32] = []
        var borrow: Int64 = 0
        for index in larger.indices {
            var piece = Int64(larger[index]) - borrow - Int64(index < smaller.count ? smaller[index] : 0)
            borrow = piece < 0 ? 1 : 0
            if piece < 0 { piece += Int64(Self.base) }
            difference.append(UInt32(piece))
        }
        return Array(Self.trimmed(difference))
    }

    private static func product(_ left: [UInt32], _ right: [UInt32]) -> [UInt32] {
        guard !left.isEmpty, !right.isEmpty else { return [] }
        var product = [UInt32](repeating: 0, count: left.count + right.count)
        for (place, first) in left.enumerated() where first != 0 {
            var carry: UInt64 = 0
            for (offset, second) in right.enumerated() {
                carry += UInt64(product[place + offset]) + UInt64(first) * UInt64(second)
                product[place + offset] = UInt32(carry % Self.base)
                carry /= Self.base
            }
            product[place + right.count] = UInt32(carry)
        }
        return Array(Self.trimmed(product))
    }
}
