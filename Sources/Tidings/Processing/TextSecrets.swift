/// Finds what is secret in a message that quotes a request, a configuration or a header.
///
/// Prose has no grammar, so this errs on the side of taking too much: what follows a sensitive name and `=` or `:` goes.
struct TextSecrets {
    struct Found: Equatable {
        var range: Range<Int>
        var name: String
    }

    private let text: UnsafeRawBufferPointer
    private let keys: SensitiveKeys
    private var index = 0
    /// In order, none overlapping another.
    private(set) var ranges: [Found] = []

    init(_ text: UnsafeRawBufferPointer, keys: SensitiveKeys) {
        self.text = text
        self.keys = keys
        self.findURLs()
        let inURLs = self.ranges
        self.ranges = []
        while self.index < text.count { self.step() }
        self.ranges = Self.merged(inURLs + self.ranges)
    }

    private static func merged(_ found: [Found]) -> [Found] {
        var merged: [Found] = []
        for next in found.sorted(by: { $0.range.lowerBound < $1.range.lowerBound }) {
            if let last = merged.last, next.range.lowerBound < last.range.upperBound {
                let end = max(last.range.upperBound, next.range.upperBound)
                merged[merged.count - 1].range = last.range.lowerBound..<end
            } else {
                merged.append(next)
            }
        }
        return merged
    }

    private mutating func findURLs() {
        var credentials = URLCredentials(self.text, keys: self.keys)
        while let (range, kind) = credentials.next() {
            let name = if case .parameter(let key) = kind { self.keys.names[key] } else { "url" }
            self.ranges.append(Found(range: range, name: name))
        }
    }

    // MARK: Words

    private mutating func step() {
        guard Self.isWord(self.text[self.index]) else {
            self.index += 1
            return
        }
        let start = self.index
        while self.index < self.text.count, Self.isWord(self.text[self.index]) { self.index += 1 }
        let word = start..<self.index
        if self.isScheme(word) { return self.takeCredentials(of: word) }
        guard let separator = self.separator(after: word.upperBound) else { return }
        guard let verdict = self.verdict(word, separator: separator.byte) else { return }
        self.takeValue(from: separator.end, verdict)
    }

    private static func isWord(_ byte: UInt8) -> Bool {
        byte &- UInt8(ascii: "0") < 10 || (byte | 0x20) &- UInt8(ascii: "a") < 26 || byte >= 0x80
            || byte == UInt8(ascii: "_") || byte == UInt8(ascii: "-") || byte == UInt8(ascii: ".")
    }

    private func verdict(_ word: Range<Int>, separator: UInt8) -> SensitiveKeys.Verdict? {
        let whole = UnsafeRawBufferPointer(rebasing: self.text[word])
        if let verdict = self.keys.verdict(whole) { return verdict }
        // `db.password=...`, but not `payload.password: is missing`.
        guard separator == UInt8(ascii: "="), let dot = whole.lastIndex(of: UInt8(ascii: ".")) else { return nil }
        return self.keys.verdict(UnsafeRawBufferPointer(rebasing: whole[(dot + 1)...]))
    }

    /// `=`, `:` or `=>` behind a word, which may be in quotes.
    private func separator(after end: Int) -> (byte: UInt8, end: Int)? {
        var place = end
        if self.byte(place) == UInt8(ascii: "\\") { place += 1 }
        if self.isQuote(place) { place += 1 }
        place = self.skipSpaces(place)
        guard let byte = self.byte(place), byte == UInt8(ascii: "=") || byte == UInt8(ascii: ":") else { return nil }
        // `secret://host` is a URL.
        if byte == UInt8(ascii: ":"), self.byte(place + 1) == UInt8(ascii: "/"),
            self.byte(place + 2) == UInt8(ascii: "/")
        {
            return nil
        }
        place += 1
        if self.byte(place) == UInt8(ascii: ">") { place += 1 }
        return (byte, self.skipSpaces(place))
    }

    private func byte(_ place: Int) -> UInt8? {
        place < self.text.count ? self.text[place] : nil
    }

    private func isQuote(_ place: Int) -> Bool {
        self.byte(place) == UInt8(ascii: "\"") || self.byte(place) == UInt8(ascii: "'")
    }

    private func skipSpaces(_ start: Int) -> Int {
        var place = start
        while let byte = self.byte(place), byte == 0x20 || byte == 0x09 { place += 1 }
        return place
    }

    // MARK: Values

