internal import NIOConcurrencyHelpers
public import NIOCore
public import NIOHTTP1

/// Upgrades a NIO HTTP server pipeline to raw WebSocket bytes, for a `WebSocketChannelHandler` to read.
///
/// NIO's own `NIOTypedWebSocketServerUpgrader` puts its frame codec in the way; this one does not, and negotiates
/// permessage-deflate. Make one for each channel. NIO upgrades on the first request of a connection only; where
/// `decide` or the rules refuse, NIO calls its not-upgrading handler, and `refusal` says what to answer.
public final class WebSocketServerUpgrader<UpgradeResult: Sendable>: NIOTypedHTTPServerProtocolUpgrader {
    /// What to grant: the subprotocol, and headers for the 101.
    public struct Grant: Sendable {
        public var subprotocol: String?
        public var headers: [WebSocketHeader]

        public init(subprotocol: String? = nil, headers: [WebSocketHeader] = []) {
            self.subprotocol = subprotocol
            self.headers = headers
        }
    }

    public let supportedProtocol = "websocket"
    public let requiredUpgradeHeaders: [String] = []

    private let deflate: WebSocketDeflateOptions?
    private let decide:
        @Sendable (any Channel, HTTPRequestHead) -> EventLoopFuture<Result<Grant, WebSocketHandshake.Refusal>>
    private let upgraded: @Sendable (any Channel, WebSocketConnection.Handshake) -> EventLoopFuture<UpgradeResult>
    private let outcome = NIOLockedValueBox<Result<WebSocketConnection.Handshake, WebSocketHandshake.Refusal>?>(nil)

    /// - Parameters:
    ///   - decide: whether to grant, called on the event loop.
    ///   - upgraded: called after the 101 was written, to add the handler.
    public init(
        deflate: WebSocketDeflateOptions? = nil,
        decide:
            @escaping @Sendable (any Channel, HTTPRequestHead) -> EventLoopFuture<
                Result<Grant, WebSocketHandshake.Refusal>
            >,
        upgraded: @escaping @Sendable (any Channel, WebSocketConnection.Handshake) -> EventLoopFuture<UpgradeResult>
    ) {
        self.deflate = deflate
        self.decide = decide
        self.upgraded = upgraded
    }

    /// Why the request was refused, if one was: for the not-upgrading handler to answer with.
    public var refusal: WebSocketHandshake.Refusal? {
        self.outcome.withLockedValue { if case .failure(let refusal) = $0 { refusal } else { nil } }
    }

    public func buildUpgradeResponse(
        channel: any Channel, upgradeRequest: HTTPRequestHead, initialResponseHeaders: HTTPHeaders
    ) -> EventLoopFuture<HTTPHeaders> {
        self.decide(channel, upgradeRequest).flatMapThrowing { decision in
            do {
                let grant = try decision.get()
                let (response, handshake) = try WebSocketHandshake.accept(
                    method: upgradeRequest.method.rawValue, path: upgradeRequest.uri,
                    headers: [WebSocketHeader](upgradeRequest.headers), subprotocol: grant.subprotocol,
                    deflate: self.deflate)
                self.outcome.withLockedValue { $0 = .success(handshake) }
                var headers = initialResponseHeaders
                for header in response + grant.headers { headers.replaceOrAdd(name: header.name, value: header.value) }
                return headers
            } catch let refusal as WebSocketHandshake.Refusal {
                self.outcome.withLockedValue { $0 = .failure(refusal) }
                throw refusal
            }
        }
    }

    public func upgrade(channel: any Channel, upgradeRequest: HTTPRequestHead) -> EventLoopFuture<UpgradeResult> {
        guard case .success(let handshake) = self.outcome.withLockedValue({ $0 }) else {
            return channel.eventLoop.makeFailedFuture(WebSocketHandshake.Refusal(status: 500))
        }
        return self.upgraded(channel, handshake)
    }
}
