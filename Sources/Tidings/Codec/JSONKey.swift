/// A member's name, ready to be compared with names that stand in the source code.
///
/// The first and the last eight bytes are held in words, so that a comparison is one or two of numbers: the compiler
/// turns the literals into constants.
struct JSONKey {
    let text: JSONText
    private let first: UInt64
    private let last: UInt64

    /// - Parameter end: where the memory ends that the name stands in.
    @inline(__always)
    init(_ text: JSONText, before end: UnsafePointer<UInt8>) {
        self.text = text
        if text.count >= 8 {
            self.first = ByteWords.load(text.start)
            self.last = ByteWords.load(text.start + (text.count &- 8))
        } else if end - text.start >= 8 {
            // Behind a short name there are the quote, the colon and the value.
            self.first = ByteWords.lowest(text.count, of: ByteWords.load(text.start))
            self.last = 0
        } else {
            var word: UInt64 = 0
            for index in 0..<text.count { word |= UInt64(text.start[index]) &<< (UInt64(index) &* 8) }
            self.first = word
            self.last = 0
        }
    }

    @inline(__always)
    var count: Int { self.text.count }

    /// Whether the name is `literal`, of at most 24 bytes and without escapes.
    @inline(__always)
    func equals(_ literal: StaticString) -> Bool {
        let count = literal.utf8CodeUnitCount
        guard self.count == count, self.first == ByteWords.literal(literal, count: min(count, 8)) else { return false }
        if count <= 8 { return true }
        if count > 16, ByteWords.load(self.text.start + 8) != ByteWords.literal(literal, from: 8) { return false }
        return self.last == ByteWords.literal(literal, from: count &- 8)
    }
}
