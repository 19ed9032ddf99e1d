import HTTPTypes
import HummingbirdCore
import Logging
import NIOCore
import NIOHTTP1
import NIOHTTPTypes
import NIOHTTPTypesHTTP1
import TidingsWebSocket

/// Waits for the first request of a connection and turns the connection into what that asks for: a WebSocket, or HTTP
/// for as long as it lasts. What cannot become a WebSocket is answered here.
final class FirstRequestHandler: ChannelInboundHandler, RemovableChannelHandler {
    typealias InboundIn = HTTPServerRequestPart
    typealias InboundOut = HTTPServerRequestPart
    typealias OutboundOut = HTTPServerResponsePart

    /// What has become of a connection.
    enum Outcome: Sendable {
        case http(NIOAsyncChannel<HTTPRequestPart, HTTPResponsePart>)
        case webSocket(WebSocketConnection)
        /// It was answered here, or closed.
        case over
    }

    private enum Phase {
        case waiting
        /// The end of a request for a WebSocket has to come before it is answered.
        case upgrading(HTTPRequestHead)
        case over
    }

    private let settings: GatewayChannel.Settings
    private let logger: Logger
    private let outcome: EventLoopPromise<Outcome>
    /// From the socket inwards: encoder, decoder, order, lifecycle.
    private let codec: Codec
    private var phase = Phase.waiting

    private struct Codec {
        /// Between the socket, or TLS, and the codec.
        let bytes: ConnectionGuard.Bytes
        let encoder = HTTPResponseEncoder()
        let decoder: ByteToMessageHandler<HTTPRequestDecoder>
        /// Right behind the codec.
        let parts: ConnectionGuard.Parts
        let order = HTTPServerPipelineHandler()
        let lifecycle = ConnectionLifecycleHandler()

        init(_ settings: ConnectionSettings) {
            let guardian = ConnectionGuard(settings.guarding, isSecure: settings.isSecure)
            self.bytes = guardian.bytes
            self.parts = guardian.parts
            self.decoder = ByteToMessageHandler(
                HTTPRequestDecoder(
                    leftOverBytesStrategy: .forwardBytes, informationalResponseStrategy: .drop,
                    limitConfiguration: settings.decoderLimits))
        }
    }

    private init(_ settings: GatewayChannel.Settings, _ logger: Logger, _ outcome: EventLoopPromise<Outcome>) {
        self.settings = settings
        self.logger = logger
        self.outcome = outcome
        self.codec = Codec(settings.connections)
    }

    /// Puts everything into a new channel.
    static func install(
        on channel: any Channel, settings: GatewayChannel.Settings, logger: Logger
    ) throws -> EventLoopFuture<Outcome> {
        let outcome = channel.eventLoop.makePromise(of: Outcome.self)
        let handler = FirstRequestHandler(settings, logger, outcome)
        let pipeline = channel.pipeline.syncOperations
        do {
            if let door = settings.connections.door { try pipeline.addHandler(door) }
            try pipeline.addHandler(handler.codec.bytes)
            try pipeline.addHandler(handler.codec.encoder)
            try pipeline.addHandler(handler.codec.decoder)
            try pipeline.addHandler(handler.codec.parts)
            try pipeline.addHandler(handler.codec.order)
            try pipeline.addHandler(handler.codec.lifecycle)
            try pipeline.addHandler(handler)
        } catch {
            outcome.fail(error)
            throw error
        }
        return outcome.futureResult
    }

    // MARK: Channel events

    func handlerRemoved(context: ChannelHandlerContext) {
        if case .over = self.phase { return }
        self.phase = .over
        self.outcome.succeed(.over)
    }

    func channelInactive(context: ChannelHandlerContext) {
        self.end(.over)
        context.fireChannelInactive()
    }

    func errorCaught(context: ChannelHandlerContext, error: any Error) {
        // The socket's; what is wrong with the HTTP is answered by the guard in front.
        context.close(promise: nil)
    }

