#if canImport(Glibc)
import Glibc
#else
import Darwin
#endif

/// An IP address, and whether it is one of the public Internet.
struct NetworkAddress: Sendable, Hashable {
    /// Four or sixteen.
    let bytes: [UInt8]

    init(bytes: [UInt8]) {
        self.bytes = bytes
    }

    /// Nil for a name.
    init?(_ text: String) {
        var plain = text[...]
        if plain.hasPrefix("["), plain.hasSuffix("]") { plain = plain.dropFirst().dropLast() }
        if let zone = plain.firstIndex(of: "%") { plain = plain[..<zone] }
        var (four, six) = (in_addr(), in6_addr())
        if inet_pton(AF_INET, String(plain), &four) == 1 {
            self.bytes = withUnsafeBytes(of: &four) { Array($0) }
        } else if inet_pton(AF_INET6, String(plain), &six) == 1 {
            self.bytes = withUnsafeBytes(of: &six) { Array($0) }
        } else {
            return nil
        }
    }

    /// Loopback, private, link-local, shared, multicast and reserved ones: what the registries of RFC 6890 do not call
    /// globally reachable. IPv4 inside IPv6 counts as what it is inside.
    var isPrivate: Bool {
        guard self.bytes.count == 16 else { return Self.isPrivate(self.bytes[...]) }
        let (head, tail) = (self.bytes.prefix(12), self.bytes.suffix(4))
        if head.allSatisfy({ $0 == 0 }) { return true }
        // RFC 4291, 2.5.5.2; RFC 6052, 2.1; RFC 3056, 2.
        if head.elementsEqual([0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0xFF, 0xFF]) { return Self.isPrivate(tail) }
        if head.elementsEqual([0, 0x64, 0xFF, 0x9B, 0, 0, 0, 0, 0, 0, 0, 0]) { return Self.isPrivate(tail) }
        if self.bytes.starts(with: [0x20, 0x02]) { return Self.isPrivate(self.bytes[2..<6]) }
        // Only 2000::/3 is given out; documentation's part of it is not.
        return self.bytes[0] & 0xE0 != 0x20 || self.bytes.starts(with: [0x20, 0x01, 0x0D, 0xB8])
    }

    private static func isPrivate(_ bytes: ArraySlice<UInt8>) -> Bool {
        let address = bytes.reduce(UInt32(0)) { $0 << 8 | UInt32($1) }
        let blocks: [(network: UInt32, bits: UInt32)] = [
            (0x0000_0000, 8), (0x0A00_0000, 8), (0x6440_0000, 10), (0x7F00_0000, 8), (0xA9FE_0000, 16),
            (0xAC10_0000, 12),
            (0xC000_0000, 24), (0xC000_0200, 24), (0xC0A8_0000, 16), (0xC612_0000, 15), (0xC633_6400, 24),
            (0xCB00_7100, 24), (0xE000_0000, 3),
        ]
        return blocks.contains { address >> (32 - $0.bits) == $0.network >> (32 - $0.bits) }
    }
}
