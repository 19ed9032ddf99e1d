import NIOConcurrencyHelpers
import Synchronization

/// A fixed number of texts that are stored once, for ever, and known by a small number from then on.
///
/// Looking a known text up takes no lock. When the table is full a new text gets no number: nothing that the network
/// names can make it grow.
///
/// - Note: `@unchecked Sendable` is sound: an entry is written once, under `lock`, before its number is stored in a slot
///   with release order; readers load slots with acquire order, so they see the whole entry, and entries never change
///   or go away afterwards. A number reaches another thread only through something that synchronises.
final class InternTable: @unchecked Sendable {
    private struct Entry {
        var hash: UInt64
        /// The text in quotes, escaped as JSON.
        var quoted: UnsafeRawBufferPointer
        var utf8: UnsafeRawBufferPointer
        /// The number of the text in ASCII capitals, which may be the text itself; only where the table folds case.
        var folded: UInt32
    }

    private let capacity: Int
    private let slotMask: Int
    private let foldsCase: Bool
    private let slots: UnsafeMutablePointer<Synchronization.Atomic<UInt32>>
    private let entries: UnsafeMutablePointer<Entry>
    private let lock = NIOLock()
    private var count = 0

    /// Texts longer than this are not worth keeping for ever.
    private static let maximumByteCount = 128

    /// - Parameters:
    ///   - preloaded: texts that get the numbers from 0 up, in their order.
    ///   - foldsCase: whether each text's capitals are stored too, so that ``folded(_:)`` works. They take numbers of
    ///     their own, and so does not go with `preloaded`.
    init(capacity: Int, preloaded: [StaticString] = [], foldsCase: Bool = false) {
        precondition(preloaded.isEmpty || !foldsCase, "the capitals would take the numbers of the preloaded texts")
        self.capacity = capacity
        self.foldsCase = foldsCase
        var slotCount = 64
        while slotCount < capacity * 2 { slotCount *= 2 }
        self.slotMask = slotCount - 1
        self.slots = .allocate(capacity: slotCount)
        for index in 0..<slotCount {
            (self.slots + index).initialize(to: Synchronization.Atomic(0))
        }
        self.entries = .allocate(capacity: capacity)
        for text in preloaded {
            _ = self.intern(UnsafeRawBufferPointer(start: text.utf8Start, count: text.utf8CodeUnitCount))
        }
    }

    deinit {
        for index in 0..<self.count {
            self.entries[index].quoted.deallocate()
            self.entries[index].utf8.deallocate()
        }
        self.entries.deallocate()
        self.slots.deinitialize(count: self.slotMask + 1)
        self.slots.deallocate()
    }

    @inline(__always)
    func utf8(_ index: UInt32) -> UnsafeRawBufferPointer {
        self.entries[Int(index)].utf8
    }

    @inline(__always)
    func quoted(_ index: UInt32) -> UnsafeRawBufferPointer {
        self.entries[Int(index)].quoted
    }

    /// The number of the text in ASCII capitals, in a table that folds case.
    @inline(__always)
    func folded(_ index: UInt32) -> UInt32 {
        self.entries[Int(index)].folded
    }

    func string(_ index: UInt32) -> String {
        String(decoding: self.utf8(index), as: UTF8.self)
    }

    /// The number of a text, given to it now if it is new; `nil` when the table is full or the text too long.
    @inline(__always)
    func intern(_ bytes: UnsafeRawBufferPointer) -> UInt32? {
        let hash = Self.hash(bytes)
        return self.find(bytes, hash: hash) ?? self.insert(bytes, hash: hash)
    }

    /// The number of a text that is in the table already.
    @inline(__always)
    func find(_ bytes: UnsafeRawBufferPointer) -> UInt32? {
        self.find(bytes, hash: Self.hash(bytes))
    }

