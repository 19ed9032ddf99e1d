internal import CZlib

/// Decompresses the messages of one direction (RFC 7692), never to more than it is told.
struct Inflater: ~Copyable {
    enum Outcome { case done, tooBig, corrupt }

    private let stream: UnsafeMutablePointer<z_stream>
    private let isReady: Bool

    init() {
        self.stream = .allocate(capacity: 1)
        self.stream.initialize(to: z_stream())
        // Raw deflate with the largest window reads every smaller one as well.
        self.isReady = tidings_inflate_init(self.stream, -15) == Z_OK
    }

    deinit {
        if self.isReady { inflateEnd(self.stream) }
        self.stream.deallocate()
    }

    /// Appends what `input` decompresses to, up to a total of `limit` bytes in `output`.
    mutating func inflate(_ input: UnsafeRawBufferPointer, into output: inout ByteStore, limit: Int) -> Outcome {
        guard self.isReady else { return .corrupt }
        guard let base = input.baseAddress, input.count > 0 else { return .done }
        var consumed = 0
        var outputIsFull = false
        while consumed < input.count || outputIsFull {
            let portion = min(input.count - consumed, 1 << 30)
            // zlib does not write through next_in; its C declaration only lacks the const.
            self.stream.pointee.next_in = UnsafeMutableRawPointer(mutating: base + consumed)
                .assumingMemoryBound(to: UInt8.self)
            self.stream.pointee.avail_in = UInt32(portion)
            // One byte of room past the limit tells a message that fits exactly from one that does not.
            let room = min(max(512, min(portion * 4, 1 << 16)), min(limit, 1 << 48) - output.count + 1)
            var status: Int32 = Z_OK
            let stream = self.stream
            output.append(room: room) { target in
                stream.pointee.next_out = target.baseAddress?.assumingMemoryBound(to: UInt8.self)
                stream.pointee.avail_out = UInt32(target.count)
                status = CZlib.inflate(stream, Z_SYNC_FLUSH)
                return target.count - Int(stream.pointee.avail_out)
            }
            consumed += portion - Int(self.stream.pointee.avail_in)
            outputIsFull = self.stream.pointee.avail_out == 0
            if output.count > limit { return .tooBig }
            switch status {
            case Z_OK: break
            case Z_BUF_ERROR where !outputIsFull: return consumed == input.count ? .done : .corrupt
            case Z_STREAM_END:
                // A final block may end a message early (RFC 7692, 7.2.3.5); what follows starts anew.
                guard inflateReset(self.stream) == Z_OK else { return .corrupt }
                outputIsFull = false
            default: return .corrupt
            }
        }
        return .done
    }

    /// Gives back the tail the sender cut off, which ends the message.
    mutating func finishMessage(into output: inout ByteStore, limit: Int) -> Outcome {
        let tail: [UInt8] = [0x00, 0x00, 0xFF, 0xFF]
        return tail.withUnsafeBytes { self.inflate($0, into: &output, limit: limit) }
    }
}
