internal import Tidings

/// `/products`.
extension CoinbaseVenue {
    func respond(to request: VenueRequest, from snapshot: any VenueSnapshot) -> VenueResponse {
        let target = RequestTarget(request.uri)
        guard request.method == "GET" else { return self.refusal("Method not allowed", status: 405) }
        if target.parts == ["time"] {
            let text = timeText(nanoseconds: snapshot.time.multiplied(by: 1_000_000), .milliseconds)
            return jsonResponse(#"{"iso":"\#(text)","epoch":\#(decimalText(snapshot.time, scale: 3))}"#)
        }
        guard target.parts.first == "products" else { return self.refusal("NotFound", status: 404) }
        guard target.parts.count > 1 else {
            let all = snapshot.symbols.map { self.product($0, snapshot) }
            return jsonResponse("[\(all.joined(separator: ","))]")
        }
        let product = target.parts[1]
        guard snapshot.symbols.contains(product) else { return self.refusal("NotFound", status: 404) }
        switch target.parts[2...].joined(separator: "/") {
        case "": return jsonResponse(self.product(product, snapshot))
        case "book": return self.book(product, target, snapshot)
        case "trades": return self.trades(product, target, snapshot)
        case "candles": return self.candles(product, target, snapshot)
        default: return self.refusal("NotFound", status: 404)
        }
    }

    private func refusal(_ message: String, status: Int) -> VenueResponse {
        jsonResponse(#"{"message":\#(quoted(message))}"#, status: status)
    }

    private func product(_ product: String, _ snapshot: any VenueSnapshot) -> String {
        let instrument = snapshot.instrument(product)
        let (base, quote) = CoinbaseProducts.split(product)
        let tick = decimalText(1, scale: UInt8(clamping: instrument.priceDigits))
        let step = decimalText(1, scale: UInt8(clamping: instrument.sizeDigits))
        return #"{"id":\#(quoted(product)),"base_currency":\#(quoted(base)),"quote_currency":\#(quoted(quote)),"#
            + #""quote_increment":"\#(tick)","base_increment":"\#(step)","display_name":\#(quoted("\(base)/\(quote)")),"#
            + #""min_market_funds":"1","margin_enabled":false,"post_only":false,"limit_only":false,"cancel_only":false,"#
            + #""status":"online","status_message":"","trading_disabled":false,"auction_mode":false}"#
    }

    private func book(_ product: String, _ target: RequestTarget, _ snapshot: any VenueSnapshot) -> VenueResponse {
        let book = snapshot.book(of: product) ?? SimulatedBook(symbol: product)
        let count = (target.int("level") ?? 1) == 1 ? 1 : Int.max
        func levels(_ levels: [BookLevel]) -> String {
            levels.prefix(count).map { #"["\#($0.price)","\#($0.size)",1]"# }.joined(separator: ",")
        }
        let time = timeText(nanoseconds: snapshot.time.multiplied(by: 1_000_000))
        return jsonResponse(
            #"{"bids":[\#(levels(book.bids))],"asks":[\#(levels(book.asks))],"#
                + #""sequence":\#(self.sequence(of: product, snapshot)),"auction_mode":false,"auction":null,"#
                + #""time":"\#(time)"}"#)
    }

    /// Newest first; `after` a number means older than it, `before` newer.
    ///
    /// https://docs.cdp.coinbase.com/exchange/rest-api/pagination
    private func trades(_ product: String, _ target: RequestTarget, _ snapshot: any VenueSnapshot) -> VenueResponse {
        let limit = Int(min(max(target.int("limit") ?? 1000, 1), 1000))
        var found = snapshot.trades(of: product)[...]
        if let after = target.int("after") { found = found.prefix { $0.id < UInt64(max(after, 0)) } }
        if let before = target.int("before") { found = found.drop { $0.id <= UInt64(max(before, 0)) } }
        found = found.suffix(limit)
        let items = found.reversed().map { trade in
            #"{"trade_id":\#(trade.id),"side":"\#(trade.isBuy ? "sell" : "buy")","size":"\#(trade.size)","#
                + #""price":"\#(trade.price)","time":"\#(timeText(nanoseconds: trade.time))"}"#
        }
        var response = jsonResponse("[\(items.joined(separator: ","))]")
        if let oldest = found.first, let newest = found.last {
            response.headers = [("CB-BEFORE", "\(newest.id)"), ("CB-AFTER", "\(oldest.id)")]
        }
        return response
    }

    private func candles(_ product: String, _ target: RequestTarget, _ snapshot: any VenueSnapshot) -> VenueResponse {
        let intervals: [Int64: CandleInterval] = [
            60: .oneMinute, 300: .fiveMinutes, 900: .fifteenMinutes, 3600: .oneHour, 21_600: .sixHours,
            86_400: .oneDay,
        ]
        guard let interval = intervals[target.int("granularity") ?? 60] else {
            return self.refusal("Unsupported granularity", status: 400)
        }
        func time(_ name: String) -> Int64? {
            target[name].flatMap { Timestamp($0)?.nanoseconds ?? Int64($0).map { $0.multiplied(by: 1_000_000_000) } }
        }
        let start = (time("start") ?? .min) / 1_000_000
        let end = (time("end") ?? .max) / 1_000_000
        let found = snapshot.candles(of: product, interval).filter { $0.start >= start && $0.start <= end }
        let items = found.suffix(300).reversed().map { candle in
            #"[\#(candle.start / 1000),\#(candle.low),\#(candle.high),\#(candle.open),\#(candle.close),\#(candle.volume)]"#
        }
        return jsonResponse("[\(items.joined(separator: ","))]")
    }
}
