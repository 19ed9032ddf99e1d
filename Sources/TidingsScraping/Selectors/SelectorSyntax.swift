/// A parsed selector list; https://www.w3.org/TR/selectors-4/#grammar
struct SelectorList: Sendable, Hashable {
    var alternatives: [ComplexSelector]
}

/// Compound selectors and what stands between them, from right to left: the order in which they are tested.
struct ComplexSelector: Sendable, Hashable {
    enum Combinator: Sendable, Hashable {
        case descendant
        case child
        case next
        case subsequent
    }

    var compounds: [[SimpleTest]]
    /// `combinators[n]` stands to the left of `compounds[n]`; one fewer.
    var combinators: [Combinator]
}

/// A word of a selector that is looked up in the page's names once for each query: its place in ``CSSSelector/words``.
typealias SelectorWord = Int

/// One condition that an element has to meet.
indirect enum SimpleTest: Sendable, Hashable {
    case name(exact: SelectorWord, lower: SelectorWord)
    case id([UInt8])
    case hasClass([UInt8])
    case attribute(AttributeTest)
    /// `an+b`, counted from the start or the end, among siblings of the same name, or those that a list matches.
    case position(PositionTest)
    case empty
    case root
    case scope
    /// What a relative selector is relative to.
    case anchor
    case link
    case checked
    case disabled
    case enabled
    case required
    case optional
    case language([[UInt8]])
    case isAny(SelectorList)
    case isNone(SelectorList)
    case has([RelativeSelector])
    case text(TextPattern)
    /// `:hover` and other states that a page just fetched is not in.
    case never
}

struct AttributeTest: Sendable, Hashable {
    enum Operator: Sendable, Hashable {
        case exists
        case equals
        case includes
        case dashMatch
        case prefix
        case suffix
        case substring
    }

    enum Case: Sendable, Hashable {
        case asThePageHasIt
        case insensitive
        case sensitive
    }

    var exact: SelectorWord
    var lower: SelectorWord
    var comparison: Operator
    var value: [UInt8]
    var letterCase: Case
    /// HTML compares the values of some attributes without case.
    var isInsensitiveInHTML: Bool
}

struct PositionTest: Sendable, Hashable {
    enum Among: Sendable, Hashable {
        case all
        case sameName
        case matching(SelectorList)
    }

    var step: Int
    var offset: Int
    var fromEnd: Bool
    var among: Among

    func accepts(_ index: Int) -> Bool {
        guard self.step != 0 else { return index == self.offset }
        let distance = index - self.offset
        return distance % self.step == 0 && distance / self.step >= 0
    }
}

/// A selector inside `:has()`; its leftmost compound is ``SimpleTest/anchor``.
struct RelativeSelector: Sendable, Hashable {
    var leading: ComplexSelector.Combinator
    var selector: ComplexSelector
}

/// What `:has-text()`, `text=` and their kind look for.
struct TextPattern: Sendable, Hashable {
    enum Rule: Sendable, Hashable {
        /// Anywhere, in either case.
        case contains
        /// Anywhere, in this case: `:contains()` as others have it.
        case containsExactly
        /// The whole text, in this case.
        case equals
    }

    var rule: Rule
    /// With single spaces, and in lower case where case does not count.
    var text: [UInt8]
    /// Whether an element whose child matches as well is passed over: the smallest is wanted.
    var wantsSmallest: Bool

    init(_ text: String, _ rule: Rule, wantsSmallest: Bool = false) {
        self.rule = rule
        let plain = text.split { $0.isWhitespace }.joined(separator: " ")
        self.text = Array((rule == .contains ? plain.lowercased() : plain).utf8)
        self.wantsSmallest = wantsSmallest
    }

    func matches(_ readable: [UInt8]) -> Bool {
        switch self.rule {
        case .contains:
            let lower = String(decoding: readable, as: UTF8.self).lowercased()
            return ByteSearch.contains(Array(lower.utf8), self.text)
        case .containsExactly: return ByteSearch.contains(readable, self.text)
        case .equals: return readable == self.text
        }
    }
}

/// Bytes in bytes.
enum ByteSearch {
    static func contains(_ text: some RandomAccessCollection<UInt8>, _ word: [UInt8]) -> Bool {
        guard let first = word.first else { return true }
        guard word.count <= text.count else { return false }
        var place = text.startIndex
        let last = text.index(text.endIndex, offsetBy: -word.count)
        while place <= last {
            if text[place] == first, text[place...].starts(with: word) { return true }
            place = text.index(after: place)
        }
        return false
    }
}
