extension JSONScanner {
    /// An object, whose text is kept without the white space between tokens.
    @inline(never)
    mutating func object(depth: Int) -> JSONObject? {
        var scanner = self
        scanner.sawWhitespace = false
        scanner.deepest = 0
        var names = JSONObject.Names()
        guard scanner.enter(depth) else { return nil }
        scanner.at += 1
        if !scanner.take(UInt8(ascii: "}")) {
            while true {
                guard let text = scanner.key() else { return nil }
                let isRead: Bool
                if text.hasEscapes {
                    isRead = Self.readEscapedMember(text, &names, &scanner, depth: depth &+ 1)
                } else if text.count == 6, JSONKey(text, before: scanner.end).equals("symbol") {
                    isRead = Self.readName(into: &names.symbol, &scanner, depth: depth &+ 1)
                } else if text.count == 12, JSONKey(text, before: scanner.end).equals("venue_symbol") {
                    isRead = Self.readName(into: &names.venueSymbol, &scanner, depth: depth &+ 1)
                } else {
                    isRead = scanner.skipValue(depth: depth &+ 1)
                }
                guard isRead, let goesOn = scanner.another(before: UInt8(ascii: "}")) else { return nil }
                if !goesOn { break }
            }
        }
        return self.keep(scanner, names, depth: depth)
    }

    /// The object that `scanner`, a copy of this one, has passed over.
    @inline(__always)
    private mutating func keep(_ scanner: JSONScanner, _ names: JSONObject.Names, depth: Int) -> JSONObject {
        let bytes = UnsafeRawBufferPointer(start: self.at, count: scanner.at - self.at)
        let levels = scanner.deepest &- depth
        self.at = scanner.at
        self.deepest = max(self.deepest, scanner.deepest)
        if !scanner.sawWhitespace { return JSONObject(compact: bytes, names: names, depth: levels) }
        self.sawWhitespace = true
        return JSONObject(removingWhitespaceFrom: bytes, names: names, depth: levels)
    }

    @inline(__always)
    fileprivate static func readName(into name: inout Name?, _ scanner: inout JSONScanner, depth: Int) -> Bool {
        var copy = scanner
        let value = copy.looseName(depth: depth)
        scanner = copy
        guard let value else { return false }
        name = value
        return true
    }

    /// A name in disguise.
    @inline(__always)
    fileprivate static func readEscapedMember(
        _ text: JSONText, _ names: inout JSONObject.Names, _ scanner: inout JSONScanner, depth: Int
    ) -> Bool {
        let plain = RawJSONString(bytes: text.bytes, hasEscapes: true)
        if plain.equals("symbol") { return self.readName(into: &names.symbol, &scanner, depth: depth) }
        if plain.equals("venue_symbol") { return self.readName(into: &names.venueSymbol, &scanner, depth: depth) }
        return scanner.skipValue(depth: depth)
    }

    /// An object as above, which is likely to be a trade: if it is one that fits, its fields are noted on the way.
    @inline(never)
    mutating func tradeObject(depth: Int) -> Payload? {
        var scanner = self
        scanner.sawWhitespace = false
        scanner.deepest = 0
        var names = JSONObject.Names()
        var trade = TradeNotes()
        guard scanner.enter(depth) else { return nil }
        scanner.at += 1
        if !scanner.take(UInt8(ascii: "}")) {
            while true {
                let isRead: Bool
                if !scanner.isAtKnownText() {
                    guard let text = scanner.key() else { return nil }
                    isRead = trade.readSlowly(text, &names, &scanner, depth: depth &+ 1)
                } else if scanner.pass("symbol\":") {
                    isRead = Self.readName(into: &names.symbol, &scanner, depth: depth &+ 1)
                } else if scanner.pass("price\":") {
                    isRead = trade.readPrice(&scanner, depth: depth &+ 1)
                } else if scanner.pass("volume\":") {
                    isRead = trade.readVolume(&scanner, depth: depth &+ 1)
                } else if scanner.pass("timestamp\":") {
                    isRead = trade.readTime(&scanner, depth: depth &+ 1) { $0.set(timestamp: $1) }
                } else if scanner.pass("side\":") {
                    isRead = trade.readSide(&scanner, depth: depth &+ 1)
                } else if scanner.pass("trade_id\":") {
                    isRead = trade.readID(&scanner, depth: depth &+ 1)
                } else if scanner.pass("venue_symbol\":") {
                    isRead = Self.readName(into: &names.venueSymbol, &scanner, depth: depth &+ 1)
                } else if scanner.pass("instrument\":") {
                    isRead = trade.readInstrument(&scanner, depth: depth &+ 1)
                } else if scanner.pass("received_at\":") {
                    isRead = trade.readTime(&scanner, depth: depth &+ 1) { $0.set(receivedAt: $1) }
                } else {
                    guard let text = scanner.key() else { return nil }
                    isRead = trade.readSlowly(text, &names, &scanner, depth: depth &+ 1)
                }
                guard isRead, let goesOn = scanner.another(before: UInt8(ascii: "}")) else { return nil }
                if !goesOn { break }
            }
        }
        let packed = trade.finished(names)
        return Payload(self.keep(scanner, names, depth: depth), trade: packed)
    }
}

