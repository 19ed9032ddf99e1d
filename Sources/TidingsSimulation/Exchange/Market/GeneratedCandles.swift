/// The candles of one instrument, of every interval, from its trades.
package struct GeneratedCandles: Sendable {
    package struct Candle: Equatable, Sendable {
        /// Milliseconds since 1970; `end` is when the next one starts.
        package var start: Int64
        package var end: Int64
        package var open: Int64
        package var high: Int64
        package var low: Int64
        package var close: Int64
        package var volume: Int64
        package var trades: Int64
        /// Money traded, in units of price times size.
        package var money: Double
    }

    /// So many are kept of each interval.
    package static let capacity = 500

    private var byInterval: [[Candle]] = Array(repeating: [], count: CandleInterval.allCases.count)

    /// Oldest first; the last one is still running.
    package func candles(_ interval: CandleInterval) -> [Candle] {
        guard let index = CandleInterval.allCases.firstIndex(of: interval) else { return [] }
        return self.byInterval[index]
    }

    mutating func add(price: Int64, size: Int64, time: Int64) {
        for (index, interval) in CandleInterval.allCases.enumerated() {
            if let last = self.byInterval[index].last, time < last.end {
                let place = self.byInterval[index].count - 1
                self.byInterval[index][place].add(price: price, size: size)
                continue
            }
            let (start, end) = interval.bounds(of: time)
            if self.byInterval[index].count == Self.capacity { self.byInterval[index].removeFirst() }
            self.byInterval[index].append(
                Candle(
                    start: start, end: end, open: price, high: price, low: price, close: price, volume: size, trades: 1,
                    money: Double(price) * Double(size))
            )
        }
    }
}

extension GeneratedCandles.Candle {
    fileprivate mutating func add(price: Int64, size: Int64) {
        self.high = max(self.high, price)
        self.low = min(self.low, price)
        self.close = price
        self.volume += size
        self.money += Double(price) * Double(size)
        self.trades += 1
    }
}
