/// The kind of a frame.
public enum WebSocketOpcode: UInt8, Sendable {
    case continuation = 0x0
    case text = 0x1
    case binary = 0x2
    case close = 0x8
    case ping = 0x9
    case pong = 0xA

    var isControl: Bool { self.rawValue & 0x8 != 0 }
}

/// The bytes in front of a frame's payload: written here, and read by `WebSocketSession`.
public struct WebSocketFrameHeader: Sendable {
    public var opcode: WebSocketOpcode
    public var isFinal: Bool
    /// RSV1: the message is compressed (permessage-deflate), set on its first frame.
    public var isCompressed: Bool
    /// The masking key, its first byte in the lowest bits. Clients must mask, servers must not.
    public var maskingKey: UInt32?
    public var payloadLength: Int

    /// The longest header there is.
    public static let maximumEncodedLength = 14

    public init(
        _ opcode: WebSocketOpcode, payloadLength: Int, isFinal: Bool = true, isCompressed: Bool = false,
        maskingKey: UInt32? = nil
    ) {
        self.opcode = opcode
        self.payloadLength = payloadLength
        self.isFinal = isFinal
        self.isCompressed = isCompressed
        self.maskingKey = maskingKey
    }

    /// How many bytes `encode(into:)` writes.
    public var encodedLength: Int {
        let length = self.payloadLength < 126 ? 2 : self.payloadLength <= 0xFFFF ? 4 : 10
        return self.maskingKey == nil ? length : length + 4
    }

    /// Writes the header. The target must have room for `encodedLength` bytes.
    /// - Returns: the number of bytes written.
    @discardableResult
    public func encode(into target: UnsafeMutableRawBufferPointer) -> Int {
        target[0] = self.opcode.rawValue | (self.isFinal ? 0x80 : 0) | (self.isCompressed ? 0x40 : 0)
        let maskBit: UInt8 = self.maskingKey == nil ? 0 : 0x80
        var end = 2
        if self.payloadLength < 126 {
            target[1] = maskBit | UInt8(truncatingIfNeeded: self.payloadLength)
        } else if self.payloadLength <= 0xFFFF {
            target[1] = maskBit | 126
            let length = UInt16(truncatingIfNeeded: self.payloadLength).bigEndian
            target.storeBytes(of: length, toByteOffset: 2, as: UInt16.self)
            end = 4
        } else {
            target[1] = maskBit | 127
            target.storeBytes(of: UInt64(self.payloadLength).bigEndian, toByteOffset: 2, as: UInt64.self)
            end = 10
        }
        if let maskingKey = self.maskingKey {
            target.storeBytes(of: maskingKey.littleEndian, toByteOffset: end, as: UInt32.self)
            end += 4
        }
        return end
    }

    /// A whole frame as an array, for the rare small ones: control frames and tests.
    func frame(_ payload: some Collection<UInt8>) -> [UInt8] {
        let headerLength = self.encodedLength
        return [UInt8](unsafeUninitializedCapacity: headerLength + payload.count) { target, count in
            let raw = UnsafeMutableRawBufferPointer(target)
            self.encode(into: raw)
            var end = headerLength
            for byte in payload {
                raw[end] = byte
                end += 1
            }
            if let maskingKey = self.maskingKey {
                WebSocketMask.apply(maskingKey, to: UnsafeMutableRawBufferPointer(rebasing: raw[headerLength..<end]))
            }
            count = end
        }
    }
}
