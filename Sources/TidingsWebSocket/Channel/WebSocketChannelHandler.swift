public import NIOCore

/// Drives a `WebSocketSession` on a channel that carries WebSocket bytes already: after the upgrade, behind TLS.
public final class WebSocketChannelHandler: ChannelInboundHandler {
    public typealias InboundIn = ByteBuffer
    public typealias OutboundOut = ByteBuffer

    private let role: WebSocketRole
    private let options: WebSocketOptions
    private let handshake: WebSocketConnection.Handshake
    private let deflateOptions: WebSocketDeflateOptions
    private let makeDelegate: WebSocketDelegateFactory

    private var session: WebSocketSession
    private var deflater: WebSocketDeflater?
    /// Pings answered one by one since the socket was last read to its end, and the answer to the last of the others.
    private var pongsInRead = 0
    private var latestPong: [UInt8]?
    private static let mostPongsInRead = 32
    private var context: ChannelHandlerContext?
    /// Set while the channel is active.
    public private(set) var connection: WebSocketConnection?
    private var delegate: (any WebSocketDelegate)?
    private var closedPromise: EventLoopPromise<WebSocketClosure>?
    private var failure: WebSocketError?

    private var isPaused = false
    private var isProcessing = false
    private var isInRead = false
    private var hasSeenReadComplete = false
    private var hasDelivered = false
    private var needsFlush = false
    private var held: ByteBuffer?
    private var timer: Scheduled<Void>?
    private var timerDeadline: Int64?

    /// - Parameters:
    ///   - handshake: what was agreed on, for the session and for the delegate to see.
    ///   - makeDelegate: called on the event loop when the channel is active.
    public init(
        role: WebSocketRole, options: WebSocketOptions = .init(), handshake: WebSocketConnection.Handshake = .init(),
        deflateOptions: WebSocketDeflateOptions = .init(), makeDelegate: @escaping WebSocketDelegateFactory
    ) {
        self.role = role
        self.options = options
        self.handshake = handshake
        self.deflateOptions = deflateOptions
        self.makeDelegate = makeDelegate
        self.session = WebSocketSession(role: role, options: options, deflate: handshake.deflate, now: 0)
    }

    // MARK: Channel events

    public func handlerAdded(context: ChannelHandlerContext) {
        self.context = context
        if context.channel.isActive { self.open(context) }
    }

    public func channelActive(context: ChannelHandlerContext) {
        self.open(context)
        context.fireChannelActive()
    }

    public func channelRead(context: ChannelHandlerContext, data: NIOAny) {
        var buffer = self.unwrapInboundIn(data)
        self.isInRead = true
        self.connection?.noteRead()
        if !self.hasSeenReadComplete { self.completeReadLater(context) }
        if self.held != nil || self.isPaused || self.isProcessing {
            self.held.setOrWriteBuffer(&buffer)
        } else {
            self.process(buffer)
        }
    }

    public func channelReadComplete(context: ChannelHandlerContext) {
        // The first may still belong to the request, with what followed it yet to come.
        if self.isInRead { self.hasSeenReadComplete = true }
        self.isInRead = false
        self.completeRead()
        context.fireChannelReadComplete()
    }

    public func channelWritabilityChanged(context: ChannelHandlerContext) {
        if let connection = self.connection {
            self.delegate?.webSocket(connection, didChangeWritability: context.channel.isWritable)
        }
        context.fireChannelWritabilityChanged()
    }

    public func errorCaught(context: ChannelHandlerContext, error: any Error) {
        if self.failure == nil { self.failure = WebSocketError(.transport, "The socket failed", underlying: error) }
        context.close(promise: nil)
    }

    public func channelInactive(context: ChannelHandlerContext) {
        self.ended()
        context.fireChannelInactive()
    }

    public func handlerRemoved(context: ChannelHandlerContext) {
        self.ended()
        self.context = nil
        // The connection holds on to us.
        self.connection = nil
    }

    private var now: Int64 {
        Int64(clamping: (self.context?.eventLoop.now ?? .distantPast).uptimeNanoseconds)
    }

    private func open(_ context: ChannelHandlerContext) {
        guard self.connection == nil else { return }
        self.session = WebSocketSession(
            role: self.role, options: self.options, deflate: self.handshake.deflate, now: self.now)
        let promise = context.eventLoop.makePromise(of: WebSocketClosure.self)
        let connection = WebSocketConnection(
            role: self.role, handshake: self.handshake, options: self.options, channel: context.channel,
            minimumCompressedBytes: self.deflateOptions.minimumBytes, handler: self, closed: promise.futureResult)
        self.closedPromise = promise
        self.connection = connection
        let delegate = self.makeDelegate(connection)
        self.delegate = delegate
        delegate.webSocketDidOpen(connection)
        self.armTimer()
    }

