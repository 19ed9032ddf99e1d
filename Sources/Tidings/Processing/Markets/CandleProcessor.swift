/// Makes candles out of trades: for each source and symbol, of any intervals, aligned to the time of the events.
///
/// Publishes `ohlcv` events with the source `candles` and the venue in `of`; open candles too (`closed: false`), at a
/// bounded rate. A candle is closed when event time has come to its end and ``CandleConfiguration/late`` more: because a
/// later trade says so, because a trade was received that much later, or because that much time passes and none comes.
/// Intervals without trades have no candle.
///
/// The same trades give the same events, byte for byte but for `processed_at` and `processing_time_ms`, live, replayed at
/// any speed, or at once, and whoever it was that closed them: what the timer publishes is what the next trade would have
/// published first. For that, trades have to say when they were received, as those of connectors do, and must not wait for
/// ``MarketClock/grace`` or longer in a bus. Where that does not hold, a trade that finds its candle closed by the timer,
/// and is not late by event time, is added all the same and the closed candle published again: the last version of each
/// candle is always the same.
public struct CandleProcessor: Deriver {
    public let name: String
    public let configuration: CandleConfiguration
    private let plan: CandleSeries.Plan
    private var markets: RecentTable<MarketKey, CandleSeries>
    private var drops = CandleDrops()

    public init(_ configuration: CandleConfiguration, name: String = "candles") {
        self.name = name
        self.configuration = configuration
        self.plan = CandleSeries.Plan(configuration)
        self.markets = RecentTable(capacity: configuration.capacity / max(1, configuration.intervals.count))
    }

    public var interval: Duration? { .milliseconds(100) }

    public var counters: [String: UInt64] {
        [
            "late": self.drops.late, "amended": self.drops.amended, "unusable": self.drops.unusable,
            "evicted": self.drops.evicted,
        ]
    }

    /// How many series (source, symbol, interval) there are.
    public var seriesCount: Int { self.markets.count * self.configuration.intervals.count }

    public mutating func process(_ event: StandardEvent, output: inout DerivedEvents) throws {
        guard event.eventType == .trade else { return }
        guard let trade = MarketTrade(event) else {
            self.drops.unusable += 1
            return
        }
        let count = self.plan.intervals.count
        var evicted: UInt64 = 0
        let place = self.markets.place(
            of: trade.key, make: { CandleSeries(trade, intervals: count) },
            leaving: { evicted += UInt64($0.openCount) })
        self.drops.evicted += evicted
        self.markets[place].add(trade, EventCause(event), self.plan, &self.drops, &output)
    }

    public mutating func advance(to now: Timestamp, output: inout DerivedEvents) throws {
        for index in self.markets.indices {
            self.markets[index].advance(to: now.nanoseconds, self.plan, &output)
        }
    }

    /// Closes every candle, for whoever knows that no more trades will come.
    public mutating func finish(output: inout DerivedEvents) {
        for index in self.markets.indices { self.markets[index].finish(self.plan, &output) }
    }
}
