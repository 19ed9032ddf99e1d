import Tidings

/// A symbol of at most 16 bytes as two words, filled up with zeros.
struct BinanceSymbolKey: Equatable, Sendable {
    var low: UInt64
    var high: UInt64
}

/// Finds an instrument by the bytes of the venue's symbol, without making a text of them.
///
/// Most frames are about the symbol that the last one was about; the others are found in a small table of their keys.
struct BinanceSymbolTable: Sendable {
    private var keys: [BinanceSymbolKey] = []
    /// Numbers of instruments, -1 where there is none; found by trying one place after another. At least half is empty.
    private var slots: [Int32]
    private let mask: Int
    /// Those of more than 16 bytes, of which there are next to none.
    private var long: [(bytes: [UInt8], index: Int)] = []
    private var last = 0

    init(_ symbols: [String]) {
        var size = 4
        while size < symbols.count * 2 { size *= 2 }
        self.slots = Array(repeating: -1, count: size)
        self.mask = size - 1
        for (index, symbol) in symbols.enumerated() {
            let bytes = Array(symbol.utf8)
            guard let key = bytes.withUnsafeBytes({ Self.key($0, inCapitals: false) }) else {
                self.long.append((bytes, index))
                self.keys.append(BinanceSymbolKey(low: 0, high: 0))
                continue
            }
            self.keys.append(key)
            var slot = Self.place(of: key) & self.mask
            while self.slots[slot] >= 0 { slot = (slot + 1) & self.mask }
            self.slots[slot] = Int32(truncatingIfNeeded: index)
        }
    }

    /// The instrument that has this symbol.
    @inline(__always)
    mutating func index(of key: BinanceSymbolKey) -> Int? {
        if self.last < self.keys.count, self.keys[self.last] == key { return self.last }
        guard let index = self.find(key) else { return nil }
        self.last = index
        return index
    }

    @inline(never)
    private func find(_ key: BinanceSymbolKey) -> Int? {
        var slot = Self.place(of: key) & self.mask
        while self.slots[slot] >= 0 {
            let index = Int(self.slots[slot])
            if self.keys[index] == key { return index }
            slot = (slot + 1) & self.mask
        }
        return nil
    }

    /// The instrument that has this symbol, in any number of bytes.
    ///
    /// - Parameter inCapitals: the bytes may be in small letters, as in the names of streams.
    mutating func index(of bytes: UnsafeRawBufferPointer, inCapitals: Bool = false) -> Int? {
        if let key = Self.key(bytes, inCapitals: inCapitals) { return self.index(of: key) }
        return self.long.first { entry in
            entry.bytes.elementsEqual(bytes.lazy.map { inCapitals ? Self.capital($0) : $0 })
        }?.index
    }

    /// `nil` for what is empty or does not fit.
    private static func key(_ bytes: UnsafeRawBufferPointer, inCapitals: Bool) -> BinanceSymbolKey? {
        guard (1...16).contains(bytes.count) else { return nil }
        var key = BinanceSymbolKey(low: 0, high: 0)
        for (index, byte) in bytes.enumerated() {
            let byte = UInt64(inCapitals ? Self.capital(byte) : byte)
            if index < 8 { key.low |= byte << (index * 8) } else { key.high |= byte << ((index - 8) * 8) }
        }
        return key
    }

    private static func capital(_ byte: UInt8) -> UInt8 {
        (UInt8(ascii: "a")...UInt8(ascii: "z")).contains(byte) ? byte - 0x20 : byte
    }

    @inline(__always)
    private static func place(of key: BinanceSymbolKey) -> Int {
        let product = (key.low ^ 0xA076_1D64_78BD_642F).multipliedFullWidth(by: key.high ^ 0xE703_7ED1_A0B4_28DB)
        return Int(truncatingIfNeeded: product.high ^ product.low)
    }
}
