import Tidings

/// Kraken's public REST answers: `{"error":[...],"result":{...}}`.
///
/// Source: https://docs.kraken.com/api/docs/rest-api/ (AssetPairs, OHLC, Trades).
enum KrakenREST {
    /// A row of `OHLC`: `[time, "open", "high", "low", "close", "vwap", "volume", count]`.
    struct Row: Sendable {
        var time: Timestamp
        var open: ExactDecimal
        var high: ExactDecimal
        var low: ExactDecimal
        var close: ExactDecimal
        var volume: ExactDecimal
        var trades: UInt64

        func candle(_ symbol: Name, interval: Name, _ context: MarketContext) -> Candle? {
            Candle(
                symbol: symbol, interval: interval, open: self.open, high: self.high, low: self.low,
                close: self.close, volume: self.volume, trades: self.trades, timestamp: self.time, context: context)
        }
    }

    struct TradePage: Sendable {
        /// By number.
        var trades: [KrakenTrade] = []
        /// Asks for what follows.
        var last: String?
    }

    // MARK: Requests

    static func trades(
        _ purpose: VenueRequest.Purpose, _ instrument: Instrument, since: String? = nil, count: Int = 1000
    ) -> VenueRequest {
        let pair = KrakenSpelling.restName(of: instrument.venueSymbol)
        let part = since.map { "&since=\($0)" } ?? ""
        return VenueRequest(purpose, .get, "/0/public/Trades?pair=\(pair)&count=\(max(1, min(1000, count)))\(part)")
    }

    /// - Parameter since: the start of the first candle that is wanted.
    static func candles(
        _ purpose: VenueRequest.Purpose, _ instrument: Instrument, minutes: Int, since: Timestamp
    ) -> VenueRequest {
        let pair = KrakenSpelling.restName(of: instrument.venueSymbol)
        // `since` is exclusive.
        let seconds = max(0, since.nanoseconds / 1_000_000_000 - 1)
        return VenueRequest(purpose, .get, "/0/public/OHLC?pair=\(pair)&interval=\(minutes)&since=\(seconds)")
    }

    // MARK: Answers

    static func readTrades(_ bytes: [UInt8]) throws(VenueError) -> TradePage {
        try Self.with(bytes) { (buffer) throws(VenueError) in try Self.readTrades(buffer) }
    }

    static func readTrades(_ bytes: UnsafeRawBufferPointer) throws(VenueError) -> TradePage {
        var page = TradePage()
        try Self.read(bytes) { (reader, key) throws(JSONSyntaxError) in
            if key.equals("last") {
                page.last = try reader.token()
            } else {
                try reader.forEachRow { (reader) throws(JSONSyntaxError) in
                    if let trade = try reader.restTrade() { page.trades.append(trade) }
                }
            }
        }
        page.trades.sort { $0.id < $1.id }
        return page
    }

    static func readRows(_ bytes: [UInt8]) throws(VenueError) -> (rows: [Row], last: String?) {
        try Self.with(bytes) { (buffer) throws(VenueError) in try Self.readRows(buffer) }
    }

    static func readRows(_ bytes: UnsafeRawBufferPointer) throws(VenueError) -> (rows: [Row], last: String?) {
        var rows: [Row] = []
        var last: String?
        try Self.read(bytes) { (reader, key) throws(JSONSyntaxError) in
            if key.equals("last") {
                last = try reader.token()
            } else {
                try reader.forEachRow { (reader) throws(JSONSyntaxError) in
                    if let row = try reader.restCandle() { rows.append(row) }
                }
            }
        }
        rows.sort { $0.time < $1.time }
        return (rows, last)
    }

    /// What `withUnsafeBytes` is, with typed errors.
    private static func with<Value>(
        _ bytes: [UInt8], _ body: (UnsafeRawBufferPointer) throws(VenueError) -> Value
    ) throws(VenueError) -> Value {
        let outcome: Result<Value, VenueError> = bytes.withUnsafeBytes { buffer in
            do throws(VenueError) { return .success(try body(buffer)) } catch { return .failure(error) }
        }
        return try outcome.get()
    }

