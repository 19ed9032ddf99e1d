import Tidings

/// Tests elements of one page against one selector; https://www.w3.org/TR/selectors-4/#match-against-element
struct CSSMatcher {
    /// Tests of single conditions before a search is given up; some tenths of a second's work in release.
    static let maximumWork = 10_000_000

    let tree: HTMLTree
    let source: String
    /// The element that `:scope` means; 0 for the document.
    let scope: Int32
    /// The number in the page's names of each word of the selector; -1 for one that the page does not have.
    private let words: [Int32]
    private let spelling: [String]
    private var anchor: Int32
    private var positions: [PositionTest.Among: SiblingPositions] = [:]
    private var texts: [Int32: [UInt8]] = [:]
    private(set) var work = 0

    init(_ selector: CSSSelector, in tree: HTMLTree, scope: Int32, source: String) {
        self.tree = tree
        self.scope = scope
        self.anchor = scope
        self.source = source
        self.spelling = selector.words
        self.words = selector.words.map { tree.numbers[$0] ?? -1 }
    }

    mutating func spend(_ amount: Int) throws(SelectorError) {
        self.work += amount
        guard self.work <= Self.maximumWork else {
            throw SelectorError(.tooMuchWork, "searching this page takes too much work", in: self.source)
        }
    }

    mutating func matches(_ list: SelectorList, _ node: Int32) throws(SelectorError) -> Bool {
        for complex in list.alternatives where try self.match(complex, from: 0, node) == .matches { return true }
        return false
    }

    // MARK: Complex selectors

    /// What the failure of one candidate says about the others: without it a chain of descendant combinators is tried in
    /// all its combinations.
    private enum Outcome {
        case matches
        /// This element is none.
        case fails
        /// Nor is any sibling before it.
        case failsSiblings
        /// Nor is any element above it.
        case failsAll
    }

    private mutating func match(
        _ complex: ComplexSelector, from index: Int, _ node: Int32
    ) throws(SelectorError) -> Outcome {
        guard try self.matches(complex.compounds[index], node) else { return .fails }
        guard index < complex.combinators.count else { return .matches }
        let next = index + 1
        switch complex.combinators[index] {
        case .descendant:
            var parent = self.parent(of: node)
            while let candidate = parent {
                let outcome = try self.match(complex, from: next, candidate)
                if outcome == .matches || outcome == .failsAll { return outcome }
                parent = self.parent(of: candidate)
            }
            return .failsAll
        case .child:
            guard let candidate = self.parent(of: node) else { return .failsAll }
            let outcome = try self.match(complex, from: next, candidate)
            return outcome == .matches || outcome == .failsAll ? outcome : .failsSiblings
        case .next:
            guard let candidate = self.tree.previousElement(of: node) else { return .failsSiblings }
            return try self.match(complex, from: next, candidate)
        case .subsequent:
            var before = self.tree.previousElement(of: node)
            while let candidate = before {
                let outcome = try self.match(complex, from: next, candidate)
                if outcome != .fails { return outcome }
                before = self.tree.previousElement(of: candidate)
            }
            return .failsSiblings
        }
    }

    /// The element above, or the document, which only an anchor matches.
    private func parent(of node: Int32) -> Int32? {
        let parent = self.tree.nodes[Int(node)].parent
        return parent < 0 ? nil : parent
    }

    private mutating func matches(_ tests: [SimpleTest], _ node: Int32) throws(SelectorError) -> Bool {
        try self.spend(1 + tests.count)
        guard self.tree.nodes[Int(node)].kind == .element else { return tests == [.anchor] && node == self.anchor }
        for test in tests where try !self.matches(test, node) { return false }
        return true
    }

    // MARK: Single conditions

