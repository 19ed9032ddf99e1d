import NIOConcurrencyHelpers
import NIOCore
import NIOPosix
import Testing

@testable import TidingsWebSocket

/// A CONNECT proxy for tests: it wants the user `me` with the password `secret`.
final class TestProxy: Sendable {
    let channel: any Channel
    let targets: NIOLockedValueBox<[String]>
    var port: Int { self.channel.localAddress?.port ?? 0 }

    init() async throws {
        let targets = NIOLockedValueBox<[String]>([])
        self.targets = targets
        self.channel = try await ServerBootstrap(group: MultiThreadedEventLoopGroup.singleton)
            .childChannelInitializer { channel in
                channel.eventLoop.makeCompletedFuture {
                    try channel.pipeline.syncOperations.addHandler(ProxyHandler(targets))
                }
            }
            .bind(host: "127.0.0.1", port: 0).get()
    }
}

func withProxy(_ body: (TestProxy) async throws -> Void) async throws {
    let proxy = try await TestProxy()
    do { try await body(proxy) } catch {
        try await proxy.channel.close()
        throw error
    }
    try await proxy.channel.close()
}

private final class ProxyHandler: ChannelInboundHandler {
    typealias InboundIn = ByteBuffer
    typealias OutboundOut = ByteBuffer
    private let targets: NIOLockedValueBox<[String]>
    private var head = ""
    private var onward: (any Channel)?

    init(_ targets: NIOLockedValueBox<[String]>) { self.targets = targets }

    func channelRead(context: ChannelHandlerContext, data: NIOAny) {
        let buffer = self.unwrapInboundIn(data)
        if let onward = self.onward {
            onward.writeAndFlush(buffer, promise: nil)
            return
        }
        self.head += String(buffer: buffer)
        guard self.head.hasSuffix("\r\n\r\n") else { return }
        guard self.head.contains("Proxy-Authorization: Basic bWU6c2VjcmV0\r\n") else {
            self.reply("HTTP/1.1 407 Who are you\r\nProxy-Authenticate: Basic\r\n\r\n", context)
            return
        }
        let target = self.head.split(separator: " ")[1]
        self.targets.withLockedValue { $0.append(String(target)) }
        let parts = target.split(separator: ":")
        let back = context.channel
        let bound = NIOLoopBound((self, context), eventLoop: context.eventLoop)
        ClientBootstrap(group: context.eventLoop)
            .channelInitializer { channel in
                channel.eventLoop.makeCompletedFuture {
                    try channel.pipeline.syncOperations.addHandler(BackHandler(back))
                }
            }
            .connect(host: String(parts[0]), port: Int(parts[1]) ?? 0)
            .whenSuccess { channel in
                let (handler, context) = bound.value
                handler.onward = channel
                handler.reply("HTTP/1.1 200 Connected\r\n\r\n", context)
            }
    }

    private func reply(_ text: String, _ context: ChannelHandlerContext) {
        context.writeAndFlush(self.wrapOutboundOut(ByteBuffer(string: text)), promise: nil)
    }

    func channelInactive(context: ChannelHandlerContext) { self.onward?.close(promise: nil) }

    func errorCaught(context: ChannelHandlerContext, error: any Error) { context.close(promise: nil) }
}

private final class BackHandler: ChannelInboundHandler {
    typealias InboundIn = ByteBuffer
    private let back: any Channel

    init(_ back: any Channel) { self.back = back }

    func channelRead(context: ChannelHandlerContext, data: NIOAny) {
        self.back.writeAndFlush(self.unwrapInboundIn(data), promise: nil)
    }

    func channelInactive(context: ChannelHandlerContext) { self.back.close(promise: nil) }

    func errorCaught(context: ChannelHandlerContext, error: any Error) { context.close(promise: nil) }
}

@Suite(.timeLimit(.minutes(1))) struct ProxyTests {
    @Test func `a client goes through a proxy that knows it`() async throws {
        try await withListener { listener in
            try await withProxy { proxy in
                var configuration = WebSocketClientConfiguration()
                configuration.proxy = .init(host: "127.0.0.1", port: proxy.port, user: "me", password: "secret")
                let inbox = Inbox()
                let connection = try await WebSocketClient(configuration: configuration).connect(
                    to: "ws://127.0.0.1:\(listener.port)/", delegate: inbox.delegate)
                try connection.send(text: "through")
                #expect(await inbox.next() == "through")
                #expect(proxy.targets.withLockedValue { $0 } == ["127.0.0.1:\(listener.port)"])
                connection.abort()
            }
        }
    }

    @Test func `a proxy that refuses is an error with its status`() async throws {
        try await withProxy { proxy in
            var configuration = WebSocketClientConfiguration()
            configuration.proxy = .init(host: "127.0.0.1", port: proxy.port)
            let client = WebSocketClient(configuration: configuration)
            let error = await failure { () async throws(WebSocketError) in
                try await client.connect(to: "ws://example.com/", delegate: echo)
            }
            #expect(error?.code == .proxyFailed)
            #expect(error?.status == 407)
            #expect(error?.headers.first("proxy-authenticate") == "Basic")
        }
    }
}
