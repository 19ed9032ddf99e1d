import CHTML

/// A page's tree in libxml2's shape. Only ever used under the lock of the ``HTMLTree`` that owns it.
///
/// - Note: `@unchecked Sendable` is sound: the pointer is private, never leaves the class, and the one reference to an
///   instance lives inside `HTMLTree.xpath`, a lock.
final class XPathTree: @unchecked Sendable {
    private let pointer: OpaquePointer

    /// Nil where there is no memory for it.
    init?(_ tree: HTMLTree) {
        guard let pointer = chtml_tree_new() else { return nil }
        self.pointer = pointer
        // An initializer that fails runs deinit, which frees what there is.
        guard Self.build(tree, into: pointer) else { return nil }
    }

    deinit {
        chtml_tree_free(self.pointer)
    }

    private static func build(_ tree: HTMLTree, into pointer: OpaquePointer) -> Bool {
        var open: [Int32] = []
        var node: Int32 = 1
        while Int(node) < tree.nodes.count {
            while let last = open.last, tree.nodes[Int(last)].end <= node {
                open.removeLast()
                chtml_tree_close(pointer)
            }
            let place = tree.nodes[Int(node)]
            if place.isInert {
                node = tree.nodes[Int(place.parent)].end
                continue
            }
            var isGood = true
            switch place.kind {
            case .element:
                isGood = chtml_tree_open(pointer, tree.name(of: node), UInt32(node)) != 0
                open.append(node)
                for attribute in tree.attributes[Int(place.start)..<Int(place.start) + Int(place.count)] where isGood {
                    let (name, value) = (
                        tree.names[Int(attribute.name)], tree.string(attribute.start, attribute.count)
                    )
                    isGood = chtml_tree_attribute(pointer, name, value) != 0
                }
            case .text, .comment:
                isGood = tree.text.withUnsafeBytes { text in
                    let start = text.bindMemory(to: CChar.self).baseAddress?.advanced(by: Int(place.start))
                    return place.kind == .text
                        ? chtml_tree_text(pointer, start, Int(place.count), UInt32(node)) != 0
                        : chtml_tree_comment(pointer, start, Int(place.count), UInt32(node)) != 0
                }
            case .document, .doctype: break
            }
            guard isGood else { return false }
            node += 1
        }
        return true
    }

    /// Evaluates an expression; the caller frees the value with `chtml_value_free`, under the lock still.
    func evaluate(_ expression: String, from node: Int32, operations: UInt) -> chtml_value {
        var value = chtml_value()
        chtml_evaluate(self.pointer, expression, node == 0 ? .max : UInt32(node), operations, &value)
        return value
    }
}
