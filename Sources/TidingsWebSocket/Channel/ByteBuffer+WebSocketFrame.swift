public import NIOCore

extension ByteBuffer {
    /// Appends a whole frame, so that the frames of a turn can be joined in one buffer and shared by many connections.
    /// - Parameter maskingKey: required of clients, forbidden to servers.
    public mutating func writeWebSocketFrame(
        _ opcode: WebSocketOpcode, payload: UnsafeRawBufferPointer, isFinal: Bool = true, isCompressed: Bool = false,
        maskingKey: UInt32? = nil
    ) {
        self.writeWebSocketHeader(
            WebSocketFrameHeader(
                opcode, payloadLength: payload.count, isFinal: isFinal, isCompressed: isCompressed,
                maskingKey: maskingKey))
        guard let base = payload.baseAddress, payload.count > 0 else { return }
        self.writeWithUnsafeMutableBytes(minimumWritableBytes: payload.count) { target in
            guard let out = target.baseAddress else { return 0 }
            if let maskingKey {
                WebSocketMask.copy(base, to: out, count: payload.count, key: maskingKey, offset: 0)
            } else {
                out.copyMemory(from: base, byteCount: payload.count)
            }
            return payload.count
        }
    }

    /// Appends a whole frame with what is readable in `payload`.
    public mutating func writeWebSocketFrame(
        _ opcode: WebSocketOpcode, payload: ByteBuffer, maskingKey: UInt32? = nil
    ) {
        payload.withUnsafeReadableBytes { self.writeWebSocketFrame(opcode, payload: $0, maskingKey: maskingKey) }
    }

    /// Appends a whole text frame.
    public mutating func writeWebSocketText(_ text: String, maskingKey: UInt32? = nil) {
        var text = text
        text.withUTF8 {
            self.writeWebSocketFrame(.text, payload: UnsafeRawBufferPointer($0), maskingKey: maskingKey)
        }
    }

    /// Appends only a frame's header; the payload of the length it names has to follow.
    public mutating func writeWebSocketHeader(_ header: WebSocketFrameHeader) {
        self.writeWithUnsafeMutableBytes(minimumWritableBytes: WebSocketFrameHeader.maximumEncodedLength) {
            header.encode(into: $0)
        }
    }
}
