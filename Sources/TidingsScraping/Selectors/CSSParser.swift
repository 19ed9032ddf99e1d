/// Reads CSS selectors: level 3, and of level 4 lists in `:not()`, `:is()`, `:where()`, `:has()`, `:nth-child(... of ...)`
/// and the case flags of attributes; with `:has-text()` and its kind besides.
///
/// https://www.w3.org/TR/selectors-4/ and, for words, strings and escapes, https://www.w3.org/TR/css-syntax-3/
struct CSSParser {
    /// How deep `:not(:is(...))` may nest.
    static let maximumDepth = 32
    /// More bytes are no selector that somebody wrote.
    static let maximumLength = 16_384

    let source: String
    let bytes: [UInt8]
    var place: Int
    let end: Int
    var words: [String] = []
    var wordNumbers: [String: SelectorWord] = [:]
    private var depth = 0
    private var isInsideHas = false

    /// - Parameter range: the part of the text that is CSS, in UTF-8 bytes.
    init(_ source: String, _ range: Range<Int>) {
        self.source = source
        self.bytes = Array(source.utf8)
        self.place = range.lowerBound
        self.end = range.upperBound
    }

    static func parse(_ source: String, _ range: Range<Int>) throws(SelectorError) -> CSSSelector {
        var parser = CSSParser(source, range)
        guard range.count <= Self.maximumLength else {
            throw SelectorError(
                .syntax, "longer than \(Self.maximumLength) bytes", in: String(source.prefix(40)) + "...")
        }
        let list = try parser.list(isRelative: true)
        guard parser.place == parser.end else { throw parser.unexpected("a selector") }
        return CSSSelector(list: list, words: parser.words)
    }

    // MARK: Lists and combinators

    /// - Parameter isRelative: whether one may begin with a combinator, which then starts at the element searched in.
    mutating func list(isRelative: Bool = false) throws(SelectorError) -> SelectorList {
        var alternatives: [ComplexSelector] = []
        repeat {
            try self.skipSpace()
            var leading: ComplexSelector.Combinator?
            if isRelative { leading = try self.explicitCombinator() }
            alternatives.append(try self.complex(anchoredBy: leading))
        } while try self.comma()
        return SelectorList(alternatives: alternatives)
    }

    private mutating func comma() throws(SelectorError) -> Bool {
        try self.skipSpace()
        guard self.current == UInt8(ascii: ",") else { return false }
        self.place += 1
        return true
    }

    private mutating func complex(
        anchoredBy leading: ComplexSelector.Combinator?
    ) throws(SelectorError) -> ComplexSelector {
        var compounds: [[SimpleTest]] = []
        var combinators: [ComplexSelector.Combinator] = []
        if let leading {
            compounds.append([.anchor])
            combinators.append(leading)
        }
        compounds.append(try self.compound())
        while true {
            let hadSpace = try self.skipSpace()
            if let combinator = try self.explicitCombinator() {
                combinators.append(combinator)
            } else if hadSpace, let byte = self.current, byte != UInt8(ascii: ","), byte != UInt8(ascii: ")") {
                combinators.append(.descendant)
            } else {
                break
            }
            compounds.append(try self.compound())
        }
        return ComplexSelector(compounds: compounds.reversed(), combinators: combinators.reversed())
    }

    private mutating func explicitCombinator() throws(SelectorError) -> ComplexSelector.Combinator? {
        let combinator: ComplexSelector.Combinator
        switch self.current {
        case UInt8(ascii: ">"): combinator = .child
        case UInt8(ascii: "+"): combinator = .next
        case UInt8(ascii: "~"): combinator = .subsequent
        default: return nil
        }
        self.place += 1
        try self.skipSpace()
        return combinator
    }

    // MARK: Compounds

    private mutating func compound() throws(SelectorError) -> [SimpleTest] {
        var tests: [SimpleTest] = []
        let start = self.place
        if self.current == UInt8(ascii: "*") {
            self.place += 1
        } else if self.startsName {
            let name = try self.name("an element's name")
            tests.append(.name(exact: self.word(name), lower: self.word(Self.lowercased(name))))
        }
        if self.current == UInt8(ascii: "|") {
            throw self.error(.unsupported, "namespaces are not supported; pages of HTML need none", at: start)
        }
        while let byte = try self.currentAfterComments() {
            switch byte {
            case UInt8(ascii: "#"):
                self.place += 1
                tests.append(.id(Array(try self.name("an id after '#'", isHash: true).utf8)))
            case UInt8(ascii: "."):
                self.place += 1
                tests.append(.hasClass(Array(try self.name("a class after '.'").utf8)))
            case UInt8(ascii: "["): tests.append(.attribute(try self.attribute()))
            case UInt8(ascii: ":"): tests.append(try self.pseudo())
            default:
                if self.place == start { throw self.unexpected("a selector") }
                return tests
            }
        }
        if self.place == start { throw self.unexpected("a selector") }
        return tests
    }