    @inline(__always)
    private func find(_ bytes: UnsafeRawBufferPointer, hash: UInt64) -> UInt32? {
        var slot = Int(truncatingIfNeeded: hash) & self.slotMask
        while true {
            let number = self.slots[slot].load(ordering: .acquiring)
            if number == 0 { return nil }
            let entry = self.entries + Int(number &- 1)
            if entry.pointee.hash == hash, areEqualBytes(entry.pointee.utf8, bytes) { return number &- 1 }
            slot = (slot &+ 1) & self.slotMask
        }
    }

    @inline(never)
    private func insert(_ bytes: UnsafeRawBufferPointer, hash: UInt64) -> UInt32? {
        guard bytes.count <= Self.maximumByteCount else { return nil }
        var folded: UInt32?
        if self.foldsCase && bytes.contains(where: isLowerCaseASCII) {
            folded = asciiCapitals(bytes).withUnsafeBytes { self.intern($0) }
            // Without room for its capitals a text is not interned either, so that comparing without case stays exact.
            if folded == nil { return nil }
        }
        return self.lock.withLock {
            if let known = self.find(bytes, hash: hash) { return known }
            guard self.count < self.capacity else { return nil }
            let utf8 = UnsafeMutableRawBufferPointer.allocate(byteCount: max(bytes.count, 1), alignment: 1)
            utf8.copyMemory(from: bytes)
            var writer = JSONWriter(capacity: 160)
            writer.write(string: bytes)
            let quoted = writer.withBytes { written in
                let copy = UnsafeMutableRawBufferPointer.allocate(byteCount: written.count, alignment: 1)
                copy.copyMemory(from: written)
                return UnsafeRawBufferPointer(copy)
            }
            (self.entries + self.count).initialize(
                to: Entry(
                    hash: hash,
                    quoted: quoted,
                    utf8: UnsafeRawBufferPointer(start: utf8.baseAddress, count: bytes.count),
                    folded: folded ?? UInt32(self.count)
                )
            )
            self.count += 1
            let number = UInt32(self.count)
            var slot = Int(truncatingIfNeeded: hash) & self.slotMask
            while self.slots[slot].load(ordering: .relaxed) != 0 {
                slot = (slot &+ 1) & self.slotMask
            }
            self.slots[slot].store(number, ordering: .releasing)
            return number - 1
        }
    }

    @inline(__always)
    private static func hash(_ bytes: UnsafeRawBufferPointer) -> UInt64 {
        let count = bytes.count
        guard let start = bytes.baseAddress else { return Self.secret }
        // Up to 16 bytes in two words, which overlap where there are fewer.
        var first: UInt64 = 0
        var last: UInt64 = 0
        if count >= 8 {
            first = start.loadUnaligned(as: UInt64.self)
            last = start.loadUnaligned(fromByteOffset: count &- 8, as: UInt64.self)
        } else if count >= 4 {
            first = UInt64(start.loadUnaligned(as: UInt32.self))
            last = UInt64(start.loadUnaligned(fromByteOffset: count &- 4, as: UInt32.self))
        } else if count > 0 {
            first = UInt64(bytes[0]) << 16 | UInt64(bytes[count >> 1]) << 8 | UInt64(bytes[count &- 1])
        }
        var hash = Self.secret ^ UInt64(truncatingIfNeeded: count)
        var index = 8
        while index &+ 8 < count {
            hash = StableHash.mix(
                hash ^ start.loadUnaligned(fromByteOffset: index, as: UInt64.self), StableHash.secret1)
            index &+= 8
        }
        return StableHash.mix(hash ^ first, StableHash.secret1 ^ last)
    }

    private static var secret: UInt64 { StableHash.secret0 }
}

@inline(__always)
private func isLowerCaseASCII(_ byte: UInt8) -> Bool {
    byte &- UInt8(ascii: "a") < 26
}

/// The bytes with `a` to `z` made capitals and everything else as it was.
func asciiCapitals(_ bytes: some Sequence<UInt8>) -> [UInt8] {
    bytes.map { isLowerCaseASCII($0) ? $0 & 0xDF : $0 }
}
