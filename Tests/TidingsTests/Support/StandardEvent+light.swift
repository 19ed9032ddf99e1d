@testable import Tidings

extension StandardEvent {
    /// An event of the kind that is published one by one on the short way: a trade, without details.
    static func tradeSample(
        _ number: Int = 0, type: EventType = .trade, symbol: Name = "BTC-USD", priority: EventPriority = .normal
    ) -> StandardEvent {
        StandardEvent(
            eventType: type, source: "test",
            payload: .trade(
                Trade(
                    symbol: symbol, price: 50_000, volume: ExactDecimal(number), timestamp: Timestamp(nanoseconds: 0),
                    side: .buy)),
            priority: priority)
    }

    /// The number that ``tradeSample(_:type:symbol:priority:)`` gave it.
    var tradeNumber: Int { self.payload.trade.flatMap { JSONValue.number($0.volume).int } ?? -1 }
}
