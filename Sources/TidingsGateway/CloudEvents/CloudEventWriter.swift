import Tidings

/// Writes events as CloudEvents in the JSON format (JSON Event Format for CloudEvents 1.0.2), from the JSON they are kept
/// in: values are copied, not read.
///
/// An event that came as a CloudEvent goes out as the one it was, but for its time when it had none. The priority is left
/// out when it is 5, and the correlation when it is the event's own id: both are what absence means.
enum CloudEventWriter {
    private struct Member {
        /// Between the quotes, as it stands in the JSON.
        let key: RawJSONString
        let kind: JSONKind
        let value: UnsafeRawBufferPointer
    }

    /// The members of an event, found in its JSON.
    private struct Members {
        var id: Member?
        var type: Member?
        var time: Member?
        var source: Member?
        var payload: Member?
        var correlation: Member?
        var parent: Member?
        var priority: Member?
        var processedAt: Member?
        var processingTime: Member?
        var remark: JSONObject?
        var extras: [Member] = []
    }

    /// Writes an event.
    ///
    /// - Parameters:
    ///   - json: the event's JSON, as our own encoder writes it.
    ///   - offset: where the event stands in the log, if that is to be told.
    static func write(_ json: UnsafeRawBufferPointer, offset: Int64?, into writer: inout JSONWriter) {
        let mark = writer.count
        do throws(JSONSyntaxError) {
            try self.writeChecked(json, offset, &writer)
        } catch {
            // Logs hold nothing but JSON; should one not, the event goes out as it is.
            writer.truncate(to: mark)
            writer.write(bytes: json)
        }
    }

    private static func writeChecked(
        _ json: UnsafeRawBufferPointer, _ offset: Int64?, _ writer: inout JSONWriter
    ) throws(JSONSyntaxError) {
        let members = try self.members(json)
        writer.literal("{\"specversion\":\"1.0\",\"id\":")
        if let id = members.remark?["id"]?.string {
            writer.write(string: id)
        } else {
            self.copy(members.id, &writer)
        }
        writer.literal(",\"source\":")
        self.writeSource(members.source, &writer)
        writer.literal(",\"type\":")
        self.copy(members.type, &writer)
        writer.literal(",\"time\":")
        self.copy(members.time, &writer)
        if let correlation = members.correlation, !self.areEqual(correlation.value, members.id?.value) {
            writer.literal(",\"correlationid\":")
            writer.write(bytes: correlation.value)
        }
        self.member(",\"parenteventid\":", members.parent, &writer)
        if let priority = members.priority, !(priority.value.count == 1 && priority.value[0] == UInt8(ascii: "5")) {
            self.member(",\"priority\":", priority, &writer)
        }
        self.member(",\"processedat\":", members.processedAt, &writer)
        if let time = members.processingTime {
            // CloudEvents have whole numbers only.
            writer.literal(",\"processingtimems\":\"")
            writer.write(bytes: time.value)
            writer.write(byte: UInt8(ascii: "\""))
        }
        self.writeExtras(members, &writer)
        if let offset {
            writer.literal(",\"tidingsoffset\":\"")
            writer.write(offset)
            writer.write(byte: UInt8(ascii: "\""))
        }
        self.writeData(members, &writer)
        writer.write(byte: UInt8(ascii: "}"))
    }

    // MARK: Reading

    private static func members(_ json: UnsafeRawBufferPointer) throws(JSONSyntaxError) -> Members {
        var members = Members()
        var reader = JSONReader(json)
        // What was accepted once is not judged again.
        reader.depthLimit = .max
        try reader.beginObject()
        var isFirst = true
        while let key = try reader.nextKey(isFirst: &isFirst) {
            let kind = try reader.kind()
            let range = try reader.skipValue()
            let member = Member(key: key, kind: kind, value: reader.slice(range))
            if key.equals("event_id") {
                members.id = member
            } else if key.equals("event_type") {
                members.type = member
            } else if key.equals("timestamp") {
                members.time = member
            } else if key.equals("source") {
                members.source = member
            } else if key.equals("payload") {
                members.payload = member
            } else if key.equals("correlation_id") {
                members.correlation = member
            } else if key.equals("parent_event_id") {
                members.parent = member
            } else if key.equals("priority") {
                members.priority = member
            } else if key.equals("processed_at") {
                members.processedAt = member
            } else if key.equals("processing_time_ms") {
                members.processingTime = member
            } else if key.equals("cloud_event"), kind == .object, let remark = try? JSONObject(json: member.value) {
                members.remark = remark
            } else {
                members.extras.append(member)
            }
        }
        return members
    }

