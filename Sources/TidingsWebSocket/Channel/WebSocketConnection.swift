internal import Atomics
public import NIOCore

/// A handle on an open WebSocket, client's or server's, for any thread.
public final class WebSocketConnection: Sendable {
    /// What the handshake settled.
    public struct Handshake: Sendable {
        /// The path and query asked for.
        public var path: String
        /// At the client the server's response headers, at the server the client's request headers.
        public var headers: [WebSocketHeader]
        public var subprotocol: String?
        public var deflate: WebSocketDeflateParameters?

        public init(
            path: String = "/", headers: [WebSocketHeader] = [], subprotocol: String? = nil,
            deflate: WebSocketDeflateParameters? = nil
        ) {
            self.path = path
            self.headers = headers
            self.subprotocol = subprotocol
            self.deflate = deflate
        }
    }

    public let role: WebSocketRole
    public let handshake: Handshake
    public let options: WebSocketOptions
    public let remoteAddress: SocketAddress?
    /// Where the delegate is called.
    public let eventLoop: any EventLoop
    /// Succeeds, never fails, once the connection has ended.
    public let closed: EventLoopFuture<WebSocketClosure>

    private let channel: any Channel
    private let handler: NIOLoopBound<WebSocketChannelHandler>
    private let minimumCompressedBytes: Int
    private let pending = ManagedAtomic<Int>(0)
    private let open = ManagedAtomic<Bool>(true)
    private let reads = ManagedAtomic<Int>(0)

    init(
        role: WebSocketRole, handshake: Handshake, options: WebSocketOptions, channel: any Channel,
        minimumCompressedBytes: Int, handler: WebSocketChannelHandler, closed: EventLoopFuture<WebSocketClosure>
    ) {
        self.role = role
        self.handshake = handshake
        self.options = options
        self.remoteAddress = channel.remoteAddress
        self.eventLoop = channel.eventLoop
        self.channel = channel
        // zlib has no raw window of 8 bits: where the server wants one, what we send stays as it is (RFC 7692, 7.2.1).
        let canCompress = handshake.deflate.map { $0.ownWindowBits(role: role) >= 9 } ?? false
        self.minimumCompressedBytes = canCompress ? minimumCompressedBytes : .max
        self.handler = NIOLoopBound(handler, eventLoop: channel.eventLoop)
        self.closed = closed
    }

    /// Whether messages can be sent: no close frame went out and the socket stands.
    public var isOpen: Bool { self.open.load(ordering: .acquiring) }

    /// Bytes taken by `send` and not yet by the kernel.
    public var pendingBytes: Int { self.pending.load(ordering: .relaxed) }

    /// How often bytes have come from the peer, pings and pongs included: while it does not grow, nothing at all comes.
    public var readCount: Int { self.reads.load(ordering: .relaxed) }

    func noteRead() { self.reads.wrappingIncrement(ordering: .relaxed) }

    /// Whether the channel's write buffer is below its high water mark.
    public var isWritable: Bool { self.channel.isWritable }

    /// Waits for the end.
    public func waitUntilClosed() async -> WebSocketClosure {
        do {
            return try await self.closed.get()
        } catch {
            return WebSocketClosure(code: .abnormal, initiator: .transport)
        }
    }

    // MARK: Sending

    /// Sends a text message. Returns at once; refuses when too much waits already.
    public func send(text: String) throws(WebSocketError) {
        var text = text
        let result = text.withUTF8 { self.send(.text, UnsafeRawBufferPointer($0)) }
        try result.get()
    }

    /// Sends a text message of bytes that are known to be UTF-8.
    public func send(text: UnsafeRawBufferPointer) throws(WebSocketError) { try self.send(.text, text).get() }

    /// Sends a text message of bytes that are known to be UTF-8.
    public func send(text: ByteBuffer) throws(WebSocketError) {
        try text.withUnsafeReadableBytes { self.send(.text, $0) }.get()
    }

