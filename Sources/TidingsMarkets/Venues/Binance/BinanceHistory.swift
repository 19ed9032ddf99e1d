public import Tidings

extension Binance {
    /// rest-api.md, "Kline/Candlestick chart intervals".
    static let intervals = [
        "1s", "1m", "3m", "5m", "15m", "30m", "1h", "2h", "4h", "6h", "8h", "12h", "1d", "3d", "1w", "1M",
    ]
    /// Candles of one answer.
    static let candlesPerPage = 1000

    public func request(for query: HistoryQuery) throws(VenueError) -> VenueRequest {
        let symbol = Self.escaped(query.instrument.venueSymbol)
        switch query.kind {
        case .candles(let interval, let since, let until):
            guard Self.intervals.contains(interval) else {
                throw VenueError(
                    .unsupported,
                    "binance has no candles of \(interval); there are: \(Self.intervals.joined(separator: ", "))")
            }
            guard since < until else { throw VenueError(.unsupported, "candles since \(since) until \(until)") }
            // Both ends are inclusive, and mean the candle's start.
            let first = Self.milliseconds(since, roundedUp: true)
            return Self.candles(symbol, interval, from: first, to: Self.milliseconds(until, roundedUp: true) - 1)
        case .trades(let limit):
            return VenueRequest(
                .history, .get, "/api/v3/trades?symbol=\(symbol)&limit=\(min(max(limit, 1), 1000))", weight: 25)
        }
    }

    public func page(
        of query: HistoryQuery, request: VenueRequest, from answer: UnsafeRawBufferPointer, at receivedAt: Timestamp
    ) throws(VenueError) -> HistoryPage {
        let market = BinanceMarket(query.instrument, index: 0, plan: FeedPlan(instruments: [query.instrument]))
        switch query.kind {
        case .candles(let interval, let since, let until):
            let (candles, count) = try BinanceHistory.candles(answer, market, interval, at: receivedAt)
            let wanted = candles.filter { $0.timestamp >= since && $0.timestamp < until }
            var page = HistoryPage(events: wanted.map { $0.binanceEvent(market.candleHash) })
            let end = Self.milliseconds(until, roundedUp: true) - 1
            if count >= Self.candlesPerPage, let last = candles.last?.timestamp {
                let next = Self.milliseconds(last, roundedUp: false) + 1
                let symbol = Self.escaped(query.instrument.venueSymbol)
                let following = Self.candles(symbol, interval, from: next, to: end)
                // An answer that does not get on would be asked for for ever.
                if next <= end, last >= since, following.target != request.target { page.next = following }
            }
            return page
        case .trades(let limit):
            let trades = try BinanceHistory.trades(answer).suffix(max(limit, 0))
            return HistoryPage(
                events: trades.map { trade in
                    market.trade(
                        trade.number, isAggregated: false, price: trade.price, size: trade.size, at: trade.timestamp,
                        buyerIsMaker: trade.buyerIsMaker, receivedAt: receivedAt)
                })
        }
    }

    private static func candles(_ symbol: String, _ interval: String, from: Int64, to: Int64) -> VenueRequest {
        VenueRequest(
            .history, .get,
            "/api/v3/klines?symbol=\(symbol)&interval=\(interval)&startTime=\(from)&endTime=\(to)"
                + "&limit=\(self.candlesPerPage)", weight: 2)
    }

    private static func milliseconds(_ timestamp: Timestamp, roundedUp: Bool) -> Int64 {
        let (quotient, rest) = timestamp.nanoseconds.quotientAndRemainder(dividingBy: 1_000_000)
        return roundedUp && rest > 0 ? quotient + 1 : quotient
    }

    /// A symbol as it stands in a query: what is not a letter or a digit of ASCII by its bytes.
    static func escaped(_ symbol: String) -> String {
        var text = ""
        for byte in symbol.utf8 {
            switch byte {
            case UInt8(ascii: "A")...UInt8(ascii: "Z"), UInt8(ascii: "a")...UInt8(ascii: "z"),
                UInt8(ascii: "0")...UInt8(ascii: "9"):
                text.unicodeScalars.append(UnicodeScalar(byte))
            default:
                let digits = String(byte, radix: 16, uppercase: true)
                text += digits.utf8.count < 2 ? "%0\(digits)" : "%\(digits)"
            }
        }
        return text
    }
}

/// Reads what the venue says of the past.
enum BinanceHistory {
    struct PastTrade {
        var number: UInt64
        var price: ExactDecimal
        var size: ExactDecimal
        var timestamp: Timestamp
        var buyerIsMaker: Bool
    }

