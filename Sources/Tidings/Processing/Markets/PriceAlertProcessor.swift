/// Tells when a price has moved by so much within a time: a `price_alert` (priority 2, source `price_alert`) with
/// `symbol`, `price`, `reference_price`, `change_percent`, `window`, `direction` and `of` (the venue).
///
/// Each trade is compared with the lowest and the highest price of the trades before it, within the window of event time
/// that ends with it; that extreme is the reference. For each source, symbol and direction (`up`, `down`) there is one
/// alert, and then none before the window has passed. The same trades give the same alerts.
public struct PriceAlertProcessor: Deriver {
    public let name: String
    /// In either spelling, compared without case; empty for every one.
    public let symbols: [String]
    /// In percent, above zero.
    public let change: ExactDecimal
    public let window: Duration
    private let wanted: Set<Name>
    private let windowText: String
    private let windowLength: Int64
    /// 1 and the change, 1 without it: both in hundredths.
    private let above: ExactDecimal
    private let below: ExactDecimal
    private var markets: RecentTable<MarketKey, Market>
    private var unusable: UInt64 = 0

    private struct Market {
        var newest: Int64
        var lowest = WindowExtreme(isLowest: true)
        var highest = WindowExtreme(isLowest: false)
        /// When an alert was given, by direction.
        var risenAt: Int64?
        var fallenAt: Int64?
    }

    /// - Parameters:
    ///   - change: in percent.
    ///   - capacity: the most markets at a time; the one not traded for longest goes.
    public init(
        symbols: [String] = [], change: ExactDecimal, window: Duration, capacity: Int = 10_000,
        name: String = "price_alert"
    ) {
        self.name = name
        self.symbols = symbols
        self.change = change
        self.window = window
        self.wanted = symbols.contains("*") ? [] : Set(symbols.map { Name($0).folded })
        self.windowText = window.shortText
        self.windowLength = max(0, window.clampedNanoseconds)
        self.above = ExactDecimal(100).adding(change) ?? ExactDecimal(100)
        self.below = ExactDecimal(100).subtracting(change) ?? .zero
        self.markets = RecentTable(capacity: capacity)
    }

    public var counters: [String: UInt64] { ["unusable": self.unusable] }

    public mutating func process(_ event: StandardEvent, output: inout DerivedEvents) throws {
        guard event.eventType == .trade, self.isWanted(event) else { return }
        guard let trade = MarketTrade(event) else {
            self.unusable += 1
            return
        }
        let place = self.markets.place(of: trade.key, make: { Market(newest: trade.time) })
        let now = max(self.markets[place].newest, trade.time)
        let oldest = now.clampedDifference(self.windowLength)
        // So late that it says nothing about the present.
        if trade.time < oldest { return }
        self.markets[place].newest = now
        self.markets[place].lowest.forget(before: oldest)
        self.markets[place].highest.forget(before: oldest)
        if let low = self.markets[place].lowest.value, self.hasRisen(from: low, to: trade.price),
            self.isTime(self.markets[place].risenAt, now)
        {
            self.markets[place].risenAt = now
            self.emit(trade, low, "up", event, &output)
        }
        if let high = self.markets[place].highest.value, self.hasFallen(from: high, to: trade.price),
            self.isTime(self.markets[place].fallenAt, now)
        {
            self.markets[place].fallenAt = now
            self.emit(trade, high, "down", event, &output)
        }
        self.markets[place].lowest.add(trade.price, at: now)
        self.markets[place].highest.add(trade.price, at: now)
    }

    private func isWanted(_ event: StandardEvent) -> Bool {
        self.wanted.isEmpty || event.payload.symbolSpellings.contains { self.wanted.contains($0.folded) }
    }

    private func isTime(_ last: Int64?, _ now: Int64) -> Bool {
        last.map { now >= $0.clampedSum(self.windowLength) } ?? true
    }

    private func hasRisen(from low: ExactDecimal, to price: ExactDecimal) -> Bool {
        guard price > low, let left = price.multiplied(by: 100), let right = low.multiplied(by: self.above) else {
            return false
        }
        return left >= right
    }

    private func hasFallen(from high: ExactDecimal, to price: ExactDecimal) -> Bool {
        guard price < high, let left = price.multiplied(by: 100), let right = high.multiplied(by: self.below) else {
            return false
        }
        return left <= right
    }

    private func emit(
        _ trade: MarketTrade, _ reference: ExactDecimal, _ direction: String, _ event: StandardEvent,
        _ output: inout DerivedEvents
    ) {
        guard let difference = trade.price.subtracting(reference)?.multiplied(by: 100),
            let percent = difference.divided(by: reference, digits: Self.percentDigits)
        else { return }
        output.emit(
            StandardEvent(
                eventType: .priceAlert, source: "price_alert",
                payload: [
                    "symbol": .string(trade.symbol.description), "price": .number(trade.price),
                    "reference_price": .number(reference), "change_percent": .number(percent),
                    "window": .string(self.windowText), "direction": .string(direction),
                    "of": .string(trade.source.description),
                ],
                priority: .high, timestamp: event.timestamp))
    }

    /// After the point of `change_percent`.
    private static let percentDigits = 4
}

/// The lowest or highest of the prices of a window: those that a later, more extreme one has not outdone.
private struct WindowExtreme {
    private struct Entry {
        let time: Int64
        let price: ExactDecimal
    }

    let isLowest: Bool
    /// Ascending in time, each more moderate than the one before it.
    private var entries: [Entry] = []
    private var first = 0

    /// A window in which more prices in a row are each more moderate than the last forgets the oldest.
    private static let capacity = 4096

    init(isLowest: Bool) {
        self.isLowest = isLowest
    }

    var value: ExactDecimal? { self.first < self.entries.count ? self.entries[self.first].price : nil }

    mutating func add(_ price: ExactDecimal, at time: Int64) {
        while self.entries.count > self.first, let last = self.entries.last,
            self.isLowest ? last.price >= price : last.price <= price
        {
            self.entries.removeLast()
        }
        self.entries.append(Entry(time: time, price: price))
        if self.entries.count - self.first > Self.capacity { self.first += 1 }
        self.compact()
    }

    mutating func forget(before time: Int64) {
        while self.first < self.entries.count, self.entries[self.first].time < time { self.first += 1 }
        self.compact()
    }

    private mutating func compact() {
        guard self.first > 64, self.first * 2 > self.entries.count else { return }
        self.entries.removeFirst(self.first)
        self.first = 0
    }
}
