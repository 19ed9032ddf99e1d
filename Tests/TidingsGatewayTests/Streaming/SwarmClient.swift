import NIOCore
import NIOPosix
import Synchronization
import Testing
import Tidings
import TidingsWebSocket

/// Many WebSockets that do no more than count the frames that come, for tests with a thousand of them.
final class Swarm: Sendable {
    /// Frames that have come to each after the answer to its subscription.
    private let channels: [any Channel]
    private let counters: [Counter]

    final class Counter: Sendable {
        let frames = Atomic<Int>(0)
        let answered = Atomic<Bool>(false)
    }

    private init(_ channels: [any Channel], _ counters: [Counter]) {
        self.channels = channels
        self.counters = counters
    }

    /// Connects so many clients, each with the same subscription, and waits for the answers.
    static func connect(_ count: Int, port: Int, _ subscription: String) async throws -> Swarm {
        var channels: [any Channel] = []
        var counters: [Counter] = []
        for start in stride(from: 0, to: count, by: 64) {
            let connecting = (start..<min(start + 64, count)).map { _ in
                let counter = Counter()
                counters.append(counter)
                return ClientBootstrap(group: MultiThreadedEventLoopGroup.singleton)
                    .channelInitializer { channel in
                        channel.eventLoop.makeCompletedFuture {
                            try channel.pipeline.syncOperations.addHandler(FrameCounter(counter, subscription))
                        }
                    }
                    .connect(host: "127.0.0.1", port: port)
            }
            for channel in connecting { channels.append(try await channel.get()) }
        }
        let swarm = Swarm(channels, counters)
        try await eventually("every subscription is answered", .seconds(60)) {
            swarm.counters.allSatisfy { $0.answered.load(ordering: .relaxed) }
        }
        return swarm
    }

    /// The least that one of them has got.
    var least: Int { self.counters.map { $0.frames.load(ordering: .relaxed) }.min() ?? 0 }

    /// All that have come.
    var total: Int { self.counters.reduce(0) { $0 + $1.frames.load(ordering: .relaxed) } }

    /// Stops reading, as a client that hangs.
    func stall() async throws {
        for channel in self.channels { try await channel.setOption(.autoRead, value: false).get() }
    }

    func close() async {
        for channel in self.channels { channel.close(promise: nil) }
        for channel in self.channels { _ = try? await channel.closeFuture.get() }
    }
}

/// Shakes hands, subscribes, and counts whole frames.
private final class FrameCounter: ChannelInboundHandler {
    typealias InboundIn = ByteBuffer
    typealias OutboundOut = ByteBuffer

    private let counter: Swarm.Counter
    private let subscription: String
    private var rest = ByteBuffer()
    private var isOpen = false

    init(_ counter: Swarm.Counter, _ subscription: String) {
        self.counter = counter
        self.subscription = subscription
    }

    func channelActive(context: ChannelHandlerContext) {
        let request = """
            GET /ws HTTP/1.1\r\nHost: x\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n\
            Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\nSec-WebSocket-Version: 13\r\n\r\n
            """
        context.writeAndFlush(self.wrapOutboundOut(ByteBuffer(string: request)), promise: nil)
        context.fireChannelActive()
    }

    func channelRead(context: ChannelHandlerContext, data: NIOAny) {
        var data = self.unwrapInboundIn(data)
        self.rest.writeBuffer(&data)
        if !self.isOpen {
            guard self.skipHead() else { return }
            self.isOpen = true
            var frame = ByteBuffer()
            frame.writeWebSocketText(self.subscription, maskingKey: 1)
            context.writeAndFlush(self.wrapOutboundOut(frame), promise: nil)
        }
        while self.skipFrame() {
            if self.counter.answered.load(ordering: .relaxed) {
                self.counter.frames.wrappingAdd(1, ordering: .relaxed)
            } else {
                self.counter.answered.store(true, ordering: .relaxed)
            }
        }
        self.rest.discardReadBytes()
    }

    private func skipHead() -> Bool {
        let end = Array("\r\n\r\n".utf8)
        let view = self.rest.readableBytesView
        guard view.count >= 4 else { return false }
        for index in view.startIndex...(view.endIndex - 4) where view[index..<index + 4].elementsEqual(end) {
            self.rest.moveReaderIndex(to: index + 4)
            return true
        }
        return false
    }

    private func skipFrame() -> Bool {
        let start = self.rest.readerIndex
        guard let byte = self.rest.getInteger(at: start + 1, as: UInt8.self) else { return false }
        var (header, length) = (2, Int(byte & 0x7F))
        if length == 126 {
            guard let long = self.rest.getInteger(at: start + 2, as: UInt16.self) else { return false }
            (header, length) = (4, Int(long))
        } else if length == 127 {
            guard let long = self.rest.getInteger(at: start + 2, as: UInt64.self) else { return false }
            (header, length) = (10, Int(clamping: long))
        }
        guard self.rest.readableBytes >= header + length else { return false }
        self.rest.moveReaderIndex(forwardBy: header + length)
        return true
    }
}
