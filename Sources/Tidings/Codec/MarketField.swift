/// The members that market payloads have.
enum MarketField {
    case price, volume, timestamp, side, tradeID, instrument, receivedAt
    case bid, ask, bidVolume, askVolume, bids, asks, kind, sequence
    case open, high, low, close, trades, closed, interval, origin
    case symbol, venueSymbol
    case other

    @inline(__always)
    init(_ key: JSONKey) {
        switch key.count {
        case 2 where key.equals("of"): self = .origin
        case 3 where key.equals("bid"): self = .bid
        case 3 where key.equals("ask"): self = .ask
        case 3 where key.equals("low"): self = .low
        case 4 where key.equals("side"): self = .side
        case 4 where key.equals("bids"): self = .bids
        case 4 where key.equals("asks"): self = .asks
        case 4 where key.equals("kind"): self = .kind
        case 4 where key.equals("open"): self = .open
        case 4 where key.equals("high"): self = .high
        case 5 where key.equals("price"): self = .price
        case 5 where key.equals("close"): self = .close
        case 6 where key.equals("symbol"): self = .symbol
        case 6 where key.equals("volume"): self = .volume
        case 6 where key.equals("trades"): self = .trades
        case 6 where key.equals("closed"): self = .closed
        case 8 where key.equals("trade_id"): self = .tradeID
        case 8 where key.equals("interval"): self = .interval
        case 8 where key.equals("sequence"): self = .sequence
        case 9 where key.equals("timestamp"): self = .timestamp
        case 10 where key.equals("instrument"): self = .instrument
        case 10 where key.equals("bid_volume"): self = .bidVolume
        case 10 where key.equals("ask_volume"): self = .askVolume
        case 12 where key.equals("venue_symbol"): self = .venueSymbol
        case 11 where key.equals("received_at"): self = .receivedAt
        default: self = .other
        }
    }

    /// A name with escapes.
    @inline(never)
    init(escaped text: JSONText) {
        self = text.withUTF8 { bytes in
            guard let start = bytes.baseAddress?.assumingMemoryBound(to: UInt8.self) else { return .other }
            let plain = JSONText(start: start, count: bytes.count, hasEscapes: false)
            return MarketField(JSONKey(plain, before: start + bytes.count))
        }
    }
}

extension JSONObject {
    /// Visits each member; `body` has to pass over the value and says whether it could.
    @inline(__always)
    func scanMembers(_ body: (MarketField, inout JSONScanner) -> Bool) {
        self.withUTF8 { bytes in
            guard let start = bytes.baseAddress else { return }
            // What our own code put together may be deeper than what is accepted from outside.
            var scanner = JSONScanner(
                start.assumingMemoryBound(to: UInt8.self), count: bytes.count, depthLimit: .max)
            guard scanner.take(UInt8(ascii: "{")), !scanner.take(UInt8(ascii: "}")) else { return }
            var goesOn = true
            while goesOn {
                guard let text = scanner.key(),
                    body(
                        text.hasEscapes
                            ? MarketField(escaped: text) : MarketField(JSONKey(text, before: scanner.end)), &scanner),
                    let more = scanner.another(before: UInt8(ascii: "}"))
                else {
                    // The text was checked when the object was made.
                    return assertionFailure("a JSON object holds text that is none")
                }
                goesOn = more
            }
        }
    }
}

/// Values of market payloads. What is of another kind is passed over and counts as absent; `false` says that it is not
/// understood at all.
extension JSONScanner {
    @inline(__always)
    mutating func looseNumber(into number: inout ExactDecimal?) -> Bool {
        guard let value = self.looseNumber() else { return false }
        number = value
        return true
    }

    @inline(__always)
    mutating func looseTimestamp(into timestamp: inout Timestamp?) -> Bool {
        guard let value = self.looseTimestamp() else { return false }
        timestamp = value
        return true
    }

    mutating func looseName(into name: inout Name?) -> Bool {
        guard let value = self.looseName() else { return false }
        name = value
        return true
    }

    /// A text, compared without making a name of it; `nil` for anything else.
    @inline(__always)
    private mutating func word<Value>(into value: inout Value?, depth: Int, _ choose: (JSONKey) -> Value?) -> Bool {
        guard self.token() == UInt8(ascii: "\"") else {
            value = nil
            return self.skipValue(depth: depth)
        }
        guard let text = self.string() else { return false }
        value = text.withUTF8 { bytes in
            guard let start = bytes.baseAddress?.assumingMemoryBound(to: UInt8.self) else { return nil }
            let plain = JSONText(start: start, count: bytes.count, hasEscapes: false)
            return choose(JSONKey(plain, before: start + bytes.count))
        }
        return true
    }

    mutating func side(into side: inout TradeSide?, depth: Int = 1) -> Bool {
        self.word(into: &side, depth: depth) { $0.equals("buy") ? .buy : $0.equals("sell") ? .sell : nil }
    }

    mutating func instrument(into instrument: inout InstrumentKind?, depth: Int = 1) -> Bool {
        self.word(into: &instrument, depth: depth) {
            $0.equals("spot") ? .spot : $0.equals("perpetual") ? .perpetual : nil
        }
    }