    func channelRead(context: ChannelHandlerContext, data: NIOAny) {
        switch (self.unwrapInboundIn(data), self.phase) {
        case (.head(let head), .waiting):
            if self.isForWebSocket(head) {
                self.phase = .upgrading(head)
            } else {
                self.serve(context, data)
            }
        case (.end, .upgrading(let head)):
            self.upgrade(head, context)
        case (_, .upgrading), (_, .over), (_, .waiting):
            break
        }
    }

    private func end(_ outcome: Outcome) {
        if case .over = self.phase { return }
        self.phase = .over
        self.outcome.succeed(outcome)
    }

    // MARK: HTTP

    /// Makes way for HTTP, starting with the request that has begun.
    private func serve(_ context: ChannelHandlerContext, _ head: NIOAny) {
        let channel = context.channel
        do {
            let pipeline = channel.pipeline.syncOperations
            try pipeline.addHandler(HTTP1ToHTTPServerCodec(secure: self.settings.connections.isSecure))
            try pipeline.addHandler(HTTPConnectionStateHandler(logger: self.logger))
            let http = try NIOAsyncChannel<HTTPRequestPart, HTTPResponsePart>(
                wrappingChannelSynchronously: channel, configuration: .init(isOutboundHalfClosureEnabled: true))
            context.fireChannelRead(head)
            self.end(.http(http))
            pipeline.removeHandler(context: context, promise: nil)
        } catch {
            context.close(promise: nil)
        }
    }

    // MARK: WebSocket

    private func isForWebSocket(_ head: HTTPRequestHead) -> Bool {
        let path = head.uri.prefix { $0 != "?" }
        return path == GatewayChannel.webSocketPath && WebSocketHandshake.isUpgrade([WebSocketHeader](head.headers))
    }

    private func upgrade(_ head: HTTPRequestHead, _ context: ChannelHandlerContext) {
        if let problem = self.settings.connections.refusal(ofRequestFrom: context.channel) {
            self.answer(problem, context)
            return
        }
        let headers = [WebSocketHeader](head.headers)
        let principal: Principal
        do throws(Problem) {
            principal = try self.admit(head.headers, from: context.remoteAddress)
        } catch {
            self.answer(error, context)
            return
        }
        guard self.settings.feed.reserveClient() else {
            self.answer(.unavailable(code: "too_many_clients", "All places for streaming clients are taken"), context)
            return
        }
        do throws(WebSocketHandshake.Refusal) {
            let (response, handshake) = try WebSocketHandshake.accept(
                method: head.method.rawValue, path: head.uri, headers: headers,
                subprotocol: ShownCredential.selectSubprotocol(
                    head.headers[canonicalForm: "sec-websocket-protocol"].map(String.init), spoken: Self.subprotocols),
                deflate: self.settings.compression.applies(to: context.remoteAddress) ? FrameCompressor.options : nil)
            self.grant(response, handshake, principal, context)
        } catch {
            self.settings.feed.releaseClient()
            var problem = Problem(
                HTTPResponse.Status(
                    code: error.status, reasonPhrase: HTTPResponseStatus(statusCode: error.status).reasonPhrase),
                code: "invalid_handshake",
                error.message.isEmpty ? "This is no request for a WebSocket" : error.message)
            for header in error.headers {
                if let name = HTTPField.Name(header.name) { problem.headers[name] = header.value }
            }
            self.answer(problem, context)
        }
    }

    /// CloudEvents, and the names of our JSON for browsers that have to name some subprotocol beside the one with the token.
    private static let subprotocols = ["tidings", "json", CloudEventName.subprotocol]

