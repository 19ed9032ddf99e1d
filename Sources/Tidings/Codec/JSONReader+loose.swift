/// Values that others write as numbers or as text.
extension JSONReader {
    /// A number, or a text that holds one; anything else is passed over.
    package mutating func looseNumber() throws(JSONSyntaxError) -> ExactDecimal? {
        switch try self.kind() {
        case .number: return try self.readNumber()
        case .string: return try self.readString().withUTF8 { ExactDecimal(bytes: $0) }
        default:
            try self.skipValue()
            return nil
        }
    }

    /// A whole number that is not negative, as a number or a text; anything else is passed over.
    package mutating func count() throws(JSONSyntaxError) -> UInt64? {
        switch try self.kind() {
        case .number: return Self.count(try self.readNumberBytes())
        case .string: return try self.readString().withUTF8 { Self.count($0) }
        default:
            try self.skipValue()
            return nil
        }
    }

    @inline(__always)
    private static func count(_ bytes: UnsafeRawBufferPointer) -> UInt64? {
        guard let start = bytes.baseAddress?.assumingMemoryBound(to: UInt8.self) else { return nil }
        return JSONText(start: start, count: bytes.count, hasEscapes: false).plainNumber
            ?? UInt64(String(decoding: bytes, as: UTF8.self))
    }

    /// A date as text or a Unix number; anything else is passed over.
    package mutating func looseTimestamp() throws(JSONSyntaxError) -> Timestamp? {
        switch try self.kind() {
        case .number: return Timestamp(unix: try self.readNumber())
        case .string: return try self.readString().withUTF8 { Timestamp(bytes: $0) }
        default:
            try self.skipValue()
            return nil
        }
    }
}
