/// The text of elements.
struct HTMLText {
    private let tree: HTMLTree

    init(_ tree: HTMLTree) {
        self.tree = tree
    }

    /// The texts inside, one after the other; https://dom.spec.whatwg.org/#dom-node-textcontent
    func content(of node: Int32) -> [UInt8] {
        var result: [UInt8] = []
        self.forEachText(in: node, isRaw: true) { result.append(contentsOf: $0) }
        return result
    }

    /// Without scripts and styles, runs of white space as one space, a space between blocks.
    func readable(of node: Int32) -> [UInt8] {
        var result: [UInt8] = []
        var wantsSpace = false
        self.forEachText(in: node, isRaw: false, boundary: { wantsSpace = true }) { text in
            var index = text.startIndex
            while index < text.endIndex {
                let byte = text[index]
                // The no-break space as well: a reader sees no difference.
                if byte == 0xC2, index + 1 < text.endIndex, text[index + 1] == 0xA0 {
                    wantsSpace = true
                    index += 2
                    continue
                }
                if Self.isSpace(byte) {
                    wantsSpace = true
                } else {
                    if wantsSpace, !result.isEmpty { result.append(0x20) }
                    wantsSpace = false
                    result.append(byte)
                }
                index += 1
            }
        }
        return result
    }

    static func isSpace(_ byte: UInt8) -> Bool {
        byte == 0x20 || byte == 0x0A || byte == 0x09 || byte == 0x0D || byte == 0x0C
    }

    private static let unread: Set<String> = ["script", "style", "noscript", "template"]
    /// Elements that a browser shows in line with the text around them; all others are set apart.
    private static let inline: Set<String> = [
        "a", "abbr", "acronym", "b", "bdi", "bdo", "big", "cite", "code", "data", "del", "dfn", "em", "font", "i",
        "ins",
        "kbd", "label", "mark", "nobr", "output", "q", "ruby", "s", "samp", "small", "span", "strike", "strong", "sub",
        "sup", "time", "tt", "u", "var", "wbr",
    ]

    private func forEachText(
        in root: Int32, isRaw: Bool, boundary: () -> Void = {}, _ body: (ArraySlice<UInt8>) -> Void
    ) {
        let nodes = self.tree.nodes
        let isInert = nodes[Int(root)].isInert || self.isTemplate(root)
        var ends: [Int32] = []
        var node = root
        while node < nodes[Int(root)].end {
            while let end = ends.last, end <= node {
                ends.removeLast()
                boundary()
            }
            let place = nodes[Int(node)]
            if place.isInert, !isInert {
                node = nodes[Int(place.parent)].end
                continue
            }
            if place.kind == .text {
                body(self.tree.text[Int(place.start)..<Int(place.start) + Int(place.count)])
            } else if place.kind == .element, !isRaw, node != root {
                let name = self.tree.names[Int(place.name)]
                if Self.unread.contains(name) {
                    node = place.end
                    continue
                }
                if !Self.inline.contains(name) {
                    boundary()
                    ends.append(place.end)
                }
            }
            node += 1
        }
    }

    private func isTemplate(_ node: Int32) -> Bool {
        let place = self.tree.nodes[Int(node)]
        return place.kind == .element && place.isHTML && self.tree.names[Int(place.name)] == "template"
    }
}