    /// Walks over the members of `result`, each of which `member` has to read.
    ///
    /// - Throws: `refused` with the venue's own words, `unreadable` for what makes no sense.
    static func read(
        _ bytes: UnsafeRawBufferPointer,
        _ member: (inout JSONReader, RawJSONString) throws(JSONSyntaxError) -> Void
    ) throws(VenueError) {
        var errors: [String] = []
        var hasResult = false
        do throws(JSONSyntaxError) {
            var reader = JSONReader(bytes)
            try reader.beginObject()
            var isFirst = true
            while let key = try reader.nextKey(isFirst: &isFirst) {
                if key.equals("error"), try reader.kind() == .array {
                    try reader.beginArray()
                    var isFirst = true
                    while try reader.nextElement(isFirst: &isFirst) {
                        if let text = try reader.token() { errors.append(text) }
                    }
                } else if key.equals("result"), try reader.kind() == .object {
                    hasResult = true
                    try reader.beginObject()
                    var isFirst = true
                    while let key = try reader.nextKey(isFirst: &isFirst) { try member(&reader, key) }
                } else {
                    try reader.skipValue()
                }
            }
            try reader.expectEnd()
        } catch {
            throw VenueError(.unreadable, "kraken: unreadable answer: \(error.message)")
        }
        // What the venue calls a warning begins with a W, and comes beside a result.
        if let error = errors.first(where: { !$0.hasPrefix("W") }) {
            throw VenueError(.refused, "kraken: \(error.prefix(200))")
        }
        guard hasResult else { throw VenueError(.unreadable, "kraken: an answer without a result") }
    }
}

extension JSONReader {
    /// A text or a number, as it is written; anything else is passed over.
    mutating func token() throws(JSONSyntaxError) -> String? {
        switch try self.kind() {
        case .string: return try self.readString().decoded()
        case .number: return String(decoding: try self.readNumberBytes(), as: UTF8.self)
        default:
            try self.skipValue()
            return nil
        }
    }

    /// Calls `body` at each array of an array; what else there is is passed over.
    fileprivate mutating func forEachRow(
        _ body: (inout JSONReader) throws(JSONSyntaxError) -> Void
    ) throws(JSONSyntaxError) {
        guard try self.kind() == .array else {
            try self.skipValue()
            return
        }
        try self.beginArray()
        var isFirst = true
        while try self.nextElement(isFirst: &isFirst) {
            if try self.kind() == .array { try body(&self) } else { try self.skipValue() }
        }
    }

    /// `["price", "volume", time, "b" or "s", "m" or "l", "misc", trade id]`; the side is the taker's.
    fileprivate mutating func restTrade() throws(JSONSyntaxError) -> KrakenTrade? {
        var (price, size): (ExactDecimal?, ExactDecimal?)
        var timestamp: Timestamp?
        var side: TradeSide?
        var id: UInt64?
        try self.beginArray()
        var isFirst = true
        var index = 0
        while try self.nextElement(isFirst: &isFirst) {
            switch index {
            case 0: price = try self.looseNumber()
            case 1: size = try self.looseNumber()
            case 2: timestamp = try self.looseTimestamp()
            case 3:
                let letter = try self.token()
                side = letter == "b" ? .buy : letter == "s" ? .sell : nil
            case 6: id = try self.count()
            default: try self.skipValue()
            }
            index += 1
        }
        guard let price, let size, let timestamp, let side, let id else { return nil }
        // The feed has microseconds.
        let nanoseconds = timestamp.nanoseconds - timestamp.nanoseconds % 1000
        return KrakenTrade(
            id: id, price: price, size: size, side: side,
            timestamp: Timestamp(nanoseconds: nanoseconds, precision: min(timestamp.precision, .microseconds)))
    }

    fileprivate mutating func restCandle() throws(JSONSyntaxError) -> KrakenREST.Row? {
        var numbers: [ExactDecimal?] = []
        try self.beginArray()
        var isFirst = true
        while try self.nextElement(isFirst: &isFirst) {
            if numbers.count < 8 { numbers.append(try self.looseNumber()) } else { try self.skipValue() }
        }
        guard numbers.count == 8, let time = numbers[0].flatMap({ Timestamp(unix: $0) }), let open = numbers[1],
            let high = numbers[2], let low = numbers[3], let close = numbers[4], let volume = numbers[6],
            let count = numbers[7]?.compact, count.scale == 0, let trades = UInt64(exactly: count.mantissa)
        else { return nil }
        return KrakenREST.Row(
            time: time, open: open, high: high, low: low, close: close, volume: volume, trades: trades)
    }
}
