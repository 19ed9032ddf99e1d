/// One end of a WebSocket (RFC 6455, RFC 7692) without socket, clock or loop.
///
/// Give it the bytes of a read with `next(in:from:now:)` until it returns nil, do what it says, and call `wake(now:)`
/// when `nextWake` has come. Whatever arrives, it answers with an action; nothing received traps.
public struct WebSocketSession: ~Copyable {
    private enum Phase {
        case open
        /// We sent a close frame and wait for the peer's; everything else is skipped.
        case closing
        /// Both are through; as the client we leave it to the server to end the socket.
        case lingering
        case finished
    }

    private struct Frame {
        var header: FrameStart
        var remaining: Int
        var received = 0
    }

    private struct Message {
        var isText: Bool
        var isCompressed: Bool
        var validator = UTF8Validator()
    }

    public let role: WebSocketRole
    public let options: WebSocketOptions
    /// What permessage-deflate was agreed on, if it was.
    public let deflate: WebSocketDeflateParameters?

    private var phase = Phase.open
    private var closure: WebSocketClosure?
    private var finish: WebSocketClosure?
    private var closeDeadline: Int64?
    private var keepAlive: KeepAlive

    private var headerBytes = ByteStore()
    private var frame: Frame?
    private var control = ByteStore()
    private var message: Message?
    private var body = ByteStore()
    private var unmasked = ByteStore()
    private var inflater: Inflater?
    private var wasDelivered = false

    /// - Parameters:
    ///   - deflate: what the handshake agreed on.
    ///   - now: monotonic nanoseconds, as in every other call.
    public init(
        role: WebSocketRole, options: WebSocketOptions = .init(), deflate: WebSocketDeflateParameters? = nil, now: Int64
    ) {
        self.role = role
        self.options = options
        self.deflate = deflate
        self.keepAlive = KeepAlive(interval: options.pingInterval, timeout: options.pongTimeout, now: now)
    }

    /// Whether messages can still be sent: no close frame went out yet.
    public var isOpen: Bool { if case .open = self.phase { true } else { false } }

    /// The message of the last `.assembled` action; valid until the next call of `next`.
    public var assembled: UnsafeRawBufferPointer { self.body.bytes }

    /// When `wake(now:)` next has something to do; nil for never.
    public var nextWake: Int64? {
        switch self.phase {
        case .open: self.keepAlive.nextWake
        case .closing, .lingering: self.closeDeadline
        case .finished: nil
        }
    }

    // MARK: Received

    /// Reads on in `input` from `offset`, which it moves, up to the next thing to do; nil once all is read.
    public mutating func next(
        in input: UnsafeRawBufferPointer, from offset: inout Int, now: Int64
    ) -> WebSocketAction? {
        if let finish = self.takeFinish() { return .finished(finish) }
        if self.wasDelivered {
            self.body.clear()
            self.wasDelivered = false
        }
        if offset < input.count { self.keepAlive.received(now: now) }
        while true {
            switch self.phase {
            case .lingering, .finished:
                offset = input.count
                return nil
            case .open, .closing: break
            }
            if self.frame == nil {
                switch self.readHeader(in: input, from: &offset) {
                case .needsMore: return nil
                case .violation(let violation, let length, let isClose):
                    let action = self.fail(violation, now: now)
                    if isClose, case .closing = self.phase {
                        // However wrong, it was the peer's close frame: no other will follow.
                        self.endHandshake(clean: false, now: now)
                    } else if let length {
                        // Skipped, to find the peer's close frame behind it.
                        let skipped = FrameStart(opcode: .binary, isFinal: true, isCompressed: false, length: length)
                        self.frame = Frame(header: skipped, remaining: length)
                    } else if case .closing = self.phase {
                        self.finish = self.closure
                    }
                    return action
                case .start(let header): self.frame = Frame(header: header, remaining: header.length)
                }
            }
            guard var frame = self.frame else { return nil }
            let available = min(frame.remaining, input.count - offset)
            if available == 0, frame.remaining > 0 { return nil }
            let range = offset..<(offset + available)
            let chunk = UnsafeRawBufferPointer(rebasing: input[range])
            offset = range.upperBound
            let isWhole = frame.received == 0 && available == frame.remaining
            let position = frame.received
            frame.remaining -= available
            frame.received += available
            let isEnd = frame.remaining == 0
            self.frame = isEnd ? nil : frame
            if let action = self.accept(
                chunk, at: position, of: frame.header, range: range, isWhole: isWhole, isEnd: isEnd, now: now)
            {
                return action
            }
        }
    }

