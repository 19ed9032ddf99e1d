/// What to look for on a page: CSS, XPath, text, or a chain of them.
///
/// - CSS as in ``CSSParser``: level 3 with `:is()`, `:not()` and `:has()` of lists, and `:has-text("...")` (somewhere inside,
///   in either case), `:text("...")` (likewise, the smallest element), `:text-is("...")` (the whole text).
/// - XPath 1.0 when it begins with `/`, `(/`, `./`, `..` or `xpath=`.
/// - `text=Sign in`: the smallest elements with that text somewhere inside, in either case; `text="Sign in"`: whose whole
///   text it is.
/// - `nth=2`: of what was found so far the third; `nth=-1` the last.
/// - `.card >> text=More >> xpath=..`: each part searches inside what the one before has found.
///
/// What a selector finds is in document order, each element once.
public struct PageSelector: Sendable, Hashable, CustomStringConvertible {
    enum Step: Sendable, Hashable {
        case css(CSSSelector)
        case xpath(String)
        case text(TextPattern)
        case nth(Int)
    }

    /// As it was written.
    public let source: String
    let steps: [Step]

    /// - Throws: ``SelectorError`` with the column of what is wrong.
    public init(_ source: String) throws(SelectorError) {
        self.source = source
        var steps: [Step] = []
        for part in Self.parts(of: source) { steps.append(try Self.step(source, part)) }
        self.steps = steps
    }

    public var description: String { self.source }

    // MARK: Reading

    /// The ranges between `>>`, outside quotes, brackets and parentheses.
    private static func parts(of source: String) -> [Range<Int>] {
        let bytes = Array(source.utf8)
        var parts: [Range<Int>] = []
        var (start, index, depth) = (0, 0, 0)
        var quote: UInt8?
        while index < bytes.count {
            let byte = bytes[index]
            if byte == UInt8(ascii: "\\") {
                index += 1
            } else if let open = quote {
                if byte == open { quote = nil }
            } else if byte == UInt8(ascii: "\"") || byte == UInt8(ascii: "'") {
                // An apostrophe inside a word of `text=Don't` opens nothing.
                if index == start || !Self.isLetter(bytes[index - 1]) { quote = byte }
            } else if byte == UInt8(ascii: "(") || byte == UInt8(ascii: "[") {
                depth += 1
            } else if byte == UInt8(ascii: ")") || byte == UInt8(ascii: "]") {
                depth -= 1
            } else if depth <= 0, byte == UInt8(ascii: ">"), index + 1 < bytes.count, bytes[index + 1] == byte {
                parts.append(start..<index)
                index += 1
                start = index + 1
            }
            index += 1
        }
        return parts + [start..<bytes.count]
    }

    private static func isLetter(_ byte: UInt8) -> Bool {
        byte >= 0x80 || byte | 0x20 >= UInt8(ascii: "a") && byte | 0x20 <= UInt8(ascii: "z")
    }

    private static func step(_ source: String, _ range: Range<Int>) throws(SelectorError) -> Step {
        let bytes = Array(source.utf8)
        var range = range
        while let first = range.first, HTMLText.isSpace(bytes[first]) { range = (first + 1)..<range.upperBound }
        while let last = range.last, HTMLText.isSpace(bytes[last]) { range = range.lowerBound..<last }
        func text(from offset: Int = 0) -> String {
            String(decoding: bytes[range].dropFirst(offset), as: UTF8.self)
        }
        let part = text()
        for (engine, length) in [("css=", 4), ("xpath=", 6), ("text=", 5), ("nth=", 4), ("id=", 3)]
        where part.hasPrefix(engine) {
            let inner = (range.lowerBound + length)..<range.upperBound
            switch engine {
            case "css=": return .css(try CSSParser.parse(source, inner))
            case "xpath=": return .xpath(try Self.checked(text(from: length), source, inner.lowerBound))
            case "text=": return .text(try Self.text(text(from: length), source, inner.lowerBound))
            case "id=":
                let test = SimpleTest.id(Array(text(from: length).utf8))
                let complex = ComplexSelector(compounds: [[test]], combinators: [])
                return .css(CSSSelector(list: SelectorList(alternatives: [complex]), words: []))
            default:
                guard let number = Int(text(from: length).trimmed()) else {
                    throw SelectorError(
                        .syntax, "nth= wants a whole number, 0 the first and -1 the last", in: source,
                        at: inner.lowerBound)
                }
                return .nth(number)
            }
        }
        if ["/", "(/", "./", "(./", ".."].contains(where: part.hasPrefix) {
            return .xpath(try Self.checked(part, source, range.lowerBound))
        }
        if part.count > 1, let first = part.first, first == "\"" || first == "'", part.last == first {
            return .text(try Self.text(part, source, range.lowerBound))
        }
        return .css(try CSSParser.parse(source, range))
    }

    private static func checked(
        _ expression: String, _ source: String, _ offset: Int
    ) throws(SelectorError) -> String {
        do throws(SelectorError) {
            return try XPath(expression.trimmed()).source
        } catch {
            let column = (error.column ?? 1) - 1
            throw SelectorError(error.code, error.message, in: source, at: offset + column)
        }
    }

    private static func text(_ text: String, _ source: String, _ offset: Int) throws(SelectorError) -> TextPattern {
        let text = text.trimmed()
        guard !text.isEmpty else { throw SelectorError(.syntax, "a text is expected", in: source, at: offset) }
        if text.count > 1, text.hasPrefix("/"), text.dropFirst().contains("/") {
            throw SelectorError(.unsupported, "regular expressions are not supported in text=", in: source, at: offset)
        }
        if text.count > 1, let first = text.first, first == "\"" || first == "'", text.last == first {
            return TextPattern(String(text.dropFirst().dropLast()), .equals, wantsSmallest: true)
        }
        return TextPattern(text, .contains, wantsSmallest: true)
    }
}
