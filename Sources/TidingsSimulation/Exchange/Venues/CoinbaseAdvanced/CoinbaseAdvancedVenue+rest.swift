internal import Tidings

/// `/api/v3/brokerage/market`.
extension CoinbaseAdvancedVenue {
    func respond(to request: VenueRequest, from snapshot: any VenueSnapshot) -> VenueResponse {
        let target = RequestTarget(request.uri)
        guard request.method == "GET" else { return self.refusal("Method not allowed", status: 405) }
        guard target.parts.starts(with: ["api", "v3", "brokerage"]) else {
            return self.refusal("Not Found", status: 404)
        }
        let parts = Array(target.parts.dropFirst(3))
        if parts == ["time"] {
            let text = timeText(nanoseconds: snapshot.time.multiplied(by: 1_000_000), .milliseconds)
            return jsonResponse(
                #"{"iso":"\#(text)","epochSeconds":"\#(snapshot.time / 1000)","epochMillis":"\#(snapshot.time)"}"#)
        }
        guard parts.first == "market", parts.count >= 2 else { return self.refusal("Not Found", status: 404) }
        if parts == ["market", "products"] {
            let all = snapshot.symbols.map { self.product($0, snapshot) }
            return jsonResponse(#"{"products":[\#(all.joined(separator: ","))],"num_products":\#(all.count)}"#)
        }
        if parts == ["market", "product_book"] {
            guard let product = target["product_id"], snapshot.symbols.contains(product) else {
                return self.refusal("product_id is not valid", status: 400)
            }
            return self.book(product, target, snapshot)
        }
        guard parts[1] == "products", parts.count >= 3, snapshot.symbols.contains(parts[2]) else {
            return self.refusal("Not Found", status: 404)
        }
        switch parts[3...].joined(separator: "/") {
        case "": return jsonResponse(self.product(parts[2], snapshot))
        case "candles": return self.candles(parts[2], target, snapshot)
        case "ticker": return self.trades(parts[2], target, snapshot)
        default: return self.refusal("Not Found", status: 404)
        }
    }

    private func refusal(_ message: String, status: Int) -> VenueResponse {
        jsonResponse(#"{"error":"unknown","message":\#(quoted(message))}"#, status: status)
    }

    private func product(_ product: String, _ snapshot: any VenueSnapshot) -> String {
        let instrument = snapshot.instrument(product)
        let (base, quote) = CoinbaseProducts.split(product)
        let tick = decimalText(1, scale: UInt8(clamping: instrument.priceDigits))
        let step = decimalText(1, scale: UInt8(clamping: instrument.sizeDigits))
        let price = snapshot.book(of: product)?.bids.first?.price ?? ""
        return #"{"product_id":\#(quoted(product)),"price":"\#(price)","base_increment":"\#(step)","#
            + #""quote_increment":"\#(tick)","price_increment":"\#(tick)","base_min_size":"\#(step)","#
            + #""base_currency_id":\#(quoted(base)),"quote_currency_id":\#(quoted(quote)),"#
            + #""display_name":\#(quoted(product)),"base_display_symbol":\#(quoted(base)),"#
            + #""quote_display_symbol":\#(quoted(quote)),"product_type":"SPOT","status":"online","#
            + #""is_disabled":false,"new":false,"cancel_only":false,"limit_only":false,"post_only":false,"#
            + #""trading_disabled":false,"auction_mode":false,"view_only":false}"#
    }

    private func book(_ product: String, _ target: RequestTarget, _ snapshot: any VenueSnapshot) -> VenueResponse {
        let count = Int(min(max(target.int("limit") ?? 100, 1), 1000))
        let book = snapshot.book(of: product) ?? SimulatedBook(symbol: product)
        func levels(_ levels: [BookLevel]) -> String {
            levels.prefix(count).map { #"{"price":"\#($0.price)","size":"\#($0.size)"}"# }.joined(separator: ",")
        }
        let time = timeText(nanoseconds: snapshot.time.multiplied(by: 1_000_000))
        return jsonResponse(
            #"{"pricebook":{"product_id":\#(quoted(product)),"bids":[\#(levels(book.bids))],"#
                + #""asks":[\#(levels(book.asks))],"time":"\#(time)"}}"#)
    }

    /// The newest trades, newest first.
    private func trades(_ product: String, _ target: RequestTarget, _ snapshot: any VenueSnapshot) -> VenueResponse {
        let limit = Int(min(max(target.int("limit") ?? 100, 1), 1000))
        let start = (target.int("start") ?? .min / 1_000_000_000).multiplied(by: 1_000_000_000)
        let end = (target.int("end") ?? .max / 1_000_000_000).multiplied(by: 1_000_000_000)
        let found = snapshot.trades(of: product).filter { $0.time >= start && $0.time <= end }.suffix(limit)
        let items = found.reversed().map { self.trade($0, product) }
        let book = snapshot.book(of: product)
        return jsonResponse(
            #"{"trades":[\#(items.joined(separator: ","))],"best_bid":"\#(book?.bids.first?.price ?? "")","#
                + #""best_ask":"\#(book?.asks.first?.price ?? "")"}"#)
    }

    private func candles(_ product: String, _ target: RequestTarget, _ snapshot: any VenueSnapshot) -> VenueResponse {
        let intervals: [String: CandleInterval] = [
            "ONE_MINUTE": .oneMinute, "FIVE_MINUTE": .fiveMinutes, "FIFTEEN_MINUTE": .fifteenMinutes,
            "THIRTY_MINUTE": .thirtyMinutes, "ONE_HOUR": .oneHour, "TWO_HOUR": .twoHours, "SIX_HOUR": .sixHours,
            "ONE_DAY": .oneDay,
        ]
        guard let interval = intervals[target["granularity"] ?? ""] else {
            return self.refusal("granularity is not valid", status: 400)
        }
        let limit = Int(min(max(target.int("limit") ?? 350, 1), 350))
        let start = (target.int("start") ?? .min / 1000).multiplied(by: 1000)
        let end = (target.int("end") ?? .max / 1000).multiplied(by: 1000)
        let found = snapshot.candles(of: product, interval).filter { $0.start >= start && $0.start <= end }
        let items = found.suffix(limit).reversed().map { self.candle($0) }
        return jsonResponse(#"{"candles":[\#(items.joined(separator: ","))]}"#)
    }
}
