import NIOCore

/// Where a client's frames go: its socket. Used on the client's event loop only.
protocol StreamSink: AnyObject {
    var format: FrameFormat { get }
    /// Whether the socket takes more without piling it up.
    var isWritable: Bool { get }
    /// Bytes handed over that the kernel has not taken yet.
    var pendingBytes: Int { get }

    func send(_ frames: ByteBuffer)
    func close(_ reason: StreamCloseReason)
}

/// Why the gateway ends a client's stream.
enum StreamCloseReason: Sendable {
    /// The gateway stops; the client may resume after the offset.
    case stopping(offset: Int64)
    /// The client let too much wait; it may resume after the offset.
    case tooSlow(offset: Int64)
    /// What the client was let in with has ended, or was taken back.
    case accessEnded
    /// The log could not be read.
    case storeFailed
}