/// The fields of a trade while its object is read.
private struct TradeNotes {
    var packed = PackedTrade()
    private var hasPrice = false
    private var hasVolume = false
    /// Whether everything so far is a compact number or an interned name.
    private var fits = true

    @inline(__always)
    init() {}

    /// The fields, if they are those of a trade that fits; else none.
    @inline(__always)
    func finished(_ names: JSONObject.Names) -> PackedTrade {
        guard self.fits, self.hasPrice, self.hasVolume, let symbol = names.symbol, symbol.number != Name.notInterned,
            names.venueSymbol?.number != Name.notInterned
        else { return PackedTrade() }
        var packed = self.packed
        packed.symbol = symbol.number
        packed.set(venueSymbol: names.venueSymbol)
        packed.flags.insert(.isKnown)
        return packed
    }

    /// A member by a name that was not guessed: spelt with escapes or white space, near the end, or another one.
    @inline(never)
    mutating func readSlowly(
        _ text: JSONText, _ names: inout JSONObject.Names, _ scanner: inout JSONScanner, depth: Int
    ) -> Bool {
        switch text.hasEscapes ? MarketField(escaped: text) : MarketField(JSONKey(text, before: scanner.end)) {
        case .symbol: return JSONScanner.readName(into: &names.symbol, &scanner, depth: depth)
        case .venueSymbol: return JSONScanner.readName(into: &names.venueSymbol, &scanner, depth: depth)
        case .price: return self.readPrice(&scanner, depth: depth)
        case .volume: return self.readVolume(&scanner, depth: depth)
        case .timestamp: return self.readTime(&scanner, depth: depth) { $0.set(timestamp: $1) }
        case .receivedAt: return self.readTime(&scanner, depth: depth) { $0.set(receivedAt: $1) }
        case .tradeID: return self.readID(&scanner, depth: depth)
        case .side: return self.readSide(&scanner, depth: depth)
        case .instrument: return self.readInstrument(&scanner, depth: depth)
        default: return scanner.skipValue(depth: depth)
        }
    }

    @inline(__always)
    mutating func readSide(_ scanner: inout JSONScanner, depth: Int) -> Bool {
        if scanner.isAtKnownText() {
            if scanner.pass("buy\"") {
                self.packed.side = .buy
                return true
            }
            if scanner.pass("sell\"") {
                self.packed.side = .sell
                return true
            }
        }
        var copy = scanner
        defer { scanner = copy }
        return copy.side(into: &self.packed.side, depth: depth)
    }

    @inline(__always)
    mutating func readInstrument(_ scanner: inout JSONScanner, depth: Int) -> Bool {
        var copy = scanner
        defer { scanner = copy }
        return copy.instrument(into: &self.packed.instrument, depth: depth)
    }

    /// A number as such; a text, or anything else, is left to the long way.
    @inline(__always)
    private mutating func number(_ scanner: inout JSONScanner, depth: Int) -> (mantissa: Int64, scale: UInt8)? {
        let byte = scanner.token()
        if byte == UInt8(ascii: "-") || byte &- UInt8(ascii: "0") < 10, let number = scanner.compactDecimal() {
            return number
        }
        self.fits = false
        return nil
    }

    @inline(__always)
    mutating func readPrice(_ scanner: inout JSONScanner, depth: Int) -> Bool {
        var local = scanner
        defer { scanner = local }
        guard let number = self.number(&local, depth: depth) else { return local.skipValue(depth: depth) }
        (self.packed.price, self.packed.priceScale, self.hasPrice) = (number.mantissa, number.scale, true)
        return true
    }

    @inline(__always)
    mutating func readVolume(_ scanner: inout JSONScanner, depth: Int) -> Bool {
        var local = scanner
        defer { scanner = local }
        guard let number = self.number(&local, depth: depth) else { return local.skipValue(depth: depth) }
        (self.packed.volume, self.packed.volumeScale, self.hasVolume) = (number.mantissa, number.scale, true)
        return true
    }

    @inline(__always)
    mutating func readTime(
        _ scanner: inout JSONScanner, depth: Int, _ set: (inout PackedTrade, Timestamp?) -> Void
    ) -> Bool {
        var local = scanner
        defer { scanner = local }
        if local.token() == UInt8(ascii: "\""), let timestamp = local.canonicalTimestamp() {
            set(&self.packed, timestamp)
            return true
        }
        self.fits = false
        return local.skipValue(depth: depth)
    }

    @inline(__always)
    mutating func readID(_ scanner: inout JSONScanner, depth: Int) -> Bool {
        var local = scanner
        defer { scanner = local }
        guard local.token() == UInt8(ascii: "\"") else {
            self.fits = false
            return local.skipValue(depth: depth)
        }
        guard let text = local.string() else { return false }
        guard let number = text.plainNumber else {
            self.fits = false
            return true
        }
        self.packed.set(tradeID: TradeID(number))
        return true
    }
}
