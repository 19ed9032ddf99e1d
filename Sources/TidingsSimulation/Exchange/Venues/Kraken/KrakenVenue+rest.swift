internal import Tidings

/// `/0/public`.
extension KrakenVenue {
    func respond(to request: VenueRequest, from snapshot: any VenueSnapshot) -> VenueResponse {
        let target = RequestTarget(request.uri)
        guard target.parts.count == 3, target.parts[0] == "0", target.parts[1] == "public" else {
            return self.refusal("EGeneral:Unknown method", status: 404)
        }
        switch target.parts[2] {
        case "Time":
            let seconds = snapshot.time / 1000
            return self.result(#"{"unixtime":\#(seconds),"rfc1123":""}"#)
        case "SystemStatus": return self.result(#"{"status":"online","timestamp":"2024-01-01T00:00:00Z"}"#)
        case "AssetPairs": return self.pairs(target, snapshot)
        case "Depth", "Trades", "OHLC": break
        default: return self.refusal("EGeneral:Unknown method", status: 404)
        }
        guard let symbol = Self.symbol(target["pair"] ?? "", among: snapshot.symbols) else {
            return self.refusal("EQuery:Unknown asset pair")
        }
        switch target.parts[2] {
        case "Depth": return self.depth(symbol, target, snapshot)
        case "Trades": return self.trades(symbol, target, snapshot)
        default: return self.candles(symbol, target, snapshot)
        }
    }

    private func result(_ json: String) -> VenueResponse {
        jsonResponse(#"{"error":[],"result":\#(json)}"#)
    }

    /// Kraken tells what is wrong in an answer of status 200.
    private func refusal(_ message: String, status: Int = 200) -> VenueResponse {
        jsonResponse(#"{"error":[\#(quoted(message))]}"#, status: status)
    }

    private func pairs(_ target: RequestTarget, _ snapshot: any VenueSnapshot) -> VenueResponse {
        var symbols = snapshot.symbols
        if let wanted = target["pair"] {
            let found = wanted.split(separator: ",").map { Self.symbol(String($0), among: symbols) }
            guard !found.isEmpty, !found.contains(nil) else { return self.refusal("EQuery:Unknown asset pair") }
            symbols = found.compactMap { $0 }
        }
        let entries = symbols.map { symbol -> String in
            let instrument = snapshot.instrument(symbol)
            let parts = symbol.split(separator: "/").map { Self.oldName(String($0)) }
            let (base, quote) = (parts.first ?? "", parts.last ?? "")
            return #"\#(quoted(Self.restName(of: symbol))):{"altname":\#(quoted(base + quote)),"#
                + #""wsname":\#(quoted("\(base)/\(quote)")),"aclass_base":"currency","#
                + #""base":\#(quoted(Self.restName(ofAsset: base))),"aclass_quote":"currency","#
                + #""quote":\#(quoted(Self.restName(ofAsset: quote))),"lot":"unit","#
                + #""pair_decimals":\#(instrument.priceDigits),"lot_decimals":\#(instrument.sizeDigits),"#
                + #""lot_multiplier":1,"ordermin":"0.0001","costmin":"0.5","#
                + #""tick_size":"\#(decimalText(1, scale: UInt8(clamping: instrument.priceDigits)))","#
                + #""status":"online"}"#
        }
        return self.result("{\(entries.joined(separator: ","))}")
    }

    private func depth(_ symbol: String, _ target: RequestTarget, _ snapshot: any VenueSnapshot) -> VenueResponse {
        let count = Int(min(max(target.int("count") ?? 100, 1), 500))
        let book = snapshot.book(of: symbol) ?? SimulatedBook(symbol: symbol)
        let time = snapshot.time / 1000
        func levels(_ levels: [BookLevel]) -> String {
            levels.prefix(count).map { #"["\#($0.price)","\#($0.size)",\#(time)]"# }.joined(separator: ",")
        }
        return self.result(
            #"{\#(quoted(Self.restName(of: symbol))):{"asks":[\#(levels(book.asks))],"bids":[\#(levels(book.bids))]}}"#)
    }

    /// `since` is in nanoseconds or, when it is small, in seconds; what is newer is told, oldest first.
    private func trades(_ symbol: String, _ target: RequestTarget, _ snapshot: any VenueSnapshot) -> VenueResponse {
        let count = Int(min(max(target.int("count") ?? 1000, 1), 1000))
        let all = snapshot.trades(of: symbol)
        var found: ArraySlice<TradeRecord>
        if let since = target.int("since") {
            let time = since < 100_000_000_000 ? since.multiplied(by: 1_000_000_000) : since
            let newer = all.drop { $0.time <= time }
            found = newer.prefix(count)
            // A page does not end between trades of one moment: who goes on from its end would miss the rest.
            while let last = found.last, found.endIndex < newer.endIndex, newer[found.endIndex].time == last.time {
                found = newer[found.startIndex...found.endIndex]
            }
        } else {
            found = all.suffix(count)
        }
        let items = found.map { trade in
            let time = decimalText(trade.time / 1000, scale: 6)
            return #"["\#(trade.price)","\#(trade.size)",\#(time),"\#(trade.isBuy ? "b" : "s")","m","",\#(trade.id)]"#
        }
        let last = found.last?.time ?? target.int("since") ?? 0
        return self.result(
            #"{\#(quoted(Self.restName(of: symbol))):[\#(items.joined(separator: ","))],"last":"\#(last)"}"#)
    }

    private func candles(_ symbol: String, _ target: RequestTarget, _ snapshot: any VenueSnapshot) -> VenueResponse {
        let minutes = Int(clamping: target.int("interval") ?? 1)
        guard let interval = Self.interval(minutes: minutes) else {
            return self.refusal("EGeneral:Invalid arguments:interval")
        }
        let since = (target.int("since") ?? -1).multiplied(by: 1000)
        // "up to 720 of the most recent entries".
        let found = snapshot.candles(of: symbol, interval).suffix(720).filter { $0.start > since }
        let items = found.map { candle in
            #"[\#(candle.start / 1000),"\#(candle.open)","\#(candle.high)","\#(candle.low)","\#(candle.close)","#
                + #""\#(candle.averagePrice)","\#(candle.volume)",\#(candle.trades)]"#
        }
        let last = (found.dropLast().last?.start ?? 0) / 1000
        return self.result(
            #"{\#(quoted(Self.restName(of: symbol))):[\#(items.joined(separator: ","))],"last":\#(last)}"#)
    }
}
