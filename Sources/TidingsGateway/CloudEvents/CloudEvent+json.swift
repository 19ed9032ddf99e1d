import Tidings

extension CloudEvent {
    /// Reads the JSON of one CloudEvent (JSON Event Format for CloudEvents 1.0.2), leaving the reader behind it.
    ///
    /// - Throws: a syntax error when the text is no JSON; whatever else is wrong is in the result, with the reader behind
    ///   the value all the same.
    static func read(
        _ reader: inout JSONReader, maximumByteCount: Int
    ) throws(JSONSyntaxError) -> Result<CloudEvent, EventDecodingError> {
        guard try reader.kind() == .object else {
            try reader.skipValue()
            return .failure(EventDecodingError(.notAnObject, message: "an event must be a JSON object"))
        }
        let start = reader.index
        var members = CloudEventMembers()
        try reader.beginObject()
        var isFirst = true
        while let key = try reader.nextKey(isFirst: &isFirst) { try members.read(key, &reader) }
        let length = reader.index - start
        if length > maximumByteCount {
            return .failure(
                EventDecodingError(
                    .tooLarge, message: "the event has \(length) bytes, the limit is \(maximumByteCount)"))
        }
        return members.problem.map { .failure($0) } ?? .success(members.event)
    }
}

/// Collects the members of a CloudEvent; the first problem is kept and the rest of the text still read, so that a bad
/// event in the middle of a batch does not hide the ones behind it.
private struct CloudEventMembers {
    var event = CloudEvent()
    var problem: EventDecodingError?
    private var hasContent = false

    mutating func read(_ key: RawJSONString, _ reader: inout JSONReader) throws(JSONSyntaxError) {
        if key.equals("data") {
            self.noteContent()
            self.event.content = try Self.data(&reader)
        } else if key.equals("data_base64") {
            self.noteContent()
            try self.readBase64(&reader)
        } else {
            try self.readAttribute(key.decoded(), &reader)
        }
    }

    private mutating func fail(_ error: EventDecodingError) { self.problem = self.problem ?? error }

    private mutating func noteContent() {
        if self.hasContent {
            self.fail(CloudEventProblem.invalid("data", "stands there more than once, or as data_base64 as well"))
        }
        self.hasContent = true
    }

    /// Any JSON value (section 3.1.1).
    private static func data(_ reader: inout JSONReader) throws(JSONSyntaxError) -> CloudEvent.Content {
        switch try reader.kind() {
        case .string: return .text(try reader.readString().decoded())
        case let kind:
            let range = try reader.skipValue(depth: 1)
            return .json(Array(reader.slice(range)), isObject: kind == .object)
        }
    }

    private mutating func readBase64(_ reader: inout JSONReader) throws(JSONSyntaxError) {
        if try reader.readNull() { return }
        guard try reader.kind() == .string else {
            try reader.skipValue(depth: 1)
            return self.fail(CloudEventProblem.invalid("data_base64", "must be a string"))
        }
        let text = try reader.readString().decoded()
        guard Base64Text.isValid(text) else {
            return self.fail(CloudEventProblem.invalid("data_base64", "must be Base64 as in RFC 4648, section 4"))
        }
        self.event.content = .base64(text)
    }

    /// A text, a boolean or a number (section 2.2); `null` is as good as absent.
    private mutating func readAttribute(_ name: String, _ reader: inout JSONReader) throws(JSONSyntaxError) {
        let value: CloudEvent.Value
        switch try reader.kind() {
        case .null:
            _ = try reader.readNull()
            return
        case .string: value = .text(try reader.readString().decoded())
        case .bool: value = .literal(Array((try reader.readBool() ? "true" : "false").utf8))
        case .number: value = .literal(Array(try reader.readNumberBytes()))
        case .array, .object:
            try reader.skipValue(depth: 1)
            return self.fail(
                EventDecodingError(
                    CloudEventProblem.invalidAttribute, field: String(name.prefix(128)),
                    message: "must be a string, a number or a boolean"))
        }
        do throws(EventDecodingError) { try self.event.add(name, value) } catch { self.fail(error) }
    }
}
