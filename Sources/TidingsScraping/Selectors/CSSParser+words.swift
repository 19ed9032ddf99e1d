/// Words, strings, spaces and what to say of those that are none.
extension CSSParser {
    var current: UInt8? { self.byte(at: self.place) }

    func byte(at place: Int) -> UInt8? { place < self.end ? self.bytes[place] : nil }

    /// White space and comments; whether there were any.
    @discardableResult
    mutating func skipSpace() throws(SelectorError) -> Bool {
        let start = self.place
        while let byte = self.current {
            if HTMLText.isSpace(byte) {
                self.place += 1
            } else if byte == UInt8(ascii: "/"), self.byte(at: self.place + 1) == UInt8(ascii: "*") {
                let opening = self.place
                self.place += 2
                while self.current != nil,
                    self.current != UInt8(ascii: "*") || self.byte(at: self.place + 1) != UInt8(ascii: "/")
                {
                    self.place += 1
                }
                guard self.current != nil else { throw self.error(.syntax, "the comment is not closed", at: opening) }
                self.place += 2
            } else {
                break
            }
        }
        return self.place > start
    }

    /// The next byte of a compound selector: comments do not end one, `p/**/.a` is `p.a`.
    mutating func currentAfterComments() throws(SelectorError) -> UInt8? {
        guard self.current == UInt8(ascii: "/"), self.byte(at: self.place + 1) == UInt8(ascii: "*") else {
            return self.current
        }
        let start = self.place
        try self.skipSpace()
        // White space between or after comments is a combinator, left for whoever looks for one.
        var (index, isInside) = (start, false)
        while index < self.place {
            if isInside, self.bytes[index] == UInt8(ascii: "*"), self.bytes[index + 1] == UInt8(ascii: "/") {
                isInside = false
                index += 2
            } else if !isInside, HTMLText.isSpace(self.bytes[index]) {
                self.place = index
                return self.current
            } else if !isInside {
                isInside = true
                index += 2
            } else {
                index += 1
            }
        }
        return self.current
    }

    private static func isNameStart(_ byte: UInt8) -> Bool {
        byte | 0x20 >= UInt8(ascii: "a") && byte | 0x20 <= UInt8(ascii: "z") || byte == UInt8(ascii: "_")
            || byte >= 0x80
    }

    static func isName(_ byte: UInt8) -> Bool {
        Self.isNameStart(byte) || byte == UInt8(ascii: "-") || byte >= UInt8(ascii: "0") && byte <= UInt8(ascii: "9")
    }

    /// https://www.w3.org/TR/css-syntax-3/#would-start-an-identifier
    var startsName: Bool {
        guard let first = self.current else { return false }
        if first == UInt8(ascii: "-") {
            guard let second = self.byte(at: self.place + 1) else { return false }
            return second == UInt8(ascii: "-") || Self.isNameStart(second) || self.isEscape(at: self.place + 1)
        }
        return Self.isNameStart(first) || self.isEscape(at: self.place)
    }

    private func isEscape(at place: Int) -> Bool {
        guard self.byte(at: place) == UInt8(ascii: "\\"), let next = self.byte(at: place + 1) else { return false }
        return next != UInt8(ascii: "\n")
    }

    /// - Parameters:
    ///   - what: for the message, such as "a class after '.'".
    ///   - isHash: an id may begin with a digit in CSS's grammar but not as a selector; it is reported as such.
    mutating func name(_ what: String, isHash: Bool = false) throws(SelectorError) -> String {
        guard self.startsName else {
            if isHash, let byte = self.current, Self.isName(byte) {
                throw self.error(
                    .syntax, "an id that begins with a digit is written with an escape (#\\31 23) or as [id=\"123\"]",
                    at: self.place)
            }
            throw self.unexpected(what)
        }
        var result: [UInt8] = []
        while let byte = self.current {
            if Self.isName(byte) {
                result.append(byte)
                self.place += 1
            } else if self.isEscape(at: self.place) {
                self.escape(into: &result)
            } else {
                break
            }
        }
        return String(decoding: result, as: UTF8.self)
    }

    /// https://www.w3.org/TR/css-syntax-3/#consume-escaped-code-point
    private mutating func escape(into result: inout [UInt8]) {
        self.place += 1
        var (value, digits) = (UInt32(0), 0)
        while digits < 6, let byte = self.current, let digit = Self.hexadecimal(byte) {
            value = value << 4 | digit
            digits += 1
            self.place += 1
        }
        guard digits > 0 else {
            // Whatever it is, all bytes of it.
            guard let byte = self.current else { return }
            result.append(byte)
            self.place += 1
            while let byte = self.current, byte & 0xC0 == 0x80 {
                result.append(byte)
                self.place += 1
            }
            return
        }
        if let byte = self.current, HTMLText.isSpace(byte) { self.place += 1 }
        let scalar = value == 0 ? nil : Unicode.Scalar(value)
        result.append(contentsOf: String(Character(scalar ?? "\u{FFFD}")).utf8)
    }

    private static func hexadecimal(_ byte: UInt8) -> UInt32? {
        switch byte {
        case UInt8(ascii: "0")...UInt8(ascii: "9"): UInt32(byte - UInt8(ascii: "0"))
        case UInt8(ascii: "a")...UInt8(ascii: "f"): UInt32(byte - UInt8(ascii: "a")) + 10
        case UInt8(ascii: "A")...UInt8(ascii: "F"): UInt32(byte - UInt8(ascii: "A")) + 10
        default: nil
        }
    }

    mutating func quoted() throws(SelectorError) -> String {
        let start = self.place
        let quote = self.bytes[self.place]
        self.place += 1
        var result: [UInt8] = []
        while let byte = self.current {
            if byte == quote {
                self.place += 1
                return String(decoding: result, as: UTF8.self)
            }
            if byte == UInt8(ascii: "\n") { break }
            if byte == UInt8(ascii: "\\") {
                if self.byte(at: self.place + 1) == UInt8(ascii: "\n") {
                    self.place += 2
                } else {
                    self.escape(into: &result)
                }
            } else {
                result.append(byte)
                self.place += 1
            }
        }
        throw self.error(.syntax, "the quotation mark is not closed", at: start)
    }

    static func lowercased(_ text: String) -> String {
        String(decoding: text.utf8.map { $0 >= 0x41 && $0 <= 0x5A ? $0 | 0x20 : $0 }, as: UTF8.self)
    }

    func error(_ code: SelectorError.Code, _ message: String, at offset: Int) -> SelectorError {
        SelectorError(code, message, in: self.source, at: offset)
    }

    func unexpected(_ wanted: String) -> SelectorError {
        guard self.place < self.end else {
            return self.error(.syntax, "\(wanted) is expected, the selector ends", at: self.place)
        }
        let found = String(decoding: self.bytes[self.place..<self.end], as: UTF8.self).prefix(1)
        return self.error(.syntax, "\(wanted) is expected, not '\(found)'", at: self.place)
    }
}
