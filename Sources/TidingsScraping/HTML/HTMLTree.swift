import Tidings

/// The nodes of one page in document order, in a few flat arrays: what ``HTMLDocument`` and ``HTMLElement`` share.
///
/// A node's number is its place in document order, so a subtree is the range from a node to its `end`.
final class HTMLTree: Sendable {
    enum Kind: UInt8 {
        case document
        case element
        case text
        case comment
        case doctype
    }

    struct Node {
        let kind: Kind
        /// Whether the element is HTML's, and not SVG's or MathML's.
        let isHTML: Bool
        /// Inside a `template`, which is no part of the page.
        let isInert: Bool
        let parent: Int32
        /// One past its last descendant.
        var end: Int32
        /// The sibling before, of any kind; -1 for none.
        let previous: Int32
        /// For an element its name in `names`.
        let name: Int32
        /// For an element a range of `attributes`, else of `text`.
        let start: Int32
        var count: Int32
    }

    struct Attribute {
        let name: Int32
        let start: Int32
        let count: Int32
    }

    /// The document itself is node 0.
    let nodes: [Node]
    let attributes: [Attribute]
    let text: [UInt8]
    let names: [String]
    let numbers: [String: Int32]
    let isQuirky: Bool
    /// The same tree in libxml2's shape, made when the first XPath asks for it.
    let xpath = Locked<XPathTree?>(nil)

    /// Places among siblings, all and of the same name, made when a selector first asks for them.
    private let siblings = Locked<[PositionTest.Among: SiblingPositions]>([:])

    init(_ builder: consuming HTMLTreeBuilder, isQuirky: Bool) {
        self.nodes = builder.nodes
        self.attributes = builder.attributes
        self.text = builder.text
        self.names = builder.names
        self.numbers = builder.numbers
        self.isQuirky = isQuirky
    }

    func string(_ start: Int32, _ count: Int32) -> String {
        String(decoding: self.text[Int(start)..<Int(start) + Int(count)], as: UTF8.self)
    }

    func name(of node: Int32) -> String { self.names[Int(self.nodes[Int(node)].name)] }

    func attribute(_ name: Int32, of node: Int32) -> Attribute? {
        let node = self.nodes[Int(node)]
        for index in Int(node.start)..<Int(node.start) + Int(node.count) where self.attributes[index].name == name {
            return self.attributes[index]
        }
        return nil
    }

    func attribute(_ name: String, of node: Int32) -> Attribute? {
        guard let number = self.numbers[name] else { return nil }
        return self.attribute(number, of: node)
    }

    func value(of attribute: Attribute) -> ArraySlice<UInt8> {
        self.text[Int(attribute.start)..<Int(attribute.start) + Int(attribute.count)]
    }

    /// The node after it on the same level, of any kind.
    func next(_ node: Int32) -> Int32? {
        let (place, parent) = (self.nodes[Int(node)], self.nodes[Int(node)].parent)
        guard parent >= 0, place.end < self.nodes[Int(parent)].end else { return nil }
        return place.end
    }

    func firstChild(of node: Int32) -> Int32? {
        self.nodes[Int(node)].end > node + 1 ? node + 1 : nil
    }

    func parentElement(of node: Int32) -> Int32? {
        let parent = self.nodes[Int(node)].parent
        return parent >= 0 && self.nodes[Int(parent)].kind == .element ? parent : nil
    }

    func previousElement(of node: Int32) -> Int32? {
        var before = self.nodes[Int(node)].previous
        while before >= 0 {
            if self.nodes[Int(before)].kind == .element { return before }
            before = self.nodes[Int(before)].previous
        }
        return nil
    }

    func nextElement(of node: Int32) -> Int32? {
        var after = self.next(node)
        while let place = after {
            if self.nodes[Int(place)].kind == .element { return place }
            after = self.next(place)
        }
        return nil
    }

    func childElements(of node: Int32) -> [Int32] {
        var result: [Int32] = []
        var child = self.firstChild(of: node)
        while let place = child {
            if self.nodes[Int(place)].kind == .element { result.append(place) }
            child = self.next(place)
        }
        return result
    }

    func positions(_ among: PositionTest.Among, group: (Int32) -> Int32?) -> SiblingPositions {
        self.siblings.withLock { siblings in
            if let known = siblings[among] { return known }
            let made = SiblingPositions(self, group: group)
            siblings[among] = made
            return made
        }
    }
}
