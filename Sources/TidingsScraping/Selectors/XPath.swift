import CHTML
import Tidings

/// An XPath 1.0 expression; https://www.w3.org/TR/1999/REC-xpath-19991116/
///
/// Names of elements are in lower case and without a namespace, SVG's and MathML's too. libxml2 evaluates it over the same
/// tree that CSS selectors search.
public struct XPath: Sendable, Hashable, CustomStringConvertible {
    /// Steps of libxml2's before an expression is given up.
    static let maximumWork: UInt = 20_000_000

    public let source: String

    /// - Throws: ``SelectorError`` with the column of what is wrong. That a function exists is seen only when it is called.
    public init(_ source: String) throws(SelectorError) {
        guard source.utf8.count <= CSSParser.maximumLength, !source.utf8.contains(0) else {
            throw SelectorError(.syntax, "longer than \(CSSParser.maximumLength) bytes, or with a NUL", in: "xpath")
        }
        self.source = source
        var value = chtml_value()
        chtml_check(source, &value)
        if value.kind == CHTML_FAILED { throw Self.error(value, source) }
    }

    public var description: String { self.source }

    static func error(_ value: chtml_value, _ source: String) -> SelectorError {
        let said = withUnsafeBytes(of: value.message) { bytes in
            String(decoding: bytes.prefix { $0 != 0 }, as: UTF8.self)
        }
        if value.is_syntax != 0 {
            return SelectorError(
                .syntax, said.isEmpty ? "not an XPath expression" : said, in: source,
                at: min(max(Int(value.position), 0), source.utf8.count))
        }
        let isWork = said.contains("limit")
        return SelectorError(
            isWork ? .tooMuchWork : .evaluation, said.isEmpty ? "the XPath cannot be evaluated" : said, in: source)
    }
}

/// What an XPath gives.
public enum XPathValue: Sendable, Hashable {
    /// In document order.
    case nodes([XPathNode])
    case string(String)
    case number(Double)
    case boolean(Bool)
}

/// One node that an XPath found.
public enum XPathNode: Sendable, Hashable {
    case document
    case element(HTMLElement)
    case attribute(name: String, value: String)
    case text(String)
    case comment(String)

    /// Its text: an element's ``HTMLElement/textContent``, an attribute's value.
    public var textContent: String {
        switch self {
        case .document: ""
        case .element(let element): element.textContent
        case .attribute(_, let value): value
        case .text(let text), .comment(let text): text
        }
    }
}

extension HTMLTree {
    /// Evaluates an expression from a node; 0 is the document.
    func evaluate(_ expression: String, from node: Int32, in source: String) throws(SelectorError) -> XPathValue {
        try self.xpath.withLock { cache throws(SelectorError) in
            if cache == nil { cache = XPathTree(self) }
            guard let tree = cache else {
                throw SelectorError(.evaluation, "there is no memory for the XPath's tree", in: source)
            }
            var value = tree.evaluate(expression, from: node, operations: XPath.maximumWork)
            defer { chtml_value_free(&value) }
            switch value.kind {
            case CHTML_NODES: return .nodes((0..<value.count).map { self.node(value.nodes[$0]) })
            case CHTML_STRING: return .string(value.string.map { String(cString: $0) } ?? "")
            case CHTML_NUMBER: return .number(value.number)
            case CHTML_BOOLEAN: return .boolean(value.boolean != 0)
            default: throw XPath.error(value, source)
            }
        }
    }

    private func node(_ found: chtml_found) -> XPathNode {
        guard found.number != .max else { return .document }
        let node = Int32(found.number)
        if let name = found.attribute.map({ String(cString: $0) }) {
            let value = self.attribute(name, of: node).map { self.string($0.start, $0.count) }
            return .attribute(name: name, value: value ?? "")
        }
        let place = self.nodes[Int(node)]
        switch place.kind {
        case .element: return .element(HTMLElement(tree: self, node: node))
        case .comment: return .comment(self.string(place.start, place.count))
        default: return .text(self.string(place.start, place.count))
        }
    }
}