    // MARK: Reading

    private func process(_ buffer: ByteBuffer) {
        let now = self.now
        self.isProcessing = true
        let consumed = buffer.withUnsafeReadableBytes { bytes in
            var offset = 0
            while !self.isPaused, let action = self.session.next(in: bytes, from: &offset, now: now) {
                self.perform(action, bytes)
            }
            return offset
        }
        self.isProcessing = false
        if consumed < buffer.readableBytes {
            var rest = buffer
            rest.moveReaderIndex(forwardBy: consumed)
            if var later = self.held { rest.writeBuffer(&later) }
            self.held = rest
        }
        self.armTimer()
    }

    private func processHeld() {
        while !self.isPaused, !self.isProcessing {
            let buffer = self.held.take() ?? ByteBuffer()
            self.process(buffer)
            guard self.held != nil else { return }
        }
    }

    private func completeRead() {
        if self.hasDelivered, let connection = self.connection {
            self.hasDelivered = false
            self.delegate?.webSocketDidCompleteRead(connection)
        }
        self.sendLatestPong()
        self.flush()
    }

    /// What an HTTP decoder hands on when it leaves the pipeline is not followed by a `channelReadComplete`.
    private func completeReadLater(_ context: ChannelHandlerContext) {
        context.eventLoop.assumeIsolated().execute {
            guard self.isInRead else { return }
            self.isInRead = false
            self.completeRead()
        }
    }

    private func perform(_ action: WebSocketAction, _ input: UnsafeRawBufferPointer) {
        guard let connection = self.connection else { return }
        switch action {
        case .text(let payload):
            self.hasDelivered = true
            self.delegate?.webSocket(connection, didReceiveText: self.bytes(payload, input))
        case .binary(let payload):
            self.hasDelivered = true
            self.delegate?.webSocket(connection, didReceiveBinary: self.bytes(payload, input))
        case .send(let frame):
            if !self.session.isOpen { connection.markClosed() }
            if (frame.first ?? 0) & 0x0F == WebSocketOpcode.pong.rawValue {
                self.answerPing(with: frame, connection)
            } else {
                self.write(control: frame, connection)
            }
        case .finished(let closure): self.finish(closure)
        }
    }

    private func write(control frame: [UInt8], _ connection: WebSocketConnection) {
        connection.reserveUnchecked(frame.count)
        self.write(ByteBuffer(bytes: frame), reserved: frame.count)
    }

    /// A peer that pings and does not read gets no more pongs than fit, and one that floods us with pings gets a few pongs
    /// for each of our reads and one for the last of them (RFC 6455 5.5.3 allows answering only the most recent ping).
    private func answerPing(with pong: [UInt8], _ connection: WebSocketConnection) {
        guard connection.pendingBytes <= self.options.maximumPendingBytes else { return }
        guard self.pongsInRead < Self.mostPongsInRead else {
            self.latestPong = pong
            return
        }
        self.pongsInRead += 1
        self.write(control: pong, connection)
    }

    private func sendLatestPong() {
        self.pongsInRead = 0
        guard let pong = self.latestPong, let connection = self.connection else { return }
        self.latestPong = nil
        if self.session.isOpen { self.write(control: pong, connection) }
    }

    private func bytes(_ payload: WebSocketPayload, _ input: UnsafeRawBufferPointer) -> UnsafeRawBufferPointer {
        switch payload {
        case .input(let range): UnsafeRawBufferPointer(rebasing: input[range])
        case .assembled: self.session.assembled
        }
    }

    func pauseReading() {
        guard !self.isPaused, let context = self.context else { return }
        self.isPaused = true
        self.setAutoRead(false, context)
    }

    func resumeReading() {
        guard self.isPaused, let context = self.context else { return }
        self.isPaused = false
        self.session.resumedReading(now: self.now)
        guard !self.isProcessing else {
            self.setAutoRead(true, context)
            return
        }
        self.processHeld()
        if !self.isInRead { self.completeRead() }
        // The delegate may have paused again while it got what was kept.
        if !self.isPaused { self.setAutoRead(true, context) }
    }

    private func setAutoRead(_ isOn: Bool, _ context: ChannelHandlerContext) {
        do {
            try context.channel.syncOptions?.setOption(.autoRead, value: isOn)
        } catch {
            // Only a closed channel refuses; it reads no more anyway.
        }
    }

    // MARK: Writing

