extension HTMLDocument {
    /// What a selector finds on the page, in document order.
    /// - Throws: ``SelectorError`` where it takes too much work, or an XPath gives something else than elements.
    public func select(_ selector: PageSelector) throws(SelectorError) -> [HTMLElement] {
        try SelectorSearch(self.tree, selector).find(from: 0, limit: .max)
    }

    /// The first of what a selector finds.
    public func first(_ selector: PageSelector) throws(SelectorError) -> HTMLElement? {
        try SelectorSearch(self.tree, selector).find(from: 0, limit: 1).first
    }

    /// What an XPath gives, whatever kind it is.
    public func evaluate(_ xpath: XPath) throws(SelectorError) -> XPathValue {
        try self.tree.evaluate(xpath.source, from: 0, in: xpath.source)
    }
}

extension HTMLElement {
    /// What a selector finds inside the element, in document order. CSS is matched against the whole page, as
    /// `querySelectorAll` does, and `:scope` is this element; a selector that begins with `>`, `+` or `~` starts at it. An
    /// XPath that begins with `/` searches inside the element all the same.
    public func select(_ selector: PageSelector) throws(SelectorError) -> [HTMLElement] {
        try SelectorSearch(self.tree, selector).find(from: self.node, limit: .max)
    }

    /// The first of what a selector finds inside the element.
    public func first(_ selector: PageSelector) throws(SelectorError) -> HTMLElement? {
        try SelectorSearch(self.tree, selector).find(from: self.node, limit: 1).first
    }

    /// What an XPath gives from here; one that begins with `/` starts at the document, as XPath has it.
    public func evaluate(_ xpath: XPath) throws(SelectorError) -> XPathValue {
        try self.tree.evaluate(xpath.source, from: self.node, in: xpath.source)
    }
}

/// Follows the parts of a selector one after the other.
struct SelectorSearch {
    private let tree: HTMLTree
    private let selector: PageSelector

    init(_ tree: HTMLTree, _ selector: PageSelector) {
        self.tree = tree
        self.selector = selector
    }

    func find(from node: Int32, limit: Int) throws(SelectorError) -> [HTMLElement] {
        var scopes = [node]
        for (index, step) in self.selector.steps.enumerated() {
            // Only the last one may stop early, and only where it has one place to search.
            let isLast = index == self.selector.steps.count - 1
            scopes = try self.follow(step, from: scopes, limit: isLast && scopes.count == 1 ? limit : .max)
            if scopes.isEmpty { return [] }
        }
        return scopes.prefix(limit).map { HTMLElement(tree: self.tree, node: $0) }
    }

    private func follow(_ step: PageSelector.Step, from scopes: [Int32], limit: Int) throws(SelectorError) -> [Int32] {
        if case .nth(let number) = step {
            let index = number < 0 ? scopes.count + number : number
            return scopes.indices.contains(index) ? [scopes[index]] : []
        }
        var found: [Int32] = []
        var spent = 0
        for scope in scopes {
            switch step {
            case .css(let css): found += try self.css(css, in: scope, limit, &spent)
            case .text(let pattern): found += try self.text(pattern, in: scope, &spent)
            case .xpath(let expression): found += try self.xpath(expression, from: scope)
            case .nth: break
            }
        }
        return scopes.count == 1 ? found : Set(found).sorted()
    }

    private func css(
        _ css: CSSSelector, in scope: Int32, _ limit: Int, _ spent: inout Int
    ) throws(SelectorError) -> [Int32] {
        var matcher = CSSMatcher(css, in: self.tree, scope: scope, source: self.selector.source)
        try matcher.spend(spent)
        defer { spent = matcher.work }
        var found: [Int32] = []
        for node in self.candidates(css, scope) {
            let place = self.tree.nodes[Int(node)]
            guard place.kind == .element, !place.isInert || self.tree.nodes[Int(scope)].isInert else { continue }
            if try matcher.matches(css.list, node) {
                found.append(node)
                if found.count == limit { break }
            }
        }
        return found
    }

    /// The descendants; for `+` and `~` at the beginning what follows on the same level as well.
    private func candidates(_ css: CSSSelector, _ scope: Int32) -> Range<Int32> {
        let place = self.tree.nodes[Int(scope)]
        let leavesScope = css.list.alternatives.contains { complex in
            complex.compounds.last == [.anchor]
                && (complex.combinators.last == .next || complex.combinators.last == .subsequent)
        }
        return (scope + 1)..<(leavesScope && place.parent >= 0 ? self.tree.nodes[Int(place.parent)].end : place.end)
    }

    private func text(_ pattern: TextPattern, in scope: Int32, _ spent: inout Int) throws(SelectorError) -> [Int32] {
        let nothing = CSSSelector(list: SelectorList(alternatives: []), words: [])
        var matcher = CSSMatcher(nothing, in: self.tree, scope: scope, source: self.selector.source)
        try matcher.spend(spent)
        defer { spent = matcher.work }
        return try matcher.find(pattern, in: (scope + 1)..<self.tree.nodes[Int(scope)].end)
    }

    private func xpath(_ expression: String, from scope: Int32) throws(SelectorError) -> [Int32] {
        let inside = scope != 0 && expression.hasPrefix("/") ? "." + expression : expression
        guard case .nodes(let nodes) = try self.tree.evaluate(inside, from: scope, in: self.selector.source) else {
            throw SelectorError(.evaluation, "the XPath gives a value, elements are wanted", in: self.selector.source)
        }
        var found: [Int32] = []
        for node in nodes {
            switch node {
            case .element(let element): found.append(element.node)
            case .document: break
            case .attribute, .text, .comment:
                throw SelectorError(
                    .evaluation, "the XPath gives texts or attributes, elements are wanted", in: self.selector.source)
            }
        }
        return found
    }
}
