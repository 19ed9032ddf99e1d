/// Why bytes are not JSON, and where.
package struct JSONSyntaxError: Error, Equatable {
    package enum Problem: Equatable, Sendable {
        case unexpectedEnd
        case unexpectedByte(UInt8)
        case invalidNumber
        case notANumber
        case invalidEscape
        case controlCharacter
        case invalidUTF8
        case tooDeep
        case trailingBytes
    }

    package var problem: Problem
    /// The byte at which reading stopped, from 0.
    package var offset: Int

    package var message: String {
        let place = " at byte \(self.offset)"
        switch self.problem {
        case .unexpectedEnd: return "the JSON ends too early" + place
        case .unexpectedByte(let byte):
            let printable = (0x21...0x7E).contains(byte)
            let shown = printable ? "'\(Character(UnicodeScalar(byte)))'" : "byte 0x\(String(byte, radix: 16))"
            return "unexpected \(shown)" + place
        case .invalidNumber: return "malformed number" + place
        case .notANumber: return "NaN and Infinity are not JSON numbers" + place
        case .invalidEscape: return "invalid escape in a string" + place
        case .controlCharacter: return "unescaped control character in a string" + place
        case .invalidUTF8: return "invalid UTF-8" + place
        case .tooDeep: return "nested deeper than \(JSONReader.maximumDepth)" + place
        case .trailingBytes: return "something follows the JSON value" + place
        }
    }
}

/// A string as it stands between its quotes.
package struct RawJSONString {
    package let bytes: UnsafeRawBufferPointer
    package let hasEscapes: Bool

    @inline(__always)
    package func equals(_ literal: StaticString) -> Bool {
        if self.hasEscapes { return self.decoded() == "\(literal)" }
        let count = literal.utf8CodeUnitCount
        guard self.bytes.count == count else { return false }
        var index = 0
        while index < count {
            if self.bytes[index] != literal.utf8Start[index] { return false }
            index &+= 1
        }
        return true
    }

    package func decoded() -> String {
        guard self.hasEscapes else { return String(decoding: self.bytes, as: UTF8.self) }
        return String(decoding: unescapeJSON(self.bytes), as: UTF8.self)
    }

    /// The text's UTF-8, unescaped.
    @inline(__always)
    package func withUTF8<Result, Failure: Error>(
        _ body: (UnsafeRawBufferPointer) throws(Failure) -> Result
    ) throws(Failure) -> Result {
        if !self.hasEscapes { return try body(self.bytes) }
        return try self.decoded().withRawUTF8(body)
    }
}

/// What a value is, told by its first byte.
package enum JSONKind: Sendable {
    case object, array, string, number, bool, null
}