    private mutating func accept(
        _ chunk: UnsafeRawBufferPointer, at position: Int, of header: FrameStart, range: Range<Int>, isWhole: Bool,
        isEnd: Bool, now: Int64
    ) -> WebSocketAction? {
        if header.opcode.isControl {
            if let key = header.maskingKey {
                self.control.append(chunk, unmaskedWith: key, offset: position)
            } else {
                self.control.append(chunk)
            }
            guard isEnd else { return nil }
            defer { self.control.clear() }
            return self.acceptControl(header.opcode, now: now)
        }
        guard case .open = self.phase else { return nil }
        if header.opcode != .continuation, position == 0, self.message == nil {
            self.message = Message(isText: header.opcode == .text, isCompressed: header.isCompressed)
        }
        guard var message = self.message else { return nil }
        self.message = nil
        if isWhole, header.isFinal, header.opcode != .continuation, !message.isCompressed, header.maskingKey == nil {
            if message.isText, !message.validator.accept(chunk) || !message.validator.isComplete {
                return self.fail(.invalidUTF8, now: now)
            }
            return message.isText ? .text(.input(range)) : .binary(.input(range))
        }
        let start = self.body.count
        if let violation = self.append(chunk, at: position, of: header, isCompressed: message.isCompressed) {
            return self.fail(violation, now: now)
        }
        let isMessageEnd = isEnd && header.isFinal
        if isMessageEnd, message.isCompressed, let violation = self.finishInflating() {
            return self.fail(violation, now: now)
        }
        if message.isText, !message.validator.accept(self.body.bytes(from: start)) {
            return self.fail(.invalidUTF8, now: now)
        }
        guard isMessageEnd else {
            self.message = message
            return nil
        }
        if message.isText, !message.validator.isComplete { return self.fail(.invalidUTF8, now: now) }
        self.wasDelivered = true
        return message.isText ? .text(.assembled) : .binary(.assembled)
    }

    private mutating func append(
        _ chunk: UnsafeRawBufferPointer, at position: Int, of header: FrameStart, isCompressed: Bool
    ) -> WebSocketViolation? {
        guard isCompressed else {
            if let key = header.maskingKey {
                self.body.append(chunk, unmaskedWith: key, offset: position)
            } else {
                self.body.append(chunk)
            }
            return nil
        }
        if let key = header.maskingKey {
            self.unmasked.append(chunk, unmaskedWith: key, offset: position)
        } else {
            self.unmasked.append(chunk)
        }
        var inflater = self.inflater.take() ?? Inflater()
        let outcome = inflater.inflate(
            self.unmasked.bytes, into: &self.body, limit: self.options.maximumMessageBytes)
        self.inflater = consume inflater
        self.unmasked.clear(keeping: 1 << 13)
        return WebSocketViolation(outcome)
    }

    private mutating func finishInflating() -> WebSocketViolation? {
        var inflater = self.inflater.take() ?? Inflater()
        let outcome = inflater.finishMessage(into: &self.body, limit: self.options.maximumMessageBytes)
        if !(self.deflate?.peerResetsContext(role: self.role) ?? true) { self.inflater = consume inflater }
        return WebSocketViolation(outcome)
    }

