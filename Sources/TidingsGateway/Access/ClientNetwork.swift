import NIOCore

/// Where a client is, as far as it can hardly change it: an IPv4 address, or the 64 bits of an IPv6 address that name its
/// network (RFC 4291 section 2.5.4).
struct ClientNetwork: Hashable, Sendable {
    private let bits: UInt64

    /// nil, and what is no IP address, is one place.
    init(_ address: SocketAddress?) {
        switch address {
        case .v4(let address)?:
            self.bits = UInt64(UInt32(bigEndian: address.address.sin_addr.s_addr))
        case .v6(let address)?:
            let bytes = withUnsafeBytes(of: address.address.sin6_addr) { Array($0) }
            // An IPv4 address in IPv6's clothes (RFC 4291 section 2.5.5.2).
            let isMapped = bytes[0..<10].allSatisfy { $0 == 0 } && bytes[10] == 0xFF && bytes[11] == 0xFF
            self.bits = (isMapped ? bytes[12..<16] : bytes[0..<8]).reduce(0) { $0 << 8 | UInt64($1) }
        default: self.bits = .max
        }
    }
}
