/// Where each element stands among its siblings, from 1; for all elements of a page at once, which costs less than counting
/// for each.
struct SiblingPositions: Sendable {
    let fromStart: [Int32]
    let fromEnd: [Int32]

    /// - Parameter counts: which elements are counted, and together with which: nil for one that is not.
    init(_ tree: HTMLTree, group: (Int32) -> Int32?) {
        var fromStart = [Int32](repeating: 0, count: tree.nodes.count)
        var fromEnd = fromStart
        var groups = fromStart
        for node in 0..<Int32(tree.nodes.count) where tree.nodes[Int(node)].kind == .element {
            groups[Int(node)] = group(node) ?? -1
        }
        var counts: [Int32: Int32] = [:]
        for parent in 0..<Int32(tree.nodes.count) {
            guard tree.nodes[Int(parent)].end > parent + 1 else { continue }
            counts.removeAll(keepingCapacity: true)
            var child = tree.firstChild(of: parent)
            while let node = child {
                child = tree.next(node)
                guard tree.nodes[Int(node)].kind == .element, groups[Int(node)] >= 0 else { continue }
                let count = counts[groups[Int(node)], default: 0] + 1
                counts[groups[Int(node)]] = count
                fromStart[Int(node)] = count
            }
            child = tree.firstChild(of: parent)
            while let node = child {
                child = tree.next(node)
                guard fromStart[Int(node)] > 0 else { continue }
                fromEnd[Int(node)] = counts[groups[Int(node)], default: 0] - fromStart[Int(node)] + 1
            }
        }
        (self.fromStart, self.fromEnd) = (fromStart, fromEnd)
    }
}
