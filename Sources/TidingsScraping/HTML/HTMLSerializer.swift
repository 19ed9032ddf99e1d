/// A tree as text; https://html.spec.whatwg.org/multipage/parsing.html#serialising-html-fragments
struct HTMLSerializer {
    private let tree: HTMLTree

    init(_ tree: HTMLTree) {
        self.tree = tree
    }

    private static let void: Set<String> = [
        "area", "base", "basefont", "bgsound", "br", "col", "embed", "frame", "hr", "img", "input", "keygen", "link",
        "meta", "param", "source", "track", "wbr",
    ]
    private static let verbatim: Set<String> = ["style", "script", "xmp", "iframe", "noembed", "noframes", "plaintext"]

    func node(_ node: Int32) -> String {
        self.text(from: node, to: self.tree.nodes[Int(node)].end)
    }

    func children(of node: Int32) -> String {
        self.text(from: node + 1, to: self.tree.nodes[Int(node)].end)
    }

    /// Without recursion: pages nest as deep as they like.
    private func text(from first: Int32, to end: Int32) -> String {
        var result: [UInt8] = []
        var open: [Int32] = []
        var node = first
        while node < end || !open.isEmpty {
            if let last = open.last, self.tree.nodes[Int(last)].end <= node {
                open.removeLast()
                self.closeTag(last, into: &result)
                continue
            }
            let place = self.tree.nodes[Int(node)]
            switch place.kind {
            case .document: break
            case .doctype:
                result += "<!DOCTYPE ".utf8
                result += self.bytes(place)
                result += ">".utf8
            case .comment:
                result += "<!--".utf8
                result += self.bytes(place)
                result += "-->".utf8
            case .text: self.append(place, into: &result)
            case .element:
                self.openTag(node, into: &result)
                if !Self.void.contains(self.tree.name(of: node)) { open.append(node) }
            }
            node += 1
        }
        return String(decoding: result, as: UTF8.self)
    }

    private func bytes(_ place: HTMLTree.Node) -> ArraySlice<UInt8> {
        self.tree.text[Int(place.start)..<Int(place.start) + Int(place.count)]
    }

    private func append(_ place: HTMLTree.Node, into result: inout [UInt8]) {
        let parent = self.tree.nodes[Int(place.parent)]
        if parent.kind == .element, parent.isHTML, Self.verbatim.contains(self.tree.names[Int(parent.name)]) {
            result += self.bytes(place)
        } else {
            Self.escape(self.bytes(place), isAttribute: false, into: &result)
        }
    }

    private func openTag(_ node: Int32, into result: inout [UInt8]) {
        let place = self.tree.nodes[Int(node)]
        result.append(UInt8(ascii: "<"))
        result += self.tree.name(of: node).utf8
        for attribute in self.tree.attributes[Int(place.start)..<Int(place.start) + Int(place.count)] {
            result.append(UInt8(ascii: " "))
            result += self.tree.names[Int(attribute.name)].utf8
            result += "=\"".utf8
            Self.escape(self.tree.value(of: attribute), isAttribute: true, into: &result)
            result.append(UInt8(ascii: "\""))
        }
        result.append(UInt8(ascii: ">"))
    }

    private func closeTag(_ node: Int32, into result: inout [UInt8]) {
        result += "</".utf8
        result += self.tree.name(of: node).utf8
        result.append(UInt8(ascii: ">"))
    }

    private static func escape(_ text: ArraySlice<UInt8>, isAttribute: Bool, into result: inout [UInt8]) {
        var index = text.startIndex
        while index < text.endIndex {
            let byte = text[index]
            switch byte {
            case UInt8(ascii: "&"): result += "&amp;".utf8
            case UInt8(ascii: "\"") where isAttribute: result += "&quot;".utf8
            case UInt8(ascii: "<") where !isAttribute: result += "&lt;".utf8
            case UInt8(ascii: ">") where !isAttribute: result += "&gt;".utf8
            case 0xC2 where index + 1 < text.endIndex && text[index + 1] == 0xA0:
                result += "&nbsp;".utf8
                index += 1
            default: result.append(byte)
            }
            index += 1
        }
    }
}
