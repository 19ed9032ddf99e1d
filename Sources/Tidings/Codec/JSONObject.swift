/// A JSON object, held as its own compact text: order, digits and escapes stay as they were.
///
/// Looking a member up reads the text, so take what you need once. Copying costs one reference. Where a name stands
/// more than once the last one counts, and all are kept.
///
/// - Note: `@unchecked Sendable` is sound: the header and the bytes of the storage are written before the first reference
///   to it is shared, and never again.
public struct JSONObject: @unchecked Sendable {
    /// The bytes and what was learnt while checking them.
    final class Storage: ManagedBuffer<Header, UInt8> {}

    struct Header {
        var count: Int
        /// How many containers stand inside one another, this one included.
        var depth: Int
        var names: Names
    }

    /// The members that filters ask for again and again, where they are texts.
    struct Names {
        var symbol: Name?
        var venueSymbol: Name?
    }

    let storage: Storage

    @inline(__always)
    init(storage: Storage) {
        self.storage = storage
    }

    private static let empty = JSONObject([])

    /// `{}`
    public init() {
        self = Self.empty
    }

    public init(_ members: [(String, JSONValue)]) {
        var writer = JSONWriter()
        var names = Names()
        var depth = 0
        writer.write(byte: UInt8(ascii: "{"))
        for (index, member) in members.enumerated() {
            if index > 0 { writer.write(byte: UInt8(ascii: ",")) }
            writer.write(string: member.0)
            writer.write(byte: UInt8(ascii: ":"))
            writer.write(member.1)
            depth = max(depth, member.1.depth)
            if member.0 == "symbol" { names.symbol = member.1.string.map { Name($0) } }
            if member.0 == "venue_symbol" { names.venueSymbol = member.1.string.map { Name($0) } }
        }
        writer.write(byte: UInt8(ascii: "}"))
        self.storage = writer.withBytes { Self.makeStorage($0, names: names, depth: depth + 1) }
    }

    /// Reads the text of one JSON object.
    public init(json: String) throws(EventDecodingError) {
        self = try json.withRawUTF8 { bytes throws(EventDecodingError) in try JSONObject(json: bytes) }
    }

    package init(json bytes: UnsafeRawBufferPointer) throws(EventDecodingError) {
        do throws(JSONSyntaxError) {
            var reader = JSONReader(bytes)
            let object = try reader.readObject()
            try reader.expectEnd()
            self = object
        } catch {
            throw EventDecodingError(error)
        }
    }

    /// Bytes that are known to be the compact text of an object.
    @inline(__always)
    init(compact bytes: UnsafeRawBufferPointer, names: Names, depth: Int) {
        self.storage = Self.makeStorage(bytes, names: names, depth: depth)
    }

    /// The same, where the rest has to be found out.
    init(compact bytes: UnsafeRawBufferPointer) {
        var object: JSONObject?
        if let start = bytes.baseAddress {
            var scanner = JSONScanner(
                start.assumingMemoryBound(to: UInt8.self), count: bytes.count, depthLimit: .max)
            object = scanner.object(depth: 0)
        }
        assert(object != nil, "a JSON object was to hold text that is none")
        self = object ?? JSONObject(compact: bytes, names: Names(), depth: 1)
    }

    /// The same with names that are known.
    init(compact bytes: UnsafeRawBufferPointer, names: Names) {
        self.init(compact: bytes, names: names, depth: JSONObject(compact: bytes).depth)
    }

    @inline(never)
    init(removingWhitespaceFrom bytes: UnsafeRawBufferPointer, names: Names, depth: Int) {
        var writer = JSONWriter(capacity: bytes.count)
        writer.write(withoutWhitespace: bytes)
        self.storage = writer.withBytes { Self.makeStorage($0, names: names, depth: depth) }
    }

    @inline(__always)
    private static func makeStorage(_ bytes: UnsafeRawBufferPointer, names: Names, depth: Int) -> Storage {
        let buffer = Storage.create(minimumCapacity: bytes.count) { _ in
            Header(count: bytes.count, depth: depth, names: names)
        }
        buffer.withUnsafeMutablePointerToElements { target in
            UnsafeMutableRawBufferPointer(start: target, count: bytes.count).copyMemory(from: bytes)
        }
        // `create` returns the class it was called on.
        return unsafeDowncast(buffer, to: Storage.self)
    }

    /// The compact JSON text; valid only inside `body`.
    package func withUTF8<Result, Failure: Error>(
        _ body: (UnsafeRawBufferPointer) throws(Failure) -> Result
    ) throws(Failure) -> Result {
        try self.storage.withUnsafeMutablePointers { header, elements throws(Failure) in
            try body(UnsafeRawBufferPointer(start: elements, count: header.pointee.count))
        }
    }

    /// The member `symbol`, when it is a text.
    public var symbol: Name? {
        self.storage.header.names.symbol
    }

    /// The member `venue_symbol`, when it is a text.
    public var venueSymbol: Name? {
        self.storage.header.names.venueSymbol
    }

    public var isEmpty: Bool {
        self.storage.header.count == 2
    }

    /// How many containers stand inside one another, this one included.
    package var depth: Int {
        self.storage.header.depth
    }
}

extension JSONValue {
    /// How many containers stand inside one another.
    fileprivate var depth: Int {
        switch self {
        case .object(let object): object.depth
        case .array(let values): 1 + values.reduce(0) { max($0, $1.depth) }
        default: 0
        }
    }
}

// MARK: Members

