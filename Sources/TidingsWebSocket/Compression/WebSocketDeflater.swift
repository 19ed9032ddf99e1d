internal import CZlib
public import NIOCore

/// How messages are compressed, where permessage-deflate is on.
public struct WebSocketDeflateOptions: Sendable {
    /// zlib's level, 1 (fast) to 9.
    public var level = 1
    /// zlib's memory level, 1 to 9; a deflater takes about 128 KiB for the window and 2^(level + 9) bytes more.
    public var memoryLevel = 8
    /// Shorter messages go uncompressed.
    public var minimumBytes = 256
    /// Server: take offers that ask for a window below 32 KiB. Where one deflater serves many clients, do not.
    public var acceptsSmallerWindow = true

    public init() {}
}

/// Compresses messages, each on its own (no context takeover), so that one deflater can serve many connections and a
/// frame can be shared by all of them. Costs about 256 KiB; belongs to one thread at a time.
public struct WebSocketDeflater: ~Copyable {
    private let stream: UnsafeMutablePointer<z_stream>
    private let isReady: Bool
    private var scratch = ByteBuffer()

    public init(windowBits: Int = 15, options: WebSocketDeflateOptions = .init()) {
        self.stream = .allocate(capacity: 1)
        self.stream.initialize(to: z_stream())
        let level = Int32(min(max(options.level, 1), 9))
        let memory = Int32(min(max(options.memoryLevel, 1), 9))
        self.isReady = tidings_deflate_init(self.stream, level, -Int32(min(max(windowBits, 9), 15)), memory) == Z_OK
    }

    deinit {
        if self.isReady { deflateEnd(self.stream) }
        self.stream.deallocate()
    }

    /// Appends a whole frame with the compressed payload; uncompressed should zlib refuse.
    public mutating func writeFrame(
        _ opcode: WebSocketOpcode, payload: UnsafeRawBufferPointer, maskingKey: UInt32? = nil,
        into buffer: inout ByteBuffer
    ) {
        self.scratch.clear()
        guard self.compress(payload) else {
            buffer.writeWebSocketFrame(opcode, payload: payload, maskingKey: maskingKey)
            return
        }
        self.scratch.withUnsafeReadableBytes {
            buffer.writeWebSocketFrame(opcode, payload: $0, isCompressed: true, maskingKey: maskingKey)
        }
        if self.scratch.capacity > 1 << 18 { self.scratch = ByteBuffer() }
    }

    private mutating func compress(_ payload: UnsafeRawBufferPointer) -> Bool {
        guard self.isReady, payload.count < 1 << 30, deflateReset(self.stream) == Z_OK else { return false }
        let stream = self.stream
        // zlib does not write through next_in; its C declaration only lacks the const.
        stream.pointee.next_in = UnsafeMutableRawPointer(mutating: payload.baseAddress)?
            .assumingMemoryBound(to: UInt8.self)
        stream.pointee.avail_in = UInt32(payload.count)
        repeat {
            let room = Int(deflateBound(stream, UInt(stream.pointee.avail_in))) + 16
            var status = Z_OK
            self.scratch.writeWithUnsafeMutableBytes(minimumWritableBytes: room) { target in
                stream.pointee.next_out = target.baseAddress?.assumingMemoryBound(to: UInt8.self)
                stream.pointee.avail_out = UInt32(truncatingIfNeeded: min(target.count, Int(UInt32.max)))
                let before = Int(stream.pointee.avail_out)
                status = deflate(stream, Z_SYNC_FLUSH)
                return before - Int(stream.pointee.avail_out)
            }
            guard status == Z_OK || status == Z_BUF_ERROR else { return false }
        } while stream.pointee.avail_out == 0
        // The empty block at the end goes without saying (RFC 7692, 7.2.1).
        guard self.scratch.readableBytes >= 4 else { return false }
        self.scratch.moveWriterIndex(to: self.scratch.writerIndex - 4)
        return true
    }
}
