extension EventTree {
    /// The tree as the HTTP interface gives it, compact, on one line:
    /// `{"event_id":"...","incomplete":false,"root":{"offset":n,"event":{...},"elapsed_ms":n,"children":[...]}}`.
    public var json: String {
        var writer = JSONWriter(capacity: 512 * self.nodes.count)
        writer.write(self)
        return writer.string()
    }
}

extension JSONWriter {
    package mutating func write(_ tree: EventTree) {
        self.literal("{\"event_id\":")
        self.write(tree.eventID)
        self.literal(",\"incomplete\":")
        self.write(tree.isIncomplete)
        self.literal(",\"root\":")
        var open = 0
        for (index, node) in tree.nodes.enumerated() {
            // The nodes come depth first: one that is not deeper than the last ends it, and what is between them.
            while open > node.depth {
                self.literal("]}")
                open -= 1
            }
            if index > 0 && node.depth < tree.nodes[index - 1].depth + 1 { self.literal(",") }
            self.literal("{\"offset\":")
            self.write(node.offset)
            self.literal(",\"event\":")
            node.logged.withJSON { self.write(bytes: $0) }
            self.literal(",\"elapsed_ms\":")
            self.write(node.elapsedMs)
            self.literal(",\"children\":[")
            open = node.depth + 1
        }
        for _ in 0..<open { self.literal("]}") }
        self.literal("}")
    }
}

extension EventTree {
    /// Reads a tree as ``json`` writes it, however deep it is.
    package init(json bytes: UnsafeRawBufferPointer) throws(EventDecodingError) {
        var parser = EventTreeParser()
        do throws(JSONSyntaxError) {
            var reader = JSONReader(bytes)
            try parser.read(&reader)
            try reader.expectEnd()
        } catch {
            throw EventDecodingError(error)
        }
        self = try parser.tree()
    }
}

/// Reads a tree without recursion: its depth is decided by others.
private struct EventTreeParser {
    private struct Node {
        var offset: Int64?
        var event: [UInt8]?
        var elapsedMs: ExactDecimal?
        let depth: Int
    }

    /// An object that has begun and not ended.
    private struct Frame {
        let node: Int
        var isFirstKey = true
        /// Whether its children are being read.
        var isInChildren = false
        var isFirstChild = true
    }

    private var eventID: String?
    private var isIncomplete = false
    private var nodes: [Node] = []

    mutating func read(_ reader: inout JSONReader) throws(JSONSyntaxError) {
        try reader.beginObject()
        var isFirst = true
        while let key = try reader.nextKey(isFirst: &isFirst) {
            if key.equals("event_id") {
                self.eventID = try reader.readString().decoded()
            } else if key.equals("incomplete") {
                self.isIncomplete = try reader.readBool()
            } else if key.equals("root"), self.nodes.isEmpty {
                try self.readNodes(&reader)
            } else {
                try reader.skipValue()
            }
        }
    }

    private mutating func readNodes(_ reader: inout JSONReader) throws(JSONSyntaxError) {
        var stack = [try self.begin(&reader, depth: 0)]
        while var frame = stack.popLast() {
            if frame.isInChildren {
                if try reader.nextElement(isFirst: &frame.isFirstChild) {
                    stack.append(frame)
                    stack.append(try self.begin(&reader, depth: stack.count))
                    continue
                }
                frame.isInChildren = false
            }
            guard let key = try reader.nextKey(isFirst: &frame.isFirstKey) else { continue }
            if key.equals("children") {
                try reader.beginArray()
                frame.isInChildren = true
            } else if key.equals("offset") {
                self.nodes[frame.node].offset = try reader.count().flatMap { Int64(exactly: $0) }
            } else if key.equals("event") {
                self.nodes[frame.node].event = Array(reader.slice(try reader.skipValue()))
            } else if key.equals("elapsed_ms") {
                self.nodes[frame.node].elapsedMs = try reader.readNumber()
            } else {
                try reader.skipValue()
            }
            stack.append(frame)
        }
    }

    private mutating func begin(_ reader: inout JSONReader, depth: Int) throws(JSONSyntaxError) -> Frame {
        try reader.beginObject()
        self.nodes.append(Node(depth: depth))
        return Frame(node: self.nodes.count - 1)
    }

    func tree() throws(EventDecodingError) -> EventTree {
        guard let id = self.eventID.flatMap({ EventID($0) }) else { throw Self.missing("event_id") }
        guard !self.nodes.isEmpty else { throw Self.missing("root") }
        var nodes: [EventTree.Node] = []
        for node in self.nodes {
            guard let offset = node.offset else { throw Self.missing("offset") }
            guard let json = node.event else { throw Self.missing("event") }
            guard let elapsedMs = node.elapsedMs else { throw Self.missing("elapsed_ms") }
            let logged = LoggedEvent(offset: offset, json: json)
            nodes.append(
                EventTree.Node(logged: logged, event: try logged.event(), elapsedMs: elapsedMs, depth: node.depth))
        }
        return EventTree(eventID: id, isIncomplete: self.isIncomplete, nodes: nodes)
    }

    private static func missing(_ field: String) -> EventDecodingError {
        EventDecodingError(.missingField, field: field, message: "is required")
    }
}
