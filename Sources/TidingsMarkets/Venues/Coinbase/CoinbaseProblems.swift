import Tidings

/// What both of Coinbase's sessions have to report.
extension VenueOutput.Problem {
    private static func number(_ value: UInt64) -> JSONValue {
        .number(ExactDecimal(mantissa: Int64(clamping: value)))
    }

    /// Trades that have not come, and are asked for.
    static func lostTrades(_ source: Name, _ symbol: Name, _ range: ClosedRange<UInt64>) -> VenueOutput.Problem {
        let count = range.upperBound - range.lowerBound + (range.upperBound == .max ? 0 : 1)
        return VenueOutput.Problem(
            code: "SEQUENCE_GAP",
            message:
                "\(source) \(symbol): trades \(range.lowerBound) to \(range.upperBound) were lost; they are asked for",
            details: [
                "symbol": .string(symbol.description), "from": Self.number(range.lowerBound),
                "to": Self.number(range.upperBound), "missing": Self.number(count),
            ])
    }

    /// Trades that cannot be had any more.
    static func missingTrades(
        _ source: Name, _ symbol: Name, _ range: ClosedRange<UInt64>, because reason: String
    ) -> VenueOutput.Problem {
        VenueOutput.Problem(
            code: "SEQUENCE_GAP",
            message:
                "\(source) \(symbol): trades \(range.lowerBound) to \(range.upperBound) could not be had: \(reason)",
            details: [
                "symbol": .string(symbol.description), "from": Self.number(range.lowerBound),
                "to": Self.number(range.upperBound),
                "count": Self.number(range.upperBound - range.lowerBound + (range.upperBound == .max ? 0 : 1)),
                "reason": .string(reason),
            ])
    }

    /// A trade whose number does not follow the last.
    static func strangeTrade(
        _ source: Name, _ symbol: Name, _ number: UInt64, after last: UInt64
    ) -> VenueOutput.Problem {
        VenueOutput.Problem(
            code: "SEQUENCE_GAP",
            message: "\(source) \(symbol): trade \(number) cannot follow \(last); what is between is not counted",
            details: [
                "symbol": .string(symbol.description), "expected": Self.number(last &+ 1), "got": Self.number(number),
            ])
    }

    /// A bid that is not below the ask.
    static func crossedBook(_ source: Name, _ symbol: Name, _ book: LocalBook) -> VenueOutput.Problem {
        let (bid, ask) = (book.bestBid?.price ?? .zero, book.bestAsk?.price ?? .zero)
        return VenueOutput.Problem(
            code: "CROSSED_BOOK", message: "\(source) \(symbol): bid \(bid) is not below ask \(ask)",
            details: ["symbol": .string(symbol.description), "bid": .number(bid), "ask": .number(ask)])
    }

    /// A book that is not as the venue has it, or that something was lost of.
    static func brokenBook(
        _ source: Name, _ symbol: Name, _ reason: String, expected: String, got: String
    ) -> VenueOutput.Problem {
        VenueOutput.Problem(
            code: "SEQUENCE_GAP", message: "\(source) \(symbol): \(reason)",
            details: [
                "symbol": .string(symbol.description), "expected": .string(expected), "got": .string(got),
            ])
    }

    /// A candle interval that the venue does not have.
    static func unsupportedInterval(_ source: Name, _ interval: String, known: [String]) -> VenueOutput.Problem {
        VenueOutput.Problem(
            code: "UNSUPPORTED_CHANNEL",
            message: "\(source) has no candles of \(interval); there are: \(known.joined(separator: ", "))",
            details: ["channel": .string("ohlcv"), "interval": .string(interval)])
    }

    /// Candles that could not be had.
    static func noCandles(_ source: Name, _ symbol: Name, _ reason: String) -> VenueOutput.Problem {
        VenueOutput.Problem(
            code: "CONNECTION", message: "\(source) \(symbol): candles could not be had: \(reason)",
            details: ["symbol": .string(symbol.description), "channel": .string("ohlcv")])
    }
}
