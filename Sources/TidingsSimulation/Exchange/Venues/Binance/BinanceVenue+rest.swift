internal import Tidings

/// `/api/v3`.
extension BinanceVenue {
    func respond(to request: VenueRequest, from snapshot: any VenueSnapshot) -> VenueResponse {
        let target = RequestTarget(request.uri)
        guard target.parts.count >= 3, target.parts[0] == "api", target.parts[1] == "v3" else {
            return jsonResponse(#"{"code":-1,"msg":"no such path"}"#, status: 404)
        }
        guard request.method == "GET" else { return jsonResponse(#"{"code":-1,"msg":"only GET"}"#, status: 405) }
        switch target.parts[2...].joined(separator: "/") {
        case "ping": return jsonResponse("{}")
        case "time": return jsonResponse(#"{"serverTime":\#(snapshot.time)}"#)
        case "exchangeInfo": return self.exchangeInfo(target, snapshot)
        default: break
        }
        guard let symbol = target["symbol"], !symbol.isEmpty else {
            return self.refusal(
                -1102, "Mandatory parameter 'symbol' was not sent, was empty/null, or malformed.")
        }
        guard snapshot.symbols.contains(symbol) else { return self.refusal(-1121, "Invalid symbol.") }
        switch target.parts[2...].joined(separator: "/") {
        case "depth": return self.depth(symbol, target, request, snapshot)
        case "trades": return self.trades(symbol, target, snapshot, fromID: nil)
        case "historicalTrades":
            return self.trades(symbol, target, snapshot, fromID: target.int("fromId"))
        case "aggTrades": return self.aggregated(symbol, target, snapshot)
        case "klines": return self.klines(symbol, target, snapshot)
        default: return jsonResponse(#"{"code":-1,"msg":"no such path"}"#, status: 404)
        }
    }

    private func refusal(_ code: Int, _ message: String) -> VenueResponse {
        jsonResponse(#"{"code":\#(code),"msg":\#(quoted(message))}"#, status: 400)
    }

    /// The parameter `limit`, between 1 and the most there is.
    private func limit(_ target: RequestTarget, usual: Int, most: Int) -> Int {
        Int(min(max(target.int("limit") ?? Int64(usual), 1), Int64(most)))
    }

    private func exchangeInfo(_ target: RequestTarget, _ snapshot: any VenueSnapshot) -> VenueResponse {
        var symbols = snapshot.symbols
        if let wanted = target["symbol"] { symbols = [wanted] }
        if let list = target["symbols"] {
            guard let wanted = list.withRawUTF8({ jsonValue($0) })?.array?.compactMap(\.string) else {
                return self.refusal(-1101, "Illegal characters found in parameter 'symbols'.")
            }
            symbols = wanted
        }
        guard symbols.allSatisfy({ snapshot.symbols.contains($0) }) else {
            return self.refusal(-1121, "Invalid symbol.")
        }
        let entries = symbols.map { symbol -> String in
            let instrument = snapshot.instrument(symbol)
            let (base, quote) = Self.split(symbol)
            let tick = decimalText(1, scale: UInt8(clamping: instrument.priceDigits), digits: 8)
            let step = decimalText(1, scale: UInt8(clamping: instrument.sizeDigits), digits: 8)
            return #"{"symbol":\#(quoted(symbol)),"status":"TRADING","baseAsset":\#(quoted(base)),"#
                + #""baseAssetPrecision":8,"quoteAsset":\#(quoted(quote)),"quotePrecision":8,"quoteAssetPrecision":8,"#
                + #""orderTypes":["LIMIT","MARKET"],"isSpotTradingAllowed":true,"isMarginTradingAllowed":false,"#
                + #""filters":[{"filterType":"PRICE_FILTER","minPrice":"\#(tick)","maxPrice":"1000000.00000000","#
                + #""tickSize":"\#(tick)"},{"filterType":"LOT_SIZE","minQty":"\#(step)","maxQty":"9000.00000000","#
                + #""stepSize":"\#(step)"}],"permissions":[],"permissionSets":[["SPOT"]]}"#
        }
        return jsonResponse(
            #"{"timezone":"UTC","serverTime":\#(snapshot.time),"rateLimits":[{"rateLimitType":"REQUEST_WEIGHT","#
                + #""interval":"MINUTE","intervalNum":1,"limit":6000}],"exchangeFilters":[],"symbols":["#
                + entries.joined(separator: ",") + "]}")
    }

    /// What money is called, longest first where one ends like another.
    private static let quotes = [
        "FDUSD", "USDT", "USDC", "BUSD", "TUSD", "USDP", "DAI", "BTC", "ETH", "BNB", "EUR", "GBP", "TRY", "BRL", "JPY",
        "AUD", "RUB", "UAH", "PLN", "ZAR", "ARS", "MXN", "USD", "XRP", "TRX", "DOGE", "DOT",
    ]

    static func split(_ symbol: String) -> (base: String, quote: String) {
        for quote in self.quotes where symbol.hasSuffix(quote) && symbol.utf8.count > quote.utf8.count {
            return (String(symbol.dropLast(quote.count)), quote)
        }
        let middle = symbol.index(symbol.startIndex, offsetBy: symbol.count / 2)
        return (String(symbol[..<middle]), String(symbol[middle...]))
    }

    private func depth(
        _ symbol: String, _ target: RequestTarget, _ request: VenueRequest, _ snapshot: any VenueSnapshot
    ) -> VenueResponse {
        let limit = self.limit(target, usual: 100, most: 5000)
        let first = request.isFirst(symbol) ? snapshot.firstBook(of: symbol) : nil
        let book = first ?? snapshot.book(of: symbol) ?? SimulatedBook(symbol: symbol)
        func pairs(_ levels: [BookLevel]) -> String {
            levelPairs(levels.prefix(limit).map { BookLevel(Self.padded($0.price), Self.padded($0.size)) })
        }
        return jsonResponse(
            #"{"lastUpdateId":\#(book.sequence),"bids":[\#(pairs(book.bids))],"asks":[\#(pairs(book.asks))]}"#)
    }

    /// With eight digits after the point.
    private static func padded(_ text: String) -> String {
        guard let point = text.utf8.firstIndex(of: UInt8(ascii: ".")) else { return text + ".00000000" }
        let digits = text.utf8.distance(from: point, to: text.utf8.endIndex) - 1
        return text + String(repeating: "0", count: max(0, 8 - digits))
    }

    private func money(_ trade: TradeRecord) -> String {
        let money = (DecimalUnits(trade.price)?.double ?? 0) * (DecimalUnits(trade.size)?.double ?? 0)
        return decimalText(Int64(min(money * 1e8, 9e18)), scale: 8)
    }

    private func trades(
        _ symbol: String, _ target: RequestTarget, _ snapshot: any VenueSnapshot, fromID: Int64?
    ) -> VenueResponse {
        let limit = self.limit(target, usual: 500, most: 1000)
        let all = snapshot.trades(of: symbol)
        let found: ArraySlice<TradeRecord>
        if let fromID {
            found = all.drop { $0.id < UInt64(max(fromID, 0)) }.prefix(limit)
        } else {
            found = all.suffix(limit)
        }
        let items = found.map { trade in
            #"{"id":\#(trade.id),"price":"\#(Self.padded(trade.price))","qty":"\#(Self.padded(trade.size))","#
                + #""quoteQty":"\#(self.money(trade))","time":\#(trade.time / 1_000_000),"#
                + #""isBuyerMaker":\#(!trade.isBuy),"isBestMatch":true}"#
        }
        return jsonResponse("[\(items.joined(separator: ","))]")
    }

    private func aggregated(
        _ symbol: String, _ target: RequestTarget, _ snapshot: any VenueSnapshot
    ) -> VenueResponse {
        let limit = self.limit(target, usual: 500, most: 1000)
        let start = target.int("startTime")
        let end = target.int("endTime")
        var found = snapshot.trades(of: symbol)[...]
        if let first = target.int("fromId") { found = found.drop { $0.id < UInt64(max(first, 0)) } }
        let inTime = found.filter { trade in
            let time = trade.time / 1_000_000
            return time >= start ?? .min && time <= end ?? .max
        }
        let isFromStart = target["fromId"] != nil || start != nil
        let items = (isFromStart ? inTime.prefix(limit) : inTime.suffix(limit)).map { trade in
            #"{"a":\#(trade.id),"p":"\#(Self.padded(trade.price))","q":"\#(Self.padded(trade.size))","f":\#(trade.id),"#
                + #""l":\#(trade.id),"T":\#(trade.time / 1_000_000),"m":\#(!trade.isBuy),"M":true}"#
        }
        return jsonResponse("[\(items.joined(separator: ","))]")
    }

    private func klines(_ symbol: String, _ target: RequestTarget, _ snapshot: any VenueSnapshot) -> VenueResponse {
        guard let interval = target["interval"].flatMap({ CandleInterval(rawValue: $0) }) else {
            return self.refusal(-1120, "Invalid interval.")
        }
        let limit = self.limit(target, usual: 500, most: 1000)
        let start = target.int("startTime")
        let end = target.int("endTime")
        let found = snapshot.candles(of: symbol, interval).filter {
            $0.start >= start ?? .min && $0.start <= end ?? .max
        }
        let items = (start != nil ? found.prefix(limit) : found.suffix(limit)).map { candle in
            #"[\#(candle.start),"\#(Self.padded(candle.open))","\#(Self.padded(candle.high))","#
                + #""\#(Self.padded(candle.low))","\#(Self.padded(candle.close))","\#(Self.padded(candle.volume))","#
                + #"\#(candle.end - 1),"\#(candle.quoteVolume)",\#(candle.trades),"\#(Self.padded(candle.volume))","#
                + #""\#(candle.quoteVolume)","0"]"#
        }
        return jsonResponse("[\(items.joined(separator: ","))]")
    }
}
