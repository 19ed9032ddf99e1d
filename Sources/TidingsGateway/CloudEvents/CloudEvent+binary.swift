import HTTPTypes
import NIOCore
import Tidings

extension CloudEvent {
    /// Whether a request is a CloudEvent in binary mode: its attributes are headers (HTTP Protocol Binding 1.0.2, 3.1).
    static func isBinary(_ headers: HTTPFields) -> Bool {
        headers.contains { $0.name.canonicalName.hasPrefix("ce-") }
    }

    /// A CloudEvent in binary mode.
    ///
    /// - Parameter body: the data, as it came.
    static func binary(_ headers: HTTPFields, body: ByteBuffer) throws(EventDecodingError) -> CloudEvent {
        var event = CloudEvent()
        for field in headers {
            let header = field.name.canonicalName
            guard header.hasPrefix("ce-") else { continue }
            let name = String(header.dropFirst(3))
            guard let value = HeaderText.decode(field.value) else {
                throw EventDecodingError(
                    CloudEventProblem.invalidAttribute, field: name,
                    message: "is not valid UTF-8 after percent-decoding")
            }
            // The data is the body and its type the Content-Type: under these names they are no attributes.
            guard name != "data" && name != "datacontenttype" else {
                throw EventDecodingError(
                    CloudEventProblem.invalidAttribute, field: name, message: "is not said by a ce- header")
            }
            try event.add(name, .text(value))
        }
        if let type = headers[.contentType], !type.isEmpty { try event.add("datacontenttype", .text(type)) }
        event.content = try body.withUnsafeReadableBytes { bytes throws(EventDecodingError) in
            try Self.content(bytes, type: headers[.contentType] ?? "")
        }
        return event
    }

    /// JSON is JSON, text stays readable, everything else is bytes. What says nothing of itself is what it looks like.
    private static func content(
        _ bytes: UnsafeRawBufferPointer, type: String
    ) throws(EventDecodingError) -> Content {
        if bytes.isEmpty { return .none }
        let media = MediaType(type)
        if media.isJSON || type.isEmpty {
            do throws(JSONSyntaxError) {
                return try self.json(bytes)
            } catch {
                if media.isJSON { throw CloudEventProblem.invalid("data", "is no JSON: \(error.message)") }
            }
        }
        if media.isText || type.isEmpty, let text = String(validating: bytes, as: UTF8.self) { return .text(text) }
        return .base64(Base64Text.encode(bytes))
    }

    private static func json(_ bytes: UnsafeRawBufferPointer) throws(JSONSyntaxError) -> Content {
        var reader = JSONReader(bytes)
        let kind = try reader.kind()
        let content: Content
        if kind == .string {
            content = .text(try reader.readString().decoded())
        } else {
            let range = try reader.skipValue(depth: 1)
            content = .json(Array(reader.slice(range)), isObject: kind == .object)
        }
        try reader.expectEnd()
        return content
    }
}

/// A media type, as far as it says how to keep what it is of.
struct MediaType {
    /// Lower case, without parameters.
    let essence: String
    private let charset: String?

    init(_ text: String) {
        let parts = text.split(separator: ";", omittingEmptySubsequences: false)
        self.essence = (parts.first ?? "").lowercased().filter { $0 != " " && $0 != "\t" }
        self.charset = parts.dropFirst().lazy
            .map { $0.lowercased().filter { $0 != " " && $0 != "\t" && $0 != "\"" } }
            .first { $0.hasPrefix("charset=") }.map { String($0.dropFirst(8)) }
    }

    var isJSON: Bool { self.essence.hasSuffix("/json") || self.essence.hasSuffix("+json") }

    /// Whether its bytes may be kept as text without changing them: only where they are UTF-8.
    var isText: Bool {
        let isReadable =
            self.essence.hasPrefix("text/") || self.essence.hasSuffix("/xml") || self.essence.hasSuffix("+xml")
            || self.essence.hasSuffix("/yaml") || self.essence == "application/x-www-form-urlencoded"
        guard isReadable else { return false }
        return switch self.charset {
        case nil, "utf-8", "utf8", "us-ascii": true
        default: false
        }
    }
}

/// The values of `ce-` headers (HTTP Protocol Binding 1.0.2, 3.1.3.2).
enum HeaderText {
    /// Takes quotes off, then one round of percent-encoding; nil for what is no UTF-8 then. A percent sign that begins no
    /// escape stands for itself: senders that encode nothing are many.
    static func decode(_ value: String) -> String? {
        let raw = self.unquoted(Array(value.utf8))
        var bytes: [UInt8] = []
        bytes.reserveCapacity(raw.count)
        var index = 0
        while index < raw.count {
            if raw[index] == UInt8(ascii: "%"), index + 2 < raw.count, let high = self.digit(raw[index + 1]),
                let low = self.digit(raw[index + 2])
            {
                bytes.append(high << 4 | low)
                index += 3
            } else {
                bytes.append(raw[index])
                index += 1
            }
        }
        return String(validating: bytes, as: UTF8.self)
    }

    /// A quoted string without its quotes and backslashes (RFC 9110, 5.6.4); anything else as it is.
    private static func unquoted(_ value: [UInt8]) -> [UInt8] {
        guard value.count >= 2, value.first == UInt8(ascii: "\""), value.last == UInt8(ascii: "\"") else {
            return value
        }
        var plain: [UInt8] = []
        var isEscaped = false
        for byte in value.dropFirst().dropLast() {
            if !isEscaped && byte == UInt8(ascii: "\\") {
                isEscaped = true
            } else {
                plain.append(byte)
                isEscaped = false
            }
        }
        return plain
    }

    private static func digit(_ byte: UInt8) -> UInt8? {
        switch byte {
        case UInt8(ascii: "0")...UInt8(ascii: "9"): byte - UInt8(ascii: "0")
        case UInt8(ascii: "A")...UInt8(ascii: "F"): byte - UInt8(ascii: "A") + 10
        case UInt8(ascii: "a")...UInt8(ascii: "f"): byte - UInt8(ascii: "a") + 10
        default: nil
        }
    }
}
