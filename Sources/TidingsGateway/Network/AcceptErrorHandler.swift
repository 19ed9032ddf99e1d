import Logging
import NIOCore
import Tidings

/// Keeps a listener alive when the system has no connection to give (`EMFILE`, `ENFILE`, `ENOBUFS`, `ENOMEM`) or when a
/// client was gone before it was accepted (`ECONNABORTED`): the error is counted, and after a moment the next is tried.
final class AcceptErrorHandler: ChannelInboundHandler {
    typealias InboundIn = any Channel
    typealias InboundOut = any Channel

    private static let pause = TimeAmount.milliseconds(100)

    private let counters: ConnectionCounters
    private let logger: Logger
    private var lastWarning: NIODeadline?
    private var isPausing = false

    private static let warningInterval = TimeAmount.seconds(10)

    init(_ counters: ConnectionCounters, _ logger: Logger) {
        self.counters = counters
        self.logger = logger
    }

    func errorCaught(context: ChannelHandlerContext, error: any Error) {
        self.counters.acceptFailed()
        self.warn(error)
        guard !self.isPausing else { return }
        self.isPausing = true
        let channel = context.channel
        // Without this the socket is found readable again and again.
        try? channel.syncOptions?.setOption(.autoRead, value: false)
        let bound = NIOLoopBound(self, eventLoop: context.eventLoop)
        context.eventLoop.scheduleTask(in: Self.pause) {
            bound.value.isPausing = false
            try? channel.syncOptions?.setOption(.autoRead, value: true)
        }
    }

    /// A few times a minute is enough.
    private func warn(_ error: any Error) {
        let now = NIODeadline.now()
        if let last = self.lastWarning, now - last < Self.warningInterval { return }
        self.lastWarning = now
        self.logger.warning("A connection could not be accepted", metadata: [LogKey.error: "\(error)"])
    }
}
