import NIOCore

/// An IP address as sixteen bytes; one of IPv4 stands in `::ffff:0:0/96` (RFC 4291 2.5.5.2), however it came.
struct IPAddress: Hashable, Sendable {
    let high: UInt64
    let low: UInt64

    init(high: UInt64, low: UInt64) {
        self.high = high
        self.low = low
    }

    private init(v4 bits: UInt32) {
        self.init(high: 0, low: 0xFFFF_0000_0000 | UInt64(bits))
    }

    init?(_ address: SocketAddress?) {
        // The address is the fifth byte of a `sockaddr_in` and the ninth of a `sockaddr_in6`, on Linux and Darwin.
        switch address {
        case .v4(let address):
            self = withUnsafeBytes(of: address.address) { bytes in
                IPAddress(v4: UInt32(bigEndian: bytes.loadUnaligned(fromByteOffset: 4, as: UInt32.self)))
            }
        case .v6(let address):
            self = withUnsafeBytes(of: address.address) { bytes in
                IPAddress(
                    high: UInt64(bigEndian: bytes.loadUnaligned(fromByteOffset: 8, as: UInt64.self)),
                    low: UInt64(bigEndian: bytes.loadUnaligned(fromByteOffset: 16, as: UInt64.self)))
            }
        case .unixDomainSocket, nil: return nil
        }
    }

    init?(text: String) {
        self.init(try? SocketAddress(ipAddress: text, port: 0))
    }

    var isV4: Bool { self.high == 0 && self.low >> 32 == 0xFFFF }

    /// `127.0.0.0/8` or `::1`.
    var isLoopback: Bool { self.isV4 ? self.low >> 24 & 0xFF == 127 : self.high == 0 && self.low == 1 }

    /// What is counted together: an address of IPv4, and the /64 that a network of IPv6 gets at the least.
    var group: IPAddress { self.isV4 ? self : IPAddress(high: self.high, low: 0) }
}

/// A range of addresses, as CIDR writes it: `10.0.0.0/8`, `fd00::/8`, or one address.
public struct AddressRange: Hashable, Sendable, CustomStringConvertible {
    private let first: IPAddress
    /// Bits of the sixteen bytes that have to be the same.
    private let prefix: Int
    public let description: String

    /// nil when the text is no address, or has a length that its kind of address does not have.
    public init?(_ text: String) {
        let parts = text.split(separator: "/", omittingEmptySubsequences: false)
        guard parts.count <= 2, let first = parts.first, let address = IPAddress(text: String(first)) else {
            return nil
        }
        let bits = address.isV4 && !first.contains(":") ? 32 : 128
        var length = bits
        if parts.count == 2 {
            guard let given = Int(parts[1]), parts[1].allSatisfy(\.isNumber), (0...bits).contains(given) else {
                return nil
            }
            length = given
        }
        self.first = address
        self.prefix = length + (128 - bits)
        self.description = text
    }

    /// The addresses that only this machine has.
    public static let loopback: [AddressRange] = ["127.0.0.0/8", "::1"].compactMap { AddressRange($0) }

    func contains(_ address: IPAddress) -> Bool {
        let highBits = min(self.prefix, 64)
        let lowBits = max(self.prefix - 64, 0)
        // A shift by 64 or more leaves nothing, as the smart shift does.
        return (address.high ^ self.first.high) >> (64 - highBits) == 0
            && (address.low ^ self.first.low) >> (64 - lowBits) == 0
    }
}
