import Tidings

/// Every member of the venue's frames that we use, read in one pass in whatever order, raw or wrapped as
/// `{"stream":..,"data":..}`. Numbers come as text or as numbers.
///
/// What a letter means differs from frame to frame, so that it is kept by what it is: `b` and `a` may be prices, lists of
/// levels, or numbers of orders and trades.
struct BinanceFields {
    /// What `a` or `b` is.
    enum Either {
        case number(ExactDecimal)
        case levels(LevelList)
    }

    /// What a frame is, by its `e`.
    enum Kind {
        case trade
        case aggregatedTrade
        case depthUpdate
        case ticker
        case kline
        case serverShutdown
        /// There is an `e`, and it says something else.
        case other
    }

    /// The stream's name; the bytes are those of the frame.
    var stream: RawJSONString?
    var hasData = false
    var kind: Kind?
    var symbol: RawJSONString?
    var eventTime: Timestamp?
    var tradeTime: Timestamp?
    /// `t`
    var number: UInt64?
    var firstUpdate: UInt64?
    var lastUpdate: UInt64?
    var price: ExactDecimal?
    var quantity: ExactDecimal?
    var buyerIsMaker: Bool?
    var bids: Either?
    var asks: Either?
    var bidSize: ExactDecimal?
    var askSize: ExactDecimal?
    var close: ExactDecimal?
    var volume: ExactDecimal?
    var candle: BinanceCandle?
    // An answer to what we sent, or a whole book.
    var id: UInt64?
    var hasResult = false
    var errorCode: ExactDecimal?
    var errorMessage: String?
    var lastUpdateID: UInt64?
    var wholeBids: LevelList?
    var wholeAsks: LevelList?

    /// Reads an object.
    ///
    /// - Parameter depth: how many members deep it stands; `data` and `error` are only looked into at the top.
    mutating func read(_ reader: inout JSONReader, depth: Int = 0) throws(JSONSyntaxError) {
        try reader.beginObject()
        var isFirst = true
        while let key = try reader.nextKey(isFirst: &isFirst) {
            if key.bytes.count == 1 {
                try self.readLetter(key.bytes[0], &reader)
            } else {
                try self.readWord(key, &reader, depth: depth)
            }
        }
    }

    private mutating func readLetter(_ letter: UInt8, _ reader: inout JSONReader) throws(JSONSyntaxError) {
        switch letter {
        case UInt8(ascii: "e"): try self.readKind(&reader)
        case UInt8(ascii: "s"): self.symbol = try reader.text()
        case UInt8(ascii: "E"): self.eventTime = try reader.binanceTime()
        case UInt8(ascii: "T"): self.tradeTime = try reader.binanceTime()
        case UInt8(ascii: "t"): self.number = try reader.count()
        case UInt8(ascii: "U"): self.firstUpdate = try reader.count()
        case UInt8(ascii: "u"): self.lastUpdate = try reader.count()
        case UInt8(ascii: "p"): self.price = try reader.looseNumber()
        case UInt8(ascii: "q"): self.quantity = try reader.looseNumber()
        case UInt8(ascii: "m") where try reader.kind() == .bool: self.buyerIsMaker = try reader.readBool()
        case UInt8(ascii: "b"): self.bids = try Self.readEither(&reader)
        case UInt8(ascii: "a"): self.asks = try Self.readEither(&reader)
        case UInt8(ascii: "B"): self.bidSize = try reader.looseNumber()
        case UInt8(ascii: "A"): self.askSize = try reader.looseNumber()
        case UInt8(ascii: "c"): self.close = try reader.looseNumber()
        case UInt8(ascii: "v"): self.volume = try reader.looseNumber()
        case UInt8(ascii: "k") where try reader.kind() == .object: self.candle = try BinanceCandle(&reader)
        default: try reader.skipValue()
        }
    }

    private mutating func readWord(
        _ key: RawJSONString, _ reader: inout JSONReader, depth: Int
    ) throws(JSONSyntaxError) {
        if key.equals("stream") {
            self.stream = try reader.text()
        } else if key.equals("data"), depth == 0, try reader.kind() == .object {
            self.hasData = true
            try self.read(&reader, depth: 1)
        } else if key.equals("lastUpdateId") {
            self.lastUpdateID = try reader.count()
        } else if key.equals("bids") {
            self.wholeBids = try reader.binanceLevels()
        } else if key.equals("asks") {
            self.wholeAsks = try reader.binanceLevels()
        } else if key.equals("id") {
            self.id = try reader.count()
        } else if key.equals("result") {
            self.hasResult = true
            try reader.skipValue()
        } else if key.equals("error"), depth == 0, try reader.kind() == .object {
            try self.read(&reader, depth: 1)
        } else if key.equals("code") {
            self.errorCode = try reader.looseNumber()
        } else if key.equals("msg") {
            self.errorMessage = try reader.text()?.decoded()
        } else {
            try reader.skipValue()
        }
    }

