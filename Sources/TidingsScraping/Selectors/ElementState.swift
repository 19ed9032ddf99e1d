/// Pseudo-classes about what an element is in HTML; https://html.spec.whatwg.org/multipage/semantics-other.html
struct ElementState {
    private let tree: HTMLTree

    init(_ tree: HTMLTree) {
        self.tree = tree
    }

    func matches(_ test: SimpleTest, _ node: Int32) -> Bool {
        switch test {
        case .empty: return self.isEmpty(node)
        case .language(let ranges): return self.hasLanguage(ranges, node)
        default: break
        }
        let name = self.tree.name(of: node)
        guard self.tree.nodes[Int(node)].isHTML else {
            return test == .link && name == "a" && (self.has("href", node) || self.has("xlink:href", node))
        }
        switch test {
        case .link: return (name == "a" || name == "area") && self.has("href", node)
        case .checked:
            return name == "option"
                ? self.isChosen(node)
                : name == "input" && self.has("checked", node) && ["checkbox", "radio"].contains(self.type(of: node))
        case .disabled: return Self.canBeDisabled.contains(name) && self.isDisabled(node, name)
        case .enabled: return Self.canBeDisabled.contains(name) && !self.isDisabled(node, name)
        case .required: return self.canBeRequired(node, name) && self.has("required", node)
        case .optional:
            return ["input", "select", "textarea", "button"].contains(name)
                && !(self.canBeRequired(node, name) && self.has("required", node))
        default: return false
        }
    }

    /// Level 3: white space counts.
    private func isEmpty(_ node: Int32) -> Bool {
        var child = self.tree.firstChild(of: node)
        while let place = child {
            let found = self.tree.nodes[Int(place)]
            if found.kind == .element && !found.isInert { return false }
            if found.kind == .text, found.count > 0, !found.isInert { return false }
            child = self.tree.next(place)
        }
        return true
    }

    /// Whether an option is chosen when the page is fresh: where only one can be, the last that says so, else the first
    /// that can be.
    private func isChosen(_ node: Int32) -> Bool {
        guard let select = self.select(of: node), !self.has("multiple", select), !self.showsSeveral(select) else {
            return self.has("selected", node)
        }
        var chosen: Int32?
        var first: Int32?
        for option in (select + 1)..<self.tree.nodes[Int(select)].end {
            let place = self.tree.nodes[Int(option)]
            guard place.kind == .element, place.isHTML, self.tree.names[Int(place.name)] == "option" else { continue }
            if self.has("selected", option) { chosen = option }
            if first == nil, !self.isOffItself(option) { first = option }
        }
        return node == chosen ?? first
    }

    private func isOffItself(_ option: Int32) -> Bool {
        if self.has("disabled", option) { return true }
        guard let parent = self.tree.parentElement(of: option) else { return false }
        return self.tree.name(of: parent) == "optgroup" && self.has("disabled", parent)
    }

    private func showsSeveral(_ select: Int32) -> Bool {
        guard let size = self.tree.attribute("size", of: select) else { return false }
        return (Int(self.tree.string(size.start, size.count)) ?? 0) > 1
    }

    private func select(of option: Int32) -> Int32? {
        var parent = self.tree.parentElement(of: option)
        while let place = parent {
            if self.tree.name(of: place) == "select" { return place }
            parent = self.tree.parentElement(of: place)
        }
        return nil
    }

    private static let canBeDisabled: Set<String> = [
        "button", "input", "select", "textarea", "optgroup", "option", "fieldset",
    ]

    private func isDisabled(_ node: Int32, _ name: String) -> Bool {
        if self.has("disabled", node) { return true }
        if name == "option" {
            if let parent = self.tree.parentElement(of: node), self.tree.name(of: parent) == "optgroup",
                self.has("disabled", parent)
            {
                return true
            }
            return self.select(of: node).map { self.isDisabled($0, "select") } ?? false
        }
        guard name != "optgroup" else { return false }
        // A disabled fieldset disables all inside but its first legend.
        var (child, parent) = (node, self.tree.parentElement(of: node))
        while let set = parent {
            if self.tree.name(of: set) == "fieldset", self.has("disabled", set) {
                let legend = self.tree.childElements(of: set).first { self.tree.name(of: $0) == "legend" }
                if legend != child { return true }
            }
            (child, parent) = (set, self.tree.parentElement(of: set))
        }
        return false
    }

    private func canBeRequired(_ node: Int32, _ name: String) -> Bool {
        switch name {
        case "select", "textarea": true
        case "input": !["hidden", "range", "color", "submit", "image", "reset", "button"].contains(self.type(of: node))
        default: false
        }
    }

    /// https://www.rfc-editor.org/rfc/rfc4647#section-3.3.2 without wildcards inside.
    private func hasLanguage(_ ranges: [[UInt8]], _ node: Int32) -> Bool {
        var place: Int32? = node
        while let element = place {
            if let attribute = self.tree.attribute("lang", of: element) ?? self.tree.attribute("xml:lang", of: element)
            {
                let language = self.tree.value(of: attribute).map(CSSMatcher.lower)
                return ranges.contains { range in
                    if range == [UInt8(ascii: "*")] { return !language.isEmpty }
                    guard !range.isEmpty, language.starts(with: range) else { return false }
                    return language.count == range.count || language[range.count] == UInt8(ascii: "-")
                }
            }
            place = self.tree.parentElement(of: element)
        }
        return false
    }

    private func has(_ attribute: String, _ node: Int32) -> Bool { self.tree.attribute(attribute, of: node) != nil }

    private func type(of node: Int32) -> String {
        self.tree.attribute("type", of: node).map { CSSParser.lowercased(self.tree.string($0.start, $0.count)) }
            ?? "text"
    }
}
