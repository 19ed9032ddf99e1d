import HTTPTypes
import NIOCore
import NIOHTTP1
import NIOSSL
import NIOTLS
import Tidings

/// Watches over an HTTP/1 connection: how long it takes for what, how long its requests' heads are, and whether what comes
/// is HTTP at all. What is wrong it answers itself, as bytes, below the codec; then the connection ends.
///
/// It stands at two places of the pipeline: `bytes` between the socket (or TLS) and the codec, `parts` right behind the
/// codec. Lives on the connection's event loop.
final class ConnectionGuard {
    /// What the guards of a gateway share.
    struct Settings: Sendable {
        var clock = RequestClock.Limits()
        /// The longest path and query, in bytes.
        var uriBytes = 16 << 10
        /// The longest head, in bytes. What the decoder is fed without it having anything to show is bounded by as much
        /// again.
        var headBytes = 64 << 10
        let counters: ConnectionCounters
        let requests: RequestsInProgress
    }

    private let settings: Settings
    private var clock: RequestClock
    private var timer: Scheduled<Void>?
    private var timerDeadline: Int64 = 0
    /// Where answers of ours are written.
    private var context: ChannelHandlerContext?
    /// Bytes that the decoder was given since it last made something of them.
    private var undecoded = 0
    /// Whether the line that a request begins with has come.
    private var hasRequestLine = false
    /// Whether the answer in progress has begun.
    private var hasAnswerBegun = false
    /// What waits for the answers before it.
    private var refusal: Problem?
    /// We have answered, or given up: nothing passes any more.
    private var isOver = false
    private var isReading = false
    private var drained = 0
    /// Requests that whoever stops the gateway waits for.
    private var counted = 0

    /// How long, and for how many bytes, the client may go on sending after we have answered and said that it is over. A
    /// socket closed with unread bytes makes the kernel throw away the answer (RFC 9112 9.6).
    private static let lingerTime = TimeAmount.seconds(2)
    private static let lingerBytes = 8 << 20

    init(_ settings: Settings, isSecure: Bool) {
        self.settings = settings
        self.clock = RequestClock(settings.clock, hasHandshake: isSecure, now: MonotonicClock.nanoseconds())
    }

    var bytes: Bytes { Bytes(self) }
    var parts: Parts { Parts(self) }

    // MARK: The pipeline

    /// Between the socket and the codec.
    final class Bytes: ChannelDuplexHandler, RemovableChannelHandler {
        typealias InboundIn = ByteBuffer
        typealias InboundOut = ByteBuffer
        typealias OutboundIn = ByteBuffer
        typealias OutboundOut = ByteBuffer

        private let guardian: ConnectionGuard

        fileprivate init(_ guardian: ConnectionGuard) { self.guardian = guardian }

        func handlerAdded(context: ChannelHandlerContext) { self.guardian.start(context) }
        func handlerRemoved(context: ChannelHandlerContext) { self.guardian.stop() }

        func channelInactive(context: ChannelHandlerContext) {
            self.guardian.becameInactive()
            context.fireChannelInactive()
        }

        func channelRead(context: ChannelHandlerContext, data: NIOAny) {
            guard self.guardian.willDecode(self.unwrapInboundIn(data)) else { return }
            context.fireChannelRead(data)
            self.guardian.didDecode()
        }

        func channelReadComplete(context: ChannelHandlerContext) {
            context.fireChannelReadComplete()
            self.guardian.readCompleted()
        }

        func read(context: ChannelHandlerContext) {
            self.guardian.willRead()
            context.read()
        }

        func write(context: ChannelHandlerContext, data: NIOAny, promise: EventLoopPromise<Void>?) {
            if self.guardian.isOver {
                promise?.fail(ChannelError.ioOnClosedChannel)
            } else {
                context.write(data, promise: promise)
            }
        }

        func close(context: ChannelHandlerContext, mode: CloseMode, promise: EventLoopPromise<Void>?) {
            // Ours has been closed already, and what is left to read is of no use to anybody.
            if self.guardian.isOver && mode != .all {
                promise?.succeed(())
            } else {
                context.close(mode: mode, promise: promise)
            }
        }

        func channelWritabilityChanged(context: ChannelHandlerContext) {
            self.guardian.writabilityChanged(context.channel.isWritable)
            context.fireChannelWritabilityChanged()
        }

        func userInboundEventTriggered(context: ChannelHandlerContext, event: Any) {
            if let event = event as? TLSUserEvent, case .handshakeCompleted = event { self.guardian.handshakeEnded() }
            if self.guardian.isOver, event is ChannelShouldQuiesceEvent { context.close(promise: nil) }
            if event as? ChannelEvent == .inputClosed, self.guardian.isUnasked {
                // Nothing is owed to a client that has gone.
                context.close(promise: nil)
            }
            context.fireUserInboundEventTriggered(event)
        }

