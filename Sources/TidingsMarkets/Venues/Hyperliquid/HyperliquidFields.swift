import Tidings

/// Every member that the venue's frames have, read in one pass in whatever order. Numbers come as text or as numbers.
struct HyperliquidFields {
    var coin: Name?
    var side: TradeSide?
    var price: ExactDecimal?
    var size: ExactDecimal?
    var time: Int64?
    var tradeID: UInt64?
    /// Bids, then asks.
    var sides: [[OrderBook.Level]] = []
    /// The best bid and ask, either of which may be missing.
    var best: [OrderBook.Level?] = []
    // A candle.
    var symbol: Name?
    var interval: Name?
    var start: Int64?
    var end: Int64?
    var open: ExactDecimal?
    var high: ExactDecimal?
    var low: ExactDecimal?
    var close: ExactDecimal?
    var volume: ExactDecimal?
    var trades: UInt64?
    // What was subscribed to.
    var type: Name?
    // An asset's context.
    var markPrice: ExactDecimal?
    var dayBaseVolume: ExactDecimal?
    var funding: ExactDecimal?
    var openInterest: ExactDecimal?

    mutating func read(_ reader: inout JSONReader) throws(JSONSyntaxError) {
        try reader.beginObject()
        var isFirst = true
        while let key = try reader.nextKey(isFirst: &isFirst) {
            try self.read(key, &reader)
        }
    }

    private mutating func read(_ key: RawJSONString, _ reader: inout JSONReader) throws(JSONSyntaxError) {
        switch key.bytes.count {
        case 1: try self.readLetter(key.bytes[0], &reader)
        case 2 where key.equals("px"): self.price = try reader.looseNumber()
        case 2 where key.equals("sz"): self.size = try reader.looseNumber()
        case 3 where key.equals("tid"): self.tradeID = try reader.count()
        case 3 where key.equals("bbo"): self.best = try reader.levelList()
        case 3 where key.equals("ctx"): try self.readNested(&reader)
        case 4 where key.equals("coin"): self.coin = try reader.looseName()
        case 4 where key.equals("side"):
            let side = try reader.looseName()
            self.side = side == "B" ? .buy : side == "A" ? .sell : nil
        case 4 where key.equals("type"): self.type = try reader.looseName()
        case 4 where key.equals("time"): self.time = try reader.milliseconds()
        case 8 where key.equals("interval"): self.interval = try reader.looseName()
        case 6 where key.equals("levels"): self.sides = try reader.bookSides()
        case 6 where key.equals("markPx"): self.markPrice = try reader.looseNumber()
        case 7 where key.equals("funding"): self.funding = try reader.looseNumber()
        case 10 where key.equals("dayBaseVlm"): self.dayBaseVolume = try reader.looseNumber()
        case 12 where key.equals("openInterest"): self.openInterest = try reader.looseNumber()
        default: try reader.skipValue()
        }
    }

    private mutating func readLetter(_ letter: UInt8, _ reader: inout JSONReader) throws(JSONSyntaxError) {
        switch letter {
        case UInt8(ascii: "s"): self.symbol = try reader.looseName()
        case UInt8(ascii: "i"): self.interval = try reader.looseName()
        case UInt8(ascii: "t"): self.start = try reader.milliseconds()
        case UInt8(ascii: "T"): self.end = try reader.milliseconds()
        case UInt8(ascii: "o"): self.open = try reader.looseNumber()
        case UInt8(ascii: "h"): self.high = try reader.looseNumber()
        case UInt8(ascii: "l"): self.low = try reader.looseNumber()
        case UInt8(ascii: "c"): self.close = try reader.looseNumber()
        case UInt8(ascii: "v"): self.volume = try reader.looseNumber()
        case UInt8(ascii: "n"): self.trades = try reader.count()
        default: try reader.skipValue()
        }
    }

    private mutating func readNested(_ reader: inout JSONReader) throws(JSONSyntaxError) {
        guard try reader.kind() == .object else {
            try reader.skipValue()
            return
        }
        try self.read(&reader)
    }
}

extension JSONReader {
    /// A text as a name; anything else is passed over.
    mutating func looseName() throws(JSONSyntaxError) -> Name? {
        guard try self.kind() == .string else {
            try self.skipValue()
            return nil
        }
        return try self.readString().withUTF8 { Name(validated: $0) }
    }

    /// A whole number of milliseconds.
    mutating func milliseconds() throws(JSONSyntaxError) -> Int64? {
        try self.count().flatMap { Int64(exactly: $0) }
    }

    /// `[[{"px":..,"sz":..}, ...], [...]]`; levels without price or size are left out.
    mutating func bookSides() throws(JSONSyntaxError) -> [[OrderBook.Level]] {
        guard try self.kind() == .array else {
            try self.skipValue()
            return []
        }
        var sides: [[OrderBook.Level]] = []
        try self.beginArray()
        var isFirst = true
        while try self.nextElement(isFirst: &isFirst) {
            sides.append(try self.levelList().compactMap { $0 })
        }
        return sides
    }

    /// A list of levels as objects, `nil` for each that has no price or size.
    mutating func levelList() throws(JSONSyntaxError) -> [OrderBook.Level?] {
        guard try self.kind() == .array else {
            try self.skipValue()
            return []
        }
        var levels: [OrderBook.Level?] = []
        levels.reserveCapacity(20)
        try self.beginArray()
        var isFirst = true
        while try self.nextElement(isFirst: &isFirst) {
            guard try self.kind() == .object else {
                try self.skipValue()
                levels.append(nil)
                continue
            }
            levels.append(try self.level())
        }
        return levels
    }

    private mutating func level() throws(JSONSyntaxError) -> OrderBook.Level? {
        var (price, size): (ExactDecimal?, ExactDecimal?)
        try self.beginObject()
        var isFirst = true
        while let key = try self.nextKey(isFirst: &isFirst) {
            if key.equals("px") {
                price = try self.looseNumber()
            } else if key.equals("sz") {
                size = try self.looseNumber()
            } else {
                try self.skipValue()
            }
        }
        guard let price, let size else { return nil }
        return OrderBook.Level(price: price, volume: size)
    }
}