/// Walks over JSON in memory that somebody else owns, checking the whole grammar of RFC 8259 on the way.
///
/// Never traps on any input, never reads outside its bytes, never recurses deeper than ``maximumDepth``.
package struct JSONReader {
    package static let maximumDepth = 64

    package let bytes: UnsafeRawBufferPointer
    package var index: Int
    /// Whether any white space between tokens was passed over: if not, what was read is compact already.
    package var sawWhitespace = false
    /// The depth of the innermost container so far.
    var deepest = 0
    /// How many containers may stand inside one another.
    package var depthLimit = JSONReader.maximumDepth

    package init(_ bytes: UnsafeRawBufferPointer, at index: Int = 0) {
        self.bytes = bytes
        self.index = index
    }

    package func error(_ problem: JSONSyntaxError.Problem, at offset: Int? = nil) -> JSONSyntaxError {
        JSONSyntaxError(problem: problem, offset: offset ?? self.index)
    }

    package func slice(_ range: Range<Int>) -> UnsafeRawBufferPointer {
        UnsafeRawBufferPointer(rebasing: self.bytes[range])
    }

    // MARK: Tokens

    @inline(__always)
    package mutating func skipWhitespace() {
        while self.index < self.bytes.count {
            let byte = self.bytes[self.index]
            guard byte == 0x20 || byte == 0x0A || byte == 0x0D || byte == 0x09 else { return }
            self.sawWhitespace = true
            self.index &+= 1
        }
    }

    /// The next byte that is not white space, still unread.
    @inline(__always)
    package mutating func peek() throws(JSONSyntaxError) -> UInt8 {
        self.skipWhitespace()
        guard self.index < self.bytes.count else { throw self.error(.unexpectedEnd) }
        return self.bytes[self.index]
    }

    @inline(__always)
    package mutating func expect(_ byte: UInt8) throws(JSONSyntaxError) {
        let next = try self.peek()
        guard next == byte else { throw self.error(.unexpectedByte(next)) }
        self.index &+= 1
    }

    /// Nothing but white space may follow.
    package mutating func expectEnd() throws(JSONSyntaxError) {
        self.skipWhitespace()
        guard self.index == self.bytes.count else { throw self.error(.trailingBytes) }
    }

    /// What the next value is.
    package mutating func kind() throws(JSONSyntaxError) -> JSONKind {
        let byte = try self.peek()
        switch byte {
        case UInt8(ascii: "{"): return .object
        case UInt8(ascii: "["): return .array
        case UInt8(ascii: "\""): return .string
        case UInt8(ascii: "t"), UInt8(ascii: "f"): return .bool
        case UInt8(ascii: "n"): return .null
        case UInt8(ascii: "-"), UInt8(ascii: "0")...UInt8(ascii: "9"): return .number
        case UInt8(ascii: "N"), UInt8(ascii: "I"): throw self.error(.notANumber)
        default: throw self.error(.unexpectedByte(byte))
        }
    }

    // MARK: Containers

    /// Reads the `{` of an object.
    @inline(__always)
    package mutating func beginObject() throws(JSONSyntaxError) {
        try self.expect(UInt8(ascii: "{"))
    }

    /// The next member's name, with the reader at its value; `nil` once the object has ended.
    @inline(__always)
    package mutating func nextKey(isFirst: inout Bool) throws(JSONSyntaxError) -> RawJSONString? {
        let byte = try self.peek()
        if byte == UInt8(ascii: "}") {
            self.index &+= 1
            return nil
        }
        if !isFirst {
            guard byte == UInt8(ascii: ",") else { throw self.error(.unexpectedByte(byte)) }
            self.index &+= 1
            self.skipWhitespace()
        }
        isFirst = false
        let key = try self.readString()
        try self.expect(UInt8(ascii: ":"))
        self.skipWhitespace()
        return key
    }

    @inline(__always)
    package mutating func beginArray() throws(JSONSyntaxError) {
        try self.expect(UInt8(ascii: "["))
    }

    /// Whether another element follows, with the reader at it.
    @inline(__always)
    package mutating func nextElement(isFirst: inout Bool) throws(JSONSyntaxError) -> Bool {
        let byte = try self.peek()
        if byte == UInt8(ascii: "]") {
            self.index &+= 1
            return false
        }
        if !isFirst {
            guard byte == UInt8(ascii: ",") else { throw self.error(.unexpectedByte(byte)) }
            self.index &+= 1
            self.skipWhitespace()
            guard self.index < self.bytes.count else { throw self.error(.unexpectedEnd) }
            if self.bytes[self.index] == UInt8(ascii: "]") { throw self.error(.unexpectedByte(UInt8(ascii: "]"))) }
        }
        isFirst = false
        return true
    }

    // MARK: Scalars

    @inline(__always)
    package mutating func readString() throws(JSONSyntaxError) -> RawJSONString {
        try self.expect(UInt8(ascii: "\""))
        let start = self.index
        var hasEscapes = false
        var nonASCII: UInt64 = 0
        while true {
            // Eight bytes at a time, up to the first quote, backslash or control character.
            while self.index &+ 8 <= self.bytes.count {
                let word = UInt64(
                    littleEndian: self.bytes.loadUnaligned(fromByteOffset: self.index, as: UInt64.self))
                let special = ByteWords.special(word)
                if special != 0 {
                    let count = special.trailingZeroBitCount &>> 3
                    nonASCII |= ByteWords.lowest(count, of: word)
                    self.index &+= count
                    break
                }
                nonASCII |= word
                self.index &+= 8
            }
            guard self.index < self.bytes.count else { throw self.error(.unexpectedEnd) }
            let byte = self.bytes[self.index]
            if byte == UInt8(ascii: "\"") { break }
            if byte == UInt8(ascii: "\\") {
                hasEscapes = true
                try self.skipEscape()
                continue
            }
            if byte < 0x20 { throw self.error(.controlCharacter) }
            nonASCII |= UInt64(byte)
            self.index &+= 1
        }
        let content = self.slice(start..<self.index)
        if nonASCII & ByteWords.highs != 0, let bad = firstInvalidUTF8(content) {
            throw self.error(.invalidUTF8, at: start + bad)
        }
        self.index &+= 1
        return RawJSONString(bytes: content, hasEscapes: hasEscapes)
    }

    private mutating func skipEscape() throws(JSONSyntaxError) {
        guard self.index + 1 < self.bytes.count else { throw self.error(.unexpectedEnd) }
        switch self.bytes[self.index + 1] {
        case UInt8(ascii: "\""), UInt8(ascii: "\\"), UInt8(ascii: "/"), UInt8(ascii: "b"), UInt8(ascii: "f"),
            UInt8(ascii: "n"), UInt8(ascii: "r"), UInt8(ascii: "t"):
            self.index += 2
        case UInt8(ascii: "u"):
            guard self.index + 6 <= self.bytes.count else { throw self.error(.unexpectedEnd) }
            for offset in 2..<6 where hexDigitValue(self.bytes[self.index + offset]) == nil {
                throw self.error(.invalidEscape)
            }
            self.index += 6
        default:
            throw self.error(.invalidEscape)
        }
    }

    /// The bytes of a number, checked.
    @inline(__always)
    package mutating func readNumberBytes() throws(JSONSyntaxError) -> UnsafeRawBufferPointer {
        let first = try self.peek()
        let start = self.index
        if first == UInt8(ascii: "-") { self.index &+= 1 }
        let integer = self.skipDigits()
        if integer == 0 {
            let next = self.index < self.bytes.count ? self.bytes[self.index] : 0
            if next == UInt8(ascii: "I") || next == UInt8(ascii: "N") { throw self.error(.notANumber, at: start) }
            throw self.error(.invalidNumber, at: start)
        }
        if integer > 1 && self.bytes[self.index &- integer] == UInt8(ascii: "0") {
            throw self.error(.invalidNumber, at: start)
        }
        if self.index < self.bytes.count && self.bytes[self.index] == UInt8(ascii: ".") {
            self.index &+= 1
            if self.skipDigits() == 0 { throw self.error(.invalidNumber, at: start) }
        }
        if self.index < self.bytes.count && self.bytes[self.index] | 0x20 == UInt8(ascii: "e") {
            self.index &+= 1
            if self.index < self.bytes.count,
                self.bytes[self.index] == UInt8(ascii: "+") || self.bytes[self.index] == UInt8(ascii: "-")
            {
                self.index &+= 1
            }
            if self.skipDigits() == 0 { throw self.error(.invalidNumber, at: start) }
        }
        return self.slice(start..<self.index)
    }

    @inline(__always)
    private mutating func skipDigits() -> Int {
        let start = self.index
        while self.index < self.bytes.count && self.bytes[self.index] &- UInt8(ascii: "0") < 10 {
            self.index &+= 1
        }
        return self.index &- start
    }

    @inline(__always)
    package mutating func readNumber() throws(JSONSyntaxError) -> ExactDecimal {
        let bytes = try self.readNumberBytes()
        guard let number = ExactDecimal(bytes: bytes) else { throw self.error(.invalidNumber) }
        return number
    }

    package mutating func readBool() throws(JSONSyntaxError) -> Bool {
        if try self.peek() == UInt8(ascii: "t") {
            try self.skip("true")
            return true
        }
        try self.skip("false")
        return false
    }

    /// Passes over a `null` if that is what comes next.
    @inline(__always)
    package mutating func readNull() throws(JSONSyntaxError) -> Bool {
        guard try self.peek() == UInt8(ascii: "n") else { return false }
        try self.skip("null")
        return true
    }

    private mutating func skip(_ literal: StaticString) throws(JSONSyntaxError) {
        for offset in 0..<literal.utf8CodeUnitCount {
            guard self.index < self.bytes.count else { throw self.error(.unexpectedEnd) }
            let byte = self.bytes[self.index]
            guard byte == literal.utf8Start[offset] else { throw self.error(.unexpectedByte(byte)) }
            self.index &+= 1
        }
    }

    // MARK: Whole values

    /// Passes over one value of any kind and says where it stood.
    @discardableResult
    package mutating func skipValue(depth: Int = 0) throws(JSONSyntaxError) -> Range<Int> {
        let kind = try self.kind()
        let start = self.index
        switch kind {
        case .string: _ = try self.readString()
        case .number: _ = try self.readNumberBytes()
        case .bool: _ = try self.readBool()
        case .null: _ = try self.readNull()
        case .object:
            guard depth < self.depthLimit else { throw self.error(.tooDeep) }
            self.deepest = max(self.deepest, depth + 1)
            try self.beginObject()
            var isFirst = true
            while try self.nextKey(isFirst: &isFirst) != nil {
                try self.skipValue(depth: depth + 1)
            }
        case .array:
            guard depth < self.depthLimit else { throw self.error(.tooDeep) }
            self.deepest = max(self.deepest, depth + 1)
            try self.beginArray()
            var isFirst = true
            while try self.nextElement(isFirst: &isFirst) {
                try self.skipValue(depth: depth + 1)
            }
        }
        return start..<self.index
    }
}