    private mutating func acceptControl(_ opcode: WebSocketOpcode, now: Int64) -> WebSocketAction? {
        switch opcode {
        case .ping:
            guard case .open = self.phase else { return nil }
            return .send(self.encodeControl(.pong, Array(self.control.bytes)))
        case .close: return self.acceptClose(now: now)
        default: return nil
        }
    }

    private mutating func acceptClose(now: Int64) -> WebSocketAction? {
        let payload = ClosePayload(self.control.bytes)
        if case .open = self.phase {
            switch payload {
            case .violation(let violation):
                let action = self.fail(violation, now: now)
                self.endHandshake(clean: false, now: now)
                return action
            case .valid(let code, let reason):
                self.closure = WebSocketClosure(
                    code: code ?? .noStatus, reason: reason, initiator: .remote, isClean: true)
                let echo = self.encodeClose(code, "")
                self.endHandshake(clean: true, now: now)
                return .send(echo)
            }
        }
        self.endHandshake(clean: self.closure?.cause == nil, now: now)
        return self.takeFinish().map { .finished($0) }
    }

    /// Both close frames are through: the server ends the socket, the client waits for that, but not for ever.
    private mutating func endHandshake(clean: Bool, now: Int64) {
        self.closure?.isClean = clean
        self.dropBuffers()
        switch self.role {
        case .server:
            self.finish = self.closure
            self.phase = .lingering
        case .client:
            self.phase = .lingering
            self.closeDeadline = now.addingClamped(self.options.closeTimeout)
        }
    }

    private mutating func takeFinish() -> WebSocketClosure? {
        guard let finish = self.finish.take() else { return nil }
        self.phase = .finished
        return finish
    }

    // MARK: Own doings

    /// Starts the close handshake.
    /// - Returns: the frame to send, or nil if the connection is closing already.
    public mutating func close(_ code: WebSocketCloseCode, reason: String = "", now: Int64) -> WebSocketAction? {
        guard case .open = self.phase else { return nil }
        self.closure = WebSocketClosure(code: code, reason: reason, initiator: .local)
        return self.beginClosing(code, reason, now: now)
    }

    /// An own ping besides the automatic ones, or nil if the connection is closing. Cut at 125 bytes.
    public mutating func ping(_ payload: some Collection<UInt8> = [UInt8]()) -> WebSocketAction? {
        guard case .open = self.phase else { return nil }
        return .send(self.encodeControl(.ping, Array(payload.prefix(125))))
    }

    /// The socket ended.
    /// - Returns: how the connection is to be reported as ended, or nil if `finished` said so already.
    public mutating func transportClosed(_ error: WebSocketError? = nil) -> WebSocketClosure? {
        if case .finished = self.phase { return nil }
        self.phase = .finished
        self.dropBuffers()
        if let closure = self.finish.take() ?? self.closure { return closure }
        return WebSocketClosure(code: .abnormal, initiator: .transport, cause: error)
    }

    /// Call when reading starts again after the driver itself had stopped it, so that a pong is not missed for that.
    public mutating func resumedReading(now: Int64) { self.keepAlive.received(now: now) }

    /// What is due at `now`; call until it returns nil.
    /// - Parameter isReading: false while the driver itself does not read, so that no pong can arrive.
    public mutating func wake(now: Int64, isReading: Bool = true) -> WebSocketAction? {
        if let finish = self.takeFinish() { return .finished(finish) }
        switch self.phase {
        case .finished: return nil
        case .closing, .lingering:
            guard let deadline = self.closeDeadline, now >= deadline else { return nil }
            self.phase = .finished
            self.dropBuffers()
            return self.closure.map { .finished($0) }
        case .open:
            switch self.keepAlive.wake(now: now, isReading: isReading) {
            case .nothing: return nil
            case .ping(let number):
                return .send(self.encodeControl(.ping, withUnsafeBytes(of: number.bigEndian) { Array($0) }))
            case .missed:
                let code = self.options.missedPongCode
                let error = WebSocketError(.noPong, "The peer answered no ping for \(self.options.pongTimeout)")
                self.closure = WebSocketClosure(code: code, reason: "No pong", initiator: .local, cause: error)
                let action = self.beginClosing(code, "No pong", now: now)
                // Who does not answer pings will not answer a close either.
                self.finish = self.closure
                return action
            }
        }
    }

