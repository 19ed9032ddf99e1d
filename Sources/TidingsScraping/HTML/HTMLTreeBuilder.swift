import CHTML

/// Copies the parser's tree into flat arrays.
struct HTMLTreeBuilder: ~Copyable {
    var nodes: [HTMLTree.Node] = []
    var attributes: [HTMLTree.Attribute] = []
    var text: [UInt8] = []
    var names: [String] = []
    var numbers: [String: Int32] = [:]
    /// The open nodes, each with its last child so far.
    private var open: [(node: Int32, last: Int32)] = []
    private var inertDepth = 0

    init() {
        self.nodes.append(
            HTMLTree.Node(
                kind: .document, isHTML: false, isInert: false, parent: -1, end: 1, previous: -1, name: -1, start: 0,
                count: 0))
        self.open.append((0, -1))
    }

    /// Everything that the parse has.
    mutating func read(_ parse: OpaquePointer) {
        var item = chtml_item()
        while true {
            chtml_next(parse, &item)
            switch item.kind {
            case CHTML_OPEN: self.openElement(&item)
            case CHTML_CLOSE: self.close()
            case CHTML_TEXT: self.add(.text, item)
            case CHTML_COMMENT: self.add(.comment, item)
            case CHTML_DOCTYPE: self.add(.doctype, item)
            default:
                self.close()
                return
            }
        }
    }

    private mutating func append(_ kind: HTMLTree.Kind, isHTML: Bool, name: Int32, start: Int, count: Int) -> Int32 {
        let number = Int32(self.nodes.count)
        let top = self.open.count - 1
        self.nodes.append(
            HTMLTree.Node(
                kind: kind, isHTML: isHTML, isInert: self.inertDepth > 0, parent: self.open[top].node, end: number + 1,
                previous: self.open[top].last, name: name, start: Int32(start), count: Int32(count)))
        self.open[top].last = number
        return number
    }

    private mutating func openElement(_ item: inout chtml_item) {
        let name = self.number(of: Self.bytes(item.text, item.length))
        let start = self.attributes.count
        for index in 0..<item.attributes {
            var attribute = chtml_attribute()
            chtml_attribute_at(&item, index, &attribute)
            let prefixed = String(cString: attribute.prefix) + String(cString: attribute.name)
            let place = self.text.count
            self.text.append(contentsOf: Self.bytes(attribute.value, Self.length(attribute.value)))
            self.attributes.append(
                HTMLTree.Attribute(
                    name: self.number(named: prefixed), start: Int32(place), count: Int32(self.text.count - place)))
        }
        let isHTML = item.name_space == 0
        let number = self.append(
            .element, isHTML: isHTML, name: name, start: start, count: self.attributes.count - start)
        self.open.append((number, -1))
        if self.inertDepth > 0 || (isHTML && self.names[Int(name)] == "template") { self.inertDepth += 1 }
    }

    private mutating func close() {
        let (node, _) = self.open.removeLast()
        self.nodes[Int(node)].end = Int32(self.nodes.count)
        if self.inertDepth > 0 { self.inertDepth -= 1 }
    }

    private mutating func add(_ kind: HTMLTree.Kind, _ item: chtml_item) {
        let place = self.text.count
        self.text.append(contentsOf: Self.bytes(item.text, item.length))
        _ = self.append(kind, isHTML: false, name: -1, start: place, count: item.length)
    }

    private mutating func number(of name: UnsafeRawBufferPointer) -> Int32 {
        self.number(named: String(decoding: name, as: UTF8.self))
    }

    private mutating func number(named name: String) -> Int32 {
        if let number = self.numbers[name] { return number }
        let number = Int32(self.names.count)
        self.names.append(name)
        self.numbers[name] = number
        return number
    }

    private static func bytes(_ text: UnsafePointer<CChar>?, _ length: Int) -> UnsafeRawBufferPointer {
        UnsafeRawBufferPointer(start: text, count: text == nil ? 0 : length)
    }

    private static func length(_ text: UnsafePointer<CChar>?) -> Int {
        guard let text else { return 0 }
        var length = 0
        while text[length] != 0 { length += 1 }
        return length
    }
}
