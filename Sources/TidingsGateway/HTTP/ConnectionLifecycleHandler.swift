import NIOCore
import NIOHTTP1

/// Decides when an HTTP/1 connection has had its last request, and ends it so that the last answer arrives.
///
/// Sits right behind the codec. A connection ends after its answer when either side said `Connection: close`, when the
/// client is of HTTP/1.0, or when the answer was given before the request was read to its end (a body that is too
/// large). Closing a socket with unread bytes would make the kernel throw the answer away, so the rest of such a body
/// is read and dropped first, up to a bound.
final class ConnectionLifecycleHandler: ChannelDuplexHandler, RemovableChannelHandler {
    typealias InboundIn = HTTPServerRequestPart
    typealias InboundOut = HTTPServerRequestPart
    typealias OutboundIn = HTTPServerResponsePart
    typealias OutboundOut = HTTPServerResponsePart

    private static let dropLimit = 128 << 20
    private static let dropTime = TimeAmount.seconds(15)

    private var isLast = false
    private var isRequestComplete = true
    private var isAnswered = true
    private var dropped = 0
    private var timer: Scheduled<Void>?

    /// The rest of the request is of no interest any more.
    private var isDropping: Bool { self.isAnswered && !self.isRequestComplete }

    func channelRead(context: ChannelHandlerContext, data: NIOAny) {
        switch self.unwrapInboundIn(data) {
        case .head(let head):
            // The decoder reads nothing behind a request for an upgrade.
            self.isLast = !head.isKeepAlive || head.headers.contains(name: "upgrade")
            self.isRequestComplete = false
            self.isAnswered = false
        case .body(let part):
            guard self.isDropping else { break }
            self.dropped += part.readableBytes
            if self.dropped > Self.dropLimit { context.close(promise: nil) }
            return
        case .end:
            let wasDropping = self.isDropping
            self.isRequestComplete = true
            if wasDropping {
                context.close(promise: nil)
                return
            }
        }
        context.fireChannelRead(data)
    }

    func channelReadComplete(context: ChannelHandlerContext) {
        context.fireChannelReadComplete()
        // Whoever reads the body has stopped doing so.
        if self.isDropping { context.read() }
    }

    func write(context: ChannelHandlerContext, data: NIOAny, promise: EventLoopPromise<Void>?) {
        switch self.unwrapOutboundIn(data) {
        case .head(var head) where head.status.code >= 200:
            if !self.isRequestComplete || head.headers[canonicalForm: "connection"].contains("close") {
                self.isLast = true
            }
            if self.isLast { head.headers.replaceOrAdd(name: "connection", value: "close") }
            context.write(self.wrapOutboundOut(.head(head)), promise: promise)
        case .end:
            self.isAnswered = true
            if self.isLast { self.finish(context, data, promise) } else { context.write(data, promise: promise) }
        default:
            context.write(data, promise: promise)
        }
    }

    private func finish(_ context: ChannelHandlerContext, _ end: NIOAny, _ promise: EventLoopPromise<Void>?) {
        let channel = context.channel
        let written = promise ?? context.eventLoop.makePromise(of: Void.self)
        if self.isRequestComplete {
            written.futureResult.whenComplete { _ in channel.close(promise: nil) }
        } else {
            self.timer = context.eventLoop.scheduleTask(in: Self.dropTime) { channel.close(promise: nil) }
        }
        context.writeAndFlush(end, promise: written)
        if self.isDropping { context.read() }
    }

    func close(context: ChannelHandlerContext, mode: CloseMode, promise: EventLoopPromise<Void>?) {
        // While a body is dropped the answer has gone out and only we know when the end is.
        if self.isDropping && mode == .output {
            promise?.succeed(())
            return
        }
        context.close(mode: mode, promise: promise)
    }

    func channelInactive(context: ChannelHandlerContext) {
        self.timer?.cancel()
        context.fireChannelInactive()
    }

    func handlerRemoved(context: ChannelHandlerContext) {
        self.timer?.cancel()
    }
}
