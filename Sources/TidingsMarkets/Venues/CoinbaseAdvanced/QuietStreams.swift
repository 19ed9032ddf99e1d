import Tidings

/// Tells a product's quiet streams from dead ones, where the venue says nothing of single products. A machine.
///
/// A heartbeat in a connection's unbroken count proves that no frame was lost, and keeps subscriptions open; it does not
/// prove that each of them is still served. So it vouches for a silent stream unless another stream of the product knows
/// better (trades without any change of the book, say), and after five minutes only once the stream, asked for anew, has
/// answered.
struct QuietStreams: Sendable {
    /// A stream may be this much later than another that tells of the same.
    static let tolerance: Int64 = 5_000_000_000
    /// After so long a silence a stream is asked for anew.
    static let limit: Int64 = 300_000_000_000
    /// So long may the answer take.
    static let patience: Int64 = 10_000_000_000

    enum Verdict: Sendable, Equatable {
        /// Quiet.
        case quiet
        /// Quiet as far as can be seen; to be made sure of by asking anew.
        case ask
        /// Silent.
        case silent
    }

    private struct Watch: Sendable {
        var heard: Int64 = .min
        var asked: Int64?
    }

    private var trade = Watch()
    private var ticker = Watch()
    private var book = Watch()
    private var candle = Watch()

    private subscript(_ channel: MarketChannel) -> Watch {
        get {
            switch channel {
            case .trade: self.trade
            case .ticker: self.ticker
            case .orderBook: self.book
            case .ohlcv: self.candle
            }
        }
        set {
            switch channel {
            case .trade: self.trade = newValue
            case .ticker: self.ticker = newValue
            case .orderBook: self.book = newValue
            case .ohlcv: self.candle = newValue
            }
        }
    }

    /// A frame of a channel has come.
    @inline(__always)
    mutating func heard(_ channel: MarketChannel, at now: Int64) {
        self[channel] = Watch(heard: now)
    }

    /// A heartbeat has come.
    mutating func judge(_ channel: MarketChannel, at now: Int64) -> Verdict {
        let watch = self[channel]
        // What never talked is not known to be quiet.
        guard watch.heard != .min else { return .silent }
        let witness =
            switch channel {
            case .trade: self.ticker.heard
            case .ticker: self.trade.heard
            case .orderBook, .ohlcv: max(self.trade.heard, self.ticker.heard)
            }
        if witness > watch.heard, witness.subtractingReportingOverflow(watch.heard).partialValue > Self.tolerance {
            return .silent
        }
        if let asked = watch.asked {
            return now.subtractingReportingOverflow(asked).partialValue <= Self.patience ? .quiet : .silent
        }
        guard now.subtractingReportingOverflow(watch.heard).partialValue >= Self.limit else { return .quiet }
        self[channel].asked = now
        return .ask
    }
}