    /// Writes encoded frames whose `reserved` bytes the connection has counted already.
    func write(_ frames: ByteBuffer, reserved: Int) {
        guard let context = self.context, let connection = self.connection else {
            self.connection?.release(reserved)
            return
        }
        let promise = context.eventLoop.makePromise(of: Void.self)
        promise.futureResult.whenComplete { _ in connection.release(reserved) }
        context.write(self.wrapOutboundOut(frames), promise: promise)
        self.needsFlush = true
        if !self.isInRead, !self.isProcessing { self.flush() }
    }

    /// Writes encoded frames that nobody counts: no promise, no closure, nothing to allocate.
    func writeUncounted(_ frames: ByteBuffer) {
        guard let context = self.context, self.session.isOpen else { return }
        if self.isInRead || self.isProcessing {
            context.write(self.wrapOutboundOut(frames), promise: nil)
            self.needsFlush = true
        } else {
            self.needsFlush = false
            context.writeAndFlush(self.wrapOutboundOut(frames), promise: nil)
        }
    }

    func writeCompressed(_ opcode: WebSocketOpcode, _ payload: UnsafeRawBufferPointer, reserved: Int) {
        let windowBits = self.handshake.deflate?.ownWindowBits(role: self.role) ?? 15
        var deflater = self.deflater.take() ?? WebSocketDeflater(windowBits: windowBits, options: self.deflateOptions)
        var frame = ByteBuffer()
        let key = self.role == .client ? WebSocketMask.randomKey() : nil
        deflater.writeFrame(opcode, payload: payload, maskingKey: key, into: &frame)
        self.deflater = consume deflater
        self.write(frame, reserved: reserved)
    }

    func ping(_ payload: [UInt8]) {
        guard let action = self.session.ping(payload) else { return }
        self.perform(action, UnsafeRawBufferPointer(start: nil, count: 0))
    }

    private func flush() {
        guard self.needsFlush else { return }
        self.needsFlush = false
        self.context?.flush()
    }

    // MARK: Ending

    func close(_ code: WebSocketCloseCode, reason: String) {
        guard let action = self.session.close(code, reason: reason, now: self.now) else { return }
        self.perform(action, UnsafeRawBufferPointer(start: nil, count: 0))
        // The peer's close frame has to be seen.
        if self.isPaused { self.resumeReading() }
        self.armTimer()
    }

    /// The session is through: flush, then close the socket, but do not wait for a peer that does not read.
    private func finish(_ closure: WebSocketClosure) {
        guard let context = self.context else { return }
        self.report(closure)
        let channel = context.channel
        let promise = context.eventLoop.makePromise(of: Void.self)
        promise.futureResult.whenComplete { _ in channel.close(promise: nil) }
        context.writeAndFlush(self.wrapOutboundOut(ByteBuffer()), promise: promise)
        self.needsFlush = false
        let limit = TimeAmount.nanoseconds(self.options.closeTimeout.clampedNanoseconds)
        let forced = context.eventLoop.scheduleTask(in: limit) { channel.close(promise: nil) }
        channel.closeFuture.whenComplete { _ in forced.cancel() }
    }

    /// The socket ended, or the handler left: say how, once.
    private func ended() {
        self.isPaused = false
        // A close frame may stand in what was kept while paused.
        if self.held != nil, !self.isProcessing { self.processHeld() }
        self.held = nil
        if let closure = self.session.transportClosed(self.failure) { self.report(closure) }
        self.timer?.cancel()
        self.timer = nil
        self.delegate = nil
        self.deflater = nil
    }

    private func report(_ closure: WebSocketClosure) {
        guard let connection = self.connection, let promise = self.closedPromise.take() else { return }
        connection.markClosed()
        if self.hasDelivered {
            self.hasDelivered = false
            self.delegate?.webSocketDidCompleteRead(connection)
        }
        self.delegate?.webSocket(connection, didClose: closure)
        self.delegate = nil
        promise.succeed(closure)
    }

    // MARK: Time

    private func armTimer() {
        guard let wanted = self.session.nextWake, let context = self.context else { return }
        if let deadline = self.timerDeadline, deadline <= wanted { return }
        self.timer?.cancel()
        self.timerDeadline = wanted
        let deadline = NIODeadline.uptimeNanoseconds(UInt64(clamping: wanted))
        self.timer = context.eventLoop.assumeIsolated().scheduleTask(deadline: deadline) { self.timerFired() }
    }

    private func timerFired() {
        self.timer = nil
        self.timerDeadline = nil
        guard self.context != nil else { return }
        while let action = self.session.wake(now: self.now, isReading: !self.isPaused) {
            self.perform(action, UnsafeRawBufferPointer(start: nil, count: 0))
        }
        self.armTimer()
    }
}
