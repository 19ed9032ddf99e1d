extension StandardEvent: CustomStringConvertible {
    /// The event as compact JSON, keys in the order of the contract.
    public var json: String {
        var writer = JSONWriter()
        writer.write(self)
        return writer.string()
    }

    public var description: String { self.json }
}

extension JSONWriter {
    /// Writes an event: the ten known keys in their order, absent ones left out, then the extra ones.
    package mutating func write(_ event: borrowing StandardEvent) {
        if event.hasTexts { return self.write(withTexts: event) }
        let type = EventType.table.quoted(UInt32(event.typeNumber))
        let source = Name.table.quoted(UInt32(event.sourceNumber))
        self.fill(160 + ByteCursor.longestTimestamp + type.count + source.count) { cursor in
            cursor.literal("{\"event_id\":")
            cursor.uuid(high: event.idHigh, low: event.idLow)
            cursor.literal(",\"event_type\":")
            cursor.shortBytes(type)
            cursor.literal(",\"timestamp\":")
            cursor.timestamp(event.nanoseconds, event.precision)
            cursor.literal(",\"source\":")
            cursor.shortBytes(source)
            cursor.literal(",\"payload\":")
        }
        self.write(event.payload)
        self.fill(192) { cursor in
            cursor.literal(",\"correlation_id\":")
            cursor.uuid(high: event.correlationHigh, low: event.correlationLow)
            if event.flags.contains(.hasParent) {
                cursor.literal(",\"parent_event_id\":")
                cursor.uuid(high: event.parentHigh, low: event.parentLow)
            }
            cursor.literal(",\"priority\":")
            cursor.number(UInt64(event.priority.rawValue))
        }
        if let details = event.details {
            self.write(details.content)
        }
        self.write(byte: UInt8(ascii: "}"))
    }

    /// An event with identifiers that are no UUIDs, or names that are not interned.
    private mutating func write(withTexts event: borrowing StandardEvent) {
        self.literal("{\"event_id\":")
        self.write(event.eventID)
        self.literal(",\"event_type\":")
        self.write(event.eventType)
        self.literal(",\"timestamp\":")
        self.write(event.timestamp)
        self.literal(",\"source\":")
        self.write(event.source)
        self.literal(",\"payload\":")
        self.write(event.payload)
        self.literal(",\"correlation_id\":")
        self.write(event.correlationID)
        if let parent = event.parentEventID {
            self.literal(",\"parent_event_id\":")
            self.write(parent)
        }
        self.literal(",\"priority\":")
        self.write(UInt64(event.priority.rawValue))
        if let details = event.details {
            self.write(details.content)
        }
        self.write(byte: UInt8(ascii: "}"))
    }

    private mutating func write(_ details: StandardEvent.Details.Content) {
        if let processedAt = details.processedAt {
            self.literal(",\"processed_at\":")
            self.write(processedAt)
        }
        self.member(",\"processing_time_ms\":", details.processingTimeMs)
        if let extra = details.extra {
            self.write(byte: UInt8(ascii: ","))
            // The members without their braces; an empty object is never kept.
            extra.withUTF8 { self.write(bytes: UnsafeRawBufferPointer(rebasing: $0.dropFirst().dropLast())) }
        }
        if let causes = details.causes {
            self.literal(",\"causes\":")
            self.write(causes)
        }
    }

    /// Writes an identifier as a JSON string.
    @inline(__always)
    package mutating func write(_ id: EventID) {
        switch id.storage {
        case .uuid(let high, let low):
            self.write(byte: UInt8(ascii: "\""))
            self.write(uuidHigh: high, low: low)
            self.write(byte: UInt8(ascii: "\""))
        case .text(let text):
            self.write(string: text.value)
        }
    }
}
