/// Two decimal digits at a time: `"00"`, `"01"`, ... `"99"`.
private let digitPairs: StaticString = """
    00010203040506070809101112131415161718192021222324252627282930313233343536373839\
    40414243444546474849505152535455565758596061626364656667686970717273747576777879\
    8081828384858687888990919293949596979899
    """

@inline(__always)
package func decimalDigitCount(_ value: UInt64) -> Int {
    if value < 10 { return 1 }
    if value < 100 { return 2 }
    // floor(log10(value)) is at least floor(bits * 1233 / 4096), which is off by at most one.
    let bits = UInt64.bitWidth - value.leadingZeroBitCount
    let guess = (bits &* 1233) >> 12
    return guess < 20 && value < powerOfTen(guess) ? guess : guess &+ 1
}

/// 10 to the `exponent`, which has to be at most 19.
@inline(__always)
package func powerOfTen(_ exponent: Int) -> UInt64 {
    switch exponent {
    case 0: 1
    case 1: 10
    case 2: 100
    case 3: 1000
    case 4: 10_000
    case 5: 100_000
    case 6: 1_000_000
    case 7: 10_000_000
    case 8: 100_000_000
    case 9: 1_000_000_000
    case 10: 10_000_000_000
    case 11: 100_000_000_000
    case 12: 1_000_000_000_000
    case 13: 10_000_000_000_000
    case 14: 100_000_000_000_000
    case 15: 1_000_000_000_000_000
    case 16: 10_000_000_000_000_000
    case 17: 100_000_000_000_000_000
    case 18: 1_000_000_000_000_000_000
    case 19: 10_000_000_000_000_000_000
    default: preconditionFailure("10^\(exponent) does not fit 64 bits")
    }
}

@inline(__always)
@discardableResult
package func writeDecimalDigits(_ value: UInt64, to target: UnsafeMutablePointer<UInt8>) -> Int {
    let count = decimalDigitCount(value)
    writeDecimalDigits(value, count: count, to: target)
    return count
}

/// Writes `value` with zeros before it, `count` digits in all, which have to be enough.
@inline(__always)
package func writePaddedDigits(_ value: UInt64, count: Int, to target: UnsafeMutablePointer<UInt8>) {
    let pairs = digitPairs.utf8Start
    var rest = value
    var index = count
    while index >= 2 {
        let pair = Int(truncatingIfNeeded: rest % 100) &* 2
        rest /= 100
        index &-= 2
        target[index] = pairs[pair]
        target[index &+ 1] = pairs[pair &+ 1]
    }
    if index == 1 { target[0] = UInt8(ascii: "0") &+ UInt8(truncatingIfNeeded: rest % 10) }
}

/// Writes `value`, which has exactly `count` digits.
@inline(__always)
package func writeDecimalDigits(_ value: UInt64, count: Int, to target: UnsafeMutablePointer<UInt8>) {
    let pairs = digitPairs.utf8Start
    var rest = value
    var index = count
    while rest >= 100 {
        let pair = Int(truncatingIfNeeded: rest % 100) &* 2
        rest /= 100
        index &-= 2
        target[index] = pairs[pair]
        target[index &+ 1] = pairs[pair &+ 1]
    }
    if rest >= 10 {
        let pair = Int(truncatingIfNeeded: rest) &* 2
        target[0] = pairs[pair]
        target[1] = pairs[pair &+ 1]
    } else {
        target[0] = UInt8(ascii: "0") &+ UInt8(truncatingIfNeeded: rest)
    }
}
