/// The identity of an event: `event_id`, `correlation_id` and `parent_event_id`.
///
/// Any text of 1 to 128 bytes. A UUID in its canonical lower-case form is held as two words; every other text is kept
/// as it is, so that what was read is what is written. Identifiers compare equal when their texts are equal.
public struct EventID: Sendable {
    @usableFromInline
    enum Storage: Sendable {
        case uuid(high: UInt64, low: UInt64)
        case text(SharedText)
    }

    @usableFromInline let storage: Storage

    /// The longest identifier that is accepted, in UTF-8 bytes.
    public static let maximumByteCount = 128

    /// A UUID from its two halves, the most significant first.
    @inlinable
    @inline(__always)
    public init(high: UInt64, low: UInt64) {
        self.storage = .uuid(high: high, low: low)
    }

    /// An identifier as somebody else wrote it; `nil` when it is empty or longer than ``maximumByteCount`` bytes.
    public init?(_ text: String) {
        var text = text
        let parsed: Storage? = text.withUTF8 { bytes in
            let raw = UnsafeRawBufferPointer(bytes)
            guard let uuid = parseUUID(raw) else { return nil }
            return .uuid(high: uuid.high, low: uuid.low)
        }
        guard (1...Self.maximumByteCount).contains(text.utf8.count) else { return nil }
        self.storage = parsed ?? .text(SharedText(text))
    }

    /// Bytes that are known to be valid UTF-8 of an allowed length.
    init(validated bytes: UnsafeRawBufferPointer) {
        if let uuid = parseUUID(bytes) {
            self.storage = .uuid(high: uuid.high, low: uuid.low)
        } else {
            self.storage = .text(SharedText(String(decoding: bytes, as: UTF8.self)))
        }
    }

    /// Text that is no canonical UUID.
    @inline(__always)
    init(text: SharedText) {
        self.storage = .text(text)
    }

    /// The two halves; zeros for a text.
    @inlinable
    @inline(__always)
    var words: (high: UInt64, low: UInt64) {
        guard case .uuid(let high, let low) = self.storage else { return (0, 0) }
        return (high, low)
    }

    /// The text of what is no canonical UUID.
    @inlinable
    @inline(__always)
    var text: SharedText? {
        guard case .text(let text) = self.storage else { return nil }
        return text
    }

    /// The two halves, when this is a canonical UUID.
    public var uuid: (high: UInt64, low: UInt64)? {
        guard case .uuid(let high, let low) = self.storage else { return nil }
        return (high, low)
    }

    /// 64 bits that tell identifiers apart well enough to look them up by; equal identifiers have equal fingerprints.
    package var fingerprint: UInt64 {
        switch self.storage {
        case .uuid(let high, let low):
            return StableHash.mix(high ^ StableHash.secret0, low ^ StableHash.secret1)
        case .text(let text):
            var hash = StableHash()
            hash.combine(text.value)
            return hash.finish().high
        }
    }
}

extension EventID: Hashable {
    public static func == (left: EventID, right: EventID) -> Bool {
        switch (left.storage, right.storage) {
        case (.uuid(let leftHigh, let leftLow), .uuid(let rightHigh, let rightLow)):
            leftHigh == rightHigh && leftLow == rightLow
        case (.text(let left), .text(let right)):
            left == right
        default:
            // A canonical UUID is never held as text, so the forms cannot be equal.
            false
        }
    }

    public func hash(into hasher: inout Hasher) {
        switch self.storage {
        case .uuid(let high, let low):
            hasher.combine(high)
            hasher.combine(low)
        case .text(let text):
            hasher.combine(text)
        }
    }
}

extension EventID: CustomStringConvertible, LosslessStringConvertible {
    public var description: String {
        switch self.storage {
        case .uuid(let high, let low):
            String(unsafeUninitializedCapacity: 36) { buffer in
                guard let start = buffer.baseAddress else { return 0 }
                writeUUIDText(high: high, low: low, to: start)
                return 36
            }
        case .text(let text):
            text.value
        }
    }
}

/// A text behind one reference, so that a value which seldom holds one stays small and cheap to copy.
@usableFromInline
final class SharedText: Sendable {
    let value: String

    init(_ value: String) {
        self.value = value
    }
}

extension SharedText: Hashable {
    /// Byte for byte, as everybody else compares identifiers: `String` would take an `e` with an accent for the same as
    /// an `e` followed by a combining accent.
    @usableFromInline
    static func == (left: SharedText, right: SharedText) -> Bool {
        left === right
            || left.value.withRawUTF8 { left in right.value.withRawUTF8 { right in areEqualBytes(left, right) } }
    }

    @usableFromInline
    func hash(into hasher: inout Hasher) {
        self.value.withRawUTF8 { hasher.combine(bytes: $0) }
    }
}
