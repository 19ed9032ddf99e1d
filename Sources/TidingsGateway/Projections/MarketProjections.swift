import Tidings

/// What the gateway knows of markets from the events that come by on the bus: books and the newest candles.
///
/// Fed by a tap, on the publishers' threads, so each event costs one entry in a table; what has to be worked out is
/// worked out when somebody asks.
final class MarketProjections: Sendable {
    let books = OrderBookProjection()
    let candles = CandleProjection()

    static let filter = EventFilter(types: ["order_book", "connector_status", "ohlcv"])

    /// How many of this program's newest events are looked at for what was published before the tap was there.
    private static let seedLimit = 5000

    func observe(_ event: StandardEvent) {
        if event.eventType == .ohlcv {
            self.candles.observe(event)
        } else {
            self.books.observe(event)
        }
    }

    /// Begins to listen. What the program published since `head` is taken from the log.
    func attach(to bus: any EventBus, log: any EventLog, since head: Int64) async throws -> Subscription {
        let tap = try bus.addTap(to: Self.filter, name: "gateway.markets") { self.observe($0) }
        let query = LogQuery(
            filter: EventFilter(types: ["order_book", "connector_status"]), after: head, order: .descending,
            limit: Self.seedLimit)
        // Without the log there is what comes from now on.
        let earlier = (try? await log.read(query)) ?? []
        self.books.seed(earlier.reversed().compactMap { try? $0.event() })
        return tap
    }
}