    private mutating func matches(_ test: SimpleTest, _ node: Int32) throws(SelectorError) -> Bool {
        switch test {
        case .name(let exact, let lower):
            let place = self.tree.nodes[Int(node)]
            // In SVG and MathML names have capitals; browsers compare them without case on a page of HTML.
            return place.isHTML
                ? place.name == self.words[lower]
                : place.name == self.words[exact]
                    || Self.equalWithoutCase(self.tree.names[Int(place.name)].utf8, self.spelling[lower].utf8)
        case .id(let id): return self.value("id", of: node).map { self.equal($0, id) } ?? false
        case .hasClass(let name):
            guard let classes = self.value("class", of: node) else { return false }
            return classes.split(whereSeparator: HTMLText.isSpace).contains { self.equal($0, name) }
        case .attribute(let test): return self.matches(test, node)
        case .position(let test):
            let positions = try self.positions(test.among)
            let index = test.fromEnd ? positions.fromEnd[Int(node)] : positions.fromStart[Int(node)]
            return index > 0 && test.accepts(Int(index))
        case .isAny(let list): return try self.matches(list, node)
        case .isNone(let list): return try !self.matches(list, node)
        case .has(let selectors): return try self.has(selectors, node)
        case .text(let pattern): return try self.matches(pattern, node)
        case .anchor: return node == self.anchor
        case .scope: return self.scope == 0 ? self.isRoot(node) : node == self.scope
        case .root: return self.isRoot(node)
        case .empty, .link, .checked, .disabled, .enabled, .required, .optional, .language, .never:
            return ElementState(self.tree).matches(test, node)
        }
    }

    private func isRoot(_ node: Int32) -> Bool { self.tree.nodes[Int(node)].parent == 0 }

    private func value(_ name: String, of node: Int32) -> ArraySlice<UInt8>? {
        self.tree.attribute(name, of: node).map { self.tree.value(of: $0) }
    }

    /// Classes and ids: without case on a quirky page.
    private func equal(_ value: ArraySlice<UInt8>, _ word: [UInt8]) -> Bool {
        self.tree.isQuirky ? Self.equalWithoutCase(value, word) : value.elementsEqual(word)
    }

    static func equalWithoutCase(_ left: some Collection<UInt8>, _ right: some Collection<UInt8>) -> Bool {
        left.count == right.count && left.elementsEqual(right) { Self.lower($0) == Self.lower($1) }
    }

    static func lower(_ byte: UInt8) -> UInt8 { byte >= 0x41 && byte <= 0x5A ? byte | 0x20 : byte }

    private func attribute(_ test: AttributeTest, of node: Int32, isHTML: Bool) -> HTMLTree.Attribute? {
        if isHTML { return self.tree.attribute(self.words[test.lower], of: node) }
        if let exact = self.tree.attribute(self.words[test.exact], of: node) { return exact }
        let (place, wanted) = (self.tree.nodes[Int(node)], self.spelling[test.lower].utf8)
        return self.tree.attributes[Int(place.start)..<Int(place.start) + Int(place.count)].first {
            Self.equalWithoutCase(self.tree.names[Int($0.name)].utf8, wanted)
        }
    }

    private func matches(_ test: AttributeTest, _ node: Int32) -> Bool {
        let isHTML = self.tree.nodes[Int(node)].isHTML
        guard let attribute = self.attribute(test, of: node, isHTML: isHTML) else { return false }
        if test.comparison == .exists { return true }
        var (value, wanted) = (self.tree.value(of: attribute), test.value)
        let ignoresCase =
            switch test.letterCase {
            case .insensitive: true
            case .sensitive: false
            case .asThePageHasIt: test.isInsensitiveInHTML && isHTML
            }
        if ignoresCase { (value, wanted) = (ArraySlice(value.map(Self.lower)), wanted.map(Self.lower)) }
        switch test.comparison {
        case .exists: return true
        case .equals: return value.elementsEqual(wanted)
        case .includes:
            return !wanted.isEmpty
                && value.split(whereSeparator: HTMLText.isSpace).contains { $0.elementsEqual(wanted) }
        case .dashMatch:
            return value.starts(with: wanted)
                && (value.count == wanted.count || value[value.startIndex + wanted.count] == UInt8(ascii: "-"))
        case .prefix: return !wanted.isEmpty && value.starts(with: wanted)
        case .suffix: return !wanted.isEmpty && value.suffix(wanted.count).elementsEqual(wanted)
        case .substring: return !wanted.isEmpty && ByteSearch.contains(value, wanted)
        }
    }

