public import NIOCore
internal import NIOHTTP1
public import NIOPosix
internal import NIOSSL

/// A standalone server that speaks WebSocket and plain HTTP/1.1 on one port: for the simulator and for tests.
public final class WebSocketListener: Sendable {
    /// Where it listens.
    public let localAddress: SocketAddress
    public let configuration: WebSocketListenerConfiguration
    private let channel: any Channel
    private let connections: ListenerConnections

    private init(
        channel: any Channel, localAddress: SocketAddress, configuration: WebSocketListenerConfiguration,
        connections: ListenerConnections
    ) {
        self.channel = channel
        self.localAddress = localAddress
        self.configuration = configuration
        self.connections = connections
    }

    /// The port it listens on, which matters where the configuration said 0.
    public var port: Int { self.localAddress.port ?? 0 }

    /// The WebSockets open now.
    public var webSockets: [WebSocketConnection] { self.connections.webSockets }

    /// The TCP connections open now, WebSocket or not.
    public var connectionCount: Int { self.connections.channels.count }

    /// Listens, and returns once connections are accepted.
    /// - Parameters:
    ///   - onUpgrade: decides on requests for a WebSocket.
    ///   - onRequest: answers the others; by default 404.
    public static func bind(
        configuration: WebSocketListenerConfiguration = .init(),
        group: any EventLoopGroup = MultiThreadedEventLoopGroup.singleton, onUpgrade: @escaping UpgradeHandler,
        onRequest: @escaping RequestHandler = { _ in Response(status: 404) }
    ) async throws(WebSocketError) -> WebSocketListener {
        let connections = ListenerConnections(capacity: configuration.maximumConnections)
        do {
            let tls = try configuration.tls.map { try Self.tlsContext($0) }
            let channel = try await ServerBootstrap(group: group)
                .serverChannelOption(.backlog, value: 1024)
                .serverChannelOption(.socketOption(.so_reuseaddr), value: 1)
                .childChannelOption(.tcpOption(.tcp_nodelay), value: 1)
                .childChannelInitializer { channel in
                    guard connections.add(channel) else { return channel.close() }
                    return channel.eventLoop.makeCompletedFuture {
                        let pipeline = channel.pipeline.syncOperations
                        if let tls { try pipeline.addHandler(NIOSSLServerHandler(context: tls)) }
                        try ListenerHTTPHandler.install(
                            on: channel, configuration: configuration, connections: connections,
                            onUpgrade: onUpgrade, onRequest: onRequest)
                    }
                }
                .bind(host: configuration.host, port: configuration.port).get()
            guard let address = channel.localAddress else {
                throw WebSocketError(.bindFailed, "The listener has no address")
            }
            return WebSocketListener(
                channel: channel, localAddress: address, configuration: configuration, connections: connections)
        } catch let error as WebSocketError {
            throw error
        } catch {
            let address = "\(configuration.host):\(configuration.port)"
            throw WebSocketError(.bindFailed, "Cannot listen on \(address)", underlying: error)
        }
    }

    /// Stops listening, closes every WebSocket with 1001, lets requests in progress finish, and returns when all
    /// connections have ended, by force after `closeTimeout`.
    public func close(code: WebSocketCloseCode = .goingAway, reason: String = "") async {
        self.channel.close(promise: nil)
        let (plain, webSockets) = self.connections.beginClosing()
        for connection in webSockets { connection.close(code, reason: reason) }
        for channel in plain { channel.pipeline.fireUserInboundEventTriggered(ChannelShouldQuiesceEvent()) }
        let limit = TimeAmount.nanoseconds(self.configuration.closeTimeout.clampedNanoseconds)
        let forced = self.channel.eventLoop.scheduleTask(in: limit) { self.abort() }
        await self.waitForEnd()
        forced.cancel()
    }

    /// Stops listening and drops all connections without a word, as a crash would.
    public func abort() {
        self.channel.close(promise: nil)
        _ = self.connections.beginClosing()
        for channel in self.connections.channels { channel.close(promise: nil) }
    }

    private func waitForEnd() async {
        let ends = self.connections.channels.map(\.closeFuture) + [self.channel.closeFuture]
        do {
            try await EventLoopFuture.andAllComplete(ends, on: self.channel.eventLoop).get()
        } catch {
            // Close futures do not fail.
        }
    }

    private static func tlsContext(_ tls: WebSocketListenerConfiguration.TLS) throws -> NIOSSLContext {
        let certificates = try NIOSSLCertificate.fromPEMFile(tls.certificateFile)
        let key = try NIOSSLPrivateKey(file: tls.keyFile, format: .pem)
        return try NIOSSLContext(
            configuration: .makeServerConfiguration(
                certificateChain: certificates.map { .certificate($0) }, privateKey: .privateKey(key)))
    }
}
