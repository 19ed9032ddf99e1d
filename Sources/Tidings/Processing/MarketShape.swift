/// The members of a market payload as they stand in JSON, each a value, absent, or of a kind that it must not be.
struct MarketShape {
    private enum Field {
        case number(ExactDecimal)
        case text(String)
        case time
        case flag
        case levels([Level])
        case wrong(String)
    }

    private struct Level {
        var price: ExactDecimal
        var volume: ExactDecimal
    }

    private var fields: [String: Field] = [:]

    init(_ object: JSONObject) {
        object.forEachMember { key, reader throws(JSONSyntaxError) in
            let name = key.decoded()
            // `null` means absent; of several members of a name the last one counts.
            if let kind = Self.kinds[name] {
                self.fields[name] = try reader.readNull() ? nil : try Self.read(kind, &reader)
            } else {
                try reader.skipValue()
            }
        }
    }

    private enum Kind {
        case number, text, time, flag, levels, count
    }

    private static let kinds: [String: Kind] = [
        "symbol": .text, "venue_symbol": .text, "side": .text, "kind": .text, "instrument": .text, "interval": .text,
        "price": .number, "volume": .number, "bid": .number, "ask": .number, "bid_volume": .number,
        "ask_volume": .number, "open": .number, "high": .number, "low": .number, "close": .number, "trades": .count,
        "sequence": .count, "timestamp": .time, "received_at": .time, "closed": .flag, "bids": .levels, "asks": .levels,
    ]

    private static func read(_ kind: Kind, _ reader: inout JSONReader) throws(JSONSyntaxError) -> Field {
        switch kind {
        case .number:
            return try reader.looseNumber().map { .number($0) } ?? .wrong("must be a number")
        case .count:
            return try reader.count().map { .number(ExactDecimal("\($0)") ?? .zero) } ?? .wrong("must be a count")
        case .time:
            let isTime = try reader.looseTimestamp() != nil
            return isTime ? .time : .wrong("must be an RFC 3339 date or a Unix number")
        case .flag:
            guard try reader.kind() == .bool else {
                try reader.skipValue()
                return .wrong("must be true or false")
            }
            _ = try reader.readBool()
            return .flag
        case .text:
            guard try reader.kind() == .string else {
                try reader.skipValue()
                return .wrong("must be a text")
            }
            return .text(try reader.readString().decoded())
        case .levels:
            return try Self.readLevels(&reader)
        }
    }

    private static func readLevels(_ reader: inout JSONReader) throws(JSONSyntaxError) -> Field {
        guard case .array(let elements) = try reader.readValue() else { return .wrong("must be a list of levels") }
        var levels: [Level] = []
        for (index, element) in elements.enumerated() {
            guard let pair = element.array, pair.count >= 2, let price = Self.number(pair[0]),
                let volume = Self.number(pair[1])
            else { return .wrong("must be a list of [price, volume], see element \(index)") }
            levels.append(Level(price: price, volume: volume))
        }
        return .levels(levels)
    }

    private static func number(_ value: JSONValue) -> ExactDecimal? {
        value.number ?? value.string.flatMap { ExactDecimal($0) }
    }

    // MARK: Judging

    func checkTrade() throws(EventValidationError) {
        try self.checkSymbol()
        try self.positive(try self.required("price"), "price")
        try self.notNegative(try self.required("volume"), "volume")
        try self.choice("side", of: ["buy", "sell"])
        try self.checkContext()
    }

    func checkTicker() throws(EventValidationError) {
        try self.checkSymbol()
        let numbers = try ["price", "bid", "ask"].map { name throws(EventValidationError) in try self.number(name) }
        if numbers.allSatisfy({ $0 == nil }) {
            throw EventValidationError(field: "payload.price", problem: "is missing, and so are bid and ask")
        }
        try self.positive(numbers[0], "price")
        // An empty side of the book is written as 0 by some venues.
        for name in ["bid", "ask", "volume", "bid_volume", "ask_volume"] {
            try self.notNegative(try self.number(name), name)
        }
        try self.checkContext()
    }

