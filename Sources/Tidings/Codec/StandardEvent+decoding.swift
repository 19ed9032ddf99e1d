/// What is filled in where an event leaves it out.
public struct EventDecodingDefaults: Sendable {
    /// The source of an event that names none.
    public var source: Name
    /// The longest event that is accepted, in bytes.
    public var maximumByteCount: Int

    public init(source: Name, maximumByteCount: Int = 1 << 20) {
        self.source = source
        self.maximumByteCount = maximumByteCount
    }
}

extension StandardEvent {
    /// Reads an event as anybody may write it; see the contract for what is accepted and what is filled in.
    public init(json: String, defaults: EventDecodingDefaults) throws(EventDecodingError) {
        self = try json.withRawUTF8 { bytes throws(EventDecodingError) in
            try StandardEvent(json: bytes, defaults: defaults)
        }
    }

    package init(json bytes: UnsafeRawBufferPointer, defaults: EventDecodingDefaults) throws(EventDecodingError) {
        if bytes.count <= defaults.maximumByteCount, let start = bytes.baseAddress {
            var scanner = JSONScanner(start.assumingMemoryBound(to: UInt8.self), count: bytes.count)
            self.init()
            if EnvelopeScanner.read(&scanner, into: &self, defaults: defaults), scanner.token() == 0,
                scanner.at == scanner.end
            {
                return
            }
        }
        self = try StandardEvent(carefully: bytes, defaults: defaults)
    }

    /// Reads an event without the scanner; see ``EnvelopeScanner``.
    @inline(never)
    package init(carefully bytes: UnsafeRawBufferPointer, defaults: EventDecodingDefaults) throws(EventDecodingError) {
        var reader = JSONReader(bytes)
        self = try StandardEvent(carefullyFrom: &reader, defaults: defaults)
        do throws(JSONSyntaxError) {
            try reader.expectEnd()
        } catch {
            throw EventDecodingError(error)
        }
    }

    /// Reads the event that stands next, leaving the reader behind it.
    package init(from reader: inout JSONReader, defaults: EventDecodingDefaults) throws(EventDecodingError) {
        let rest = reader.slice(reader.index..<reader.bytes.count)
        if let start = rest.baseAddress {
            let bytes = start.assumingMemoryBound(to: UInt8.self)
            var scanner = JSONScanner(bytes, count: rest.count)
            self.init()
            if EnvelopeScanner.read(&scanner, into: &self, defaults: defaults),
                scanner.at - bytes <= defaults.maximumByteCount
            {
                reader.index += scanner.at - bytes
                reader.sawWhitespace = reader.sawWhitespace || scanner.sawWhitespace
                return
            }
        }
        self = try StandardEvent(carefullyFrom: &reader, defaults: defaults)
    }

    private init(carefullyFrom reader: inout JSONReader, defaults: EventDecodingDefaults) throws(EventDecodingError) {
        let start = reader.index
        var envelope = EnvelopeDecoder()
        do throws(JSONSyntaxError) {
            let kind = try reader.kind()
            guard kind == .object else {
                try reader.skipValue()
                throw JSONSyntaxError(problem: .unexpectedByte(0), offset: -1)
            }
            try reader.beginObject()
            var isFirst = true
            while let key = try reader.nextKey(isFirst: &isFirst) {
                try envelope.read(key, &reader)
            }
        } catch {
            if error.offset < 0 { throw EventDecodingError(.notAnObject, message: "an event must be a JSON object") }
            throw EventDecodingError(error)
        }
        guard reader.index - start <= defaults.maximumByteCount else {
            throw EventDecodingError(
                .tooLarge,
                message: "the event has \(reader.index - start) bytes, the limit is \(defaults.maximumByteCount)")
        }
        self = try envelope.finish(defaults)
    }
}