    private static func areEqual(_ left: UnsafeRawBufferPointer, _ right: UnsafeRawBufferPointer?) -> Bool {
        right.map { left.elementsEqual($0) } ?? false
    }

    // MARK: Attributes

    private static func member(_ prefix: StaticString, _ member: Member?, _ writer: inout JSONWriter) {
        guard let member else { return }
        writer.literal(prefix)
        writer.write(bytes: member.value)
    }

    private static func copy(_ member: Member?, _ writer: inout JSONWriter) {
        if let member { writer.write(bytes: member.value) } else { writer.literal("\"\"") }
    }

    /// A source is a URI reference (section 3.1.1); what may not stand in one is percent-encoded.
    private static func writeSource(_ member: Member?, _ writer: inout JSONWriter) {
        guard let member, member.kind == .string else { return self.copy(member, &writer) }
        let quoted = member.value
        if quoted.dropFirst().dropLast().allSatisfy(URIReference.isPlain) {
            writer.write(bytes: quoted)
            return
        }
        var reader = JSONReader(quoted)
        guard let text = try? reader.readString().decoded() else { return self.copy(member, &writer) }
        writer.write(string: URIReference.encode(text))
    }

    private static func writeExtras(_ members: Members, _ writer: inout JSONWriter) {
        var hidden: [Member] = []
        for member in members.extras {
            if self.isAttribute(member) {
                writer.write(byte: UInt8(ascii: ","))
                writer.write(string: member.key.bytes)
                writer.write(byte: UInt8(ascii: ":"))
                writer.write(bytes: member.value)
            } else {
                hidden.append(member)
            }
        }
        for (name, value) in members.remark?["attributes"]?.object?.members ?? []
        where CloudEventName.isEventKey(name) && CloudEventName.isAttribute(name) {
            writer.write(byte: UInt8(ascii: ","))
            writer.write(string: name)
            writer.write(byte: UInt8(ascii: ":"))
            writer.write(value)
        }
        guard !hidden.isEmpty else { return }
        writer.literal(",\"tidingsextra\":")
        var object = JSONWriter(capacity: 256)
        for (index, member) in hidden.enumerated() {
            object.literal(index == 0 ? "{\"" : ",\"")
            object.write(bytes: member.key.bytes)
            object.literal("\":")
            object.write(bytes: member.value)
        }
        object.write(byte: UInt8(ascii: "}"))
        object.withBytes { writer.write(string: $0) }
    }

    /// Whether an extra member can be an extension attribute as it is: its name, and a value without control characters
    /// (section 2.2).
    private static func isAttribute(_ member: Member) -> Bool {
        guard !member.key.hasEscapes, CloudEventName.isAttribute(member.key.bytes) else { return false }
        let name = member.key.decoded()
        switch name {
        case "datacontenttype", "dataschema", "subject": return member.kind == .string && member.value.count > 2
        case CloudEventName.extra, CloudEventName.offset, "correlationid", "parenteventid", "processedat",
            "processingtimems":
            return false
        default: break
        }
        guard !CloudEventName.isOfTheSpecification(name) else { return false }
        switch member.kind {
        case .bool: return true
        case .string: return !member.value.contains(UInt8(ascii: "\\")) || self.isPlain(member.value)
        case .number: return member.value.allSatisfy { $0 == UInt8(ascii: "-") || (0x30...0x39).contains($0) }
        case .array, .object, .null: return false
        }
    }

    private static func isPlain(_ quoted: UnsafeRawBufferPointer) -> Bool {
        var reader = JSONReader(quoted)
        guard let text = try? reader.readString().decoded() else { return false }
        return text.unicodeScalars.allSatisfy { $0.value >= 0x20 && !(0x7F...0x9F).contains($0.value) }
    }

    // MARK: Data

    private static func writeData(_ members: Members, _ writer: inout JSONWriter) {
        guard let payload = members.payload else { return }
        switch members.remark?["data"]?.string.flatMap({ CloudEventDataForm(rawValue: $0) }) {
        case .absent where payload.value.count == 2: return
        case .value:
            if let value = self.onlyMember("data", of: payload) {
                writer.literal(",\"data\":")
                writer.write(bytes: value)
                return
            }
        case .base64:
            if let value = self.onlyMember("data_base64", of: payload),
                Base64Text.isValid(UnsafeRawBufferPointer(rebasing: value.dropFirst().dropLast()))
            {
                writer.literal(",\"data_base64\":")
                writer.write(bytes: value)
                return
            }
        default: break
        }
        // Changed since, or never anything but an object.
        writer.literal(",\"data\":")
        writer.write(bytes: payload.value)
    }

