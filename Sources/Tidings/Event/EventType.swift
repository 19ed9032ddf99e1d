/// What kind of event: an open vocabulary of dotted words, such as `trade` or `login.success`.
///
/// 1 to 128 bytes of `A-Z a-z 0-9 _ . - :`. Common types are interned, up to 4,096 of them; the rest are plain text.
public struct EventType: Sendable {
    enum Storage: Sendable {
        case interned(UInt32)
        case text(SharedText)
    }

    static let capacity = 4096
    static let table = InternTable(capacity: EventType.capacity, preloaded: EventType.wellKnown)

    let storage: Storage

    private init(wellKnown index: UInt32) {
        self.storage = .interned(index)
    }

    /// A type by its text; `nil` when the text is empty, too long or has a character that is not allowed.
    public init?(_ text: String) {
        var text = text
        guard let parsed = text.withUTF8({ EventType(bytes: UnsafeRawBufferPointer($0)) }) else { return nil }
        self = parsed
    }

    /// A type by a text known to be one. For names in source code: anything else stops the program.
    public init(rawValue: String) {
        guard let type = EventType(rawValue) else {
            preconditionFailure("'\(rawValue)' is not an event type: 1 to 128 of A-Z a-z 0-9 _ . - :")
        }
        self = type
    }

    @inline(__always)
    package init?(bytes: UnsafeRawBufferPointer) {
        guard (1...128).contains(bytes.count) else { return nil }
        for byte in bytes where !Self.isAllowed(byte) { return nil }
        if let index = Self.table.intern(bytes) {
            self.storage = .interned(index)
        } else {
            self.storage = .text(SharedText(String(decoding: bytes, as: UTF8.self)))
        }
    }

    @inline(__always)
    static func isAllowed(_ byte: UInt8) -> Bool {
        switch byte {
        case UInt8(ascii: "a")...UInt8(ascii: "z"), UInt8(ascii: "A")...UInt8(ascii: "Z"),
            UInt8(ascii: "0")...UInt8(ascii: "9"), UInt8(ascii: "_"), UInt8(ascii: "."), UInt8(ascii: "-"),
            UInt8(ascii: ":"):
            true
        default:
            false
        }
    }

    public var rawValue: String {
        switch self.storage {
        case .interned(let index): Self.table.string(index)
        case .text(let text): text.value
        }
    }

    /// The small number of an interned type, for tables indexed by it.
    @inline(__always)
    package var index: Int? {
        guard case .interned(let index) = self.storage else { return nil }
        return Int(index)
    }

    @inline(__always)
    package func withUTF8<Result, Failure: Error>(
        _ body: (UnsafeRawBufferPointer) throws(Failure) -> Result
    ) throws(Failure) -> Result {
        switch self.storage {
        case .interned(let index): return try body(Self.table.utf8(index))
        case .text(let text): return try text.withUTF8(body)
        }
    }
}

// MARK: Vocabulary

extension EventType {
    public static let trade = EventType(wellKnown: 0)
    public static let ticker = EventType(wellKnown: 1)
    public static let orderBook = EventType(wellKnown: 2)
    public static let ohlcv = EventType(wellKnown: 3)
    public static let connectorStatus = EventType(wellKnown: 4)
    public static let heartbeat = EventType(wellKnown: 5)
    public static let error = EventType(wellKnown: 6)
    public static let custom = EventType(wellKnown: 7)
    public static let funding = EventType(wellKnown: 8)
    public static let openInterest = EventType(wellKnown: 9)
    public static let priceAlert = EventType(wellKnown: 10)
    public static let extractionStart = EventType(wellKnown: 11)
    public static let extractionFieldFound = EventType(wellKnown: 12)
    public static let extractionComplete = EventType(wellKnown: 13)
    public static let extractionError = EventType(wellKnown: 14)
    public static let loginStart = EventType(wellKnown: 15)
    public static let loginSuccess = EventType(wellKnown: 16)
    public static let loginFailed = EventType(wellKnown: 17)
    public static let loginCaptchaDetected = EventType(wellKnown: 18)
    public static let selectorAttempt = EventType(wellKnown: 19)
    public static let selectorFound = EventType(wellKnown: 20)
    public static let selectorNotFound = EventType(wellKnown: 21)
    public static let selectorTimeout = EventType(wellKnown: 22)
    public static let workflowStart = EventType(wellKnown: 23)
    public static let workflowStep = EventType(wellKnown: 24)
    public static let workflowComplete = EventType(wellKnown: 25)
    public static let workflowError = EventType(wellKnown: 26)

    /// In the order of the numbers above.
    private static let wellKnown: [StaticString] = [
        "trade", "ticker", "order_book", "ohlcv", "connector_status", "heartbeat", "error", "custom", "funding",
        "open_interest", "price_alert", "extraction.start", "extraction.field_found", "extraction.complete",
        "extraction.error", "login.start", "login.success", "login.failed", "login.captcha_detected",
        "selector.attempt", "selector.found", "selector.not_found", "selector.timeout", "workflow.start",
        "workflow.step", "workflow.complete", "workflow.error",
    ]
}

extension EventType: Hashable {
    @inline(__always)
    public static func == (left: EventType, right: EventType) -> Bool {
        switch (left.storage, right.storage) {
        case (.interned(let left), .interned(let right)): left == right
        case (.text(let left), .text(let right)): left == right
        // A text is interned for ever or never, so the two forms cannot hold the same one.
        default: false
        }
    }

    public func hash(into hasher: inout Hasher) {
        switch self.storage {
        case .interned(let index): hasher.combine(index)
        case .text(let text): hasher.combine(text)
        }
    }
}

extension EventType: CustomStringConvertible, ExpressibleByStringLiteral {
    public var description: String { self.rawValue }

    /// For names in source code: a literal that is no event type stops the program.
    public init(stringLiteral value: String) {
        self.init(rawValue: value)
    }
}

extension JSONWriter {
    @inline(__always)
    package mutating func write(_ type: EventType) {
        switch type.storage {
        case .interned(let index): self.write(bytes: EventType.table.quoted(index))
        case .text(let text): self.write(string: text.value)
        }
    }
}
