import Tidings

/// What can be subscribed to.
enum HyperliquidChannel: Hashable, Sendable {
    case trades
    case l2Book
    case bbo
    case activeAssetCtx
    case candle(interval: String)

    /// Candles come in these intervals, written as `interface.md` writes them.
    static let intervals = ["1m", "3m", "5m", "15m", "30m", "1h", "2h", "4h", "8h", "12h", "1d", "3d", "1w", "1M"]

    /// The subscriptions that make a channel of ours. The ticker is made of two.
    static func parts(of channel: MarketChannel, interval: String) -> [HyperliquidChannel] {
        switch channel {
        case .trade: [.trades]
        case .ticker: [.bbo, .activeAssetCtx]
        case .orderBook: [.l2Book]
        case .ohlcv: Self.intervals.contains(interval) ? [.candle(interval: interval)] : []
        }
    }

    var market: MarketChannel {
        switch self {
        case .trades: .trade
        case .l2Book: .orderBook
        case .bbo, .activeAssetCtx: .ticker
        case .candle: .ohlcv
        }
    }

    var type: String {
        switch self {
        case .trades: "trades"
        case .l2Book: "l2Book"
        case .bbo: "bbo"
        case .activeAssetCtx: "activeAssetCtx"
        case .candle: "candle"
        }
    }

    /// The subscription of a coin, as JSON.
    func subscription(coin: String) -> String {
        let coin = JSONValue.string(coin)
        guard case .candle(let interval) = self else { return #"{"type":"\#(self.type)","coin":\#(coin)}"# }
        return #"{"type":"candle","coin":\#(coin),"interval":\#(JSONValue.string(interval))}"#
    }

    func message(_ method: StaticString, coin: String) -> String {
        #"{"method":"\#(method)","subscription":\#(self.subscription(coin: coin))}"#
    }
}
