/// Reads the compact text of a JSON object from end to end and notes which of its bytes are secret.
///
/// Everything else stays as it is: order, digits, duplicates, escapes. Works without recursion, so that no depth of
/// nesting can exhaust a stack.
struct JSONRedaction {
    private let bytes: UnsafeRawBufferPointer
    private let keys: SensitiveKeys
    private var index = 0
    private var open = 0

    /// What is to be replaced, in order.
    private(set) var secrets: [Secret] = []
    /// Containers that stand inside one another, those within replaced values left out.
    private(set) var depth = 0

    struct Secret {
        var range: Range<Int>
        /// The whole value goes, with its quotes; otherwise a part of a string.
        var isWholeValue: Bool
        /// The sensitive name; `nil` for what stands before the host of a URL.
        var key: Int?
    }

    /// - Parameter bytes: the compact text of an object, known to be valid.
    init(_ bytes: UnsafeRawBufferPointer, keys: SensitiveKeys) {
        self.bytes = bytes
        self.keys = keys
        while self.index < bytes.count { self.step() }
    }

    /// The text with every secret replaced.
    func write(to writer: inout JSONWriter) {
        var copied = 0
        for secret in self.secrets {
            writer.write(bytes: UnsafeRawBufferPointer(rebasing: self.bytes[copied..<secret.range.lowerBound]))
            if secret.isWholeValue { writer.literal("\"[redacted]\"") } else { writer.literal("[redacted]") }
            copied = secret.range.upperBound
        }
        writer.write(bytes: UnsafeRawBufferPointer(rebasing: self.bytes[copied...]))
    }

    // MARK: Reading

    private mutating func step() {
        switch self.bytes[self.index] {
        case UInt8(ascii: "\""):
            let content = self.skipString()
            guard self.index < self.bytes.count, self.bytes[self.index] == UInt8(ascii: ":") else {
                return self.inspect(content)
            }
            self.inspect(content)
            if let verdict = self.verdict(content) {
                self.index += 1
                self.replaceValue(verdict)
            }
        case UInt8(ascii: "{"), UInt8(ascii: "["):
            self.open += 1
            self.depth = max(self.depth, self.open)
            self.index += 1
        case UInt8(ascii: "}"), UInt8(ascii: "]"):
            self.open -= 1
            self.index += 1
        default:
            self.index += 1
        }
    }

    /// What stands between the quotes of a string.
    private struct Content {
        var range: Range<Int>
        var hasEscapes = false
        /// Has a byte, or an escape, without which there is nothing to find in a URL.
        var isSuspicious = false
    }

    private mutating func skipString() -> Content {
        let start = self.index + 1
        var content = Content(range: start..<start)
        self.index = start
        while self.index < self.bytes.count {
            switch self.bytes[self.index] {
            case UInt8(ascii: "\""):
                content.range = start..<self.index
                self.index += 1
                return content
            case UInt8(ascii: "\\"):
                content.hasEscapes = true
                // Only `\u` can stand for one of the bytes that matter.
                if self.index + 1 < self.bytes.count, self.bytes[self.index + 1] == UInt8(ascii: "u") {
                    content.isSuspicious = true
                }
                self.index += 2
            case UInt8(ascii: "@"), UInt8(ascii: "="), UInt8(ascii: "%"):
                content.isSuspicious = true
                self.index += 1
            default:
                self.index += 1
            }
        }
        content.range = start..<self.bytes.count
        return content
    }

    private func verdict(_ key: Content) -> SensitiveKeys.Verdict? {
        let text = UnsafeRawBufferPointer(rebasing: self.bytes[key.range])
        guard key.hasEscapes else { return self.keys.verdict(text) }
        return unescapeJSON(text).withUnsafeBytes { self.keys.verdict($0) }
    }

