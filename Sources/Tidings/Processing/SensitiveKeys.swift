/// The names whose values are secrets, prepared for being looked for in JSON text.
///
/// Names are compared whole, after lower-casing and without `_`, `-` and `.`: `apiKey`, `api-key` and `API_KEY` are one.
/// A glance at the first and the last byte settles almost every key; only what passes it is normalised and looked up.
final class SensitiveKeys: Sendable {
    static let builtIn = [
        "password", "passwd", "secret", "clientsecret", "authorization", "cookie", "setcookie", "apikey",
        "accesstoken", "refreshtoken", "privatekey", "sessionid", "token",
    ]

    /// A secret by name; `token` is one only when its value looks like one.
    enum Verdict: Equatable {
        case always(Int)
        case ifTokenLike(Int)
    }

    /// Normalised.
    let names: [String]
    private let indices: [String: Int]
    /// The place of `token`, where it depends on the value.
    private let token: Int?
    /// The fewest bytes a key can have.
    private let minimumByteCount: Int
    /// The most bytes a normalised name has.
    private let maximumByteCount: Int
    /// By the first byte: which last bytes (their low five bits) may follow. Then, from 256, by the last byte: its bit.
    private let ends: [UInt32]
    /// Open addressing by hash: the hash, or 0 for none.
    private let hashes: [UInt64]
    private let places: [Int]

    init(adding: [String] = [], keeping: [String] = []) {
        let kept = Set(keeping.map(Self.normalized))
        let added = Set(adding.map(Self.normalized))
        let names = Set(Self.builtIn).union(added).subtracting(kept).subtracting([""]).sorted()
        self.names = names
        self.indices = Dictionary(uniqueKeysWithValues: names.enumerated().map { ($1, $0) })
        // Somebody who asks for `token` by name means every one of them.
        self.token = added.contains("token") ? nil : self.indices["token"]
        let isASCII = names.allSatisfy { $0.utf8.allSatisfy { $0 < 0x80 } }
        self.minimumByteCount = isASCII ? names.map(\.utf8.count).min() ?? .max : 1
        self.maximumByteCount = names.map(\.utf8.count).max() ?? 0
        self.ends = Self.makeEnds(names)
        (self.hashes, self.places) = Self.makeTable(names)
    }

    static func normalized(_ text: String) -> String {
        String(text.lowercased().filter { $0 != "_" && $0 != "-" && $0 != "." })
    }

    private static func makeEnds(_ names: [String]) -> [UInt32] {
        var ends = [UInt32](repeating: 0, count: 512)
        for byte in 0..<256 {
            let first = UInt8(byte)
            if first >= 0x80 || Self.isSeparator(first) {
                ends[byte] = .max
                ends[256 + byte] = .max
                continue
            }
            for name in names where name.utf8.first == Self.lowercased(first) {
                ends[byte] |= name.utf8.last.map { $0 < 0x80 ? 1 << UInt32($0 & 31) : .max } ?? 0
            }
            ends[256 + byte] = 1 << UInt32(Self.lowercased(first) & 31)
        }
        return ends
    }

    private static func makeTable(_ names: [String]) -> ([UInt64], [Int]) {
        var size = 64
        while size < names.count * 4 { size *= 2 }
        var hashes = [UInt64](repeating: 0, count: size)
        var places = [Int](repeating: 0, count: size)
        for (place, name) in names.enumerated() {
            var hash = Self.seed
            for byte in name.utf8 { hash = Self.mix(hash, byte) }
            var slot = Int(truncatingIfNeeded: hash >> 32) & (size - 1)
            while hashes[slot] != 0 { slot = (slot + 1) & (size - 1) }
            hashes[slot] = hash
            places[slot] = place
        }
        return (hashes, places)
    }

    // MARK: Looking up

    /// What a key means, given as the UTF-8 of its text, without escapes.
    func verdict(_ key: UnsafeRawBufferPointer) -> Verdict? {
        guard let place = self.place(of: key) else { return nil }
        return place == self.token ? .ifTokenLike(place) : .always(place)
    }

