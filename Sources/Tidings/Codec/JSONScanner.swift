/// A string as it stands between its quotes, of bytes that are known to be valid.
struct JSONText {
    let start: UnsafePointer<UInt8>
    let count: Int
    let hasEscapes: Bool

    @inline(__always)
    var bytes: UnsafeRawBufferPointer { UnsafeRawBufferPointer(start: self.start, count: self.count) }

    /// The text's UTF-8, unescaped.
    @inline(__always)
    func withUTF8<Result>(_ body: (UnsafeRawBufferPointer) -> Result) -> Result {
        if !self.hasEscapes { return body(self.bytes) }
        return self.withUnescaped(body)
    }

    @inline(never)
    private func withUnescaped<Result>(_ body: (UnsafeRawBufferPointer) -> Result) -> Result {
        // Nearly all are short; memory of a fixed size costs nothing.
        if self.count <= 128 {
            return withUnsafeTemporaryAllocation(byteCount: 128, alignment: 8) { self.unescape(into: $0, body) }
        }
        return withUnsafeTemporaryAllocation(byteCount: self.count, alignment: 8) { self.unescape(into: $0, body) }
    }

    @inline(__always)
    private func unescape<Result>(
        into buffer: UnsafeMutableRawBufferPointer, _ body: (UnsafeRawBufferPointer) -> Result
    ) -> Result {
        let count = unescapeJSON(self.bytes, into: buffer)
        return body(UnsafeRawBufferPointer(start: buffer.baseAddress, count: count))
    }
}

/// The quick way over JSON: accepts nothing that ``JSONReader`` refuses, and gives up, without a reason, on what it does
/// not expect. Whoever asked then reads again with ``JSONReader``, which tells what is wrong and where.
///
/// Reads from `at` up to `end` and never outside; does not trap on any input.
///
/// What is not inlined is called on a copy, here and elsewhere: a scanner whose address is never taken lives in
/// registers.
struct JSONScanner {
    var at: UnsafePointer<UInt8>
    let end: UnsafePointer<UInt8>
    /// Whether any white space between tokens was passed over.
    var sawWhitespace = false
    /// The depth of the innermost container so far.
    var deepest = 0
    private let depthLimit: Int

    @inline(__always)
    init(_ start: UnsafePointer<UInt8>, count: Int, depthLimit: Int = JSONReader.maximumDepth) {
        self.at = start
        self.end = start + count
        self.depthLimit = depthLimit
    }

    // MARK: Tokens

    /// The next byte that is not white space, still unread; 0 at the end, which begins no token.
    @inline(__always)
    mutating func token() -> UInt8 {
        while self.at < self.end {
            let byte = self.at.pointee
            if byte > 0x20 { return byte }
            guard byte == 0x20 || byte == 0x0A || byte == 0x0D || byte == 0x09 else { return 0 }
            self.sawWhitespace = true
            self.at += 1
        }
        return 0
    }

    /// Passes over `byte` if it comes next.
    @inline(__always)
    mutating func take(_ byte: UInt8) -> Bool {
        guard self.token() == byte else { return false }
        self.at += 1
        return true
    }

    /// What follows a member or an element: `true` another one, `false` the end, `nil` neither.
    @inline(__always)
    mutating func another(before close: UInt8) -> Bool? {
        let byte = self.token()
        self.at += byte == 0 ? 0 : 1
        if byte == UInt8(ascii: ",") { return true }
        return byte == close ? false : nil
    }

    /// A member's name and the colon behind it.
    @inline(__always)
    mutating func key() -> JSONText? {
        guard let key = self.string(), self.take(UInt8(ascii: ":")) else { return nil }
        return key
    }

    /// Whether an opening quote comes next, with as much behind it as ``pass(_:)`` looks at.
    @inline(__always)
    mutating func isAtKnownText() -> Bool {
        self.token() == UInt8(ascii: "\"") && self.end - self.at >= 32
    }

    /// Passes over an opening quote, which has to come next, and `rest`, of at most 24 bytes: a text that is looked for
    /// and its quote, with the colon where it is a name; ``isAtKnownText()`` comes first.
    ///
    /// To guess texts this way is quicker than to find out how long they are: what comes next need not wait for that.
    @inline(__always)
    mutating func pass(_ rest: StaticString) -> Bool {
        let count = rest.utf8CodeUnitCount
        let start = self.at + 1
        if count < 8 {
            guard ByteWords.lowest(count, of: ByteWords.load(start)) == ByteWords.literal(rest, count: count) else {
                return false
            }
        } else {
            guard ByteWords.load(start) == ByteWords.literal(rest) else { return false }
            if count > 16, ByteWords.load(start + 8) != ByteWords.literal(rest, from: 8) { return false }
            if count > 8, ByteWords.load(start + (count &- 8)) != ByteWords.literal(rest, from: count &- 8) {
                return false
            }
        }
        self.at = start + count
        return true
    }

    /// Passes over `null` if it comes next.
    @inline(__always)
    mutating func null() -> Bool {
        guard self.token() == UInt8(ascii: "n") else { return false }
        return self.literal("null")
    }

    @inline(__always)
    mutating func literal(_ literal: StaticString) -> Bool {
        let count = literal.utf8CodeUnitCount
        guard self.end - self.at >= count else { return false }
        var index = 0
        while index < count {
            if self.at[index] != literal.utf8Start[index] { return false }
            index &+= 1
        }
        self.at += count
        return true
    }

    // MARK: Strings