    /// Passes over the value of a sensitive key, which stands next, and notes it unless it may stay.
    private mutating func replaceValue(_ verdict: SensitiveKeys.Verdict) {
        let start = self.index
        guard start < self.bytes.count else { return }
        let isString = self.bytes[start] == UInt8(ascii: "\"")
        switch verdict {
        case .ifTokenLike(let key):
            // Anything but a text is looked into like any other value.
            guard isString else { return }
            let content = self.skipString()
            let text = UnsafeRawBufferPointer(rebasing: self.bytes[content.range])
            let isToken =
                content.hasEscapes ? unescapeJSON(text).withUnsafeBytes { looksLikeToken($0) } : looksLikeToken(text)
            guard isToken else { return self.inspect(content) }
            self.secrets.append(Secret(range: start..<self.index, isWholeValue: true, key: key))
        case .always(let key):
            if isString {
                let content = self.skipString()
                if isRedacted(self.bytes[content.range]) { return }
            } else {
                self.skipValue()
            }
            self.secrets.append(Secret(range: start..<self.index, isWholeValue: true, key: key))
        }
    }

    private mutating func skipValue() {
        var open = 0
        while self.index < self.bytes.count {
            switch self.bytes[self.index] {
            case UInt8(ascii: "\""):
                _ = self.skipString()
            case UInt8(ascii: "{"), UInt8(ascii: "["):
                open += 1
                self.index += 1
            case UInt8(ascii: "}"), UInt8(ascii: "]"):
                if open == 0 { return }
                open -= 1
                self.index += 1
            case UInt8(ascii: ","):
                if open == 0 { return }
                self.index += 1
            default:
                self.index += 1
            }
            if open == 0, self.index < self.bytes.count, self.bytes[self.index] == UInt8(ascii: ",") { return }
        }
    }

    // MARK: URLs

    private mutating func inspect(_ content: Content) {
        guard content.isSuspicious else { return }
        let text = UnsafeRawBufferPointer(rebasing: self.bytes[content.range])
        if content.hasEscapes {
            let plain = PlainText(text)
            plain.bytes.withUnsafeBytes { bytes in
                self.inspect(bytes) { plain.places[$0] + content.range.lowerBound }
            }
        } else {
            self.inspect(text) { $0 + content.range.lowerBound }
        }
    }

    private mutating func inspect(_ text: UnsafeRawBufferPointer, place: (Int) -> Int) {
        var credentials = URLCredentials(text, keys: self.keys)
        while let (range, kind) = credentials.next() {
            let key: Int? = if case .parameter(let key) = kind { key } else { nil }
            self.secrets.append(
                Secret(range: place(range.lowerBound)..<place(range.upperBound), isWholeValue: false, key: key))
        }
    }
}

/// The text that a string with escapes stands for, and where in the string each of its bytes comes from.
private struct PlainText {
    private(set) var bytes: [UInt8] = []
    /// One more than there are bytes.
    private(set) var places: [Int] = []

    init(_ raw: UnsafeRawBufferPointer) {
        var index = 0
        while index < raw.count {
            let length = Self.lengthOfCharacter(raw, at: index)
            if length == 1 {
                self.bytes.append(raw[index])
                self.places.append(index)
            } else {
                for byte in unescapeJSON(UnsafeRawBufferPointer(rebasing: raw[index..<index + length])) {
                    self.bytes.append(byte)
                    self.places.append(index)
                }
            }
            index += length
        }
        self.places.append(raw.count)
    }

    private static func lengthOfCharacter(_ raw: UnsafeRawBufferPointer, at index: Int) -> Int {
        guard raw[index] == UInt8(ascii: "\\"), index + 1 < raw.count else { return 1 }
        guard raw[index + 1] == UInt8(ascii: "u") else { return 2 }
        let isPair =
            index + 12 <= raw.count && raw[index + 6] == UInt8(ascii: "\\") && raw[index + 7] == UInt8(ascii: "u")
            && raw[index + 2] | 0x20 == UInt8(ascii: "d") && raw[index + 8] | 0x20 == UInt8(ascii: "d")
        return min(isPair ? 12 : 6, raw.count - index)
    }
}