    /// Sends a binary message.
    public func send(binary: ByteBuffer) throws(WebSocketError) {
        try binary.withUnsafeReadableBytes { self.send(.binary, $0) }.get()
    }

    /// Writes frames that are encoded already, as they are: the way to send one buffer to many clients.
    public func send(encoded frames: ByteBuffer) throws(WebSocketError) {
        try self.reserve(frames.readableBytes)
        self.onLoop { $0.write(frames, reserved: frames.readableBytes) }
    }

    /// Writes encoded frames at once. Only on the event loop, and only for those who look at ``isWritable`` first and
    /// hold back what does not fit: these bytes are not counted in ``pendingBytes``.
    package func sendUncounted(encoded frames: ByteBuffer) {
        self.handler.value.writeUncounted(frames)
    }

    /// Bytes that the channel holds for the kernel, counted or not. Only on the event loop.
    package var bufferedBytes: Int {
        // Only a closed channel refuses to say.
        (try? self.channel.syncOptions?.getOption(.bufferedWritableBytes)) ?? 0
    }

    /// Sends a ping with an own payload (at most 125 bytes), besides the automatic ones.
    public func ping(_ payload: [UInt8] = []) { self.onLoop { $0.ping(payload) } }

    private func send(_ opcode: WebSocketOpcode, _ payload: UnsafeRawBufferPointer) -> Result<Void, WebSocketError> {
        let size = payload.count + WebSocketFrameHeader.maximumEncodedLength
        do throws(WebSocketError) { try self.reserve(size) } catch { return .failure(error) }
        if payload.count >= self.minimumCompressedBytes {
            if self.eventLoop.inEventLoop {
                self.handler.value.writeCompressed(opcode, payload, reserved: size)
            } else {
                let copy = ByteBuffer(bytes: payload)
                self.onLoop { handler in
                    copy.withUnsafeReadableBytes { handler.writeCompressed(opcode, $0, reserved: size) }
                }
            }
            return .success(())
        }
        var frame = self.channel.allocator.buffer(capacity: size)
        let key = self.role == .client ? WebSocketMask.randomKey() : nil
        frame.writeWebSocketFrame(opcode, payload: payload, maskingKey: key)
        let encoded = frame
        self.onLoop { $0.write(encoded, reserved: size) }
        return .success(())
    }

    private func reserve(_ bytes: Int) throws(WebSocketError) {
        guard self.isOpen else { throw WebSocketError(.closed, "The connection is closed") }
        let waiting = self.pending.wrappingIncrementThenLoad(by: bytes, ordering: .relaxed)
        guard waiting <= self.options.maximumPendingBytes else {
            self.release(bytes)
            throw WebSocketError(.tooManyPendingBytes, "\(waiting - bytes) bytes wait to be written")
        }
    }

    func release(_ bytes: Int) { self.pending.wrappingDecrement(by: bytes, ordering: .relaxed) }

    func reserveUnchecked(_ bytes: Int) { self.pending.wrappingIncrement(by: bytes, ordering: .relaxed) }

    func markClosed() { self.open.store(false, ordering: .releasing) }

    // MARK: Reading

    /// Stops delivery and reading at once; what was read already is kept, and the peer meets TCP's back pressure.
    public func pauseReading() { self.onLoop { $0.pauseReading() } }

    /// Delivers what was kept, and reads on.
    public func resumeReading() { self.onLoop { $0.resumeReading() } }

    // MARK: Ending

    /// Starts the close handshake; it ends within `closeTimeout`, see `closed`.
    public func close(_ code: WebSocketCloseCode = .normal, reason: String = "") {
        self.onLoop { $0.close(code, reason: reason) }
    }

    /// Ends the socket at once, without a close frame.
    public func abort() { self.channel.close(promise: nil) }

    private func onLoop(_ body: @escaping @Sendable (WebSocketChannelHandler) -> Void) {
        if self.eventLoop.inEventLoop {
            body(self.handler.value)
        } else {
            let handler = self.handler
            self.eventLoop.execute { body(handler.value) }
        }
    }
}
