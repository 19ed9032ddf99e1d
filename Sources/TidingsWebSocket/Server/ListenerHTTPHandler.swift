internal import NIOCore
internal import NIOHTTP1

/// The HTTP side of a listener's connection: collects requests, answers them, and gives way to a WebSocket.
final class ListenerHTTPHandler: ChannelInboundHandler, RemovableChannelHandler {
    typealias InboundIn = HTTPServerRequestPart
    typealias OutboundOut = HTTPServerResponsePart

    private enum Phase {
        case idle
        case receiving(HTTPRequestHead, ByteBuffer)
        case answering(isKeptAlive: Bool)
        case closing
    }

    private let configuration: WebSocketListenerConfiguration
    private let connections: ListenerConnections
    private let onUpgrade: WebSocketListener.UpgradeHandler
    private let onRequest: WebSocketListener.RequestHandler
    private let codec: [any RemovableChannelHandler]
    private var phase = Phase.idle
    private var context: ChannelHandlerContext?
    private var timer: Scheduled<Void>?
    private var answer: Task<Void, Never>?

    private init(
        configuration: WebSocketListenerConfiguration, connections: ListenerConnections,
        onUpgrade: @escaping WebSocketListener.UpgradeHandler, onRequest: @escaping WebSocketListener.RequestHandler,
        codec: [any RemovableChannelHandler]
    ) {
        self.configuration = configuration
        self.connections = connections
        self.onUpgrade = onUpgrade
        self.onRequest = onRequest
        self.codec = codec
    }

    static func install(
        on channel: any Channel, configuration: WebSocketListenerConfiguration, connections: ListenerConnections,
        onUpgrade: @escaping WebSocketListener.UpgradeHandler, onRequest: @escaping WebSocketListener.RequestHandler
    ) throws {
        let encoder = HTTPResponseEncoder()
        let decoder = ByteToMessageHandler(HTTPRequestDecoder(leftOverBytesStrategy: .forwardBytes))
        let order = HTTPServerPipelineHandler()
        let pipeline = channel.pipeline.syncOperations
        try pipeline.addHandler(encoder)
        try pipeline.addHandler(decoder)
        try pipeline.addHandler(order)
        // The decoder goes last: it hands on what it has left, which is frames by then.
        try pipeline.addHandler(
            ListenerHTTPHandler(
                configuration: configuration, connections: connections, onUpgrade: onUpgrade, onRequest: onRequest,
                codec: [order, encoder, decoder]))
    }

    func handlerAdded(context: ChannelHandlerContext) {
        self.context = context
        if context.channel.isActive { self.arm(self.configuration.requestTimeout) }
    }

    func channelActive(context: ChannelHandlerContext) {
        self.arm(self.configuration.requestTimeout)
        context.fireChannelActive()
    }

    func handlerRemoved(context: ChannelHandlerContext) {
        self.timer?.cancel()
        self.answer?.cancel()
        self.context = nil
    }

    func channelInactive(context: ChannelHandlerContext) {
        self.phase = .closing
        self.timer?.cancel()
        self.answer?.cancel()
        context.fireChannelInactive()
    }

    func errorCaught(context: ChannelHandlerContext, error: any Error) { context.close(promise: nil) }

    func channelRead(context: ChannelHandlerContext, data: NIOAny) {
        switch (self.unwrapInboundIn(data), self.phase) {
        case (.head(let head), .idle):
            self.phase = .receiving(head, ByteBuffer())
            self.arm(self.configuration.requestTimeout)
        case (.body(var part), .receiving(let head, var body)):
            self.phase = .closing
            guard body.readableBytes + part.readableBytes <= self.configuration.maximumBodyBytes else {
                self.respond(.init(status: 413), to: head, isKeptAlive: false, context)
                return
            }
            body.writeBuffer(&part)
            self.phase = .receiving(head, body)
        case (.end, .receiving(let head, let body)):
            self.timer?.cancel()
            self.timer = nil
            self.accept(head, body, context)
        default: break
        }
    }

    private func accept(_ head: HTTPRequestHead, _ body: ByteBuffer, _ context: ChannelHandlerContext) {
        let request = WebSocketListener.Request(
            method: head.method.rawValue, uri: head.uri, headers: [WebSocketHeader](head.headers), body: body,
            remoteAddress: context.channel.remoteAddress)
        if WebSocketHandshake.isUpgrade(request.headers) {
            self.upgrade(request, head, context)
            return
        }
        // The decoder stops at any request for an upgrade, so nothing can follow one that is not granted.
        let isKeptAlive = head.isKeepAlive && !head.headers.contains(name: "upgrade")
        self.phase = .answering(isKeptAlive: isKeptAlive)
        let bound = NIOLoopBound((self, context), eventLoop: context.eventLoop)
        let eventLoop = context.eventLoop
        let onRequest = self.onRequest
        self.answer = Task {
            let response = await onRequest(request)
            eventLoop.execute {
                let (handler, context) = bound.value
                guard case .answering = handler.phase, handler.context != nil else { return }
                handler.respond(response, to: head, isKeptAlive: isKeptAlive, context)
            }
        }
    }

