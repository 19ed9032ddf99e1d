/// Pseudo-classes.
extension CSSParser {
    mutating func pseudo() throws(SelectorError) -> SimpleTest {
        let start = self.place
        self.place += 1
        if self.current == UInt8(ascii: ":") {
            throw self.error(
                .unsupported,
                "a pseudo-element is no element of the page; text and attributes are taken by 'attribute'",
                at: start)
        }
        let name = Self.lowercased(try self.name("a pseudo-class after ':'"))
        let isFunction = self.current == UInt8(ascii: "(")
        guard let test = try isFunction ? self.function(name) : Self.plain[name] else {
            if isFunction ? Self.plain[name] != nil : Self.functions.contains(name) {
                let wants = isFunction ? "takes nothing in parentheses" : "wants parentheses"
                throw self.error(.syntax, ":\(name) \(wants)", at: start)
            }
            let isElement = ["before", "after", "first-line", "first-letter"].contains(name)
            throw self.error(
                .unsupported, isElement ? ":\(name) is a pseudo-element" : "there is no pseudo-class :\(name) here",
                at: start)
        }
        return test
    }

    private static func position(
        _ step: Int, _ offset: Int, fromEnd: Bool = false, _ among: PositionTest.Among = .all
    ) -> SimpleTest {
        .position(PositionTest(step: step, offset: offset, fromEnd: fromEnd, among: among))
    }

    private static let plain: [String: SimpleTest] = [
        "first-child": Self.position(0, 1),
        "last-child": Self.position(0, 1, fromEnd: true),
        "only-child": Self.both(.all),
        "first-of-type": Self.position(0, 1, .sameName),
        "last-of-type": Self.position(0, 1, fromEnd: true, .sameName),
        "only-of-type": Self.both(.sameName),
        "empty": .empty, "root": .root, "scope": .scope, "link": .link, "any-link": .link, "checked": .checked,
        "disabled": .disabled, "enabled": .enabled, "required": .required, "optional": .optional,
        "visited": .never, "hover": .never, "active": .never, "focus": .never, "focus-within": .never,
        "focus-visible": .never, "target": .never,
    ]

    /// First and last at once.
    private static func both(_ among: PositionTest.Among) -> SimpleTest {
        let tests = [Self.position(0, 1, among), Self.position(0, 1, fromEnd: true, among)]
        return .isAny(SelectorList(alternatives: [ComplexSelector(compounds: [tests], combinators: [])]))
    }

    private static let functions: Set<String> = [
        "not", "is", "where", "matches", "has", "lang", "nth-child", "nth-last-child", "nth-of-type",
        "nth-last-of-type",
        "has-text", "contains", "text", "text-is",
    ]

    /// Nil for one that is not known.
    private mutating func function(_ name: String) throws(SelectorError) -> SimpleTest? {
        guard Self.functions.contains(name) else { return nil }
        return try self.nested { parser throws(SelectorError) in
            switch name {
            case "not": .isNone(try parser.list())
            case "has": .has(try parser.relativeList())
            case "lang": try parser.language()
            case "nth-child": .position(try parser.position(fromEnd: false, byName: false))
            case "nth-last-child": .position(try parser.position(fromEnd: true, byName: false))
            case "nth-of-type": .position(try parser.position(fromEnd: false, byName: true))
            case "nth-last-of-type": .position(try parser.position(fromEnd: true, byName: true))
            case "has-text": .text(TextPattern(try parser.argument(), .contains))
            case "contains": .text(TextPattern(try parser.argument(), .containsExactly))
            case "text": .text(TextPattern(try parser.argument(), .contains, wantsSmallest: true))
            case "text-is": .text(TextPattern(try parser.argument(), .equals, wantsSmallest: true))
            default: .isAny(try parser.list())
            }
        }
    }

    private mutating func language() throws(SelectorError) -> SimpleTest {
        var ranges: [[UInt8]] = []
        while true {
            try self.skipSpace()
            let isQuoted = self.current == UInt8(ascii: "\"") || self.current == UInt8(ascii: "'")
            let range = isQuoted ? try self.quoted() : try self.name("a language such as en")
            ranges.append(Array(Self.lowercased(range).utf8))
            try self.skipSpace()
            guard self.current == UInt8(ascii: ",") else { return .language(ranges) }
            self.place += 1
        }
    }

    /// The text of `:has-text()`: in quotes, or as it stands up to the parenthesis.
    private mutating func argument() throws(SelectorError) -> String {
        if self.current == UInt8(ascii: "\"") || self.current == UInt8(ascii: "'") { return try self.quoted() }
        let start = self.place
        while let byte = self.current, byte != UInt8(ascii: ")") { self.place += 1 }
        let text = String(decoding: self.bytes[start..<self.place], as: UTF8.self).trimmed()
        guard !text.isEmpty else { throw self.unexpected("a text") }
        return text
    }

    // MARK: an+b

    /// https://www.w3.org/TR/css-syntax-3/#anb-microsyntax
    private mutating func position(fromEnd: Bool, byName: Bool) throws(SelectorError) -> PositionTest {
        var test = PositionTest(step: 0, offset: 0, fromEnd: fromEnd, among: byName ? .sameName : .all)
        let what = "a position such as 2, odd or 3n+1"
        if self.takeWord("odd") {
            (test.step, test.offset) = (2, 1)
        } else if self.takeWord("even") {
            test.step = 2
        } else {
            let sign = self.takeSign() ?? 1
            let digits = try self.digits()
            if let byte = self.current, byte | 0x20 == UInt8(ascii: "n") {
                self.place += 1
                test.step = sign * (digits ?? 1)
                test.offset = try self.offset(what)
            } else if let digits {
                test.offset = sign * digits
            } else {
                throw self.unexpected(what)
            }
        }
        if let byte = self.current, Self.isName(byte) { throw self.unexpected(what) }
        if !byName, try self.skipSpace(), self.takeWord("of") {
            guard try self.skipSpace() || self.current.map({ !Self.isName($0) }) == true else {
                throw self.unexpected("a selector after 'of'")
            }
            test.among = .matching(try self.list())
        }
        return test
    }

    /// What follows `3n`.
    private mutating func offset(_ what: String) throws(SelectorError) -> Int {
        let start = self.place
        try self.skipSpace()
        guard let sign = self.takeSign() else {
            self.place = start
            return 0
        }
        try self.skipSpace()
        guard let digits = try self.digits() else { throw self.unexpected(what) }
        return sign * digits
    }

    private mutating func takeSign() -> Int? {
        switch self.current {
        case UInt8(ascii: "+"): self.place += 1
        case UInt8(ascii: "-"):
            self.place += 1
            return -1
        default: return nil
        }
        return 1
    }

    private mutating func digits() throws(SelectorError) -> Int? {
        let start = self.place
        var value = 0
        while let byte = self.current, byte >= UInt8(ascii: "0"), byte <= UInt8(ascii: "9") {
            // No page has more elements.
            value = min(value * 10 + Int(byte - UInt8(ascii: "0")), Int(Int32.max))
            self.place += 1
        }
        return self.place > start ? value : nil
    }

    private mutating func takeWord(_ word: String) -> Bool {
        let letters = Array(word.utf8)
        for (index, letter) in letters.enumerated() {
            guard let byte = self.byte(at: self.place + index), byte | 0x20 == letter else { return false }
        }
        if let byte = self.byte(at: self.place + letters.count), Self.isName(byte) { return false }
        self.place += letters.count
        return true
    }
}
