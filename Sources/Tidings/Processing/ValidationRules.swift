/// What a ``ValidationProcessor`` asks of market events beyond their shape. Empty rules ask nothing.
public struct ValidationRules: Sendable, Equatable {
    /// From and to, both inclusive.
    public struct Bounds: Sendable, Equatable {
        public var minimum: ExactDecimal?
        public var maximum: ExactDecimal?

        public init(minimum: ExactDecimal? = nil, maximum: ExactDecimal? = nil) {
            self.minimum = minimum
            self.maximum = maximum
        }
    }

    /// The bounds of one symbol, or of those that have none of their own.
    public struct SymbolBounds: Sendable, Equatable {
        /// Of prices: of trades, tickers, the best of books, and candles.
        public var price = Bounds()
        /// Of trades.
        public var volume = Bounds()

        public init(price: Bounds = Bounds(), volume: Bounds = Bounds()) {
            self.price = price
            self.volume = volume
        }
    }

    /// The symbols there may be, in either spelling and any case; `*` stands for any number of characters. Empty for every
    /// one.
    public var symbols: [String] = []
    /// What holds for every symbol without bounds of its own.
    public var bounds = SymbolBounds()
    /// By symbol, in either spelling and any case.
    public var boundsBySymbol: [String: SymbolBounds] = [:]
    /// Whether a bid above the ask is refused.
    public var refusesCrossed = false

    public init() {}

    public var isEmpty: Bool { self == ValidationRules() }
}

/// The rules, ready to be applied.
struct ValidationJudge: Sendable {
    private let patterns: [[UInt8]]
    private let bounds: ValidationRules.SymbolBounds
    private let bySymbol: [Name: ValidationRules.SymbolBounds]
    private let refusesCrossed: Bool

    init(_ rules: ValidationRules) {
        self.patterns = rules.symbols.map { Array(Self.folded($0).utf8) }
        self.bounds = rules.bounds
        self.bySymbol = Dictionary(rules.boundsBySymbol.map { (Name($0).folded, $1) }, uniquingKeysWith: { $1 })
        self.refusesCrossed = rules.refusesCrossed
    }

    private static func folded(_ text: String) -> String { text.uppercased() }

    func check(_ event: borrowing StandardEvent) throws(EventValidationError) {
        let type = event.eventType
        guard type == .trade || type == .ticker || type == .orderBook || type == .ohlcv else { return }
        let spellings = event.payload.symbolSpellings
        if !self.patterns.isEmpty, !spellings.contains(where: { self.isAllowed($0) }) {
            let symbol = spellings.first?.description ?? ""
            throw EventValidationError(field: "payload.symbol", problem: "is not allowed: \(symbol.prefix(40))")
        }
        let bounds = spellings.lazy.compactMap { self.bySymbol[$0.folded] }.first ?? self.bounds
        if type == .trade, let trade = event.payload.trade {
            try Self.check(trade.price, "price", bounds.price)
            try Self.check(trade.volume, "volume", bounds.volume)
        } else if type == .ticker, let ticker = event.payload.ticker {
            for (name, number) in [("price", ticker.price), ("bid", ticker.bid), ("ask", ticker.ask)] {
                // An empty side of the book is written as 0 by some venues.
                if let number, number > .zero { try Self.check(number, name, bounds.price) }
            }
            try self.checkCrossed(ticker.bid, ticker.ask)
        } else if type == .orderBook, let book = event.payload.orderBook {
            let isWhole = book.kind == .snapshot
            let bid = book.bestBid?.price ?? (isWhole ? book.bids.first?.price : nil)
            let ask = book.bestAsk?.price ?? (isWhole ? book.asks.first?.price : nil)
            for (name, number) in [("bid", bid), ("ask", ask)] {
                if let number, number > .zero { try Self.check(number, name, bounds.price) }
            }
            try self.checkCrossed(bid, ask)
        } else if type == .ohlcv, let candle = event.payload.candle {
            for (name, number) in [
                ("open", candle.open), ("high", candle.high), ("low", candle.low), ("close", candle.close),
            ] { try Self.check(number, name, bounds.price) }
        }
    }

    private static func check(
        _ number: ExactDecimal, _ name: String, _ bounds: ValidationRules.Bounds
    ) throws(EventValidationError) {
        if let minimum = bounds.minimum, number < minimum {
            throw EventValidationError(
                field: "payload.\(name)", problem: "must be at least \(minimum.shortened), was \(number.shortened)")
        }
        if let maximum = bounds.maximum, number > maximum {
            throw EventValidationError(
                field: "payload.\(name)", problem: "must be at most \(maximum.shortened), was \(number.shortened)")
        }
    }

    private func checkCrossed(_ bid: ExactDecimal?, _ ask: ExactDecimal?) throws(EventValidationError) {
        guard self.refusesCrossed, let bid, let ask, bid > .zero, ask > .zero, bid > ask else { return }
        throw EventValidationError(
            field: "payload.bid", problem: "is above ask: \(bid.shortened) > \(ask.shortened)")
    }

    private func isAllowed(_ symbol: Name) -> Bool {
        let text = Array(Self.folded(symbol.description).utf8)
        return self.patterns.contains { Self.matches($0[...], text[...]) }
    }

    /// With one step back to the last `*`, so that no pattern takes long.
    private static func matches(_ pattern: ArraySlice<UInt8>, _ text: ArraySlice<UInt8>) -> Bool {
        let star = UInt8(ascii: "*")
        var (place, index) = (pattern.startIndex, text.startIndex)
        var retry: (place: Int, index: Int)?
        while index < text.endIndex {
            if place < pattern.endIndex, pattern[place] == star {
                retry = (place + 1, index)
                place += 1
            } else if place < pattern.endIndex, pattern[place] == text[index] {
                place += 1
                index += 1
            } else if let last = retry {
                retry = (last.place, last.index + 1)
                (place, index) = (last.place, last.index + 1)
            } else {
                return false
            }
        }
        return pattern[place...].allSatisfy { $0 == star }
    }
}