    /// A string with its quotes.
    @inline(__always)
    mutating func string() -> JSONText? {
        guard self.token() == UInt8(ascii: "\"") else { return nil }
        let start = self.at + 1
        var next = start
        var seen: UInt64 = 0
        while self.end - next >= 8 {
            let word = ByteWords.load(next)
            let special = ByteWords.special(word)
            if special != 0 {
                let count = special.trailingZeroBitCount &>> 3
                next += count
                guard next.pointee == UInt8(ascii: "\"") else { break }
                seen |= ByteWords.lowest(count, of: word)
                self.at = next + 1
                let text = JSONText(start: start, count: next - start, hasEscapes: false)
                if seen & ByteWords.highs != 0, firstInvalidUTF8(text.bytes) != nil { return nil }
                return text
            }
            seen |= word
            next += 8
        }
        var copy = self
        let text = copy.stringStepByStep(from: start)
        self = copy
        return text
    }

    /// A string with escapes, or one near the end of the memory.
    @inline(never)
    private mutating func stringStepByStep(from start: UnsafePointer<UInt8>) -> JSONText? {
        var next = start
        var seen: UInt64 = 0
        var hasEscapes = false
        while next < self.end {
            if self.end - next >= 8 {
                let word = ByteWords.load(next)
                let special = ByteWords.special(word)
                if special == 0 {
                    seen |= word
                    next += 8
                    continue
                }
                let count = special.trailingZeroBitCount &>> 3
                seen |= ByteWords.lowest(count, of: word)
                next += count
            }
            let byte = next.pointee
            if byte == UInt8(ascii: "\"") {
                self.at = next + 1
                let text = JSONText(start: start, count: next - start, hasEscapes: hasEscapes)
                return seen & ByteWords.highs == 0 || firstInvalidUTF8(text.bytes) == nil ? text : nil
            }
            if byte < 0x20 { return nil }
            if byte == UInt8(ascii: "\\") {
                let length = self.escapeLength(at: next)
                if length == 0 { return nil }
                hasEscapes = true
                next += length
            } else {
                seen |= UInt64(byte)
                next += 1
            }
        }
        return nil
    }

    /// How many bytes the escape has; 0 when it is none.
    private func escapeLength(at start: UnsafePointer<UInt8>) -> Int {
        guard self.end - start >= 2 else { return 0 }
        switch start[1] {
        case UInt8(ascii: "\""), UInt8(ascii: "\\"), UInt8(ascii: "/"), UInt8(ascii: "b"), UInt8(ascii: "f"),
            UInt8(ascii: "n"), UInt8(ascii: "r"), UInt8(ascii: "t"):
            return 2
        case UInt8(ascii: "u"):
            guard self.end - start >= 6 else { return 0 }
            for index in 2..<6 where hexDigitValue(start[index]) == nil { return 0 }
            return 6
        default: return 0
        }
    }

    // MARK: Whole values

    /// Passes over a number.
    @inline(__always)
    mutating func skipNumber() -> Bool {
        var next = self.at
        if next < self.end && next.pointee == UInt8(ascii: "-") { next += 1 }
        let integer = next
        self.skipDigits(&next)
        guard next > integer, next == integer + 1 || integer.pointee != UInt8(ascii: "0") else { return false }
        if next < self.end && next.pointee == UInt8(ascii: ".") {
            next += 1
            let fraction = next
            self.skipDigits(&next)
            guard next > fraction else { return false }
        }
        if next < self.end && next.pointee | 0x20 == UInt8(ascii: "e") {
            next += 1
            if next < self.end && (next.pointee == UInt8(ascii: "+") || next.pointee == UInt8(ascii: "-")) { next += 1 }
            let exponent = next
            self.skipDigits(&next)
            guard next > exponent else { return false }
        }
        self.at = next
        return true
    }

    @inline(__always)
    private func skipDigits(_ next: inout UnsafePointer<UInt8>) {
        while next < self.end && next.pointee &- UInt8(ascii: "0") < 10 { next += 1 }
    }

    /// Passes over one value of any kind, whose containers start at `depth`, where 0 is that of the outermost.
    @inline(__always)
    mutating func skipValue(depth: Int) -> Bool {
        switch self.token() {
        case UInt8(ascii: "\""): return self.string() != nil
        case UInt8(ascii: "-"), UInt8(ascii: "0")...UInt8(ascii: "9"): return self.skipNumber()
        case UInt8(ascii: "{"), UInt8(ascii: "["):
            var copy = self
            let isRead = copy.skipContainer(depth: depth)
            self = copy
            return isRead
        case UInt8(ascii: "t"): return self.literal("true")
        case UInt8(ascii: "f"): return self.literal("false")
        case UInt8(ascii: "n"): return self.literal("null")
        default: return false
        }
    }

    /// Notes that a container starts at `depth`; `false` when that is too deep.
    @inline(__always)
    mutating func enter(_ depth: Int) -> Bool {
        if depth >= self.deepest { self.deepest = depth &+ 1 }
        return depth < self.depthLimit
    }

    @inline(never)
    private mutating func skipContainer(depth: Int) -> Bool {
        var scanner = self
        guard scanner.enter(depth) else { return false }
        let isObject = scanner.at.pointee == UInt8(ascii: "{")
        let close = isObject ? UInt8(ascii: "}") : UInt8(ascii: "]")
        scanner.at += 1
        if !scanner.take(close) {
            while true {
                if isObject {
                    guard scanner.key() != nil else { return false }
                }
                guard scanner.skipValue(depth: depth &+ 1), let goesOn = scanner.another(before: close) else {
                    return false
                }
                if !goesOn { break }
            }
        }
        self = scanner
        return true
    }
}