    private func respond(
        _ response: WebSocketListener.Response, to request: HTTPRequestHead, isKeptAlive: Bool,
        _ context: ChannelHandlerContext
    ) {
        self.answer = nil
        var headers = HTTPHeaders(
            response.headers.filter { HTTPToken.isName($0.name) && HTTPToken.isValue($0.value) })
        let status = HTTPResponseStatus(statusCode: response.status)
        if status.mayHaveResponseBody {
            headers.replaceOrAdd(name: "Content-Length", value: "\(response.body.readableBytes)")
        }
        if !isKeptAlive { headers.replaceOrAdd(name: "Connection", value: "close") }
        let head = HTTPResponseHead(version: .http1_1, status: status, headers: headers)
        context.write(self.wrapOutboundOut(.head(head)), promise: nil)
        if request.method != .HEAD, status.mayHaveResponseBody, response.body.readableBytes > 0 {
            context.write(self.wrapOutboundOut(.body(.byteBuffer(response.body))), promise: nil)
        }
        self.phase = isKeptAlive ? .idle : .closing
        let channel = context.channel
        let written = context.eventLoop.makePromise(of: Void.self)
        if !isKeptAlive { written.futureResult.whenComplete { _ in channel.close(promise: nil) } }
        context.writeAndFlush(self.wrapOutboundOut(.end(nil)), promise: written)
        self.arm(self.configuration.idleTimeout)
    }

    // MARK: Upgrade

    private func upgrade(
        _ request: WebSocketListener.Request, _ head: HTTPRequestHead, _ context: ChannelHandlerContext
    ) {
        self.phase = .closing
        do throws(WebSocketHandshake.Refusal) {
            // First the rules, so that onUpgrade sees only requests that could be granted.
            _ = try WebSocketHandshake.accept(
                method: request.method, path: request.uri, headers: request.headers)
            switch self.onUpgrade(request) {
            case .refuse(let refusal): throw refusal
            case .accept(let subprotocol, let headers, let delegate):
                let (response, handshake) = try WebSocketHandshake.accept(
                    method: request.method, path: request.uri, headers: request.headers, subprotocol: subprotocol,
                    deflate: self.configuration.deflate)
                self.grant(response + headers, handshake, delegate, context)
            }
        } catch {
            let response = WebSocketListener.Response(
                status: error.status, headers: error.headers, body: ByteBuffer(string: error.message))
            self.respond(response, to: head, isKeptAlive: false, context)
        }
    }

    private func grant(
        _ headers: [WebSocketHeader], _ handshake: WebSocketConnection.Handshake,
        _ delegate: @escaping WebSocketDelegateFactory, _ context: ChannelHandlerContext
    ) {
        let allowed = headers.filter { HTTPToken.isName($0.name) && HTTPToken.isValue($0.value) }
        let head = HTTPResponseHead(version: .http1_1, status: .switchingProtocols, headers: HTTPHeaders(allowed))
        context.write(self.wrapOutboundOut(.head(head)), promise: nil)
        context.write(self.wrapOutboundOut(.end(nil)), promise: nil)
        let pipeline = context.pipeline.syncOperations
        let channel = context.channel
        let codec = self.codec
        let connections = self.connections
        let handler = WebSocketChannelHandler(
            role: .server, options: self.configuration.options, handshake: handshake,
            deflateOptions: self.configuration.deflate ?? .init(),
            makeDelegate: { connection in
                // Before the 101 is flushed: whoever is connected is known to the listener.
                connections.upgraded(channel, connection)
                return delegate(connection)
            })
        pipeline.removeHandler(self, promise: nil)
        for part in codec.dropLast() { pipeline.removeHandler(part, promise: nil) }
        do {
            // Only now, with all else gone, may the delegate write.
            try pipeline.addHandler(handler)
            if let decoder = codec.last { pipeline.removeHandler(decoder, promise: nil) }
            channel.flush()
        } catch {
            channel.close(promise: nil)
        }
    }

    private func arm(_ timeout: Duration) {
        self.timer?.cancel()
        guard let channel = self.context?.channel else { return }
        self.timer = channel.eventLoop.scheduleTask(in: .nanoseconds(timeout.clampedNanoseconds)) {
            channel.close(promise: nil)
        }
    }
}

extension HTTPResponseStatus {
    fileprivate var mayHaveResponseBody: Bool { self.code >= 200 && self.code != 204 && self.code != 304 }
}