extension JSONObject {
    /// The value of a member; `nil` when there is none by that name.
    public subscript(key: String) -> JSONValue? {
        self.withUTF8 { bytes in
            guard let offset = key.withRawUTF8({ Self.value(of: $0, in: bytes) }) else { return nil }
            var reader = JSONReader(bytes, at: offset)
            // What our own code put together may be deeper than what is accepted from outside.
            reader.depthLimit = .max
            return try? reader.readValue()
        }
    }

    /// Where the value of the last member by this name stands.
    private static func value(of key: UnsafeRawBufferPointer, in bytes: UnsafeRawBufferPointer) -> Int? {
        guard let base = bytes.baseAddress else { return nil }
        let start = base.assumingMemoryBound(to: UInt8.self)
        var found: Int?
        var scanner = JSONScanner(start, count: bytes.count, depthLimit: .max)
        guard scanner.take(UInt8(ascii: "{")), !scanner.take(UInt8(ascii: "}")) else { return nil }
        while let name = scanner.key() {
            let isWanted = name.hasEscapes ? name.withUTF8 { areEqualBytes($0, key) } : areEqualBytes(name.bytes, key)
            if isWanted { found = scanner.at - start }
            guard scanner.skipValue(depth: 1), scanner.another(before: UInt8(ascii: "}")) == true else { break }
        }
        return found
    }

    /// Names and values, in order.
    public var members: [(key: String, value: JSONValue)] {
        var members: [(String, JSONValue)] = []
        self.forEachMember { name, reader throws(JSONSyntaxError) in
            members.append((name.decoded(), try reader.readValue()))
        }
        return members
    }

    /// This object with a member set: in its place when it was there, else at the end. `nil` takes it out.
    public func setting(_ key: String, to value: JSONValue?) -> JSONObject {
        var members = self.members.map { ($0.key, $0.value) }
        let places = members.indices.filter { members[$0].0.utf8.elementsEqual(key.utf8) }
        if let value, let last = places.last {
            members[last].1 = value
        } else if let value {
            members.append((key, value))
        } else {
            members.removeAll { $0.0.utf8.elementsEqual(key.utf8) }
        }
        return JSONObject(members)
    }

    /// Visits each member; `body` has to read or skip the value.
    package func forEachMember(
        _ body: (RawJSONString, inout JSONReader) throws(JSONSyntaxError) -> Void
    ) {
        self.withUTF8 { bytes in
            do throws(JSONSyntaxError) {
                var reader = JSONReader(bytes)
                // What our own code put together may be deeper than what is accepted from outside.
                reader.depthLimit = .max
                try reader.beginObject()
                var isFirst = true
                while let key = try reader.nextKey(isFirst: &isFirst) {
                    try body(key, &reader)
                }
            } catch {
                // The text was checked when the object was made.
                assertionFailure("a JSON object holds text that is none: \(error.message)")
            }
        }
    }
}

extension JSONObject: Hashable, CustomStringConvertible, ExpressibleByDictionaryLiteral {
    /// Equal texts: the same members in the same order with the same digits.
    public static func == (left: JSONObject, right: JSONObject) -> Bool {
        left.storage === right.storage
            || left.withUTF8 { left in right.withUTF8 { right in areEqualBytes(left, right) } }
    }

    public func hash(into hasher: inout Hasher) {
        self.withUTF8 { hasher.combine(bytes: $0) }
    }

    /// Compact JSON.
    public var description: String {
        self.withUTF8 { String(decoding: $0, as: UTF8.self) }
    }

    public init(dictionaryLiteral elements: (String, JSONValue)...) {
        self.init(elements)
    }
}

extension JSONReader {
    /// Reads one object, keeping its text without the white space between tokens.
    package mutating func readObject(depth: Int = 0) throws(JSONSyntaxError) -> JSONObject {
        guard depth < self.depthLimit else { throw self.error(.tooDeep) }
        let outerWhitespace = self.sawWhitespace
        let outerDepth = self.deepest
        self.deepest = depth + 1
        self.skipWhitespace()
        self.sawWhitespace = false
        let start = self.index
        try self.beginObject()
        var names = JSONObject.Names()
        var isFirst = true
        while let key = try self.nextKey(isFirst: &isFirst) {
            if key.equals("symbol") {
                names.symbol = try self.readName(depth: depth + 1)
            } else if key.equals("venue_symbol") {
                names.venueSymbol = try self.readName(depth: depth + 1)
            } else {
                try self.skipValue(depth: depth + 1)
            }
        }
        let text = self.slice(start..<self.index)
        let isCompact = !self.sawWhitespace
        self.sawWhitespace = self.sawWhitespace || outerWhitespace
        let levels = self.deepest - depth
        self.deepest = max(self.deepest, outerDepth)
        if isCompact { return JSONObject(compact: text, names: names, depth: levels) }
        return JSONObject(removingWhitespaceFrom: text, names: names, depth: levels)
    }

    /// A text; anything else is passed over.
    mutating func readName(depth: Int = 0) throws(JSONSyntaxError) -> Name? {
        guard try self.kind() == .string else {
            try self.skipValue(depth: depth)
            return nil
        }
        return try self.readString().withUTF8 { Name(validated: $0) }
    }
}

extension JSONWriter {
    /// Copies valid JSON, leaving out the white space between tokens.
    package mutating func write(withoutWhitespace json: UnsafeRawBufferPointer) {
        var inString = false
        var index = 0
        while index < json.count {
            let byte = json[index]
            if inString {
                self.write(byte: byte)
                if byte == UInt8(ascii: "\\") && index + 1 < json.count {
                    index += 1
                    self.write(byte: json[index])
                } else if byte == UInt8(ascii: "\"") {
                    inString = false
                }
            } else if byte > 0x20 {
                self.write(byte: byte)
                inString = byte == UInt8(ascii: "\"")
            }
            index += 1
        }
    }
}