    func checkOrderBook() throws(EventValidationError) {
        try self.checkSymbol()
        for side in ["bids", "asks"] {
            for (index, level) in try self.levels(side).enumerated() {
                try self.positive(level.price, "\(side)[\(index)][0]")
                try self.notNegative(level.volume, "\(side)[\(index)][1]")
            }
        }
        for name in ["bid", "ask", "bid_volume", "ask_volume", "sequence"] {
            try self.notNegative(try self.number(name), name)
        }
        try self.choice("kind", of: ["snapshot", "delta"])
        try self.checkContext()
    }

    func checkCandle() throws(EventValidationError) {
        try self.checkSymbol()
        let open = try self.required("open")
        let high = try self.required("high")
        let low = try self.required("low")
        let close = try self.required("close")
        for (name, number) in [("open", open), ("high", high), ("low", low), ("close", close)] {
            try self.positive(number, name)
        }
        if high < low {
            throw EventValidationError(
                field: "payload.high", problem: "is below low: \(high.shortened) < \(low.shortened)")
        }
        for (name, number) in [("open", open), ("close", close)] where number < low || number > high {
            throw EventValidationError(field: "payload.\(name)", problem: "is not between low and high")
        }
        try self.notNegative(try self.required("volume"), "volume")
        try self.notNegative(try self.number("trades"), "trades")
        guard self.fields["timestamp"] != nil else { throw self.missing("timestamp") }
        _ = try self.text("interval")
        if case .wrong(let problem) = self.fields["closed"] {
            throw EventValidationError(field: "payload.closed", problem: problem)
        }
        try self.checkContext()
    }

    private func checkSymbol() throws(EventValidationError) {
        guard let symbol = try self.text("symbol") else { throw self.missing("symbol") }
        if symbol.isEmpty { throw EventValidationError(field: "payload.symbol", problem: "is empty") }
    }

    private func checkContext() throws(EventValidationError) {
        for name in ["timestamp", "received_at"] {
            if case .wrong(let problem) = self.fields[name] {
                throw EventValidationError(field: "payload.\(name)", problem: problem)
            }
        }
        try self.choice("instrument", of: ["spot", "perpetual"])
        _ = try self.text("venue_symbol")
    }

    // MARK: Fields

    private func missing(_ name: String) -> EventValidationError {
        EventValidationError(field: "payload.\(name)", problem: "is missing")
    }

    private func number(_ name: String) throws(EventValidationError) -> ExactDecimal? {
        switch self.fields[name] {
        case .number(let number): return number
        case .wrong(let problem): throw EventValidationError(field: "payload.\(name)", problem: problem)
        default: return nil
        }
    }

    private func required(_ name: String) throws(EventValidationError) -> ExactDecimal {
        guard let number = try self.number(name) else { throw self.missing(name) }
        return number
    }

    private func text(_ name: String) throws(EventValidationError) -> String? {
        switch self.fields[name] {
        case .text(let text): return text
        case .wrong(let problem): throw EventValidationError(field: "payload.\(name)", problem: problem)
        default: return nil
        }
    }

    private func levels(_ name: String) throws(EventValidationError) -> [Level] {
        switch self.fields[name] {
        case .levels(let levels): return levels
        case .wrong(let problem): throw EventValidationError(field: "payload.\(name)", problem: problem)
        default: throw self.missing(name)
        }
    }

    private func positive(_ number: ExactDecimal?, _ name: String) throws(EventValidationError) {
        if let number, number <= .zero { throw EventValidationError.notPositive(name, number) }
    }

    private func notNegative(_ number: ExactDecimal?, _ name: String) throws(EventValidationError) {
        if let number, number < .zero { throw EventValidationError.negative(name, number) }
    }

    private func choice(_ name: String, of choices: [String]) throws(EventValidationError) {
        guard let text = try self.text(name), !choices.contains(text) else { return }
        let allowed = choices.map { "\"\($0)\"" }.joined(separator: " or ")
        throw EventValidationError(
            field: "payload.\(name)", problem: "must be \(allowed), was \"\(text.prefix(40))\"")
    }
}
