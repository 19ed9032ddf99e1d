extension JSONWriter {
    /// Writes a dead letter as the contract has it: every key always there, `offset` null where it is not known.
    package mutating func write(_ letter: DeadLetter) {
        self.literal("{\"id\":")
        self.write(letter.id)
        self.literal(",\"event\":")
        self.write(letter.event)
        self.literal(",\"offset\":")
        if let offset = letter.offset { self.write(offset) } else { self.literal("null") }
        self.literal(",\"subscriber\":")
        self.write(string: letter.subscriber)
        self.literal(",\"first_error\":")
        self.write(string: letter.firstError)
        self.literal(",\"last_error\":")
        self.write(string: letter.lastError)
        self.literal(",\"attempts\":")
        self.write(letter.attempts)
        self.literal(",\"first_failed_at\":")
        self.write(letter.firstFailedAt)
        self.literal(",\"last_failed_at\":")
        self.write(letter.lastFailedAt)
        self.write(byte: UInt8(ascii: "}"))
    }
}

extension DeadLetter {
    /// The letter as one JSON object.
    package var json: String {
        var writer = JSONWriter()
        writer.write(self)
        return writer.string()
    }

    /// A letter as another process tells it; `nil` where that is none.
    package init?(_ object: JSONObject) {
        guard let id = object["id"]?.string.flatMap({ EventID($0) }),
            let event = object["event"]?.object?.withUTF8({ try? StandardEvent(json: $0, defaults: .stored) }),
            let subscriber = object["subscriber"]?.string, let firstError = object["first_error"]?.string,
            let lastError = object["last_error"]?.string, let attempts = object["attempts"]?.int,
            let firstFailedAt = object["first_failed_at"]?.string.flatMap({ Timestamp($0) }),
            let lastFailedAt = object["last_failed_at"]?.string.flatMap({ Timestamp($0) })
        else { return nil }
        self.init(
            id: id, event: event, offset: object["offset"]?.int.map { Int64($0) }, subscriber: subscriber,
            firstError: firstError, lastError: lastError, attempts: attempts, firstFailedAt: firstFailedAt,
            lastFailedAt: lastFailedAt)
    }
}

extension EventDecodingDefaults {
    /// For events that were accepted once: nothing is missing, and no size is too large any more.
    package static let stored = EventDecodingDefaults(source: "log", maximumByteCount: .max)
}
