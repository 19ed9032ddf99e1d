import Tidings

extension CloudEvent {
    /// The event of ours that says the same.
    ///
    /// - Parameter defaults: its source is never used, a CloudEvent has to have one.
    /// - Throws: what is wrong, naming attributes as CloudEvents do.
    func event(_ defaults: EventDecodingDefaults) throws(EventDecodingError) -> StandardEvent {
        let json = try self.eventJSON()
        do throws(EventDecodingError) {
            let outcome: Result<StandardEvent, EventDecodingError> = json.withUnsafeBytes { bytes in
                do throws(EventDecodingError) {
                    return .success(try StandardEvent(json: bytes, defaults: defaults))
                } catch {
                    return .failure(error)
                }
            }
            return try outcome.get()
        } catch {
            throw Self.renamed(error)
        }
    }

    /// A problem of the event that was made, in the words of the one that was sent.
    private static func renamed(_ error: EventDecodingError) -> EventDecodingError {
        guard let field = error.field else {
            // The JSON is ours, so only what was put into it can be wrong: its depth.
            return error.code == .invalidJSON
                ? CloudEventProblem.invalid("data", "is nested deeper than \(JSONReader.maximumDepth - 2)") : error
        }
        let attribute = CloudEventName.attribute(for: field)
        let code = error.code == .missingField ? error.code : .init(rawValue: "invalid_\(attribute)")
        return EventDecodingError(code, field: attribute, message: error.message)
    }

    private func eventJSON() throws(EventDecodingError) -> [UInt8] {
        try self.check()
        var writer = EventJSONWriter()
        var putAside: [(String, Value)] = []
        var extras: [(String, Value)] = []
        for (name, value) in self.attributes {
            switch name {
            case "specversion", CloudEventName.offset: break
            case "id": writer.member("event_id", value)
            case "type": writer.member("event_type", value)
            case "source": writer.member("source", value)
            case "time": writer.member("timestamp", value)
            case "correlationid": writer.member("correlation_id", value)
            case "parenteventid": writer.member("parent_event_id", value)
            case "priority": writer.member("priority", value)
            case "processedat": writer.member("processed_at", value)
            case "processingtimems": writer.number("processing_time_ms", value)
            default:
                if CloudEventName.isEventKey(name) {
                    putAside.append((name, value))
                } else {
                    extras.append((name, value))
                }
            }
        }
        let form = self.writePayload(&writer)
        var hidden: JSONObject?
        for (name, value) in extras {
            if name == CloudEventName.extra, case .text(let text) = value, let object = Self.hidden(text) {
                hidden = object
            } else {
                writer.member(name, value)
            }
        }
        for (key, value) in hidden?.members ?? [] {
            // A key by the name of what it is hidden in is not that.
            let isTaken =
                CloudEventName.isEventKey(key) || (key != CloudEventName.extra && extras.contains { $0.0 == key })
            if !isTaken { writer.member(key, value) }
        }
        writer.remark(form: form, attributes: putAside)
        return writer.finish()
    }

    /// What the specification asks of every CloudEvent, beyond what we ask of every event.
    private func check() throws(EventDecodingError) {
        guard let version = self.attributes.first(where: { $0.name == "specversion" })?.value else {
            throw CloudEventProblem.missing("specversion")
        }
        guard case .text(CloudEventName.version) = version else {
            throw CloudEventProblem.invalid("specversion", "must be \"\(CloudEventName.version)\"")
        }
        for name in ["id", "source", "type"] where !self.attributes.contains(where: { $0.name == name }) {
            throw CloudEventProblem.missing(name)
        }
        for (name, value) in self.attributes {
            switch name {
            case "time", "datacontenttype", "dataschema", "subject":
                guard case .text(let text) = value, !text.isEmpty else {
                    throw CloudEventProblem.invalid(name, "must be a string that is not empty")
                }
            default: break
            }
        }
    }

