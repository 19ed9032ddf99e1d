import NIOCore
import NIOPosix

/// A bare TCP connection, to send what no client of ours would.
final class RawClient: Sendable {
    private let channel: any Channel
    private let received: AsyncStream<[UInt8]>

    init(port: Int) async throws {
        let (stream, continuation) = AsyncStream.makeStream(of: [UInt8].self, bufferingPolicy: .bufferingNewest(1000))
        self.received = stream
        self.channel = try await ClientBootstrap(group: MultiThreadedEventLoopGroup.singleton)
            .channelInitializer { channel in
                channel.eventLoop.makeCompletedFuture {
                    try channel.pipeline.syncOperations.addHandler(Collector(continuation))
                }
            }
            .connect(host: "127.0.0.1", port: port).get()
    }

    func send(_ bytes: [UInt8]) async throws { try await self.channel.writeAndFlush(ByteBuffer(bytes: bytes)) }

    func send(_ text: String) async throws { try await self.send(Array(text.utf8)) }

    /// Everything until the text shows up, or the connection ends.
    func read(until end: String? = nil) async -> String {
        var all = ""
        for await bytes in self.received {
            all += String(decoding: bytes, as: UTF8.self)
            if let end, all.contains(end) { return all }
        }
        return all
    }

    func close() async throws { try await self.channel.close() }

    private final class Collector: ChannelInboundHandler {
        typealias InboundIn = ByteBuffer
        private let continuation: AsyncStream<[UInt8]>.Continuation

        init(_ continuation: AsyncStream<[UInt8]>.Continuation) { self.continuation = continuation }

        func channelRead(context: ChannelHandlerContext, data: NIOAny) {
            self.continuation.yield(Array(self.unwrapInboundIn(data).readableBytesView))
        }

        func channelInactive(context: ChannelHandlerContext) { self.continuation.finish() }

        func errorCaught(context: ChannelHandlerContext, error: any Error) { context.close(promise: nil) }
    }
}
