import Tidings

/// The newest candles of each series, as `ohlcv` events have told of them since the program began: so that charts are not
/// read from the log again and again.
final class CandleProjection: Sendable {
    private struct Key: Hashable {
        let series: CandleKey
        let interval: Name
    }

    private struct State: ~Copyable {
        var series: RecentTable<Key, [Candle]>
    }

    private let state: Locked<State>
    private let length: Int

    /// - Parameters:
    ///   - capacity: the most series; the one that had no event for longest goes.
    ///   - length: the most candles of each; the oldest go.
    init(capacity: Int = 1000, length: Int = 500) {
        self.state = Locked(State(series: RecentTable(capacity: capacity)))
        self.length = length
    }

    func observe(_ event: StandardEvent) {
        guard let candle = event.payload.candle else { return }
        let key = Key(series: CandleKey(candle, source: event.source), interval: candle.interval)
        self.state.withLock { state in
            let place = state.series.place(of: key, make: { [] })
            Self.set(candle, in: &state.series[place])
            if state.series[place].count > self.length { state.series[place].removeFirst() }
        }
    }

    /// Nearly always the last one or a new one behind it.
    private static func set(_ candle: Candle, in candles: inout [Candle]) {
        var place = candles.count
        while place > 0, candles[place - 1].timestamp > candle.timestamp { place -= 1 }
        if place > 0, candles[place - 1].timestamp == candle.timestamp {
            candles[place - 1] = candle
        } else {
            candles.insert(candle, at: place)
        }
    }

    /// The candles of a symbol (in capitals) and interval, by series, ascending.
    func find(_ symbol: Name, interval: Name, source: CandleSource?) -> [CandleKey: [Candle]] {
        self.state.withLock { state in
            var found: [CandleKey: [Candle]] = [:]
            for place in state.series.indices {
                let key = state.series.key(at: place)
                guard key.interval == interval, key.series.isNamed(symbol), source?.matches(key.series) ?? true else {
                    continue
                }
                found[key.series] = state.series[place]
            }
            return found
        }
    }
}