    /// Events have an object as payload; other data gets one around it.
    private func writePayload(_ writer: inout EventJSONWriter) -> CloudEventDataForm? {
        switch self.content {
        case .none:
            writer.payload(nil, Array("{}".utf8))
            return .absent
        case .json(let json, isObject: true):
            writer.payload(nil, json)
            return nil
        case .json(let json, isObject: false):
            writer.payload("data", json)
            return .value
        case .text(let text):
            writer.payload("data", JSONValue.string(text).description.utf8)
            return .value
        case .base64(let text):
            writer.payload("data_base64", JSONValue.string(text).description.utf8)
            return .base64
        }
    }

    /// What ``CloudEventWriter`` hid, unless it is somebody else's.
    private static func hidden(_ text: String) -> JSONObject? { try? JSONObject(json: text) }
}

/// Puts the JSON of an event together.
private struct EventJSONWriter: ~Copyable {
    private var writer = JSONWriter(capacity: 512)
    private var isFirst = true

    private mutating func key(_ name: String) {
        self.writer.write(byte: self.isFirst ? UInt8(ascii: "{") : UInt8(ascii: ","))
        self.isFirst = false
        self.writer.write(string: name)
        self.writer.write(byte: UInt8(ascii: ":"))
    }

    private mutating func value(_ value: CloudEvent.Value) {
        switch value {
        case .text(let text): self.writer.write(string: text)
        case .literal(let bytes): bytes.withUnsafeBytes { self.writer.write(bytes: $0) }
        }
    }

    mutating func member(_ name: String, _ value: CloudEvent.Value) {
        self.key(name)
        self.value(value)
    }

    mutating func member(_ name: String, _ value: JSONValue) {
        self.key(name)
        self.writer.write(value)
    }

    /// A number that an attribute has as text, as CloudEvents have no fractions.
    mutating func number(_ name: String, _ value: CloudEvent.Value) {
        if case .text(let text) = value, let digits = Self.number(Array(text.utf8)) {
            self.member(name, .literal(digits))
        } else {
            self.member(name, value)
        }
    }

    private static func number(_ text: [UInt8]) -> [UInt8]? {
        text.withUnsafeBytes { bytes in
            var reader = JSONReader(bytes)
            guard (try? reader.kind()) == .number, let digits = try? reader.readNumberBytes(),
                (try? reader.expectEnd()) != nil
            else { return nil }
            return Array(digits)
        }
    }

    mutating func payload(_ name: String?, _ json: some Sequence<UInt8>) {
        self.key("payload")
        if let name {
            self.writer.write(byte: UInt8(ascii: "{"))
            self.writer.write(string: name)
            self.writer.write(byte: UInt8(ascii: ":"))
        }
        Array(json).withUnsafeBytes { self.writer.write(bytes: $0) }
        if name != nil { self.writer.write(byte: UInt8(ascii: "}")) }
    }

    /// What events have no key for; see ``CloudEventName/eventKey``.
    mutating func remark(form: CloudEventDataForm?, attributes: [(String, CloudEvent.Value)]) {
        guard form != nil || !attributes.isEmpty else { return }
        self.key(CloudEventName.eventKey)
        if let form {
            self.writer.literal("{\"data\":")
            self.writer.write(string: form.rawValue)
        }
        if !attributes.isEmpty {
            self.writer.literal(form == nil ? "{\"attributes\":" : ",\"attributes\":")
            for (index, (name, value)) in attributes.enumerated() {
                self.writer.write(byte: index == 0 ? UInt8(ascii: "{") : UInt8(ascii: ","))
                self.writer.write(string: name)
                self.writer.write(byte: UInt8(ascii: ":"))
                self.value(value)
            }
            self.writer.write(byte: UInt8(ascii: "}"))
        }
        self.writer.write(byte: UInt8(ascii: "}"))
    }

    consuming func finish() -> [UInt8] {
        self.writer.write(byte: UInt8(ascii: "}"))
        return self.writer.array()
    }
}
