import Logging
import NIOCore
import Tidings

/// Keeps a listener alive when the system has no connection to give (`EMFILE`, `ENFILE`, `ENOBUFS`, `ENOMEM`) or when a
/// client was gone before it was accepted (`ECONNABORTED`): the error is counted, and after a moment the next is tried.
final class AcceptErrorHandler: ChannelDuplexHandler {
    typealias InboundIn = any Channel
    typealias InboundOut = any Channel
    typealias OutboundIn = Never
    typealias OutboundOut = Never

    private static let pause = TimeAmount.milliseconds(100)

    private let counters: ConnectionCounters
    private let logger: Logger
    private var lastWarning: NIODeadline?
    private var isPausing = false
    private var wantsRead = false

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
        let bound = NIOLoopBound((self, context), eventLoop: context.eventLoop)
        context.eventLoop.scheduleTask(in: Self.pause) {
            let (handler, context) = bound.value
            handler.isPausing = false
            guard handler.wantsRead else { return }
            handler.wantsRead = false
            context.read()
        }
    }

    /// A few times a minute is enough.
    private func warn(_ error: any Error) {
        let now = NIODeadline.now()
        if let last = self.lastWarning, now - last < Self.warningInterval { return }
        self.lastWarning = now
        self.logger.warning("A connection could not be accepted", metadata: [LogKey.error: "\(error)"])
    }

    func read(context: ChannelHandlerContext) {
        if self.isPausing { self.wantsRead = true } else { context.read() }
    }
}