    /// `[{"id":1,"price":"2","qty":"3","time":4,"isBuyerMaker":true},...]` of `trades` and `historicalTrades`, or
    /// `[{"a":1,"p":"2","q":"3","T":4,"m":true},...]` of `aggTrades`; by number, the lowest first.
    static func trades(_ body: [UInt8]) throws(VenueError) -> [PastTrade] {
        // `withUnsafeBytes` has no typed errors.
        let result: Result<[PastTrade], VenueError> = body.withUnsafeBytes { bytes in
            do throws(VenueError) { return .success(try Self.trades(bytes)) } catch { return .failure(error) }
        }
        return try result.get()
    }

    static func trades(_ bytes: UnsafeRawBufferPointer) throws(VenueError) -> [PastTrade] {
        let trades: [PastTrade]? = try Self.readList(bytes) { reader throws(JSONSyntaxError) in
            try Self.trade(&reader)
        }
        guard let trades else {
            throw VenueError(.unreadable, "binance: a trade without number, price, size, time or side")
        }
        return trades.sorted { $0.number < $1.number }
    }

    /// `[[start,"open","high","low","close","volume",end,"quote volume",trades,...],...]` of `klines`; and how many the
    /// answer has.
    static func candles(
        _ bytes: UnsafeRawBufferPointer, _ market: BinanceMarket, _ interval: String, at receivedAt: Timestamp
    ) throws(VenueError) -> (candles: [Candle], count: Int) {
        let name = Name(interval)
        let candles: [Candle]? = try Self.readList(bytes) { reader throws(JSONSyntaxError) in
            try Self.candle(&reader, market, name, at: receivedAt)
        }
        guard let candles else { throw VenueError(.unreadable, "binance: a candle without time, prices or volume") }
        return (candles.sorted { $0.timestamp < $1.timestamp }, candles.count)
    }

    /// The elements of a list; `nil` when one of them makes no sense.
    private static func readList<Element>(
        _ bytes: UnsafeRawBufferPointer, _ element: (inout JSONReader) throws(JSONSyntaxError) -> Element?
    ) throws(VenueError) -> [Element]? {
        do throws(JSONSyntaxError) {
            var reader = JSONReader(bytes)
            guard try reader.kind() == .array else {
                throw reader.error(.unexpectedByte(bytes.first ?? 0))
            }
            var elements: [Element] = []
            var isWhole = true
            try reader.beginArray()
            var isFirst = true
            while try reader.nextElement(isFirst: &isFirst) {
                if let next = try element(&reader) { elements.append(next) } else { isWhole = false }
            }
            try reader.expectEnd()
            return isWhole ? elements : nil
        } catch {
            throw VenueError(.unreadable, "binance: an answer that is no list: \(error.message)")
        }
    }

    private static func trade(_ reader: inout JSONReader) throws(JSONSyntaxError) -> PastTrade? {
        guard try reader.kind() == .object else {
            try reader.skipValue()
            return nil
        }
        var (number, time): (UInt64?, Timestamp?)
        var (price, size): (ExactDecimal?, ExactDecimal?)
        var buyerIsMaker: Bool?
        try reader.beginObject()
        var isFirst = true
        while let key = try reader.nextKey(isFirst: &isFirst) {
            if key.equals("id") || key.equals("a") {
                number = try reader.count()
            } else if key.equals("price") || key.equals("p") {
                price = try reader.looseNumber()
            } else if key.equals("qty") || key.equals("q") {
                size = try reader.looseNumber()
            } else if key.equals("time") || key.equals("T") {
                time = try reader.binanceTime()
            } else if key.equals("isBuyerMaker") || key.equals("m"), try reader.kind() == .bool {
                buyerIsMaker = try reader.readBool()
            } else {
                try reader.skipValue()
            }
        }
        guard let number, let time, let price, let size, let buyerIsMaker else { return nil }
        return PastTrade(number: number, price: price, size: size, timestamp: time, buyerIsMaker: buyerIsMaker)
    }

    private static func candle(
        _ reader: inout JSONReader, _ market: BinanceMarket, _ interval: Name, at receivedAt: Timestamp
    ) throws(JSONSyntaxError) -> Candle? {
        guard try reader.kind() == .array else {
            try reader.skipValue()
            return nil
        }
        var (start, end): (Timestamp?, Timestamp?)
        var numbers: [ExactDecimal] = []
        var trades: UInt64?
        var position = 0
        try reader.beginArray()
        var isFirst = true
        while try reader.nextElement(isFirst: &isFirst) {
            switch position {
            case 0: start = try reader.binanceTime()
            case 1...5:
                if let number = try reader.looseNumber() { numbers.append(number) }
            case 6: end = try reader.binanceTime()
            case 8: trades = try reader.count()
            default: try reader.skipValue()
            }
            position += 1
        }
        guard let start, let end, numbers.count == 5 else { return nil }
        return Candle(
            symbol: market.symbol, interval: interval, open: numbers[0], high: numbers[1], low: numbers[2],
            close: numbers[3], volume: numbers[4], trades: trades, isClosed: end < receivedAt, timestamp: start,
            context: market.context(receivedAt))
    }
}
