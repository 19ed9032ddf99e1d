import NIOCore
import Synchronization

/// Tells a connection for which there is no place why, and ends it: one answer, written before anything has been asked.
final class RefusedConnectionHandler: ChannelInboundHandler {
    typealias InboundIn = ByteBuffer
    typealias OutboundOut = ByteBuffer

    /// How many are being told at a time; the rest are only closed.
    final class Places: Sendable {
        private let taken = Atomic<Int>(0)
        private let capacity = 256

        fileprivate func take() -> Bool {
            if self.taken.wrappingAdd(1, ordering: .relaxed).newValue <= self.capacity { return true }
            self.giveBack()
            return false
        }

        fileprivate func giveBack() { self.taken.wrappingSubtract(1, ordering: .relaxed) }
    }

    /// How long, and for how many bytes, a client may go on sending after the answer.
    private static let lingerTime = TimeAmount.seconds(1)
    private static let lingerBytes = 64 << 10

    private let problem: Problem
    private let places: Places
    private let isSecure: Bool
    private var hasPlace = false
    private var drained = 0
    private var timer: Scheduled<Void>?

    init(_ problem: Problem, places: Places, isSecure: Bool) {
        self.problem = problem
        self.places = places
        self.isSecure = isSecure
    }

    func handlerAdded(context: ChannelHandlerContext) {
        if context.channel.isActive { self.tell(context) }
    }

    func channelActive(context: ChannelHandlerContext) {
        self.tell(context)
    }

    private func tell(_ context: ChannelHandlerContext) {
        // Whoever waits for a TLS handshake would not understand.
        self.hasPlace = !self.isSecure && self.places.take()
        let channel = context.channel
        guard self.hasPlace else {
            channel.close(promise: nil)
            return
        }
        let written = context.eventLoop.makePromise(of: Void.self)
        written.futureResult.whenComplete { _ in channel.close(mode: .output, promise: nil) }
        context.writeAndFlush(self.wrapOutboundOut(self.problem.rawAnswer), promise: written)
        self.timer = context.eventLoop.scheduleTask(in: Self.lingerTime) { channel.close(promise: nil) }
    }

    func channelRead(context: ChannelHandlerContext, data: NIOAny) {
        self.drained += self.unwrapInboundIn(data).readableBytes
        if self.drained > Self.lingerBytes { context.close(promise: nil) }
    }

    func userInboundEventTriggered(context: ChannelHandlerContext, event: Any) {
        if event is ChannelShouldQuiesceEvent || event as? ChannelEvent == .inputClosed { context.close(promise: nil) }
    }

    func errorCaught(context: ChannelHandlerContext, error: any Error) { context.close(promise: nil) }

    func channelInactive(context: ChannelHandlerContext) {
        self.timer?.cancel()
        if self.hasPlace { self.places.giveBack() }
        self.hasPlace = false
    }
}
