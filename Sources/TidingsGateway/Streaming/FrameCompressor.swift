import NIOCore
import TidingsWebSocket

/// Compresses the frames of one event loop's clients (RFC 7692): one deflater for all of them, made when it is needed first.
///
/// Nobody keeps a window from one message to the next, and everybody has the largest, so a frame is the same for all.
final class FrameCompressor {
    static let options: WebSocketDeflateOptions = {
        var options = WebSocketDeflateOptions()
        options.acceptsSmallerWindow = false
        return options
    }()

    private var deflater: WebSocketDeflater?
    /// How many frames were compressed.
    private(set) var count = 0

    /// Appends a text frame, compressed where that is worth it.
    func writeFrame(_ payload: UnsafeRawBufferPointer, into buffer: inout ByteBuffer) {
        guard payload.count >= Self.options.minimumBytes else {
            buffer.writeWebSocketFrame(.text, payload: payload)
            return
        }
        self.count += 1
        var deflater = self.deflater.take() ?? WebSocketDeflater(options: Self.options)
        deflater.writeFrame(.text, payload: payload, into: &buffer)
        self.deflater = consume deflater
    }
}

extension GatewayConfiguration.Compression {
    /// Whether a client at this address gets compressed events, if it offers to take them.
    func applies(to address: SocketAddress?) -> Bool {
        switch self {
        case .on: true
        case .off: false
        case .automatic: IPAddress(address).map { !$0.isLoopback } ?? false
        }
    }
}