    // MARK: Positions, :has() and text

    private mutating func positions(_ among: PositionTest.Among) throws(SelectorError) -> SiblingPositions {
        if let known = self.positions[among] { return known }
        let made: SiblingPositions
        switch among {
        case .all: made = self.tree.positions(among) { _ in 0 }
        case .sameName: made = self.tree.positions(among) { [tree] in tree.nodes[Int($0)].name }
        case .matching(let list):
            var counted = Set<Int32>()
            for node in 0..<Int32(self.tree.nodes.count) where self.tree.nodes[Int(node)].kind == .element {
                if try self.matches(list, node) { counted.insert(node) }
            }
            made = SiblingPositions(self.tree) { counted.contains($0) ? 0 : nil }
        }
        try self.spend(self.tree.nodes.count)
        self.positions[among] = made
        return made
    }

    private mutating func has(_ selectors: [RelativeSelector], _ node: Int32) throws(SelectorError) -> Bool {
        let outer = self.anchor
        self.anchor = node
        defer { self.anchor = outer }
        for relative in selectors {
            let place = self.tree.nodes[Int(node)]
            let candidates: Range<Int32> =
                switch relative.leading {
                case .descendant, .child: (node + 1)..<place.end
                case .next, .subsequent:
                    place.end..<(place.parent < 0 ? place.end : self.tree.nodes[Int(place.parent)].end)
                }
            for candidate in candidates where self.tree.nodes[Int(candidate)].kind == .element {
                // What is inside a template is not in the page; from inside one, it is not looked for either.
                guard !self.tree.nodes[Int(candidate)].isInert || place.isInert else { continue }
                if try self.match(relative.selector, from: 0, candidate) == .matches { return true }
            }
        }
        return false
    }

    private mutating func matches(_ pattern: TextPattern, _ node: Int32) throws(SelectorError) -> Bool {
        guard pattern.matches(try self.text(of: node)) else { return false }
        guard pattern.wantsSmallest else { return true }
        for child in self.tree.childElements(of: node) where !self.tree.nodes[Int(child)].isInert {
            if pattern.matches(try self.text(of: child)) { return false }
        }
        return true
    }

    /// The text of an element; of a button made by `input` its label.
    mutating func text(of node: Int32) throws(SelectorError) -> [UInt8] {
        if let known = self.texts[node] { return known }
        let place = self.tree.nodes[Int(node)]
        try self.spend(Int(place.end - node) + 1)
        var text: [UInt8]
        let name = self.tree.name(of: node)
        if name == "input", let type = self.value("type", of: node),
            ["submit", "button", "reset"].contains(where: {
                Self.equalWithoutCase(type, $0.utf8)
            })
        {
            text = Array(self.value("value", of: node) ?? [])
        } else {
            text = ["script", "style", "noscript", "head"].contains(name) ? [] : HTMLText(self.tree).readable(of: node)
        }
        try self.spend(text.count)
        // The texts of the ancestors of a long text would be as long again, each of them.
        if text.count <= 256 { self.texts[node] = text }
        return text
    }

    /// The smallest elements in a subtree with a text.
    mutating func find(_ pattern: TextPattern, in range: Range<Int32>) throws(SelectorError) -> [Int32] {
        var found: [Int32] = []
        for node in range {
            let place = self.tree.nodes[Int(node)]
            guard place.kind == .element, !place.isInert else { continue }
            if try self.matches(pattern, node) { found.append(node) }
        }
        return found
    }
}
