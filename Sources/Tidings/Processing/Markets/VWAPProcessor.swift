/// The volume-weighted average price of the trades of a rolling window, for each source and symbol.
///
/// Publishes `vwap` events with the source `vwap`: `symbol`, `vwap`, `volume`, `window`, `timestamp` (of the newest
/// trade) and `of` (the venue), at most one in ``updates`` of event time, each at the moment of a trade. The window moves
/// in steps of a sixtieth of its length. Sums are exact; the average has ``digits`` digits after the point, rounded to
/// the nearest, of two equally near to the even one. The same trades give the same events.
public struct VWAPProcessor: Deriver {
    public let name: String
    public let window: Duration
    public let updates: Duration
    /// After the point.
    public let digits: Int
    private let step: Int64
    private let spacing: Int64
    private let windowText: String
    private var markets: RecentTable<MarketKey, Market>
    private var late: UInt64 = 0
    private var unusable: UInt64 = 0

    private static let steps: Int64 = 60

    private struct Step {
        let number: Int64
        var value: ExactDecimal
        var volume: ExactDecimal
    }

    private struct Market {
        /// Ascending, at most ``steps``.
        var steps: [Step] = []
        var newest: Int64
        var publishedAt: Int64?
    }

    /// - Parameter capacity: the most markets at a time; the one not traded for longest goes.
    public init(
        window: Duration, updates: Duration = .seconds(1), digits: Int = 8, capacity: Int = 10_000,
        name: String = "vwap"
    ) {
        self.name = name
        self.window = window
        self.updates = updates
        self.digits = min(max(0, digits), 100)
        self.step = max(1, window.clampedNanoseconds / Self.steps)
        self.spacing = max(0, updates.clampedNanoseconds)
        self.windowText = window.shortText
        self.markets = RecentTable(capacity: capacity)
    }

    public var counters: [String: UInt64] { ["late": self.late, "unusable": self.unusable] }

    public mutating func process(_ event: StandardEvent, output: inout DerivedEvents) throws {
        guard event.eventType == .trade else { return }
        guard let trade = MarketTrade(event), let value = trade.price.multiplied(by: trade.volume) else {
            self.unusable += 1
            return
        }
        let place = self.markets.place(of: trade.key, make: { Market(newest: trade.time) })
        switch Self.add(trade, value, step: self.step, to: &self.markets[place]) {
        case .added: break
        case .late:
            self.late += 1
            return
        case .unusable:
            self.unusable += 1
            return
        }
        let market = self.markets[place]
        if let publishedAt = market.publishedAt, market.newest < publishedAt.clampedSum(self.spacing) { return }
        guard let (average, volume) = self.average(of: market) else { return }
        self.markets[place].publishedAt = market.newest
        let timestamp = Timestamp(nanoseconds: market.newest, precision: .milliseconds)
        output.emit(
            StandardEvent(
                eventType: .vwap, source: "vwap",
                payload: [
                    "symbol": .string(trade.symbol.description), "vwap": .number(average), "volume": .number(volume),
                    "window": .string(self.windowText), "timestamp": .string(timestamp.description),
                    "of": .string(trade.source.description),
                ],
                timestamp: timestamp))
    }

    private enum Outcome {
        case added, late, unusable
    }

    private static func add(
        _ trade: MarketTrade, _ value: ExactDecimal, step: Int64, to market: inout Market
    ) -> Outcome {
        let number = trade.time / step
        let newest = max(market.newest, trade.time)
        let oldest = newest / step - Self.steps
        if number <= oldest { return .late }
        if let index = market.steps.lastIndex(where: { $0.number == number }) {
            guard let value = market.steps[index].value.adding(value),
                let volume = market.steps[index].volume.adding(trade.volume)
            else { return .unusable }
            market.steps[index].value = value
            market.steps[index].volume = volume
        } else {
            let index = market.steps.firstIndex { $0.number > number } ?? market.steps.count
            market.steps.insert(Step(number: number, value: value, volume: trade.volume), at: index)
        }
        market.newest = newest
        market.steps.removeAll { $0.number <= oldest }
        return .added
    }

    private func average(of market: Market) -> (average: ExactDecimal, volume: ExactDecimal)? {
        var (value, volume): (ExactDecimal, ExactDecimal) = (.zero, .zero)
        for step in market.steps {
            guard let nextValue = value.adding(step.value), let nextVolume = volume.adding(step.volume) else {
                return nil
            }
            (value, volume) = (nextValue, nextVolume)
        }
        return value.divided(by: volume, digits: self.digits).map { ($0, volume) }
    }
}

extension EventType {
    /// The volume-weighted average price of a rolling window.
    public static let vwap = EventType(rawValue: "vwap")
}

extension Duration {
    /// As people write it: `5m`, `90s`, `250ms`.
    package var shortText: String {
        let nanoseconds = self.clampedNanoseconds
        for (unit, length) in [
            ("d", 86_400_000_000_000), ("h", 3_600_000_000_000), ("m", 60_000_000_000), ("s", 1_000_000_000),
        ] as [(String, Int64)] where nanoseconds != 0 && nanoseconds % length == 0 {
            return "\(nanoseconds / length)\(unit)"
        }
        return "\(nanoseconds / 1_000_000)ms"
    }
}
