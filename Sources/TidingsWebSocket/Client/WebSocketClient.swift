internal import NIOConcurrencyHelpers
public import NIOCore
public import NIOPosix
internal import NIOSSL

/// Connects to WebSocket servers. Keep one for many connections: the TLS context is made once.
public final class WebSocketClient: Sendable {
    public let configuration: WebSocketClientConfiguration
    private let group: any EventLoopGroup
    private let tls = NIOLockedValueBox<NIOSSLContext?>(nil)

    public init(
        configuration: WebSocketClientConfiguration = .init(),
        group: any EventLoopGroup = MultiThreadedEventLoopGroup.singleton
    ) {
        self.configuration = configuration
        self.group = group
    }

    /// Connects to a ws:// or wss:// address, see `connect(to:headers:subprotocols:eventLoop:delegate:)`.
    public func connect(
        to url: String, headers: [WebSocketHeader] = [], subprotocols: [String] = [],
        eventLoop: (any EventLoop)? = nil, delegate: @escaping WebSocketDelegateFactory
    ) async throws(WebSocketError) -> WebSocketConnection {
        try await self.connect(
            to: WebSocketURL(url), headers: headers, subprotocols: subprotocols, eventLoop: eventLoop,
            delegate: delegate)
    }

    /// Connects, and returns when the handshake is done; the delegate may have had its first messages by then.
    ///
    /// A refusal is `WebSocketError` with code `.rejected`, the HTTP status and headers.
    /// - Parameters:
    ///   - headers: sent with the upgrade.
    ///   - subprotocols: offered, best first; what was chosen is in `connection.handshake`.
    ///   - eventLoop: where to run, one of the group's; nil for the next.
    ///   - delegate: called on that event loop to make the delegate.
    public func connect(
        to url: WebSocketURL, headers: [WebSocketHeader] = [], subprotocols: [String] = [],
        eventLoop: (any EventLoop)? = nil, delegate: @escaping WebSocketDelegateFactory
    ) async throws(WebSocketError) -> WebSocketConnection {
        let request = try ClientRequest(
            url: url, subprotocols: subprotocols, headers: headers, configuration: self.configuration)
        let context = url.isSecure ? try self.tlsContext() : nil
        let eventLoop = eventLoop ?? self.group.next()
        let promise = eventLoop.makePromise(of: WebSocketConnection.self)
        let attempt = NIOLockedValueBox(Attempt())
        let configuration = self.configuration
        let bootstrap = ClientBootstrap(group: eventLoop)
            .connectTimeout(.nanoseconds(configuration.connectTimeout.clampedNanoseconds))
            .channelOption(.tcpOption(.tcp_nodelay), value: 1)
            .channelInitializer { channel in
                guard attempt.withLockedValue({ $0.add(channel) }) else {
                    return channel.eventLoop.makeFailedFuture(CancellationError())
                }
                let promise = attempt.withLockedValue { $0.candidate(channel) }
                let handler = ClientHandshakeHandler(
                    request: request, configuration: configuration,
                    makeTLS: { try context.map { try Self.tlsHandler($0, host: url.host) } },
                    makeDelegate: delegate, promise: promise)
                do {
                    try channel.pipeline.syncOperations.addHandler(handler)
                    return channel.eventLoop.makeSucceededVoidFuture()
                } catch {
                    promise.fail(error)
                    return channel.eventLoop.makeFailedFuture(error)
                }
            }
        return try await self.run(bootstrap, request, promise, attempt)
    }

    private func run(
        _ bootstrap: ClientBootstrap, _ request: ClientRequest, _ promise: EventLoopPromise<WebSocketConnection>,
        _ attempt: NIOLockedValueBox<Attempt>
    ) async throws(WebSocketError) -> WebSocketConnection {
        let host = request.proxy?.host ?? request.url.host
        let port = request.proxy?.port ?? request.url.port
        do {
            return try await withTaskCancellationHandler {
                let connected = bootstrap.connect(host: host, port: port)
                // Of several addresses tried at once only the channel that won goes on to the handshake.
                connected.whenSuccess { channel in
                    let outcome = attempt.withLockedValue { $0.winner(channel) }
                    if let outcome {
                        promise.completeWith(outcome)
                    } else {
                        promise.fail(ChannelError.ioOnClosedChannel)
                    }
                }
                connected.whenFailure { promise.fail($0) }
                return try await promise.futureResult.get()
            } onCancel: {
                for channel in attempt.withLockedValue({ $0.cancel() }) { channel.close(promise: nil) }
            }
        } catch {
            throw Self.error(error, host: host, port: port, isCancelled: attempt.withLockedValue { $0.isCancelled })
        }
    }

    private static func error(_ error: any Error, host: String, port: Int, isCancelled: Bool) -> WebSocketError {
        if isCancelled || error is CancellationError {
            return WebSocketError(.cancelled, "Connecting was cancelled", underlying: error)
        }
        switch error {
        case let error as WebSocketError: return error
        case ChannelError.connectTimeout:
            return WebSocketError(.timeout, "No TCP connection to \(host):\(port)", underlying: error)
        default: return WebSocketError(.connectFailed, "No connection to \(host):\(port)", underlying: error)
        }
    }

    private func tlsContext() throws(WebSocketError) -> NIOSSLContext {
        do {
            return try self.tls.withLockedValue { cached in
                if let cached { return cached }
                var tls = TLSConfiguration.makeClientConfiguration()
                tls.minimumTLSVersion = .tlsv12
                switch self.configuration.trustRoots {
                case .system: break
                case .file(let path): tls.trustRoots = .file(path)
                case .systemAnd(let path): tls.additionalTrustRoots = [.file(path)]
                }
                let context = try NIOSSLContext(configuration: tls)
                cached = context
                return context
            }
        } catch {
            throw WebSocketError(.tlsFailed, "The TLS configuration cannot be used", underlying: error)
        }
    }

    private static func tlsHandler(_ context: NIOSSLContext, host: String) throws -> NIOSSLClientHandler {
        // An address cannot be named in SNI; the certificate is checked against the peer's address then.
        let isAddress = (try? SocketAddress(ipAddress: host, port: 0)) != nil
        return try NIOSSLClientHandler(context: context, serverHostname: isAddress ? nil : host)
    }
}

/// The channels of one call of `connect`: happy eyeballs may try several, and a cancelled task closes them all.
private struct Attempt {
    private var channels: [any Channel] = []
    private var promises: [ObjectIdentifier: EventLoopPromise<WebSocketConnection>] = [:]
    private(set) var isCancelled = false

    mutating func add(_ channel: any Channel) -> Bool {
        guard !self.isCancelled else { return false }
        self.channels.append(channel)
        return true
    }

    mutating func candidate(_ channel: any Channel) -> EventLoopPromise<WebSocketConnection> {
        let promise = channel.eventLoop.makePromise(of: WebSocketConnection.self)
        self.promises[ObjectIdentifier(channel)] = promise
        return promise
    }

    func winner(_ channel: any Channel) -> EventLoopFuture<WebSocketConnection>? {
        self.promises[ObjectIdentifier(channel)]?.futureResult
    }

    mutating func cancel() -> [any Channel] {
        self.isCancelled = true
        return self.channels
    }
}
