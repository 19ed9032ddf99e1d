import NIOCore
import NIOPosix
import NIOSSL
import NIOTLS
import Tidings

/// A bare TLS connection that trusts one authority.
final class TLSTestClient: Sendable {
    private struct State: ~Copyable {
        var text = ""
        var certificate: String?
        var negotiated: String?
    }

    private let channel: any Channel
    private let state: Locked<State>

    private final class Collector: ChannelInboundHandler {
        typealias InboundIn = ByteBuffer
        private let state: Locked<State>
        private let ready: EventLoopPromise<Void>

        init(_ state: Locked<State>, _ ready: EventLoopPromise<Void>) {
            self.state = state
            self.ready = ready
        }

        func userInboundEventTriggered(context: ChannelHandlerContext, event: Any) {
            guard case .handshakeCompleted(let negotiated) = event as? TLSUserEvent else { return }
            let handler = try? context.pipeline.syncOperations.handler(type: NIOSSLHandler.self)
            let certificate = handler?.peerCertificate.map { "\($0)" }
            self.state.withLock { state in
                state.negotiated = negotiated
                state.certificate = certificate
            }
            self.ready.succeed(())
        }

        func channelRead(context: ChannelHandlerContext, data: NIOAny) {
            let text = String(buffer: self.unwrapInboundIn(data))
            self.state.withLock { $0.text += text }
        }

        func errorCaught(context: ChannelHandlerContext, error: any Error) {
            self.ready.fail(error)
            context.close(promise: nil)
        }

        func channelInactive(context: ChannelHandlerContext) {
            self.ready.fail(TimedOut(what: "closed before the handshake was done"))
        }
    }

    private init(_ channel: any Channel, _ state: Locked<State>) {
        self.channel = channel
        self.state = state
    }

    /// Returns once the handshake is done.
    static func connect(
        port: Int, authority: String, protocols: [String] = ["http/1.1"], maximum: TLSVersion? = nil
    ) async throws -> TLSTestClient {
        var configuration = TLSConfiguration.makeClientConfiguration()
        configuration.trustRoots = .file(authority)
        configuration.applicationProtocols = protocols
        configuration.minimumTLSVersion = .tlsv1
        configuration.maximumTLSVersion = maximum
        let context = try NIOSSLContext(configuration: configuration)
        let state = Locked(State())
        let group = MultiThreadedEventLoopGroup.singleton
        let ready = group.any().makePromise(of: Void.self)
        let channel: any Channel
        do {
            channel = try await ClientBootstrap(group: group)
                .channelInitializer { channel in
                    channel.eventLoop.makeCompletedFuture {
                        let handler = try NIOSSLClientHandler(context: context, serverHostname: "localhost")
                        try channel.pipeline.syncOperations.addHandlers(handler, Collector(state, ready))
                    }
                }
                .connect(host: "127.0.0.1", port: port).get()
        } catch {
            ready.fail(error)
            throw error
        }
        try await within(.seconds(20), "a TLS handshake") { try await ready.futureResult.get() }
        return TLSTestClient(channel, state)
    }

    var text: String { self.state.withLock { $0.text } }
    var negotiated: String? { self.state.withLock { $0.negotiated } }
    /// The server's certificate, described.
    var certificate: String { self.state.withLock { $0.certificate } ?? "" }

    func send(_ text: String) async throws { try await self.channel.writeAndFlush(ByteBuffer(string: text)) }

    /// A GET on the connection, which stays open.
    func get(_ path: String) async throws -> String {
        self.state.withLock { $0.text = "" }
        try await self.send("GET \(path) HTTP/1.1\r\nHost: localhost\r\n\r\n")
        try await eventually("an answer over TLS") {
            let text = self.text
            guard let end = text.firstRange(of: "\r\n\r\n"),
                let length = text.split(separator: "\r\n").first(where: { $0.lowercased().hasPrefix("content-length:") }
                ),
                let count = Int(length.split(separator: " ").last ?? "")
            else { return false }
            return text[end.upperBound...].utf8.count >= count
        }
        return self.text
    }

    func everything() async throws -> String {
        try await within(.seconds(20), "the end of the connection") { try await self.channel.closeFuture.get() }
        return self.text
    }

    func close() { self.channel.close(promise: nil) }
}
