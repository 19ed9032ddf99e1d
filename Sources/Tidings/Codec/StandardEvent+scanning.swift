/// Reads the members of an envelope with ``JSONScanner``, straight into the event. It gives up on whatever is wrong or
/// unusual; the careful decoder, which comes to the same results, then reads the event again.
struct EnvelopeScanner {
    private var found: Found = []
    /// The members that are none of the contract's, with their commas.
    private var extra: [UInt8] = []

    private struct Found: OptionSet {
        let rawValue: UInt8

        static var id: Found { Found(rawValue: 1) }
        static var type: Found { Found(rawValue: 2) }
        static var timestamp: Found { Found(rawValue: 4) }
        static var source: Found { Found(rawValue: 8) }
        static var payload: Found { Found(rawValue: 16) }
        static var correlation: Found { Found(rawValue: 32) }

        @inline(__always)
        mutating func set(_ field: Found, _ isThere: Bool) {
            self = isThere ? self.union(field) : self.subtracting(field)
        }
    }

    /// Reads the event that stands next into `event`, which is a blank one, and leaves the scanner behind it; `false`
    /// where the careful decoder has to be asked.
    @inline(__always)
    static func read(
        _ scanner: inout JSONScanner, into event: inout StandardEvent, defaults: borrowing EventDecodingDefaults
    ) -> Bool {
        var envelope = EnvelopeScanner()
        guard scanner.take(UInt8(ascii: "{")) else { return false }
        while true {
            guard envelope.readMember(&scanner, &event), let goesOn = scanner.another(before: UInt8(ascii: "}")) else {
                return false
            }
            if !goesOn { break }
        }
        return envelope.complete(&event, defaults)
    }

    /// Fills in what was absent.
    @inline(__always)
    private func complete(_ event: inout StandardEvent, _ defaults: borrowing EventDecodingDefaults) -> Bool {
        let found = self.found
        guard found.contains(.type) else { return false }
        if !found.contains(.payload) { event.payload = .empty }
        if !found.contains(.source) { event.source = defaults.source }
        if !found.contains(.timestamp) { event.timestamp = .now() }
        if !found.contains(.id) { event.eventID = EventID(at: event.timestamp) }
        if !found.contains(.correlation) { event.correlationID = event.eventID }
        if !self.extra.isEmpty {
            event.extra = ([UInt8(ascii: "{")] + self.extra + [UInt8(ascii: "}")]).withUnsafeBytes {
                JSONObject(compact: $0)
            }
        }
        return true
    }

    @inline(__always)
    private mutating func readMember(_ scanner: inout JSONScanner, _ event: inout StandardEvent) -> Bool {
        guard scanner.isAtKnownText() else { return self.readSlowly(&scanner, &event) }
        if scanner.pass("event_id\":") { return self.readEventID(&scanner, &event) }
        if scanner.pass("event_type\":") { return self.readType(&scanner, &event) }
        if scanner.pass("timestamp\":") { return self.readTimestamp(&scanner, &event) }
        if scanner.pass("source\":") { return self.readSource(&scanner, &event) }
        if scanner.pass("payload\":") { return self.readPayload(&scanner, &event) }
        if scanner.pass("correlation_id\":") { return self.readCorrelationID(&scanner, &event) }
        if scanner.pass("priority\":") { return Self.readPriority(&scanner, &event) }
        return self.readSlowly(&scanner, &event)
    }

    /// A member by another name, or whose name is not followed by its colon.
    @inline(never)
    private mutating func readSlowly(_ scanner: inout JSONScanner, _ event: inout StandardEvent) -> Bool {
        guard let text = scanner.key(), !text.hasEscapes else { return false }
        let key = JSONKey(text, before: scanner.end)
        switch key.count {
        case 6 where key.equals("source"): return self.readSource(&scanner, &event)
        case 7 where key.equals("payload"): return self.readPayload(&scanner, &event)
        case 8 where key.equals("event_id"): return self.readEventID(&scanner, &event)
        case 8 where key.equals("priority"): return Self.readPriority(&scanner, &event)
        case 9 where key.equals("timestamp"): return self.readTimestamp(&scanner, &event)
        case 10 where key.equals("event_type"): return self.readType(&scanner, &event)
        case 12 where key.equals("processed_at"):
            guard let timestamp = Self.readTime(&scanner) else { return false }
            event.change { $0.processedAt = timestamp }
            return true
        case 14 where key.equals("correlation_id"): return self.readCorrelationID(&scanner, &event)
        case 15 where key.equals("parent_event_id"):
            guard let id = Self.readID(&scanner) else { return false }
            event.parentEventID = id
            return true
        case 18 where key.equals("processing_time_ms"): return Self.readProcessingTime(&scanner, &event)
        default: return self.readOther(key, &scanner)
        }
    }

    @inline(__always)
    private mutating func readEventID(_ scanner: inout JSONScanner, _ event: inout StandardEvent) -> Bool {
        guard let id = Self.readID(&scanner) else { return false }
        self.found.set(.id, id != nil)
        if let id { event.eventID = id }
        return true
    }

    @inline(__always)
    private mutating func readCorrelationID(_ scanner: inout JSONScanner, _ event: inout StandardEvent) -> Bool {
        guard let id = Self.readID(&scanner) else { return false }
        self.found.set(.correlation, id != nil)
        if let id { event.correlationID = id }
        return true
    }

    @inline(__always)
    private mutating func readTimestamp(_ scanner: inout JSONScanner, _ event: inout StandardEvent) -> Bool {
        guard let timestamp = Self.readTime(&scanner) else { return false }
        self.found.set(.timestamp, timestamp != nil)
        if let timestamp { event.timestamp = timestamp }
        return true
    }