    private func place(of key: UnsafeRawBufferPointer) -> Int? {
        guard key.count >= self.minimumByteCount else { return nil }
        var hash = Self.seed
        var count = 0
        for byte in key {
            if byte >= 0x80 { return self.indices[Self.normalized(String(decoding: key, as: UTF8.self))] }
            if Self.isSeparator(byte) { continue }
            hash = Self.mix(hash, Self.lowercased(byte))
            count &+= 1
            if count > self.maximumByteCount { return nil }
        }
        var slot = Int(truncatingIfNeeded: hash >> 32) & (self.hashes.count &- 1)
        while self.hashes[slot] != 0 {
            if self.hashes[slot] == hash, self.isName(self.places[slot], key) { return self.places[slot] }
            slot = (slot &+ 1) & (self.hashes.count &- 1)
        }
        return nil
    }

    private func isName(_ place: Int, _ key: UnsafeRawBufferPointer) -> Bool {
        key.lazy.filter { !Self.isSeparator($0) }.map(Self.lowercased).elementsEqual(self.names[place].utf8)
    }

    /// The tables of the glance, for a loop that takes them once.
    @inline(__always)
    func withGlance<Result>(_ body: (Glance) -> Result) -> Result {
        self.ends.withUnsafeBufferPointer { ends in
            guard let base = ends.baseAddress else { preconditionFailure("the table has 512 entries") }
            return body(Glance(ends: base, minimumByteCount: self.minimumByteCount))
        }
    }

    /// Tells most keys apart from secrets by their ends.
    struct Glance {
        fileprivate let ends: UnsafePointer<UInt32>
        fileprivate let minimumByteCount: Int

        /// - Parameters:
        ///   - start: the first byte of the key's text, which may be anything but holds no escapes.
        ///   - count: how many bytes it has.
        @inline(__always)
        func mayMatch(_ start: UnsafePointer<UInt8>, count: Int) -> Bool {
            count >= self.minimumByteCount
                && self.ends[Int(start[0])] & self.ends[256 &+ Int(start[count &- 1])] != 0
        }
    }

    private static let seed: UInt64 = 0xCBF2_9CE4_8422_2325

    @inline(__always)
    private static func mix(_ hash: UInt64, _ byte: UInt8) -> UInt64 {
        (hash ^ UInt64(byte)) &* 0x0000_0100_0000_01B3
    }

    @inline(__always)
    private static func isSeparator(_ byte: UInt8) -> Bool {
        byte == UInt8(ascii: "_") || byte == UInt8(ascii: "-") || byte == UInt8(ascii: ".")
    }

    @inline(__always)
    private static func lowercased(_ byte: UInt8) -> UInt8 {
        byte &- UInt8(ascii: "A") < 26 ? byte | 0x20 : byte
    }
}

/// Whether the text of a member called `token` is a credential: 20 characters or more, and no address or hash.
///
/// A `0x` number is an address or a hash; plain hexadecimal is a hash where it has the length of one (SHA-1 to SHA-512;
/// 32 digits are left out, for that is how random tokens are mostly written).
func looksLikeToken(_ text: UnsafeRawBufferPointer) -> Bool {
    let characters = text.reduce(into: 0) { count, byte in count += byte & 0xC0 == 0x80 ? 0 : 1 }
    guard characters >= 20 else { return false }
    func isHex(_ bytes: Slice<UnsafeRawBufferPointer>) -> Bool {
        bytes.allSatisfy { $0 &- UInt8(ascii: "0") < 10 || ($0 | 0x20) &- UInt8(ascii: "a") < 6 }
    }
    if text[0] == UInt8(ascii: "0"), text[1] | 0x20 == UInt8(ascii: "x") { return !isHex(text.dropFirst(2)) }
    return !([40, 56, 64, 96, 128].contains(text.count) && isHex(text[...]))
}
