/// A short text that repeats: a source, a symbol.
///
/// Interned up to a cap, so that copying and comparing it costs what an integer costs; beyond the cap it is plain text
/// on a slower path. Names compare equal when their texts are equal, case and all.
public struct Name: Sendable {
    @usableFromInline
    enum Storage: Sendable {
        case interned(UInt32)
        case text(SharedText)
    }

    /// Fewer than 65,535, so that 16 bits hold a number and "none".
    static let table = InternTable(capacity: 32_768, foldsCase: true)

    @usableFromInline let storage: Storage

    public init(_ text: String) {
        var text = text
        let index = text.withUTF8 { Self.table.intern(UnsafeRawBufferPointer($0)) }
        self.storage = index.map { .interned($0) } ?? .text(SharedText(text))
    }

    /// Bytes that are known to be valid UTF-8.
    @inline(__always)
    package init(validated bytes: UnsafeRawBufferPointer) {
        if let index = Self.table.intern(bytes) {
            self.storage = .interned(index)
        } else {
            self.storage = .text(SharedText(String(decoding: bytes, as: UTF8.self)))
        }
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

extension Name {
    /// The name in ASCII capitals, for comparing without case.
    @inline(__always)
    package var folded: Name {
        switch self.storage {
        case .interned(let index): Name(storage: .interned(Self.table.folded(index)))
        case .text(let text): Name(String(decoding: asciiCapitals(text.value.utf8), as: UTF8.self))
        }
    }

    private init(storage: Storage) {
        self.storage = storage
    }

    /// The number of an interned name in 16 bits, ``notInterned`` for the others.
    @inlinable
    @inline(__always)
    var number: UInt16 {
        guard case .interned(let index) = self.storage else { return Self.notInterned }
        return UInt16(truncatingIfNeeded: index)
    }

    @inlinable static var notInterned: UInt16 { .max }

    /// A name that is not interned.
    @inline(__always)
    init(text: SharedText) {
        self.storage = .text(text)
    }

    /// The text of a name that is not interned.
    @inlinable
    @inline(__always)
    var text: SharedText? {
        guard case .text(let text) = self.storage else { return nil }
        return text
    }

    /// The interned name that has this number.
    @inline(__always)
    init(number: UInt16) {
        self.storage = .interned(UInt32(number))
    }
}

extension Name: Hashable {
    @inline(__always)
    public static func == (left: Name, right: Name) -> Bool {
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

extension Name: CustomStringConvertible, LosslessStringConvertible, ExpressibleByStringLiteral {
    public init(stringLiteral value: String) {
        self.init(value)
    }

    public var description: String {
        switch self.storage {
        case .interned(let index): Self.table.string(index)
        case .text(let text): text.value
        }
    }
}

extension SharedText {
    func withUTF8<Result, Failure: Error>(
        _ body: (UnsafeRawBufferPointer) throws(Failure) -> Result
    ) throws(Failure) -> Result {
        try self.value.withRawUTF8(body)
    }
}

extension JSONWriter {
    /// Writes a name as a JSON string.
    @inline(__always)
    package mutating func write(_ name: Name) {
        switch name.storage {
        case .interned(let index): self.write(bytes: Name.table.quoted(index))
        case .text(let text): self.write(string: text.value)
        }
    }
}

extension Name {
    /// 64 bits that tell names apart within this process.
    @inline(__always)
    package var fingerprint: UInt64 {
        switch self.storage {
        case .interned(let index): StableHash.mix(UInt64(index) ^ StableHash.secret0, StableHash.secret1)
        case .text(let text): StableHash.hash(of: text.value)
        }
    }
}
