import NIOCore
import NIOSSL

/// Stands where TLS is to be spoken and looks at the first byte: a handshake makes way for TLS, anything else is told that
/// it knocked at the wrong door.
final class TLSDoorHandler: ChannelInboundHandler, RemovableChannelHandler {
    typealias InboundIn = ByteBuffer
    typealias InboundOut = ByteBuffer
    typealias OutboundOut = ByteBuffer

    /// RFC 8446 5.1: the content type of a handshake record.
    private static let handshakeRecord: UInt8 = 22

    private let identity: ServerIdentity
    private let counters: ConnectionCounters
    private var isOver = false
    private var drained = 0

    private static let lingerTime = TimeAmount.seconds(1)
    private static let lingerBytes = 64 << 10

    init(_ identity: ServerIdentity, counters: ConnectionCounters) {
        self.identity = identity
        self.counters = counters
    }

    func channelRead(context: ChannelHandlerContext, data: NIOAny) {
        let bytes = self.unwrapInboundIn(data)
        if self.isOver {
            self.drained += bytes.readableBytes
            if self.drained > Self.lingerBytes { context.close(promise: nil) }
            return
        }
        guard let first = bytes.readableBytesView.first else { return }
        if first == Self.handshakeRecord {
            let pipeline = context.pipeline.syncOperations
            do {
                try pipeline.addHandler(
                    NIOSSLServerHandler(context: self.identity.context), position: .after(self))
            } catch {
                context.close(promise: nil)
                return
            }
            context.fireChannelRead(data)
            pipeline.removeHandler(context: context, promise: nil)
        } else {
            self.turnAway(context)
        }
    }

    private func turnAway(_ context: ChannelHandlerContext) {
        self.isOver = true
        self.counters.refused(.plaintext)
        let channel = context.channel
        let written = context.eventLoop.makePromise(of: Void.self)
        written.futureResult.whenComplete { _ in channel.close(mode: .output, promise: nil) }
        context.writeAndFlush(self.wrapOutboundOut(Problem.plaintext.rawAnswer), promise: written)
        context.eventLoop.scheduleTask(in: Self.lingerTime) { channel.close(promise: nil) }
    }

    func userInboundEventTriggered(context: ChannelHandlerContext, event: Any) {
        if event as? ChannelEvent == .inputClosed { context.close(promise: nil) }
        context.fireUserInboundEventTriggered(event)
    }
}