    private mutating func attribute() throws(SelectorError) -> AttributeTest {
        let start = self.place
        self.place += 1
        try self.skipSpace()
        let name = try self.name("an attribute's name")
        try self.skipSpace()
        let lower = Self.lowercased(name)
        var test = AttributeTest(
            exact: self.word(name), lower: self.word(lower), comparison: .exists, value: [],
            letterCase: .asThePageHasIt,
            isInsensitiveInHTML: Self.insensitiveAttributes.contains(lower))
        if self.current == UInt8(ascii: "]") {
            self.place += 1
            return test
        }
        test.comparison = try self.attributeOperator(start)
        try self.skipSpace()
        if self.current == UInt8(ascii: "\"") || self.current == UInt8(ascii: "'") {
            test.value = Array(try self.quoted().utf8)
        } else {
            test.value = Array(try self.name("a value; one that is no plain word stands in quotes").utf8)
        }
        try self.skipSpace()
        if let byte = self.current, byte | 0x20 == UInt8(ascii: "i") || byte | 0x20 == UInt8(ascii: "s") {
            test.letterCase = byte | 0x20 == UInt8(ascii: "i") ? .insensitive : .sensitive
            self.place += 1
            try self.skipSpace()
        }
        guard self.current == UInt8(ascii: "]") else {
            if self.current == nil { throw self.error(.syntax, "'[' is not closed", at: start) }
            throw self.unexpected("']'")
        }
        self.place += 1
        return test
    }

    private mutating func attributeOperator(_ start: Int) throws(SelectorError) -> AttributeTest.Operator {
        let comparison: AttributeTest.Operator
        switch self.current {
        case UInt8(ascii: "="):
            self.place += 1
            return .equals
        case UInt8(ascii: "~"): comparison = .includes
        case UInt8(ascii: "|"): comparison = .dashMatch
        case UInt8(ascii: "^"): comparison = .prefix
        case UInt8(ascii: "$"): comparison = .suffix
        case UInt8(ascii: "*"): comparison = .substring
        case nil: throw self.error(.syntax, "'[' is not closed", at: start)
        default: throw self.unexpected("']' or one of = ~= |= ^= $= *=")
        }
        guard self.byte(at: self.place + 1) == UInt8(ascii: "=") else {
            throw self.unexpected("one of = ~= |= ^= $= *=")
        }
        self.place += 2
        return comparison
    }

    // MARK: What is inside parentheses

    /// Runs `body` between the parenthesis at hand and its closing one.
    mutating func nested<Result>(
        _ body: (inout CSSParser) throws(SelectorError) -> Result
    ) throws(SelectorError) -> Result {
        let start = self.place
        self.place += 1
        self.depth += 1
        guard self.depth <= Self.maximumDepth else {
            throw self.error(.syntax, "more than \(Self.maximumDepth) levels of parentheses", at: start)
        }
        try self.skipSpace()
        let result = try body(&self)
        try self.skipSpace()
        guard self.current == UInt8(ascii: ")") else {
            if self.current == nil { throw self.error(.syntax, "'(' is not closed", at: start) }
            throw self.unexpected("')'")
        }
        self.place += 1
        self.depth -= 1
        return result
    }

    /// The list of `:has()`.
    mutating func relativeList() throws(SelectorError) -> [RelativeSelector] {
        guard !self.isInsideHas else {
            throw self.error(.syntax, ":has() inside :has() is not allowed", at: self.place)
        }
        self.isInsideHas = true
        defer { self.isInsideHas = false }
        var result: [RelativeSelector] = []
        repeat {
            try self.skipSpace()
            let leading = try self.explicitCombinator() ?? .descendant
            result.append(RelativeSelector(leading: leading, selector: try self.complex(anchoredBy: leading)))
        } while try self.comma()
        return result
    }

    mutating func word(_ text: String) -> SelectorWord {
        if let number = self.wordNumbers[text] { return number }
        self.wordNumbers[text] = self.words.count
        self.words.append(text)
        return self.words.count - 1
    }

    /// https://html.spec.whatwg.org/multipage/semantics-other.html#case-sensitivity-of-selectors
    private static let insensitiveAttributes: Set<String> = [
        "accept", "accept-charset", "align", "alink", "axis", "bgcolor", "charset", "checked", "clear", "codetype",
        "color", "compact", "declare", "defer", "dir", "direction", "disabled", "enctype", "face", "frame", "hreflang",
        "http-equiv", "lang", "language", "link", "media", "method", "multiple", "nohref", "noresize", "noshade",
        "nowrap",
        "readonly", "rel", "rev", "rules", "scope", "scrolling", "selected", "shape", "target", "text", "type",
        "valign",
        "valuetype", "vlink",
    ]
}