    private mutating func fail(_ violation: WebSocketViolation, now: Int64) -> WebSocketAction? {
        guard case .open = self.phase else {
            // Framing is lost while we wait for the close frame: it will not be found any more.
            self.finish = self.closure
            return self.takeFinish().map { .finished($0) }
        }
        self.closure = WebSocketClosure(
            code: violation.code, reason: violation.reason, initiator: .local,
            cause: WebSocketError(.protocolViolation, violation.reason))
        return self.beginClosing(violation.code, violation.reason, now: now)
    }

    private mutating func beginClosing(_ code: WebSocketCloseCode, _ reason: String, now: Int64) -> WebSocketAction {
        self.phase = .closing
        self.closeDeadline = now.addingClamped(self.options.closeTimeout)
        self.message = nil
        return .send(self.encodeClose(code, reason))
    }

    private mutating func dropBuffers() {
        self.frame = nil
        self.message = nil
        self.headerBytes.clear(keeping: 0)
        self.control.clear(keeping: 0)
        self.inflater = nil
    }

    private func encodeClose(_ code: WebSocketCloseCode?, _ reason: String) -> [UInt8] {
        self.encodeControl(.close, ClosePayload.encode(code, reason))
    }

    private func encodeControl(_ opcode: WebSocketOpcode, _ payload: [UInt8]) -> [UInt8] {
        let key = self.role == .client ? WebSocketMask.randomKey() : nil
        return WebSocketFrameHeader(opcode, payloadLength: payload.count, maskingKey: key).frame(payload)
    }

    // MARK: Headers

    private enum HeaderOutcome {
        case needsMore
        case start(FrameStart)
        /// With the length of the payload to skip, if it is known.
        case violation(WebSocketViolation, Int?, isClose: Bool)
    }

    private mutating func readHeader(in input: UnsafeRawBufferPointer, from offset: inout Int) -> HeaderOutcome {
        if self.headerBytes.count == 0, input.count - offset >= 2 {
            let rest = UnsafeRawBufferPointer(rebasing: input[offset...])
            let length = FrameStart.length(rest)
            if rest.count >= length {
                let outcome = self.check(UnsafeRawBufferPointer(rebasing: rest[..<length]))
                offset += length
                return outcome
            }
        }
        while offset < input.count {
            let needed = self.headerBytes.count < 2 ? 2 : FrameStart.length(self.headerBytes.bytes)
            let take = min(needed - self.headerBytes.count, input.count - offset)
            self.headerBytes.append(UnsafeRawBufferPointer(rebasing: input[offset..<(offset + take)]))
            offset += take
            guard self.headerBytes.count >= 2 else { return .needsMore }
            if self.headerBytes.count == FrameStart.length(self.headerBytes.bytes) {
                let outcome = self.check(self.headerBytes.bytes)
                self.headerBytes.clear()
                return outcome
            }
        }
        return .needsMore
    }

    private func check(_ bytes: UnsafeRawBufferPointer) -> HeaderOutcome {
        var rules = FrameStart.Rules(role: self.role, options: self.options)
        if case .open = self.phase {
            rules.isOpen = true
            rules.isInMessage = self.message != nil
            rules.allowsCompression = self.deflate != nil
            rules.isInCompressedMessage = self.message?.isCompressed ?? false
            rules.messageBytes = self.body.count
        }
        switch FrameStart.parse(bytes, rules) {
        case .success(let start): return .start(start)
        case .failure(let violation):
            let isClose = bytes[0] & 0x0F == WebSocketOpcode.close.rawValue
            return .violation(violation, FrameStart.claimedLength(bytes), isClose: isClose)
        }
    }
}
