/// A decimal number as a count of 10^-18: enough to put prices in order and to add sizes up.
///
/// The simulator's own, on purpose not the connectors': tests hold one against the other.
package struct DecimalUnits: Hashable, Comparable, Sendable {
    package var count: Int128

    package static let zero = DecimalUnits(count: 0)

    package init(count: Int128) {
        self.count = count
    }

    /// Reads plain digits with at most one point and a sign, up to 18 digits on either side; `nil` for all else.
    package init?(_ text: some StringProtocol) {
        var value: Int128 = 0
        var whole = 0
        var fraction: Int?
        var isNegative = false
        for (index, byte) in text.utf8.enumerated() {
            switch byte {
            case UInt8(ascii: "0")...UInt8(ascii: "9"):
                value = value * 10 + Int128(byte - UInt8(ascii: "0"))
                if let digits = fraction { fraction = digits + 1 } else { whole += 1 }
                guard whole <= 18, fraction ?? 0 <= 18 else { return nil }
            case UInt8(ascii: ".") where fraction == nil: fraction = 0
            case UInt8(ascii: "-") where index == 0: isNegative = true
            default: return nil
            }
        }
        guard whole + (fraction ?? 0) > 0 else { return nil }
        for _ in 0..<(18 - (fraction ?? 0)) { value *= 10 }
        self.count = isNegative ? -value : value
    }

    package static func < (left: DecimalUnits, right: DecimalUnits) -> Bool { left.count < right.count }

    package static func + (left: DecimalUnits, right: DecimalUnits) -> DecimalUnits {
        DecimalUnits(count: left.count &+ right.count)
    }

    package var isZero: Bool { self.count == 0 }

    /// As near as a `Double` gets.
    package var double: Double { Double(self.count) / 1e18 }

    /// With at least so many digits after the point, and no other zeros at the end.
    package func text(digits: Int = 0) -> String {
        var rest = self.count.magnitude
        var scale = 18
        while scale > max(0, min(digits, 18)), rest % 10 == 0 {
            rest /= 10
            scale -= 1
        }
        var text = String(rest)
        if scale > 0 {
            if text.utf8.count <= scale { text = String(repeating: "0", count: scale + 1 - text.utf8.count) + text }
            text.insert(".", at: text.index(text.endIndex, offsetBy: -scale))
        }
        return self.count < 0 ? "-" + text : text
    }
}

/// `units` of 10^-`scale` as text, with zeros up to `digits` digits after the point.
package func decimalText(_ units: Int64, scale: UInt8, digits: Int = 0) -> String {
    let negative = units < 0 ? "-" : ""
    var text = String(units.magnitude)
    let scale = Int(scale)
    if scale > 0 {
        if text.utf8.count <= scale { text = String(repeating: "0", count: scale + 1 - text.utf8.count) + text }
        text.insert(".", at: text.index(text.endIndex, offsetBy: -scale))
    } else if digits > 0 {
        text += "."
    }
    return negative + text + String(repeating: "0", count: max(0, digits - scale))
}

/// Digits after the point of a number's text, zeros at the end not counted.
package func decimalDigits(of text: String) -> Int {
    guard let point = text.utf8.firstIndex(of: UInt8(ascii: ".")) else { return 0 }
    let fraction = text.utf8[text.utf8.index(after: point)...]
    var digits = 0
    for (index, byte) in fraction.enumerated() where byte != UInt8(ascii: "0") { digits = index + 1 }
    return digits
}