    private mutating func takeValue(from start: Int, _ verdict: SensitiveKeys.Verdict) {
        let (key, mustLookLikeToken): (Int, Bool)
        switch verdict {
        case .always(let place): (key, mustLookLikeToken) = (place, false)
        case .ifTokenLike(let place): (key, mustLookLikeToken) = (place, true)
        }
        let name = self.keys.names[key]
        let range = self.valueRange(from: start, name: name)
        let content = self.text[range]
        if mustLookLikeToken && !looksLikeToken(UnsafeRawBufferPointer(rebasing: content)) { return }
        self.index = max(range.upperBound, self.index)
        guard !range.isEmpty, !isRedacted(content) else { return }
        self.ranges.append(Found(range: range, name: name))
    }

    private func valueRange(from start: Int, name: String) -> Range<Int> {
        let escape = self.byte(start) == UInt8(ascii: "\\") ? 1 : 0
        if self.isQuote(start + escape) {
            return self.quoted(from: start + escape + 1, quote: self.text[start + escape], isEscaped: escape == 1)
        }
        switch self.byte(start) {
        case UInt8(ascii: "{"), UInt8(ascii: "["):
            if isRedacted(self.text[start..<min(start + 10, self.text.count)]) { return start..<start + 10 }
            return start..<self.endOfContainer(start)
        default: break
        }
        if ["authorization", "cookie", "setcookie"].contains(name) {
            return start..<self.end(from: start) { $0 == 0x0A || $0 == 0x0D }
        }
        let end = self.endOfWord(start)
        // `password: Bearer abc`
        if self.isScheme(start..<end) { return start..<self.endOfWord(self.skipSpaces(end)) }
        return start..<end
    }

    private func end(from start: Int, where stops: (UInt8) -> Bool) -> Int {
        var place = start
        while let byte = self.byte(place), !stops(byte) { place += 1 }
        return place
    }

    private func endOfWord(_ start: Int) -> Int {
        self.end(from: start) { byte in
            byte <= 0x20 || byte == UInt8(ascii: "&") || byte == UInt8(ascii: ",") || byte == UInt8(ascii: ";")
                || byte == UInt8(ascii: "\"") || byte == UInt8(ascii: "}") || byte == UInt8(ascii: ")")
        }
    }

    /// Up to the closing quote, or the end of the text.
    private func quoted(from start: Int, quote: UInt8, isEscaped: Bool) -> Range<Int> {
        var place = start
        while let byte = self.byte(place) {
            if isEscaped {
                if byte == UInt8(ascii: "\\"), self.byte(place + 1) == quote { return start..<place }
                place += byte == UInt8(ascii: "\\") && self.byte(place + 1) == UInt8(ascii: "\\") ? 4 : 1
            } else {
                if byte == quote { return start..<place }
                place += byte == UInt8(ascii: "\\") ? 2 : 1
            }
        }
        return start..<self.text.count
    }

    private func endOfContainer(_ start: Int) -> Int {
        var place = start
        var open = 0
        while let byte = self.byte(place) {
            place += 1
            switch byte {
            case UInt8(ascii: "{"), UInt8(ascii: "["): open += 1
            case UInt8(ascii: "}"), UInt8(ascii: "]"):
                open -= 1
                if open == 0 { return place }
            case UInt8(ascii: "\""):
                place = min(self.quoted(from: place, quote: byte, isEscaped: false).upperBound + 1, self.text.count)
            default: break
            }
        }
        return place
    }

    // MARK: Bearer and Basic

    private func isScheme(_ word: Range<Int>) -> Bool {
        self.equals(word, "bearer") || self.equals(word, "basic")
    }

    private func equals(_ range: Range<Int>, _ lowercased: String) -> Bool {
        range.count == lowercased.utf8.count && self.text[range].map { $0 | 0x20 }.elementsEqual(lowercased.utf8)
    }

    private mutating func takeCredentials(of scheme: Range<Int>) {
        let start = self.skipSpaces(scheme.upperBound)
        let end = self.endOfWord(start)
        guard start > scheme.upperBound, end > start else { return }
        // "the bearer token is missing"
        let isProse = ["token", "tokens", "auth", "authentication", "authorization", "scheme", "header"]
            .contains { self.equals(start..<end, $0) }
        if isProse || isRedacted(self.text[start..<end]) { return }
        self.index = end
        self.ranges.append(Found(range: start..<end, name: "authorization"))
    }
}
