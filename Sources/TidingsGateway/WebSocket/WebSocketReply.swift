import Tidings

/// The answers to a WebSocket client, in the shape of the contract.
struct WebSocketReply {
    private let bytes: [UInt8]

    func withBytes(_ body: (UnsafeRawBufferPointer) -> Void) {
        self.bytes.withUnsafeBytes(body)
    }

    private init(id: [UInt8]?, _ write: (inout JSONWriter) -> Void) {
        var writer = JSONWriter(capacity: 256)
        writer.write(byte: UInt8(ascii: "{"))
        write(&writer)
        if let id {
            writer.literal(",\"id\":")
            id.withUnsafeBytes { writer.write(bytes: $0) }
        }
        writer.write(byte: UInt8(ascii: "}"))
        self.bytes = writer.array()
    }

    static func pong(id: [UInt8]?) -> WebSocketReply {
        WebSocketReply(id: id) { $0.literal("\"type\":\"pong\"") }
    }

    static func error(_ message: String, id: [UInt8]?) -> WebSocketReply {
        WebSocketReply(id: id) { writer in
            writer.literal("\"type\":\"error\",\"error\":")
            writer.write(string: message)
        }
    }

    static func error(_ message: String, code: String, id: [UInt8]?) -> WebSocketReply {
        WebSocketReply(id: id) { writer in
            writer.literal("\"type\":\"error\",\"error\":")
            writer.write(string: message)
            writer.literal(",\"code\":")
            writer.write(string: code)
        }
    }

    static func forbidden(_ message: String, id: [UInt8]?) -> WebSocketReply {
        self.error(message, code: "forbidden", id: id)
    }

    /// - Parameters:
    ///   - offset: what is delivered lies above it.
    ///   - resolution: of the `from` that was asked for.
    static func subscribed(
        _ request: WebSocketRequest.Subscribe, epoch: String, offset: Int64, resolution: ResumePoint.Resolution?,
        id: [UInt8]?
    ) -> WebSocketReply {
        WebSocketReply(id: id) { writer in
            writer.literal("\"type\":\"ack\",\"action\":\"subscribed\",\"data\":{\"symbols\":")
            writer.write(strings: request.symbols)
            writer.literal(",\"event_types\":")
            writer.write(strings: request.typeTexts)
            writer.literal(",\"epoch\":")
            writer.write(string: epoch)
            writer.literal(",\"offset\":")
            writer.write(offset)
            if let resolution {
                writer.literal(",\"recovered\":")
                writer.write(resolution.isRecovered)
                if !resolution.isRecovered {
                    writer.literal(",\"oldest_offset\":")
                    writer.write(resolution.oldest)
                }
            }
            writer.literal("}")
        }
    }

    static func unsubscribed(_ request: WebSocketRequest.Unsubscribe, removed: Int, id: [UInt8]?) -> WebSocketReply {
        WebSocketReply(id: id) { writer in
            writer.literal("\"type\":\"ack\",\"action\":\"unsubscribed\",\"data\":{\"symbols\":")
            writer.write(strings: request.symbols)
            writer.literal(",\"event_type\":")
            if let type = request.typeText { writer.write(string: type) } else { writer.literal("null") }
            writer.literal(",\"removed_count\":")
            writer.write(removed)
            writer.literal("}")
        }
    }

    static func published(_ event: StandardEvent, _ outcome: IngestOutcome, id: [UInt8]?) -> WebSocketReply {
        switch outcome {
        case .accepted(let offset): self.published(event, "accepted", offset, id: id)
        case .duplicate(let offset): self.published(event, "duplicate", offset, id: id)
        case .refused(let code, let field, let message): self.refused(message, code: code, field: field, id: id)
        case .unavailable(let stop):
            self.refused(
                stop.message, code: stop.code, field: nil, retryMilliseconds: stop.retryMilliseconds, id: id)
        }
    }

    private static func published(
        _ event: StandardEvent, _ status: String, _ offset: Int64?, id: [UInt8]?
    ) -> WebSocketReply {
        WebSocketReply(id: id) { writer in
            writer.literal("\"type\":\"ack\",\"action\":\"published\",\"data\":{\"event_id\":")
            writer.write(event.eventID)
            if let offset {
                writer.literal(",\"offset\":")
                writer.write(offset)
            }
            writer.literal(",\"status\":")
            writer.write(string: status)
            writer.literal("}")
        }
    }

    /// An event that is none.
    static func refused(_ error: EventDecodingError, id: [UInt8]?) -> WebSocketReply {
        self.refused(error.message, code: error.code.rawValue, field: error.field, id: id)
    }

    private static func refused(
        _ message: String, code: String, field: String?, retryMilliseconds: Int? = nil, id: [UInt8]?
    ) -> WebSocketReply {
        WebSocketReply(id: id) { writer in
            writer.literal("\"type\":\"error\",\"action\":\"published\",\"error\":")
            writer.write(string: message)
            writer.literal(",\"code\":")
            writer.write(string: code)
            if let field {
                writer.literal(",\"field\":")
                writer.write(string: field)
            }
            if let retryMilliseconds {
                writer.literal(",\"retry_in_ms\":")
                writer.write(retryMilliseconds)
            }
        }
    }
}

extension JSONWriter {
    /// Writes an array of strings.
    mutating func write(strings: [String]) {
        self.write(byte: UInt8(ascii: "["))
        for (index, text) in strings.enumerated() {
            if index > 0 { self.write(byte: UInt8(ascii: ",")) }
            self.write(string: text)
        }
        self.write(byte: UInt8(ascii: "]"))
    }
}
