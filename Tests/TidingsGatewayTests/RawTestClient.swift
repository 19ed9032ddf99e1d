import NIOCore
import NIOPosix
import Tidings

/// A bare TCP connection.
final class RawTestClient: Sendable {
    private let channel: any Channel
    private let received: Locked<String>

    private final class Collector: ChannelInboundHandler {
        typealias InboundIn = ByteBuffer
        let received: Locked<String>

        init(_ received: Locked<String>) { self.received = received }

        func channelRead(context: ChannelHandlerContext, data: NIOAny) {
            let text = String(buffer: self.unwrapInboundIn(data))
            self.received.withLock { $0 += text }
        }
    }

    private init(_ channel: any Channel, _ received: Locked<String>) {
        self.channel = channel
        self.received = received
    }

    static func connect(port: Int) async throws -> RawTestClient {
        let received = Locked("")
        let channel = try await ClientBootstrap(group: MultiThreadedEventLoopGroup.singleton)
            .channelInitializer { channel in
                channel.eventLoop.makeCompletedFuture {
                    try channel.pipeline.syncOperations.addHandler(Collector(received))
                }
            }
            .connect(host: "127.0.0.1", port: port).get()
        return RawTestClient(channel, received)
    }

    func send(_ text: String) async throws {
        try await self.send(ByteBuffer(string: text))
    }

    func send(_ bytes: ByteBuffer) async throws {
        try await self.channel.writeAndFlush(bytes)
    }

    var text: String { self.received.withLock { $0 } }

    /// All that comes until the server closes the connection.
    func everything() async throws -> String {
        try await within(.seconds(20), "the end of the connection") { try await self.channel.closeFuture.get() }
        return self.text
    }

    /// Takes nothing more from the socket.
    func stopReading() { self.channel.setOption(.autoRead, value: false).whenComplete { _ in } }

    func close() { self.channel.close(promise: nil) }
}
