/// Rejects market events that are not what their type says: a `trade` without a price, a candle whose high is below its
/// low, a side that is none. Other types pass. Says which field is wrong: `payload.price: is missing`.
///
/// Judges shape only, unless ``ValidationRules`` ask for more: which symbols there may be, bounds of prices and volumes,
/// a bid that is not above the ask. Prices and sizes may be numbers or texts that hold one, as everywhere.
public struct ValidationProcessor: IngressProcessor {
    public let rules: ValidationRules
    private let judge: ValidationJudge?

    public init(_ rules: ValidationRules = ValidationRules()) {
        self.rules = rules
        self.judge = rules.isEmpty ? nil : ValidationJudge(rules)
    }

    public var name: String { "validate" }

    public func process(_ event: StandardEvent) throws -> StandardEvent? {
        try self.validate(event)
        return event
    }

    /// Throws when the event is not what its type says.
    public func validate(_ event: borrowing StandardEvent) throws(EventValidationError) {
        try self.checkShape(event)
        if let judge = self.judge { try judge.check(event) }
    }

    private func checkShape(_ event: borrowing StandardEvent) throws(EventValidationError) {
        let type = event.eventType
        if type == .trade {
            if event.payload.kind == .trade, let trade = event.payload.trade { return try Self.check(trade) }
            try MarketShape(event.payload.object).checkTrade()
        } else if type == .ticker {
            try MarketShape(event.payload.object).checkTicker()
        } else if type == .orderBook {
            if event.payload.kind == .orderBook, let book = event.payload.orderBook { return try Self.check(book) }
            try MarketShape(event.payload.object).checkOrderBook()
        } else if type == .ohlcv {
            try MarketShape(event.payload.object).checkCandle()
        }
    }

    // MARK: What the payload's type does not settle

    private static func check(_ trade: Trade) throws(EventValidationError) {
        try Self.check(trade.symbol)
        if trade.price <= .zero { throw EventValidationError.notPositive("price", trade.price) }
        if trade.volume < .zero { throw EventValidationError.negative("volume", trade.volume) }
    }

    private static func check(_ book: OrderBook) throws(EventValidationError) {
        try Self.check(book.symbol)
        for (side, levels) in [("bids", book.bids), ("asks", book.asks)] {
            for (index, level) in levels.enumerated() {
                if level.price <= .zero { throw EventValidationError.notPositive("\(side)[\(index)][0]", level.price) }
                if level.volume < .zero { throw EventValidationError.negative("\(side)[\(index)][1]", level.volume) }
            }
        }
    }

    private static func check(_ symbol: Name) throws(EventValidationError) {
        if symbol.description.isEmpty { throw EventValidationError(field: "payload.symbol", problem: "is empty") }
    }
}

extension EventValidationError {
    static func notPositive(_ field: String, _ number: ExactDecimal) -> EventValidationError {
        EventValidationError(field: "payload.\(field)", problem: "must be above 0, was \(number.shortened)")
    }

    static func negative(_ field: String, _ number: ExactDecimal) -> EventValidationError {
        EventValidationError(field: "payload.\(field)", problem: "must not be negative, was \(number.shortened)")
    }
}

extension ExactDecimal {
    /// For messages: a number may have a thousand digits.
    var shortened: String { String(self.description.prefix(40)) }
}
