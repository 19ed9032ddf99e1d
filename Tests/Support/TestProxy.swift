import NIOCore
import NIOPosix
import Tidings

/// A CONNECT proxy for tests: it wants the user `me` with the password `secret`.
package final class TestProxy: Sendable {
    private let channel: any Channel
    private let seen: Locked<[String]>
    /// What it was asked to connect to by those it knows.
    package var targets: [String] { self.seen.withLock { $0 } }
    package var port: Int { self.channel.localAddress?.port ?? 0 }

    fileprivate init() async throws {
        let targets = Locked<[String]>([])
        self.seen = targets
        self.channel = try await ServerBootstrap(group: MultiThreadedEventLoopGroup.singleton)
            .childChannelInitializer { channel in
                channel.eventLoop.makeCompletedFuture {
                    try channel.pipeline.syncOperations.addHandler(ProxyHandler(targets))
                }
            }
            .bind(host: "127.0.0.1", port: 0).get()
    }

    fileprivate func close() async throws {
        try await self.channel.close()
    }
}

package func withProxy(_ body: (TestProxy) async throws -> Void) async throws {
    let proxy = try await TestProxy()
    do { try await body(proxy) } catch {
        try await proxy.close()
        throw error
    }
    try await proxy.close()
}

private final class ProxyHandler: ChannelInboundHandler {
    typealias InboundIn = ByteBuffer
    typealias OutboundOut = ByteBuffer
    private let targets: Locked<[String]>
    private var head = ""
    private var onward: (any Channel)?

    init(_ targets: Locked<[String]>) { self.targets = targets }

    func channelRead(context: ChannelHandlerContext, data: NIOAny) {
        let buffer = self.unwrapInboundIn(data)
        if let onward = self.onward {
            onward.writeAndFlush(buffer, promise: nil)
            return
        }
        self.head += String(buffer: buffer)
        guard self.head.hasSuffix("\r\n\r\n") else { return }
        guard self.head.lowercased().contains("proxy-authorization: basic bwu6c2vjcmv0\r\n") else {
            self.reply("HTTP/1.1 407 Who are you\r\nProxy-Authenticate: Basic\r\n\r\n", context)
            return
        }
        let target = self.head.split(separator: " ")[1]
        self.targets.withLock { $0.append(String(target)) }
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
