/// A number that keeps its digits: what was read as `50000.00` is written as `50000.00`.
///
/// A 64-bit mantissa and a count of digits after the point; where those two would not give the same text back (`1e-7`,
/// `-0.0`, thirty digits) the text itself is kept. Nothing ever passes through a binary floating-point number unless
/// ``doubleValue`` is asked for. Equality and order are numeric: `1.50 == 1.5`.
public struct ExactDecimal: Sendable {
    @usableFromInline
    enum Storage: Sendable {
        case compact(mantissa: Int64, scale: UInt8)
        case text(SharedText)
    }

    @usableFromInline let storage: Storage

    /// `mantissa` divided by ten to the `scale`.
    @inlinable
    @inline(__always)
    public init(mantissa: Int64, scale: UInt8 = 0) {
        self.storage = .compact(mantissa: mantissa, scale: scale)
    }

    /// The text of a number that is not compact.
    @inlinable
    @inline(__always)
    var text: SharedText? {
        guard case .text(let text) = self.storage else { return nil }
        return text
    }

    @inline(__always)
    init(text: SharedText) {
        self.storage = .text(text)
    }

    public init(_ value: Int) {
        self.init(mantissa: Int64(value))
    }

    /// The shortest decimal that reads back as `value`; `nil` for NaN and infinities, which JSON does not have.
    public init?(_ value: Double) {
        guard value.isFinite else { return nil }
        self.init(value.description)
    }

    /// A number as JSON writes it (RFC 8259, section 6): `nil` for anything else, such as `NaN`, `.5`, `+1` or `01`.
    public init?(_ text: String) {
        var text = text
        let parsed: ExactDecimal? = text.withUTF8 { ExactDecimal(bytes: UnsafeRawBufferPointer($0)) }
        guard let parsed else { return nil }
        self = parsed
    }

    /// The mantissa and the number of digits after the point, unless the number is held as text.
    @inlinable
    public var compact: (mantissa: Int64, scale: UInt8)? {
        guard case .compact(let mantissa, let scale) = self.storage else { return nil }
        return (mantissa, scale)
    }

    /// The nearest binary floating-point number.
    public var doubleValue: Double {
        Double(self.description) ?? .nan
    }

    @inlinable public static var zero: ExactDecimal { ExactDecimal(mantissa: 0) }
}

extension ExactDecimal: CustomStringConvertible, LosslessStringConvertible {
    public var description: String {
        switch self.storage {
        case .compact(let mantissa, let scale):
            var writer = JSONWriter(capacity: 64)
            writer.write(mantissa: mantissa, scale: scale)
            return writer.string()
        case .text(let text):
            return text.value
        }
    }
}

extension ExactDecimal: ExpressibleByIntegerLiteral, ExpressibleByFloatLiteral {
    public init(integerLiteral value: Int64) {
        self.init(mantissa: value)
    }

    /// The shortest decimal that reads back as the literal's binary value: write prices as text where digits matter.
    public init(floatLiteral value: Double) {
        guard let number = ExactDecimal(value) else {
            preconditionFailure("a literal that is not a finite number")
        }
        self = number
    }
}

extension ExactDecimal {
    /// Reads a JSON number that fills `bytes`.
    @inline(__always)
    package init?(bytes: UnsafeRawBufferPointer) {
        var index = 0
        let end = bytes.count
        guard end > 0 else { return nil }
        let isNegative = bytes[0] == UInt8(ascii: "-")
        if isNegative { index = 1 }
        var mantissa: UInt64 = 0
        let integerStart = index
        while index < end {
            let digit = bytes[index] &- UInt8(ascii: "0")
            guard digit < 10 else { break }
            mantissa = mantissa &* 10 &+ UInt64(digit)
            index &+= 1
        }
        let integerDigits = index &- integerStart
        guard integerDigits > 0 else { return nil }
        if integerDigits > 1 && bytes[integerStart] == UInt8(ascii: "0") { return nil }
        var fractionDigits = 0
        if index < end && bytes[index] == UInt8(ascii: ".") {
            index &+= 1
            let start = index
            while index < end {
                let digit = bytes[index] &- UInt8(ascii: "0")
                guard digit < 10 else { break }
                mantissa = mantissa &* 10 &+ UInt64(digit)
                index &+= 1
            }
            fractionDigits = index &- start
            guard fractionDigits > 0 else { return nil }
        }
        // Nineteen digits always fit 64 bits without the sign; a negative zero would lose its sign.
        if index == end && integerDigits &+ fractionDigits <= 19 && mantissa <= UInt64(Int64.max)
            && !(isNegative && mantissa == 0)
        {
            let signed = Int64(bitPattern: mantissa)
            self.init(mantissa: isNegative ? -signed : signed, scale: UInt8(truncatingIfNeeded: fractionDigits))
            return
        }
        self.init(longForm: bytes, from: index)
    }

    /// The rest of a number that has an exponent or too many digits: checked, and kept as text.
    private init?(longForm bytes: UnsafeRawBufferPointer, from start: Int) {
        var index = start
        let end = bytes.count
        if index < end {
            guard bytes[index] | 0x20 == UInt8(ascii: "e") else { return nil }
            index += 1
            if index < end && (bytes[index] == UInt8(ascii: "+") || bytes[index] == UInt8(ascii: "-")) {
                index += 1
            }
            let digits = index
            while index < end && bytes[index] &- UInt8(ascii: "0") < 10 {
                index += 1
            }
            guard index == end, index > digits else { return nil }
        }
        self.storage = .text(SharedText(String(decoding: bytes, as: UTF8.self)))
    }
}

extension JSONWriter {
    @inline(__always)
    package mutating func write(_ number: ExactDecimal) {
        switch number.storage {
        case .compact(let mantissa, let scale): self.write(mantissa: mantissa, scale: scale)
        case .text(let text): self.write(unescaped: text.value)
        }
    }
}
