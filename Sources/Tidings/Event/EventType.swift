/// What kind of event: an open vocabulary of dotted words, such as `trade` or `login.success`.
///
/// 1 to 128 bytes of `A-Z a-z 0-9 _ . - :`. Common types are interned, up to 4,096 of them; the rest are plain text.
public struct EventType: Sendable {
    @usableFromInline
    enum Storage: Sendable {
        case interned(UInt32)
        case text(SharedText)
    }

    static let capacity = 4096
    static let table = InternTable(capacity: EventType.capacity, preloaded: EventType.wellKnown)

    @usableFromInline let storage: Storage

    /// The number of an interned type in 16 bits, ``notInterned`` for the others.
    @inlinable
    @inline(__always)
    var number: UInt16 {
        guard case .interned(let index) = self.storage else { return Self.notInterned }
        return UInt16(truncatingIfNeeded: index)
    }

    @inlinable static var notInterned: UInt16 { .max }

    /// The interned type that has this number.
    @inline(__always)
    init(number: UInt16) {
        self.storage = .interned(UInt32(number))
    }

    /// A type that is not interned.
    @inline(__always)
    init(text: SharedText) {
        self.storage = .text(text)
    }

    /// The text of a type that is not interned.
    @inlinable
    @inline(__always)
    var text: SharedText? {
        guard case .text(let text) = self.storage else { return nil }
        return text
    }

    @inlinable
    @inline(__always)
    init(wellKnown index: UInt32) {
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
        // What is in the table has been judged before.
        if let index = Self.table.find(bytes) {
            self.storage = .interned(index)
            return
        }
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
    @inlinable public static var trade: EventType { EventType(wellKnown: 0) }
    @inlinable public static var ticker: EventType { EventType(wellKnown: 1) }
    @inlinable public static var orderBook: EventType { EventType(wellKnown: 2) }
    @inlinable public static var ohlcv: EventType { EventType(wellKnown: 3) }
    @inlinable public static var connectorStatus: EventType { EventType(wellKnown: 4) }
    @inlinable public static var heartbeat: EventType { EventType(wellKnown: 5) }
    @inlinable public static var error: EventType { EventType(wellKnown: 6) }
    @inlinable public static var custom: EventType { EventType(wellKnown: 7) }
    @inlinable public static var funding: EventType { EventType(wellKnown: 8) }
    @inlinable public static var openInterest: EventType { EventType(wellKnown: 9) }
    @inlinable public static var priceAlert: EventType { EventType(wellKnown: 10) }
    @inlinable public static var extractionStart: EventType { EventType(wellKnown: 11) }
    @inlinable public static var extractionFieldFound: EventType { EventType(wellKnown: 12) }
    @inlinable public static var extractionComplete: EventType { EventType(wellKnown: 13) }
    @inlinable public static var extractionError: EventType { EventType(wellKnown: 14) }
    @inlinable public static var loginStart: EventType { EventType(wellKnown: 15) }
    @inlinable public static var loginSuccess: EventType { EventType(wellKnown: 16) }
    @inlinable public static var loginFailed: EventType { EventType(wellKnown: 17) }
    @inlinable public static var loginCaptchaDetected: EventType { EventType(wellKnown: 18) }
    @inlinable public static var selectorAttempt: EventType { EventType(wellKnown: 19) }
    @inlinable public static var selectorFound: EventType { EventType(wellKnown: 20) }
    @inlinable public static var selectorNotFound: EventType { EventType(wellKnown: 21) }
    @inlinable public static var selectorTimeout: EventType { EventType(wellKnown: 22) }
    @inlinable public static var workflowStart: EventType { EventType(wellKnown: 23) }
    @inlinable public static var workflowStep: EventType { EventType(wellKnown: 24) }
    @inlinable public static var workflowComplete: EventType { EventType(wellKnown: 25) }
    @inlinable public static var workflowError: EventType { EventType(wellKnown: 26) }

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

extension EventType {
    /// 64 bits that tell types apart within this process.
    @inline(__always)
    package var fingerprint: UInt64 {
        switch self.storage {
        case .interned(let index): StableHash.mix(UInt64(index) ^ StableHash.secret1, StableHash.secret0)
        case .text(let text): StableHash.hash(of: text.value)
        }
    }
}