    private mutating func readKind(_ reader: inout JSONReader) throws(JSONSyntaxError) {
        self.kind = .other
        guard let kind = try reader.text() else { return }
        if kind.equals("trade") {
            self.kind = .trade
        } else if kind.equals("aggTrade") {
            self.kind = .aggregatedTrade
        } else if kind.equals("depthUpdate") {
            self.kind = .depthUpdate
        } else if kind.equals("24hrTicker") {
            self.kind = .ticker
        } else if kind.equals("kline") {
            self.kind = .kline
        } else if kind.equals("serverShutdown") {
            self.kind = .serverShutdown
        }
    }

    private static func readEither(_ reader: inout JSONReader) throws(JSONSyntaxError) -> Either? {
        if try reader.kind() == .array { return try reader.binanceLevels().map { .levels($0) } }
        return try reader.looseNumber().map { .number($0) }
    }
}

extension BinanceFields.Either {
    var price: ExactDecimal? {
        guard case .number(let number) = self else { return nil }
        return number
    }

    var levels: LevelList? {
        guard case .levels(let levels) = self else { return nil }
        return levels
    }

    /// A whole number that is not negative.
    var count: UInt64? {
        guard case .number(let number) = self, let (mantissa, scale) = number.compact, scale == 0 else { return nil }
        return UInt64(exactly: mantissa)
    }
}

/// The `k` of a `kline` frame.
struct BinanceCandle {
    var start: Timestamp?
    var interval: RawJSONString?
    var open: ExactDecimal?
    var high: ExactDecimal?
    var low: ExactDecimal?
    var close: ExactDecimal?
    var volume: ExactDecimal?
    var trades: UInt64?
    var isClosed: Bool?

    init(_ reader: inout JSONReader) throws(JSONSyntaxError) {
        try reader.beginObject()
        var isFirst = true
        while let key = try reader.nextKey(isFirst: &isFirst) {
            switch key.bytes.count == 1 ? key.bytes[0] : 0 {
            case UInt8(ascii: "t"): self.start = try reader.binanceTime()
            case UInt8(ascii: "i"): self.interval = try reader.text()
            case UInt8(ascii: "o"): self.open = try reader.looseNumber()
            case UInt8(ascii: "h"): self.high = try reader.looseNumber()
            case UInt8(ascii: "l"): self.low = try reader.looseNumber()
            case UInt8(ascii: "c"): self.close = try reader.looseNumber()
            case UInt8(ascii: "v"): self.volume = try reader.looseNumber()
            case UInt8(ascii: "n"): self.trades = try reader.count()
            case UInt8(ascii: "x") where try reader.kind() == .bool: self.isClosed = try reader.readBool()
            default: try reader.skipValue()
            }
        }
    }
}

extension JSONReader {
    /// A text; anything else is passed over.
    fileprivate mutating func text() throws(JSONSyntaxError) -> RawJSONString? {
        guard try self.kind() == .string else {
            try self.skipValue()
            return nil
        }
        return try self.readString()
    }

    /// Milliseconds since 1970, or microseconds where the connection asked for `timeUnit=MICROSECOND`; anything else is
    /// passed over.
    mutating func binanceTime() throws(JSONSyntaxError) -> Timestamp? {
        try self.count().flatMap { Timestamp(binance: $0) }
    }

    /// `[["price","size"],...]`; `nil` when a single one of them makes no sense: a book with a level left out would be
    /// wrong without anybody knowing.
    mutating func binanceLevels() throws(JSONSyntaxError) -> LevelList? {
        var levels = LevelList()
        return try self.readLevels(into: &levels) ? levels : nil
    }
}

extension Timestamp {
    /// Milliseconds up to the year 5138, microseconds above.
    @inline(__always)
    init?(binance number: UInt64) {
        if number < 100_000_000_000_000 {
            guard number <= 9_223_372_036_854 else { return nil }
            self.init(nanoseconds: Int64(number) &* 1_000_000, precision: .milliseconds)
        } else {
            guard number <= 9_223_372_036_854_775 else { return nil }
            self.init(nanoseconds: Int64(number) &* 1000, precision: .microseconds)
        }
    }
}
