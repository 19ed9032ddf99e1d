internal import NIOCore
internal import NIOSSL

/// Takes a fresh TCP connection through proxy, TLS and upgrade, then gives way to a `WebSocketChannelHandler`.
final class ClientHandshakeHandler: ChannelInboundHandler, RemovableChannelHandler {
    typealias InboundIn = ByteBuffer
    typealias InboundOut = ByteBuffer
    typealias OutboundOut = ByteBuffer

    private enum Phase { case idle, proxy, upgrade, done }

    private let request: ClientRequest
    private let configuration: WebSocketClientConfiguration
    private let makeTLS: () throws -> NIOSSLClientHandler?
    private let makeDelegate: WebSocketDelegateFactory
    private let promise: EventLoopPromise<WebSocketConnection>
    private var phase = Phase.idle
    private var parser = ResponseHeadParser()
    private var timer: Scheduled<Void>?

    init(
        request: ClientRequest, configuration: WebSocketClientConfiguration,
        makeTLS: @escaping () throws -> NIOSSLClientHandler?, makeDelegate: @escaping WebSocketDelegateFactory,
        promise: EventLoopPromise<WebSocketConnection>
    ) {
        self.request = request
        self.configuration = configuration
        self.makeTLS = makeTLS
        self.makeDelegate = makeDelegate
        self.promise = promise
    }

    func handlerAdded(context: ChannelHandlerContext) {
        if context.channel.isActive { self.start(context) }
    }

    func channelActive(context: ChannelHandlerContext) {
        self.start(context)
        context.fireChannelActive()
    }

    private func start(_ context: ChannelHandlerContext) {
        guard case .idle = self.phase else { return }
        let limit = TimeAmount.nanoseconds(self.configuration.handshakeTimeout.clampedNanoseconds)
        let bound = NIOLoopBound((self, context), eventLoop: context.eventLoop)
        self.timer = context.eventLoop.scheduleTask(in: limit) {
            let (handler, context) = bound.value
            handler.fail(
                WebSocketError(.timeout, "No WebSocket within \(handler.configuration.handshakeTimeout)"), context)
        }
        if self.request.proxy != nil {
            self.phase = .proxy
            context.writeAndFlush(self.wrapOutboundOut(ByteBuffer(string: self.request.connect)), promise: nil)
        } else {
            self.startUpgrade(context)
        }
    }

    private func startUpgrade(_ context: ChannelHandlerContext) {
        self.phase = .upgrade
        self.parser = ResponseHeadParser()
        do {
            if let tls = try self.makeTLS() {
                try context.pipeline.syncOperations.addHandler(tls, position: .before(self))
            }
        } catch {
            self.fail(WebSocketError(.tlsFailed, "TLS could not be set up", underlying: error), context)
            return
        }
        context.writeAndFlush(self.wrapOutboundOut(ByteBuffer(string: self.request.upgrade)), promise: nil)
    }

    func channelRead(context: ChannelHandlerContext, data: NIOAny) {
        var buffer = self.unwrapInboundIn(data)
        while buffer.readableBytes > 0 {
            switch self.phase {
            case .idle, .done: return
            case .proxy, .upgrade: break
            }
            switch buffer.withUnsafeReadableBytes({ self.parser.append($0) }) {
            case .needsMore: return
            case .invalid(let message):
                self.fail(WebSocketError(self.isAtProxy ? .proxyFailed : .invalidHandshake, message), context)
                return
            case .head(let head, let consumed):
                buffer.moveReaderIndex(forwardBy: consumed)
                self.accept(head, leftOver: buffer, context)
                if case .proxy = self.phase { continue }
                if self.isWaitingAfterInterim(head) { continue }
                return
            }
        }
    }

    private var isAtProxy: Bool { if case .proxy = self.phase { true } else { false } }

    private func isWaitingAfterInterim(_ head: ResponseHeadParser.Head) -> Bool {
        (100..<200).contains(head.status) && head.status != 101
    }

    private func accept(_ head: ResponseHeadParser.Head, leftOver: ByteBuffer, _ context: ChannelHandlerContext) {
        if self.isWaitingAfterInterim(head) {
            self.parser = ResponseHeadParser()
            return
        }
        guard !self.isAtProxy else {
            guard (200..<300).contains(head.status) else {
                let message = "The proxy answered \(head.status)"
                self.fail(
                    WebSocketError(.proxyFailed, message, status: head.status, headers: head.headers), context)
                return
            }
            guard leftOver.readableBytes == 0 else {
                self.fail(WebSocketError(.proxyFailed, "The proxy sent more than its answer"), context)
                return
            }
            self.startUpgrade(context)
            return
        }
        guard head.status == 101 else {
            let message = "\(self.request.url) answered \(head.status)"
            self.fail(WebSocketError(.rejected, message, status: head.status, headers: head.headers), context)
            return
        }
        do throws(WebSocketError) {
            let handshake = try WebSocketHandshake.checkResponse(
                head.headers, key: self.request.key, path: self.request.url.path,
                subprotocols: self.request.subprotocols, offersDeflate: self.request.offersDeflate)
            self.finish(handshake, leftOver, context)
        } catch {
            self.fail(error, context)
        }
    }

    private func finish(
        _ handshake: WebSocketConnection.Handshake, _ leftOver: ByteBuffer, _ context: ChannelHandlerContext
    ) {
        let handler = WebSocketChannelHandler(
            role: .client, options: self.configuration.options, handshake: handshake,
            deflateOptions: self.configuration.deflate ?? .init(), makeDelegate: self.makeDelegate)
        do {
            try context.pipeline.syncOperations.addHandler(handler, position: .after(self))
        } catch {
            self.fail(WebSocketError(.closed, "The connection closed", underlying: error), context)
            return
        }
        guard let connection = handler.connection else {
            self.fail(WebSocketError(.closed, "The connection closed"), context)
            return
        }
        self.phase = .done
        self.timer?.cancel()
        self.promise.succeed(connection)
        if leftOver.readableBytes > 0 { context.fireChannelRead(self.wrapInboundOut(leftOver)) }
        context.pipeline.syncOperations.removeHandler(self, promise: nil)
    }

    func errorCaught(context: ChannelHandlerContext, error: any Error) {
        let isTLS = error is NIOSSLError || error is BoringSSLError || error is NIOSSLExtraError
        let message = isTLS ? "TLS with \(self.request.url.host) failed" : "The socket failed during the handshake"
        self.fail(WebSocketError(isTLS ? .tlsFailed : .connectFailed, message, underlying: error), context)
    }

    func channelInactive(context: ChannelHandlerContext) {
        self.fail(WebSocketError(.connectFailed, "The connection closed during the handshake"), context)
        context.fireChannelInactive()
    }

    func handlerRemoved(context: ChannelHandlerContext) {
        self.fail(WebSocketError(.connectFailed, "The connection closed during the handshake"), context)
    }

    private func fail(_ error: WebSocketError, _ context: ChannelHandlerContext) {
        if case .done = self.phase { return }
        self.phase = .done
        self.timer?.cancel()
        self.promise.fail(error)
        context.close(promise: nil)
    }
}
