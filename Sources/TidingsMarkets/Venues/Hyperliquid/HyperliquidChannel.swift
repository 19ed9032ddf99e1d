import Tidings

/// What can be subscribed to.
enum HyperliquidChannel: Hashable, Sendable {
    case trades
    case l2Book
    case bbo
    case activeAssetCtx
    case candle(interval: String)

    /// The subscription of a coin, as JSON.
    func subscription(coin: String) -> String {
        let coin = JSONValue.string(coin)
        switch self {
        case .trades: return #"{"type":"trades","coin":\#(coin)}"#
        case .l2Book: return #"{"type":"l2Book","coin":\#(coin)}"#
        case .bbo: return #"{"type":"bbo","coin":\#(coin)}"#
        case .activeAssetCtx: return #"{"type":"activeAssetCtx","coin":\#(coin)}"#
        case .candle(let interval):
            return #"{"type":"candle","coin":\#(coin),"interval":\#(JSONValue.string(interval))}"#
        }
    }
}
