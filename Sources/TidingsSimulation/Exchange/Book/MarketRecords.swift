/// A trade as the simulator knows it, recorded or made up.
package struct TradeRecord: Equatable, Sendable {
    /// Contiguous within an instrument.
    package var id: UInt64
    package var price: String
    package var size: String
    /// Whether the taker bought.
    package var isBuy: Bool
    /// Nanoseconds since 1970.
    package var time: Int64

    package init(id: UInt64, price: String, size: String, isBuy: Bool, time: Int64) {
        self.id = id
        self.price = price
        self.size = size
        self.isBuy = isBuy
        self.time = time
    }
}

/// A candle as the simulator knows it.
package struct CandleRecord: Equatable, Sendable {
    /// Milliseconds since 1970; `end` is when the next one starts.
    package var start: Int64
    package var end: Int64
    package var open: String
    package var high: String
    package var low: String
    package var close: String
    package var volume: String
    /// Money traded.
    package var quoteVolume: String
    package var trades: Int64
}

/// What is known of an instrument.
package struct InstrumentRecord: Equatable, Sendable {
    package var symbol: String
    /// Digits after the point.
    package var priceDigits: Int
    package var sizeDigits: Int

    package init(symbol: String, priceDigits: Int, sizeDigits: Int) {
        self.symbol = symbol
        self.priceDigits = priceDigits
        self.sizeDigits = sizeDigits
    }
}

/// Makes candles out of trades, oldest first.
package func candles(of trades: [TradeRecord], _ interval: CandleInterval) -> [CandleRecord] {
    var done: [CandleRecord] = []
    var running: RunningCandle?
    for trade in trades {
        guard let price = DecimalUnits(trade.price), let size = DecimalUnits(trade.size) else { continue }
        let time = trade.time / 1_000_000
        if let candle = running, time >= candle.end {
            done.append(candle.record)
            running = nil
        }
        var candle = running ?? RunningCandle(interval.bounds(of: time), first: trade, price: price)
        candle.add(trade, price: price, size: size)
        running = candle
    }
    if let running { done.append(running.record) }
    return done
}

private struct RunningCandle {
    let start: Int64
    let end: Int64
    private let first: TradeRecord
    private var high: DecimalUnits
    private var low: DecimalUnits
    private var last: TradeRecord
    private var volume = DecimalUnits.zero
    private var money = 0.0
    private var trades: Int64 = 0

    init(_ bounds: (start: Int64, end: Int64), first: TradeRecord, price: DecimalUnits) {
        (self.start, self.end) = bounds
        self.first = first
        self.last = first
        self.high = price
        self.low = price
    }

    mutating func add(_ trade: TradeRecord, price: DecimalUnits, size: DecimalUnits) {
        self.high = max(self.high, price)
        self.low = min(self.low, price)
        self.last = trade
        self.volume = self.volume + size
        self.money += price.double * size.double
        self.trades += 1
    }

    var record: CandleRecord {
        let digits = decimalDigits(of: self.first.price)
        // Money to eight digits.
        let money = DecimalUnits(count: Int128(min(self.money, 1e12) * 1e8) * 10_000_000_000)
        return CandleRecord(
            start: self.start, end: self.end, open: self.first.price, high: self.high.text(digits: digits),
            low: self.low.text(digits: digits), close: self.last.price, volume: self.volume.text(),
            quoteVolume: money.text(), trades: self.trades)
    }
}
