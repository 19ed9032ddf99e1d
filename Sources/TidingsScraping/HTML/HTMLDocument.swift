import CHTML

/// A page as the HTML standard's parser sees it: the tree that a browser would have before any script has run.
///
/// A value; its elements keep it alive. It never changes, so any number of tasks may read it.
///
///     let page = try HTMLDocument(text: "<ul><li class=a>One<li>Two</ul>")
///     let items = try page.select(PageSelector("li.a"))
///     print(items.first?.text ?? "none")                 // One
public struct HTMLDocument: Sendable {
    let tree: HTMLTree

    /// Parses text.
    public init(text: String, limits: HTMLLimits = HTMLLimits()) throws(HTMLError) {
        try self.init(utf8: Array(text.utf8), limits: limits)
    }

    /// Parses the bytes of a page, in whatever charset they are; see ``HTMLCharset/detect(_:contentType:)``.
    /// - Parameter contentType: the value of the response's `Content-Type`, if it had one.
    public init(bytes: [UInt8], contentType: String? = nil, limits: HTMLLimits = HTMLLimits()) throws(HTMLError) {
        guard bytes.count <= limits.bytes else { throw Self.tooLarge(bytes.count, limits) }
        let charset = HTMLCharset.detect(bytes, contentType: contentType)
        try self.init(utf8: charset.utf8(from: bytes), limits: limits)
    }

    private init(utf8: [UInt8], limits: HTMLLimits) throws(HTMLError) {
        guard utf8.count <= limits.bytes else { throw Self.tooLarge(utf8.count, limits) }
        self.tree = try Self.parse(utf8, limits)
    }

    private static func tooLarge(_ count: Int, _ limits: HTMLLimits) -> HTMLError {
        HTMLError(.tooLarge, "the page has \(count) bytes, at most \(limits.bytes) are read")
    }

    private static func parse(_ utf8: [UInt8], _ limits: HTMLLimits) throws(HTMLError) -> HTMLTree {
        // A tree has no more than two nodes a byte; the numbers of nodes are 32 bits wide.
        guard utf8.count < Int(Int32.max) / 4 else { throw Self.tooLarge(utf8.count, limits) }
        var status = CHTML_OK
        let tree: HTMLTree? = utf8.withUnsafeBytes { bytes in
            let start = bytes.bindMemory(to: CChar.self).baseAddress
            return withUnsafePointer(to: CChar(0)) { nothing in
                guard
                    let parse = chtml_parse_utf8(
                        start ?? nothing, bytes.count, limits.memory, limits.milliseconds, &status)
                else { return nil }
                defer { chtml_parse_free(parse) }
                var builder = HTMLTreeBuilder()
                builder.read(parse)
                return HTMLTree(builder, isQuirky: chtml_parse_is_quirky(parse) != 0)
            }
        }
        if let tree { return tree }
        switch status {
        case CHTML_NO_MEMORY:
            throw HTMLError(.memory, "the page's tree wants more than \(limits.memory) bytes of memory")
        case CHTML_TOO_SLOW:
            throw HTMLError(.time, "reading the page takes more than \(limits.milliseconds) ms of processor time")
        default: throw HTMLError(.parser, "libgumbo cannot read the page")
        }
    }

    /// The `html` element; nil only for a page without any, which the standard's parser never makes.
    public var root: HTMLElement? {
        self.tree.childElements(of: 0).first.map { HTMLElement(tree: self.tree, node: $0) }
    }

    /// Every element in document order, without what is inside a `template`.
    public var elements: [HTMLElement] {
        (0..<Int32(self.tree.nodes.count)).compactMap { node in
            let place = self.tree.nodes[Int(node)]
            return place.kind == .element && !place.isInert ? HTMLElement(tree: self.tree, node: node) : nil
        }
    }

    /// The text of the first `title`, with spaces as a reader sees them.
    public var title: String? {
        self.elements.first { $0.name == "title" && $0.isHTML }?.text
    }

    /// The page as text again, as the HTML standard serializes it.
    public var html: String { HTMLSerializer(self.tree).children(of: 0) }

    /// Whether the page has no doctype that a browser takes seriously; classes and ids then match without case.
    public var isQuirky: Bool { self.tree.isQuirky }
}