/// Collects the members of an envelope; the first problem is kept and the rest of the text still read, so that a bad
/// event in the middle of an array does not hide the ones behind it.
private struct EnvelopeDecoder {
    private var id: EventID?
    private var type: EventType?
    private var timestamp: Timestamp?
    private var source: Name?
    private var payload: JSONObject?
    private var correlation: EventID?
    private var parent: EventID?
    private var priority: EventPriority?
    private var processedAt: Timestamp?
    private var processingTime: ExactDecimal?
    private var extra: [UInt8] = []
    private var problem: EventDecodingError?

    func finish(_ defaults: EventDecodingDefaults) throws(EventDecodingError) -> StandardEvent {
        if let problem = self.problem { throw problem }
        guard let type = self.type else {
            throw EventDecodingError(.missingField, field: "event_type", message: "is required")
        }
        var event = StandardEvent(
            eventType: type, source: self.source ?? defaults.source,
            payload: self.payload.map { .object($0) } ?? .empty, priority: self.priority ?? .normal,
            timestamp: self.timestamp, eventID: self.id, correlationID: self.correlation, parentEventID: self.parent)
        if self.processedAt != nil || self.processingTime != nil || !self.extra.isEmpty {
            event.setProcessing(at: self.processedAt, timeMs: self.processingTime)
            if !self.extra.isEmpty {
                event.extra = ([UInt8(ascii: "{")] + self.extra + [UInt8(ascii: "}")]).withUnsafeBytes {
                    JSONObject(compact: $0)
                }
            }
        }
        return event
    }

    @inline(__always)
    mutating func read(_ key: RawJSONString, _ reader: inout JSONReader) throws(JSONSyntaxError) {
        switch key.bytes.count {
        case 6 where key.equals("source"): try self.readSource(&reader)
        case 7 where key.equals("payload"): try self.readPayload(&reader)
        case 8 where key.equals("event_id"): self.id = try self.readID("event_id", &reader)
        case 8 where key.equals("priority"): try self.readPriority(&reader)
        case 9 where key.equals("timestamp"): self.timestamp = try self.readTimestamp("timestamp", &reader)
        case 10 where key.equals("event_type"): try self.readType(&reader)
        case 12 where key.equals("processed_at"): self.processedAt = try self.readTimestamp("processed_at", &reader)
        case 14 where key.equals("correlation_id"): self.correlation = try self.readID("correlation_id", &reader)
        case 15 where key.equals("parent_event_id"): self.parent = try self.readID("parent_event_id", &reader)
        case 18 where key.equals("processing_time_ms"): try self.readProcessingTime(&reader)
        default: try self.readOther(key, &reader)
        }
    }

    private mutating func fail(_ field: String, _ message: String) {
        self.problem = self.problem ?? EventDecodingError(.invalid(field), field: field, message: message)
    }

    private mutating func readID(_ field: String, _ reader: inout JSONReader) throws(JSONSyntaxError) -> EventID? {
        if try reader.readNull() { return nil }
        guard try reader.kind() == .string else {
            try reader.skipValue()
            self.fail(field, "must be a string")
            return nil
        }
        let text = try reader.readString()
        let id: EventID? = text.withUTF8 { bytes in
            (1...EventID.maximumByteCount).contains(bytes.count) ? EventID(validated: bytes) : nil
        }
        if id == nil { self.fail(field, "must have 1...128 bytes, had \(text.decoded().utf8.count)") }
        return id
    }

    private mutating func readType(_ reader: inout JSONReader) throws(JSONSyntaxError) {
        if try reader.readNull() {
            self.type = nil
            return
        }
        guard try reader.kind() == .string else {
            try reader.skipValue()
            return self.fail("event_type", "must be a string")
        }
        let text = try reader.readString()
        self.type = text.withUTF8 { EventType(bytes: $0) }
        if self.type == nil {
            self.fail("event_type", "must be 1...128 of A-Z a-z 0-9 _ . - :, was \"\(text.decoded().prefix(64))\"")
        }
    }