    /// The outer optional is `nil` when this is no identifier, the inner one for `null`.
    @inline(__always)
    private static func readID(_ scanner: inout JSONScanner) -> EventID?? {
        var local = scanner
        defer { scanner = local }
        guard local.token() == UInt8(ascii: "\"") else { return local.null() ? .some(nil) : nil }
        if let uuid = local.uuid() { return .some(uuid) }
        var copy = local
        let id = Self.readTextID(&copy)
        local = copy
        guard let id else { return nil }
        return .some(id)
    }

    @inline(never)
    private static func readTextID(_ scanner: inout JSONScanner) -> EventID? {
        guard let text = scanner.string() else { return nil }
        return text.withUTF8 { bytes in
            (1...EventID.maximumByteCount).contains(bytes.count) ? EventID(validated: bytes) : nil
        }
    }

    @inline(__always)
    private mutating func readType(_ scanner: inout JSONScanner, _ event: inout StandardEvent) -> Bool {
        var local = scanner
        defer { scanner = local }
        guard local.token() == UInt8(ascii: "\"") else {
            self.found.remove(.type)
            return local.null()
        }
        if local.isAtKnownText(), local.pass("trade\"") {
            event.eventType = .trade
            self.found.insert(.type)
            return true
        }
        guard let text = local.string(), let type = text.withUTF8({ EventType(bytes: $0) }) else { return false }
        event.eventType = type
        self.found.insert(.type)
        return true
    }

    @inline(__always)
    private mutating func readSource(_ scanner: inout JSONScanner, _ event: inout StandardEvent) -> Bool {
        var local = scanner
        defer { scanner = local }
        guard local.token() == UInt8(ascii: "\"") else {
            self.found.remove(.source)
            return local.null()
        }
        guard let text = local.string(),
            let source = text.withUTF8({ bytes in
                (1...128).contains(bytes.count) ? Name(validated: bytes) : nil
            })
        else { return false }
        event.source = source
        self.found.insert(.source)
        return true
    }

    @inline(__always)
    private mutating func readPayload(_ scanner: inout JSONScanner, _ event: inout StandardEvent) -> Bool {
        var local = scanner
        defer { scanner = local }
        guard local.token() == UInt8(ascii: "{") else {
            self.found.remove(.payload)
            return local.null()
        }
        // As long as the type is not known it may be a trade.
        var copy = local
        let payload =
            !self.found.contains(.type) || event.typeNumber == EventType.trade.number
            ? copy.tradeObject(depth: 1) : copy.object(depth: 1).map { .object($0) }
        local = copy
        guard let payload else { return false }
        event.payload = payload
        self.found.insert(.payload)
        return true
    }

    @inline(__always)
    private static func readPriority(_ scanner: inout JSONScanner, _ event: inout StandardEvent) -> Bool {
        var local = scanner
        defer { scanner = local }
        // One digit, as anybody writes it, or `10`.
        let byte = local.token()
        guard byte &- UInt8(ascii: "0") < 10 else {
            event.priority = .normal
            return local.null()
        }
        let start = local.at
        guard local.skipNumber() else { return false }
        let priority: EventPriority?
        switch local.at - start {
        case 1: priority = EventPriority(Int(byte &- UInt8(ascii: "0")))
        case 2: priority = byte == UInt8(ascii: "1") && start[1] == UInt8(ascii: "0") ? .low : nil
        default: priority = nil
        }
        guard let priority else { return false }
        event.priority = priority
        return true
    }

    @inline(__always)
    private static func readTime(_ scanner: inout JSONScanner) -> Timestamp?? {
        var local = scanner
        defer { scanner = local }
        if local.token() == UInt8(ascii: "\""), let canonical = local.canonicalTimestamp() {
            return .some(canonical)
        }
        var copy = local
        let timestamp = Self.readAnyTime(&copy)
        local = copy
        return timestamp
    }

    @inline(never)
    private static func readAnyTime(_ scanner: inout JSONScanner) -> Timestamp?? {
        if scanner.token() == UInt8(ascii: "n") { return scanner.literal("null") ? .some(nil) : nil }
        guard let loose = scanner.looseTimestamp(), let timestamp = loose else { return nil }
        return .some(timestamp)
    }

    @inline(never)
    private static func readProcessingTime(_ scanner: inout JSONScanner, _ event: inout StandardEvent) -> Bool {
        var time: ExactDecimal?
        if scanner.token() == UInt8(ascii: "n") {
            guard scanner.literal("null") else { return false }
        } else {
            guard let number = scanner.decimal() else { return false }
            time = number
        }
        event.change { $0.processingTimeMs = time }
        return true
    }

    @inline(never)
    private mutating func readOther(_ key: JSONKey, _ scanner: inout JSONScanner) -> Bool {
        _ = scanner.token()
        let start = scanner.at
        let sawWhitespace = scanner.sawWhitespace
        scanner.sawWhitespace = false
        guard scanner.skipValue(depth: 1) else { return false }
        let value = UnsafeRawBufferPointer(start: start, count: scanner.at - start)
        self.extra.reserveCapacity(self.extra.count + key.count + value.count + 4)
        if !self.extra.isEmpty { self.extra.append(UInt8(ascii: ",")) }
        self.extra.append(UInt8(ascii: "\""))
        self.extra.append(contentsOf: key.text.bytes)
        self.extra.append(UInt8(ascii: "\""))
        self.extra.append(UInt8(ascii: ":"))
        if scanner.sawWhitespace {
            var writer = JSONWriter(capacity: value.count)
            writer.write(withoutWhitespace: value)
            writer.withBytes { self.extra.append(contentsOf: $0) }
        } else {
            self.extra.append(contentsOf: value)
        }
        scanner.sawWhitespace = scanner.sawWhitespace || sawWhitespace
        return true
    }
}
