/// One element of a page.
///
/// Two are equal when they are the same element of the same parse.
public struct HTMLElement: Sendable, Hashable {
    let tree: HTMLTree
    let node: Int32

    public static func == (left: HTMLElement, right: HTMLElement) -> Bool {
        left.node == right.node && left.tree === right.tree
    }

    public func hash(into hasher: inout Hasher) {
        hasher.combine(self.node)
        hasher.combine(ObjectIdentifier(self.tree))
    }

    /// The name, in lower case but for some of SVG's, such as `foreignObject`.
    public var name: String { self.tree.name(of: self.node) }

    /// Whether it belongs to HTML, and not to SVG or MathML.
    public var isHTML: Bool { self.tree.nodes[Int(self.node)].isHTML }

    public var document: HTMLDocument { HTMLDocument(tree: self.tree) }

    /// The value of an attribute; nil where there is none, empty where it has no value.
    /// - Parameter name: in lower case.
    public func attribute(_ name: String) -> String? {
        self.tree.attribute(name, of: self.node).map { self.tree.string($0.start, $0.count) }
    }

    /// Its attributes in the order of the source.
    public var attributes: [(name: String, value: String)] {
        let node = self.tree.nodes[Int(self.node)]
        return self.tree.attributes[Int(node.start)..<Int(node.start) + Int(node.count)].map { attribute in
            (self.tree.names[Int(attribute.name)], self.tree.string(attribute.start, attribute.count))
        }
    }

    public var parent: HTMLElement? {
        self.tree.parentElement(of: self.node).map { HTMLElement(tree: self.tree, node: $0) }
    }

    public var children: [HTMLElement] {
        self.tree.childElements(of: self.node).map { HTMLElement(tree: self.tree, node: $0) }
    }

    public var previousSibling: HTMLElement? {
        self.tree.previousElement(of: self.node).map { HTMLElement(tree: self.tree, node: $0) }
    }

    public var nextSibling: HTMLElement? {
        self.tree.nextElement(of: self.node).map { HTMLElement(tree: self.tree, node: $0) }
    }

    // MARK: Text

    /// All text inside, as it stands in the source: the DOM's `textContent`.
    public var textContent: String {
        String(decoding: HTMLText(self.tree).content(of: self.node), as: UTF8.self)
    }

    /// The text as a reader sees it: without scripts and styles, runs of white space as one space, none at the ends. Lines
    /// are not kept.
    public var text: String {
        String(decoding: HTMLText(self.tree).readable(of: self.node), as: UTF8.self)
    }

    /// The element and what is inside as text, as the HTML standard serializes it.
    public var html: String { HTMLSerializer(self.tree).node(self.node) }

    /// What is inside, likewise.
    public var innerHTML: String { HTMLSerializer(self.tree).children(of: self.node) }
}

extension HTMLElement: CustomStringConvertible {
    /// For people: `<a href="/x">`.
    public var description: String {
        "<" + self.name + self.attributes.map { " \($0.name)=\"\($0.value)\"" }.joined() + ">"
    }
}

extension HTMLDocument {
    init(tree: HTMLTree) {
        self.tree = tree
    }
}