    private static func onlyMember(_ name: StaticString, of payload: Member) -> UnsafeRawBufferPointer? {
        var reader = JSONReader(payload.value)
        reader.depthLimit = .max
        var isFirst = true
        do throws(JSONSyntaxError) {
            try reader.beginObject()
            guard let key = try reader.nextKey(isFirst: &isFirst), key.equals(name) else { return nil }
            let range = try reader.skipValue()
            return try reader.nextKey(isFirst: &isFirst) == nil ? reader.slice(range) : nil
        } catch {
            return nil
        }
    }
}

/// What may stand in a URI reference (RFC 3986, appendix A).
enum URIReference {
    /// Whether a byte may stand there wherever it is; colons, brackets and percent signs depend on their place.
    @Sendable static func isPlain(_ byte: UInt8) -> Bool {
        switch byte {
        case UInt8(ascii: "A")...UInt8(ascii: "Z"), UInt8(ascii: "a")...UInt8(ascii: "z"),
            UInt8(ascii: "0")...UInt8(ascii: "9"):
            true
        case UInt8(ascii: "-"), UInt8(ascii: "."), UInt8(ascii: "_"), UInt8(ascii: "~"), UInt8(ascii: "/"),
            UInt8(ascii: "?"), UInt8(ascii: "@"), UInt8(ascii: "!"), UInt8(ascii: "$"), UInt8(ascii: "&"),
            UInt8(ascii: "'"), UInt8(ascii: "("), UInt8(ascii: ")"), UInt8(ascii: "*"), UInt8(ascii: "+"),
            UInt8(ascii: ","), UInt8(ascii: ";"), UInt8(ascii: "="):
            true
        default: false
        }
    }

    /// Percent-encodes what may not stand in a URI reference; what is one stays as it is.
    static func encode(_ text: String) -> String {
        let bytes = Array(text.utf8)
        let hasAuthority = text.contains("//")
        let isColonAllowed =
            self.hasScheme(bytes) || bytes.first == UInt8(ascii: "/") || bytes.first == UInt8(ascii: "?")
        var isFragment = false
        var encoded: [UInt8] = []
        var isFirstSegment = true
        for (index, byte) in bytes.enumerated() {
            var isAllowed = self.isPlain(byte)
            switch byte {
            case UInt8(ascii: "/"), UInt8(ascii: "?"): isFirstSegment = false
            case UInt8(ascii: ":"): isAllowed = isColonAllowed || !isFirstSegment
            case UInt8(ascii: "["), UInt8(ascii: "]"): isAllowed = hasAuthority
            case UInt8(ascii: "#"):
                isAllowed = !isFragment
                isFragment = true
                isFirstSegment = false
            case UInt8(ascii: "%"):
                isAllowed = index + 2 < bytes.count && self.isHex(bytes[index + 1]) && self.isHex(bytes[index + 2])
            default: break
            }
            if isAllowed {
                encoded.append(byte)
            } else {
                encoded += [UInt8(ascii: "%"), self.hex(byte >> 4), self.hex(byte & 15)]
            }
        }
        return String(decoding: encoded, as: UTF8.self)
    }

    /// A letter, then letters, digits and `+ - .` up to the first colon.
    private static func hasScheme(_ bytes: [UInt8]) -> Bool {
        guard let first = bytes.first, self.isLetter(first), let colon = bytes.firstIndex(of: UInt8(ascii: ":")) else {
            return false
        }
        return bytes[..<colon].allSatisfy {
            self.isLetter($0) || (0x30...0x39).contains($0) || $0 == UInt8(ascii: "+") || $0 == UInt8(ascii: "-")
                || $0 == UInt8(ascii: ".")
        }
    }

    private static func isLetter(_ byte: UInt8) -> Bool {
        (UInt8(ascii: "a")...UInt8(ascii: "z")).contains(byte | 0x20)
    }

    private static func isHex(_ byte: UInt8) -> Bool {
        (0x30...0x39).contains(byte) || (UInt8(ascii: "a")...UInt8(ascii: "f")).contains(byte | 0x20)
    }

    private static func hex(_ value: UInt8) -> UInt8 {
        value < 10 ? UInt8(ascii: "0") + value : UInt8(ascii: "A") + (value - 10)
    }
}