    /// Who asks for the WebSocket; whoever may neither read nor publish has no use for one.
    private func admit(_ headers: HTTPHeaders, from address: SocketAddress?) throws(Problem) -> Principal {
        let (origin, host) = (headers.first(name: "origin"), headers.first(name: "host"))
        if !self.settings.access.isEnforced { try self.settings.hosts.check(host) }
        if let origin, !self.settings.origins.allows(origin: origin, host: host) { throw .foreignOrigin(origin) }
        let shown = ShownCredential(
            authorization: headers["authorization"], cookies: headers["cookie"],
            subprotocols: headers[canonicalForm: "sec-websocket-protocol"].map(String.init))
        let principal = try self.settings.access.principal(shown, from: address)
        if principal.isFromCookie, origin == nil { throw .missingOrigin }
        try self.settings.access.check(principal, may: .read, .publish)
        return principal
    }

    private func grant(
        _ headers: [WebSocketHeader], _ handshake: WebSocketConnection.Handshake, _ principal: Principal,
        _ context: ChannelHandlerContext
    ) {
        let channel = context.channel
        let pipeline = channel.pipeline.syncOperations
        let settings = self.settings
        pipeline.removeHandler(self.codec.lifecycle, promise: nil)
        let head = HTTPResponseHead(version: .http1_1, status: .switchingProtocols, headers: HTTPHeaders(headers))
        context.write(self.wrapOutboundOut(.head(head)), promise: nil)
        context.writeAndFlush(self.wrapOutboundOut(.end(nil)), promise: nil)
        pipeline.removeHandler(self.codec.order, promise: nil)
        pipeline.removeHandler(self.codec.parts, promise: nil)
        pipeline.removeHandler(self.codec.encoder, promise: nil)
        pipeline.removeHandler(self.codec.bytes, promise: nil)
        let handler = WebSocketChannelHandler(
            role: .server, options: settings.webSocketOptions, handshake: handshake
        ) { connection in
            WebSocketStream(
                connection, principal: principal, feed: settings.feed, ingest: settings.ingest,
                limits: settings.limits)
        }
        do {
            try channel.syncOptions?.setOption(.allowRemoteHalfClosure, value: false)
            let high = min(256 << 10, max(settings.limits.clientBufferBytes / 4, 4096))
            try channel.syncOptions?.setOption(.writeBufferWaterMark, value: .init(low: high / 4, high: high))
            try pipeline.addHandler(handler)
        } catch {
            settings.feed.releaseClient()
            context.close(promise: nil)
            return
        }
        // What has come behind the request is frames: the decoder hands it on as it leaves.
        self.end(handler.connection.map { .webSocket($0) } ?? .over)
        pipeline.removeHandler(context: context, promise: nil)
        pipeline.removeHandler(self.codec.decoder, promise: nil)
    }

    /// Answers in the router's stead, and ends the connection.
    private func answer(_ problem: Problem, _ context: ChannelHandlerContext) {
        let body = problem.json
        var headers = HTTPHeaders()
        for field in problem.headers { headers.add(name: field.name.rawName, value: field.value) }
        headers.replaceOrAdd(name: "Content-Type", value: Problem.contentType)
        headers.replaceOrAdd(name: "Content-Length", value: "\(body.readableBytes)")
        headers.replaceOrAdd(name: "Connection", value: "close")
        headers.replaceOrAdd(name: "X-Content-Type-Options", value: "nosniff")
        headers.replaceOrAdd(name: "Date", value: HTTPDate.now())
        let head = HTTPResponseHead(
            version: .http1_1, status: HTTPResponseStatus(statusCode: problem.status.code), headers: headers)
        context.write(self.wrapOutboundOut(.head(head)), promise: nil)
        context.write(self.wrapOutboundOut(.body(.byteBuffer(body))), promise: nil)
        let channel = context.channel
        let written = context.eventLoop.makePromise(of: Void.self)
        written.futureResult.whenComplete { _ in channel.close(promise: nil) }
        context.writeAndFlush(self.wrapOutboundOut(.end(nil)), promise: written)
        self.end(.over)
    }
}