        func errorCaught(context: ChannelHandlerContext, error: any Error) {
            if self.guardian.failed(error) { context.fireErrorCaught(error) }
        }
    }

    /// Right behind the codec.
    final class Parts: ChannelDuplexHandler, RemovableChannelHandler {
        typealias InboundIn = HTTPServerRequestPart
        typealias InboundOut = HTTPServerRequestPart
        typealias OutboundIn = HTTPServerResponsePart
        typealias OutboundOut = HTTPServerResponsePart

        private let guardian: ConnectionGuard

        fileprivate init(_ guardian: ConnectionGuard) { self.guardian = guardian }

        func channelRead(context: ChannelHandlerContext, data: NIOAny) {
            if self.guardian.decoded(self.unwrapInboundIn(data)) { context.fireChannelRead(data) }
        }

        func write(context: ChannelHandlerContext, data: NIOAny, promise: EventLoopPromise<Void>?) {
            let part = self.unwrapOutboundIn(data)
            self.guardian.willWrite(part)
            context.write(data, promise: promise)
            if case .end = part { self.guardian.answered() }
        }

        func errorCaught(context: ChannelHandlerContext, error: any Error) {
            guard let error = error as? HTTPParserError else {
                context.fireErrorCaught(error)
                return
            }
            // Whoever reads a body that is cut short must not take it for whole.
            let isInBody = self.guardian.isInBody
            self.guardian.refuse(invalid: error)
            if isInBody { context.fireErrorCaught(error) }
        }
    }

    private func start(_ context: ChannelHandlerContext) {
        self.context = context
        self.arm()
    }

    private func stop() {
        self.timer?.cancel()
        self.timer = nil
        self.context = nil
        self.isOver = true
        self.releaseAll()
    }

    private func becameInactive() {
        if self.clock.isHandshaking { self.settings.counters.handshakeFailed() }
        self.isOver = true
        self.timer?.cancel()
        self.timer = nil
        self.releaseAll()
    }

    // MARK: Coming in

    /// Whether the bytes are for the decoder.
    private func willDecode(_ bytes: ByteBuffer) -> Bool {
        self.isReading = false
        let count = bytes.readableBytes
        guard !self.isOver else {
            self.drained += count
            if self.drained > Self.lingerBytes { self.context?.close(promise: nil) }
            return false
        }
        self.clock.received(count, now: MonotonicClock.nanoseconds())
        self.undecoded += count
        if !self.hasRequestLine && !self.clock.isInBody {
            self.hasRequestLine = bytes.readableBytesView.contains(UInt8(ascii: "\n"))
        }
        return self.refusal == nil
    }

    private func didDecode() {
        guard !self.isOver, self.refusal == nil else { return }
        if !self.hasRequestLine && self.clock.isInHead && self.undecoded > self.settings.uriBytes + 64 {
            self.refuseURI()
        } else if self.undecoded > 2 * self.settings.headBytes {
            self.settings.counters.refused(.head)
            self.refuse(Self.headTooLong(self.settings.headBytes))
        }
        self.arm()
    }

    private func readCompleted() {
        guard !self.isReading, !self.isOver else { return }
        self.clock.suspended(now: MonotonicClock.nanoseconds())
    }

    private func willRead() {
        guard !self.isReading else { return }
        self.isReading = true
        self.clock.resumed(now: MonotonicClock.nanoseconds())
        self.arm()
    }

    /// Whether a part goes on to whoever answers.
    private func decoded(_ part: HTTPServerRequestPart) -> Bool {
        guard !self.isOver, self.refusal == nil else { return false }
        self.undecoded = 0
        let now = MonotonicClock.nanoseconds()
        switch part {
        case .head(let head):
            if head.uri.utf8.count > self.settings.uriBytes {
                self.refuseURI()
                return false
            }
            if head.version == .http1_1 && head.headers["host"].count != 1 {
                self.settings.counters.refused(.invalid)
                self.refuse(.invalidHost)
                return false
            }
            if self.clock.pending == 0 { self.hasAnswerBegun = false }
            let type = head.headers.first(name: "content-type") ?? ""
            self.clock.headEnded(isStreamed: Self.isStreamed(type), now: now)
            self.counted += 1
            self.settings.requests.begin()
        case .body: break
        case .end:
            self.clock.requestEnded(now: now)
            self.hasRequestLine = false
        }
        return true
    }

    private func refuseURI() {
        self.settings.counters.refused(.uri)
        self.refuse(
            Problem(
                HTTPResponse.Status(code: 414, reasonPhrase: "URI Too Long"), code: "uri_too_long",
                "Path and query may have \(self.settings.uriBytes) bytes"))
    }

    /// Whether a body of this media type is used as it comes.
    private static func isStreamed(_ type: String) -> Bool {
        let type = type.prefix { $0 != ";" }.lowercased()
        return type.hasSuffix("ndjson") || type.hasSuffix("jsonl")
    }

