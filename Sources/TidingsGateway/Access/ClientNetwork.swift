import NIOCore

/// Where a client is, as far as it can hardly change it: an IPv4 address, or the 64 bits of an IPv6 address that name its
/// network (RFC 4291 section 2.5.4).
struct ClientNetwork: Hashable, Sendable {
    private let bits: UInt64

    /// nil, and what is no IP address, is one place.
    init(_ address: SocketAddress?) {
        guard let address else {
            self.bits = .max
            return
        }
        let bytes = address.withSockAddr { pointer, size in
            Array(UnsafeRawBufferPointer(start: pointer, count: size))
        }
        // Behind family and port: four bytes of an IPv4 address; four of a label, then sixteen of an IPv6 address.
        switch address {
        case .v4 where bytes.count >= 8: self.bits = Self.number(bytes[4..<8])
        case .v6 where bytes.count >= 24:
            // An IPv4 address in IPv6's clothes (RFC 4291 section 2.5.5.2).
            let isMapped = bytes[8..<18].allSatisfy { $0 == 0 } && bytes[18..<20].allSatisfy { $0 == 0xFF }
            self.bits = Self.number(isMapped ? bytes[20..<24] : bytes[8..<16])
        default: self.bits = .max
        }
    }

    private static func number(_ bytes: ArraySlice<UInt8>) -> UInt64 {
        bytes.reduce(0) { $0 << 8 | UInt64($1) }
    }
}