    mutating func kind(into kind: inout OrderBook.Kind?) -> Bool {
        self.word(into: &kind, depth: 1) { $0.equals("snapshot") ? .snapshot : $0.equals("delta") ? .delta : nil }
    }

    mutating func bool(into value: inout Bool?) -> Bool {
        switch self.token() {
        case UInt8(ascii: "t"): value = true
        case UInt8(ascii: "f"): value = false
        default: value = nil
        }
        return self.skipValue(depth: 1)
    }

    /// The text of a number, or of a string without its quotes; the outer optional as for the loose values.
    @inline(__always)
    private mutating func digits() -> JSONText?? {
        switch self.token() {
        case UInt8(ascii: "\""):
            guard let text = self.string() else { return nil }
            return .some(text)
        case UInt8(ascii: "-"), UInt8(ascii: "0")...UInt8(ascii: "9"):
            let start = self.at
            guard self.skipNumber() else { return nil }
            return .some(JSONText(start: start, count: self.at - start, hasEscapes: false))
        default: return self.skipValue(depth: 1) ? .some(nil) : nil
        }
    }

    /// A whole number that is not negative, as a number or a text.
    mutating func count(into count: inout UInt64?) -> Bool {
        guard let text = self.digits() else { return false }
        count = text.flatMap { text in
            text.plainNumber ?? text.withUTF8 { UInt64(String(decoding: $0, as: UTF8.self)) }
        }
        return true
    }

    mutating func tradeID(into tradeID: inout TradeID?) -> Bool {
        guard let text = self.digits() else { return false }
        tradeID = text.map { text in
            text.plainNumber.map { TradeID($0) }
                ?? text.withUTF8 { TradeID(String(decoding: $0, as: UTF8.self)) }
        }
        return true
    }

    /// A list of lists of at least a price and a volume.
    mutating func levels(into levels: inout [OrderBook.Level]?) -> Bool {
        levels = nil
        guard self.token() == UInt8(ascii: "[") else { return self.skipValue(depth: 1) }
        self.at += 1
        var read: [OrderBook.Level] = []
        if self.take(UInt8(ascii: "]")) {
            levels = read
            return true
        }
        // A level has some twenty bytes; a few of them suggest how many there are.
        read.reserveCapacity(min((self.end - self.at) / 20 + 1, 64))
        var isWellFormed = true
        while true {
            if let level = self.plainLevel() {
                read.append(level)
            } else if self.token() == UInt8(ascii: "[") {
                guard self.level(into: &read, &isWellFormed) else { return false }
            } else {
                guard self.skipValue(depth: 1) else { return false }
                isWellFormed = false
            }
            guard let goesOn = self.another(before: UInt8(ascii: "]")) else { return false }
            if !goesOn { break }
        }
        if isWellFormed { levels = read }
        return true
    }

    /// A level of two numbers and nothing else, as most are; otherwise the scanner stays where it is.
    @inline(__always)
    private mutating func plainLevel() -> OrderBook.Level? {
        var scanner = self
        guard scanner.take(UInt8(ascii: "[")), scanner.token() != 0, let price = scanner.compactDecimal(),
            scanner.take(UInt8(ascii: ",")), scanner.token() != 0, let volume = scanner.compactDecimal(),
            scanner.take(UInt8(ascii: "]"))
        else { return nil }
        self.at = scanner.at
        return OrderBook.Level(
            price: ExactDecimal(mantissa: price.mantissa, scale: price.scale),
            volume: ExactDecimal(mantissa: volume.mantissa, scale: volume.scale))
    }

    @inline(never)
    private mutating func level(into levels: inout [OrderBook.Level], _ isWellFormed: inout Bool) -> Bool {
        self.at += 1
        guard !self.take(UInt8(ascii: "]")) else {
            isWellFormed = false
            return true
        }
        guard let price = self.looseNumber(), let hasVolume = self.another(before: UInt8(ascii: "]")) else {
            return false
        }
        guard hasVolume else {
            isWellFormed = false
            return true
        }
        guard let volume = self.looseNumber(), var goesOn = self.another(before: UInt8(ascii: "]")) else {
            return false
        }
        while goesOn {
            guard self.skipValue(depth: 1), let more = self.another(before: UInt8(ascii: "]")) else { return false }
            goesOn = more
        }
        if let price, let volume {
            levels.append(OrderBook.Level(price: price, volume: volume))
        } else {
            isWellFormed = false
        }
        return true
    }
}

extension JSONText {
    /// The number that the text is, where it is written back as the same text: up to 19 digits, no zero before others.
    var plainNumber: UInt64? {
        guard (1...19).contains(self.count), self.count == 1 || self.start.pointee != UInt8(ascii: "0") else {
            return nil
        }
        var value: UInt64 = 0
        for index in 0..<self.count {
            let digit = self.start[index] &- UInt8(ascii: "0")
            guard digit < 10 else { return nil }
            value = value &* 10 &+ UInt64(digit)
        }
        return value
    }
}