    private mutating func readSource(_ reader: inout JSONReader) throws(JSONSyntaxError) {
        if try reader.readNull() {
            self.source = nil
            return
        }
        guard try reader.kind() == .string else {
            try reader.skipValue()
            return self.fail("source", "must be a string")
        }
        let text = try reader.readString()
        let isLengthAllowed = text.withUTF8 { (1...128).contains($0.count) }
        guard isLengthAllowed else { return self.fail("source", "must have 1...128 bytes") }
        self.source = text.withUTF8 { Name(validated: $0) }
    }

    private mutating func readPayload(_ reader: inout JSONReader) throws(JSONSyntaxError) {
        if try reader.readNull() {
            self.payload = nil
            return
        }
        guard try reader.kind() == .object else {
            try reader.skipValue()
            return self.fail("payload", "must be an object")
        }
        self.payload = try reader.readObject(depth: 1)
    }

    private mutating func readPriority(_ reader: inout JSONReader) throws(JSONSyntaxError) {
        if try reader.readNull() {
            self.priority = nil
            return
        }
        let text: String
        let value: Int?
        switch try reader.kind() {
        case .number:
            text = String(decoding: try reader.readNumberBytes(), as: UTF8.self)
            // JSON has one kind of number, and 5.0 is the integer 5.
            value = Int(text) ?? Double(text).flatMap { Int(exactly: $0) }
        case .string:
            text = try reader.readString().decoded()
            value = Int(text)
        default:
            try reader.skipValue()
            return self.fail("priority", "must be an integer")
        }
        guard let value, let priority = EventPriority(value) else {
            return self.fail("priority", "must be 1...10, was \(text.prefix(32))")
        }
        self.priority = priority
    }

    private mutating func readTimestamp(
        _ field: String, _ reader: inout JSONReader
    ) throws(JSONSyntaxError) -> Timestamp? {
        if try reader.readNull() { return nil }
        let kind = try reader.kind()
        guard kind == .string || kind == .number else {
            try reader.skipValue()
            self.fail(field, "must be an RFC 3339 date or a Unix number")
            return nil
        }
        let start = reader.index
        if let timestamp = try reader.looseTimestamp() { return timestamp }
        let shown = String(decoding: reader.slice(start..<reader.index).prefix(64), as: UTF8.self)
        self.fail(field, "must be an RFC 3339 date or a Unix number between 1678 and 2261, was \(shown)")
        return nil
    }

    private mutating func readProcessingTime(_ reader: inout JSONReader) throws(JSONSyntaxError) {
        if try reader.readNull() {
            self.processingTime = nil
            return
        }
        guard try reader.kind() == .number else {
            try reader.skipValue()
            return self.fail("processing_time_ms", "must be a number")
        }
        self.processingTime = try reader.readNumber()
    }

    private mutating func readOther(_ key: RawJSONString, _ reader: inout JSONReader) throws(JSONSyntaxError) {
        if key.hasEscapes {
            // A known key in disguise.
            let plain = key.decoded()
            if Self.knownKeys.contains(plain) {
                return try plain.withRawUTF8 { bytes throws(JSONSyntaxError) in
                    try self.read(RawJSONString(bytes: bytes, hasEscapes: false), &reader)
                }
            }
        }
        let range = try reader.skipValue(depth: 1)
        var writer = JSONWriter(capacity: key.bytes.count + range.count + 8)
        if !self.extra.isEmpty { writer.write(byte: UInt8(ascii: ",")) }
        writer.write(byte: UInt8(ascii: "\""))
        writer.write(bytes: key.bytes)
        writer.literal("\":")
        writer.write(withoutWhitespace: reader.slice(range))
        writer.withBytes { self.extra.append(contentsOf: $0) }
    }

    private static let knownKeys: Set<String> = [
        "event_id", "event_type", "timestamp", "source", "payload", "correlation_id", "parent_event_id", "priority",
        "processed_at", "processing_time_ms",
    ]
}
