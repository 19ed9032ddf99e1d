/// Finds the charset that a page names itself, before the page is parsed;
/// https://html.spec.whatwg.org/multipage/parsing.html#prescan-a-byte-stream-to-determine-its-encoding
struct MetaCharset {
    private let bytes: ArraySlice<UInt8>
    private var place: Int

    static func find(in bytes: ArraySlice<UInt8>) -> HTMLCharset? {
        var search = MetaCharset(bytes: bytes, place: bytes.startIndex)
        return search.find()
    }

    private mutating func find() -> HTMLCharset? {
        while let byte = self.current {
            guard byte == UInt8(ascii: "<") else {
                self.place += 1
                continue
            }
            if self.follows("<!--") {
                // `<!-->` is a whole comment.
                self.place += 2
                self.skip(past: "-->")
            } else if self.follows("<meta"), let after = self.byte(at: self.place + 5), Self.endsName(after) {
                self.place += 5
                if let charset = self.meta() { return charset }
            } else if let next = self.byte(at: self.place + 1), Self.isLetter(next) || next == UInt8(ascii: "/") {
                while let byte = self.current, !HTMLText.isSpace(byte), byte != UInt8(ascii: ">") { self.place += 1 }
                while self.attribute() != nil {}
            } else if let next = self.byte(at: self.place + 1), next == UInt8(ascii: "!") || next == UInt8(ascii: "?") {
                self.skip(past: ">")
            } else {
                self.place += 1
            }
        }
        return nil
    }

    private mutating func meta() -> HTMLCharset? {
        var seen: Set<String> = []
        var isPragma = false
        var needsPragma = false
        var charset: HTMLCharset?
        while let (name, value) = self.attribute() {
            guard seen.insert(name).inserted else { continue }
            switch name {
            case "http-equiv": if value == "content-type" { isPragma = true }
            case "content":
                if charset == nil, let label = Self.label(in: Array(value.utf8)) {
                    charset = HTMLCharset(label: label)
                    needsPragma = true
                }
            case "charset":
                charset = HTMLCharset(label: value)
                needsPragma = false
            default: break
            }
        }
        guard let charset, !needsPragma || isPragma else { return nil }
        // A page whose ASCII could be read as far as here is not UTF-16.
        switch charset.name {
        case "utf-16le", "utf-16be": return .utf8
        case "x-user-defined": return .windows1252
        default: return charset
        }
    }

    /// https://html.spec.whatwg.org/multipage/parsing.html#concept-get-attributes-when-sniffing; in lower case.
    private mutating func attribute() -> (name: String, value: String)? {
        while let byte = self.current, HTMLText.isSpace(byte) || byte == UInt8(ascii: "/") { self.place += 1 }
        guard let first = self.current else { return nil }
        if first == UInt8(ascii: ">") {
            self.place += 1
            return nil
        }
        var (name, value): ([UInt8], [UInt8]) = ([], [])
        while let byte = self.current {
            if byte == UInt8(ascii: "="), !name.isEmpty { break }
            if HTMLText.isSpace(byte) || byte == UInt8(ascii: "/") || byte == UInt8(ascii: ">") { break }
            name.append(Self.lower(byte))
            self.place += 1
        }
        self.skipSpace()
        guard self.current == UInt8(ascii: "=") else { return (Self.text(name), "") }
        self.place += 1
        self.skipSpace()
        guard let opening = self.current else { return nil }
        if opening == UInt8(ascii: "\"") || opening == UInt8(ascii: "'") {
            self.place += 1
            while let byte = self.current, byte != opening {
                value.append(Self.lower(byte))
                self.place += 1
            }
            // Cut off in the middle: not to be trusted.
            guard self.current != nil else { return nil }
            self.place += 1
        } else {
            while let byte = self.current, !HTMLText.isSpace(byte), byte != UInt8(ascii: ">") {
                value.append(Self.lower(byte))
                self.place += 1
            }
        }
        return (Self.text(name), Self.text(value))
    }

    /// The charset of `text/html; charset=utf-8`;
    /// https://html.spec.whatwg.org/multipage/urls-and-fetching.html#extracting-character-encodings-from-meta-elements
    static func label(in text: [UInt8]) -> String? {
        let word = Array("charset".utf8)
        var index = 0
        while index + word.count <= text.count {
            guard text[index..<index + word.count].elementsEqual(word, by: { Self.lower($0) == $1 }) else {
                index += 1
                continue
            }
            index += word.count
            while index < text.count, HTMLText.isSpace(text[index]) { index += 1 }
            guard index < text.count, text[index] == UInt8(ascii: "=") else { continue }
            index += 1
            while index < text.count, HTMLText.isSpace(text[index]) { index += 1 }
            guard index < text.count else { return nil }
            if text[index] == UInt8(ascii: "\"") || text[index] == UInt8(ascii: "'") {
                guard let end = text[(index + 1)...].firstIndex(of: text[index]) else { return nil }
                return Self.text(Array(text[(index + 1)..<end]))
            }
            let end = text[index...].firstIndex { HTMLText.isSpace($0) || $0 == UInt8(ascii: ";") } ?? text.endIndex
            return Self.text(Array(text[index..<end]))
        }
        return nil
    }

    // MARK: Bytes

    private var current: UInt8? { self.byte(at: self.place) }

    private func byte(at place: Int) -> UInt8? { place < self.bytes.endIndex ? self.bytes[place] : nil }

    private func follows(_ text: String) -> Bool {
        var place = self.place
        for byte in text.utf8 {
            guard let found = self.byte(at: place), Self.lower(found) == byte else { return false }
            place += 1
        }
        return true
    }

    private mutating func skip(past text: String) {
        while self.current != nil, !self.follows(text) { self.place += 1 }
        self.place += text.utf8.count
    }

    private mutating func skipSpace() {
        while let byte = self.current, HTMLText.isSpace(byte) { self.place += 1 }
    }

    private static func endsName(_ byte: UInt8) -> Bool { HTMLText.isSpace(byte) || byte == UInt8(ascii: "/") }
    private static func isLetter(_ byte: UInt8) -> Bool { byte | 0x20 >= 0x61 && byte | 0x20 <= 0x7A }
    private static func lower(_ byte: UInt8) -> UInt8 { byte >= 0x41 && byte <= 0x5A ? byte | 0x20 : byte }
    private static func text(_ bytes: [UInt8]) -> String { String(decoding: bytes, as: UTF8.self) }
}