    private static func headTooLong(_ limit: Int) -> Problem {
        Problem(
            .requestHeaderFieldsTooLarge, code: "head_too_large", "A request's head may have \(limit) bytes")
    }

    private var isInBody: Bool { self.clock.isInBody }
    /// Whether there is no request to answer.
    private var isUnasked: Bool { self.isOver || self.clock.pending == 0 && !self.clock.isInBody }

    private func refuse(invalid error: HTTPParserError) {
        guard !self.isOver, self.refusal == nil else { return }
        if case .invalidEOFState = error {
            // Nothing is wrong but that there is no more of it.
            self.isOver = true
            self.context?.close(promise: nil)
        } else if case .headerOverflow = error {
            self.settings.counters.refused(.head)
            self.refuse(Self.headTooLong(self.settings.headBytes))
        } else {
            self.settings.counters.refused(.invalid)
            self.refuse(.invalidHTTP)
        }
    }

    /// Whether an error is news to the handlers behind.
    private func failed(_ error: any Error) -> Bool {
        if self.clock.isHandshaking || error is NIOSSLError || error is BoringSSLError {
            // TLS that failed, or that was cut off without a word.
            self.context?.close(promise: nil)
            return false
        }
        return !self.isOver
    }

    private func handshakeEnded() {
        guard self.clock.isHandshaking else { return }
        self.settings.counters.handshakeDone()
        self.clock.handshakeEnded(now: MonotonicClock.nanoseconds())
        self.arm()
    }

    // MARK: Going out

    private func willWrite(_ part: HTTPServerResponsePart) {
        guard case .head(let head) = part, head.status.code >= 200 || head.status == .switchingProtocols else {
            return
        }
        self.hasAnswerBegun = true
        let isStreaming = head.headers.first(name: "content-type")?.hasPrefix("text/event-stream") ?? false
        self.clock.responseStarted(isStreaming: isStreaming)
        // Nobody waits for the end of what has none.
        if isStreaming { self.release() }
    }

    private func answered() {
        self.hasAnswerBegun = false
        self.clock.responseEnded(now: MonotonicClock.nanoseconds())
        if self.counted > self.clock.pending { self.release() }
        if self.clock.pending == 0, let refusal = self.refusal { self.end(with: refusal) }
        self.arm()
    }

    private func writabilityChanged(_ isWritable: Bool) {
        self.clock.writable(isWritable, now: MonotonicClock.nanoseconds())
        self.arm()
    }

    private func release() {
        guard self.counted > 0 else { return }
        self.counted -= 1
        self.settings.requests.end()
    }

    private func releaseAll() {
        while self.counted > 0 { self.release() }
    }

    // MARK: The end

    /// Answers a request that is not let in, after those before it have been answered.
    private func refuse(_ problem: Problem) {
        if self.clock.isInBody {
            // Whoever reads this body waits for its end.
            if self.clock.pending != 1 || self.hasAnswerBegun {
                self.isOver = true
                self.context?.close(promise: nil)
            } else {
                self.end(with: problem)
            }
        } else if self.clock.pending == 0 {
            self.end(with: problem)
        } else {
            self.refusal = problem
        }
    }

    private func end(with problem: Problem) {
        guard !self.isOver, let context = self.context else { return }
        self.isOver = true
        self.timer?.cancel()
        let channel = context.channel
        let written = context.eventLoop.makePromise(of: Void.self)
        let bound = NIOLoopBound(context, eventLoop: context.eventLoop)
        // From here outwards: what comes from further in does not pass any more.
        written.futureResult.whenComplete { _ in bound.value.close(mode: .output, promise: nil) }
        context.writeAndFlush(NIOAny(problem.rawAnswer), promise: written)
        self.timer = context.eventLoop.scheduleTask(in: Self.lingerTime) { channel.close(promise: nil) }
        if !self.isReading { context.read() }
    }

    // MARK: Time

    private func arm() {
        guard !self.isOver, let context = self.context, let deadline = self.clock.deadline else { return }
        if self.timer != nil && self.timerDeadline <= deadline { return }
        self.timer?.cancel()
        self.timerDeadline = deadline
        let delay = max(deadline - MonotonicClock.nanoseconds(), 0)
        self.timer = context.eventLoop.assumeIsolated().scheduleTask(in: .nanoseconds(delay)) { [weak self] in
            self?.timerFired()
        }
    }

    private func timerFired() {
        self.timer = nil
        guard !self.isOver else { return }
        guard let timeout = self.clock.expired(now: MonotonicClock.nanoseconds()) else {
            self.arm()
            return
        }
        self.settings.counters.timedOut(timeout)
        switch timeout {
        case .head: self.end(with: .timeout(timeout))
        case .body where !self.hasAnswerBegun && self.clock.pending == 1: self.end(with: .timeout(timeout))
        case .body, .handshake, .idle, .response:
            self.isOver = true
            self.context?.close(promise: nil)
        }
    }
}
