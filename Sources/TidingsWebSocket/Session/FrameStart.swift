/// A received frame's header, parsed and checked against everything RFC 6455 says can be known from it alone.
struct FrameStart: Sendable {
    var opcode: WebSocketOpcode
    var isFinal: Bool
    var isCompressed: Bool
    var maskingKey: UInt32?
    var length: Int

    /// What the header is judged by.
    struct Rules {
        var role: WebSocketRole
        var options: WebSocketOptions
        /// False once we only wait for the close frame: then only what finds the next frame is checked.
        var isOpen = false
        var isInMessage = false
        var isInCompressedMessage = false
        var allowsCompression = false
        /// What the message has already.
        var messageBytes = 0
    }

    /// The length of the header that begins with these two or more bytes.
    static func length(_ bytes: UnsafeRawBufferPointer) -> Int {
        let second = bytes[1]
        let extended =
            switch second & 0x7F {
            case 126: 2
            case 127: 8
            default: 0
            }
        return 2 + extended + (second & 0x80 == 0 ? 0 : 4)
    }

    /// What a whole header says the payload's length is; nil if that is impossible, and the next frame out of reach.
    static func claimedLength(_ bytes: UnsafeRawBufferPointer) -> Int? {
        switch bytes[1] & 0x7F {
        case 126: Int(UInt16(bigEndian: bytes.loadUnaligned(fromByteOffset: 2, as: UInt16.self)))
        case 127: Int(exactly: UInt64(bigEndian: bytes.loadUnaligned(fromByteOffset: 2, as: UInt64.self)))
        case let short: Int(short)
        }
    }

    /// Parses a whole header: exactly `length(bytes)` bytes.
    static func parse(_ bytes: UnsafeRawBufferPointer, _ rules: Rules) -> Result<FrameStart, WebSocketViolation> {
        guard let length = self.claimedLength(bytes) else { return .failure(.badLength) }
        let isMasked = bytes[1] & 0x80 != 0
        let end = self.length(bytes) - 4
        let key =
            isMasked ? UInt32(littleEndian: bytes.loadUnaligned(fromByteOffset: end, as: UInt32.self)) : nil
        let isFinal = bytes[0] & 0x80 != 0
        guard let opcode = WebSocketOpcode(rawValue: bytes[0] & 0x0F) else {
            guard rules.isOpen else {
                // To be skipped: as good as data.
                return .success(Self(opcode: .binary, isFinal: isFinal, isCompressed: false, length: length))
            }
            return .failure(.reservedOpcode)
        }
        let start = Self(
            opcode: opcode, isFinal: isFinal, isCompressed: bytes[0] & 0x40 != 0, maskingKey: key, length: length)
        if opcode.isControl, length > 125 { return .failure(.longControl) }
        guard rules.isOpen else { return .success(start) }
        if let violation = start.violation(reserved: bytes[0] & 0x30, isMasked: isMasked, rules) {
            return .failure(violation)
        }
        return .success(start)
    }

    private func violation(reserved: UInt8, isMasked: Bool, _ rules: Rules) -> WebSocketViolation? {
        if reserved != 0 { return .reservedBits }
        if self.isCompressed, !rules.allowsCompression || self.opcode.isControl || self.opcode == .continuation {
            return .reservedBits
        }
        if isMasked != (rules.role == .server) { return isMasked ? .masked : .unmasked }
        if self.opcode.isControl { return self.isFinal ? nil : .fragmentedControl }
        if (self.opcode == .continuation) != rules.isInMessage {
            return rules.isInMessage ? .interleavedMessage : .loneContinuation
        }
        if self.length > rules.options.maximumFrameBytes { return .frameTooBig }
        // What is compressed is measured as it comes out.
        let isPlain = !self.isCompressed && !rules.isInCompressedMessage
        if isPlain, self.length > rules.options.maximumMessageBytes - rules.messageBytes { return .messageTooBig }
        return nil
    }
}
