internal import Tidings

/// `POST /info`: the REST side.
extension HyperliquidVenue {
    func respond(to request: VenueRequest, from snapshot: any VenueSnapshot) -> VenueResponse {
        let path = request.uri.prefix { $0 != "?" }
        guard path == "/info" else { return self.refusal(404, "no such path: \(path)") }
        guard request.method == "POST" else { return self.refusal(405, "only POST is answered here") }
        let body: JSONObject
        do throws(EventDecodingError) {
            body = try request.body.withRawBytes { bytes throws(EventDecodingError) in try JSONObject(json: bytes) }
        } catch {
            return self.refusal(422, "Failed to deserialize the JSON body into the target type: \(error.message)")
        }
        let parameters = body["req"]?.object ?? body
        let coin = parameters["coin"]?.string ?? ""
        switch body["type"]?.string {
        case "meta": return self.meta(snapshot)
        case "allMids": return self.mids(snapshot)
        case "l2Book", "recentTrades", "candleSnapshot":
            guard snapshot.symbols.contains(coin) else { return self.refusal(422, "coin: unknown coin '\(coin)'") }
        case let type:
            let known = "meta, allMids, l2Book, recentTrades, candleSnapshot"
            return self.refusal(422, "type: unknown type '\(type ?? "")', known are \(known)")
        }
        switch body["type"]?.string {
        case "l2Book":
            let book = snapshot.recent(Topic("l2Book", coin), limit: 1).last.flatMap { self.data(of: $0) }
            return self.answer(book ?? .null)
        case "recentTrades":
            let frames = snapshot.recent(Topic("trades", coin), limit: 100)
            return self.answer(.array(frames.flatMap { self.data(of: $0)?.array ?? [] }.suffix(100).reversed()))
        default:
            guard let interval = parameters["interval"]?.string, self.interval(interval) != nil else {
                return self.refusal(422, "interval: not one of this venue's")
            }
            let from = parameters["startTime"]?.int ?? 0
            let until = parameters["endTime"]?.int ?? .max
            return self.candles(snapshot, Topic("candle", coin, interval), from: from, until: until)
        }
    }

    // MARK: Answers

    private func meta(_ snapshot: any VenueSnapshot) -> VenueResponse {
        let universe = snapshot.symbols.map { coin -> JSONValue in
            ["name": .string(coin), "szDecimals": .number(self.sizeDecimals(of: coin, snapshot)), "maxLeverage": 40]
        }
        return self.answer(["universe": .array(universe)])
    }

    /// As many digits as the sizes in its book have at most.
    private func sizeDecimals(of coin: String, _ snapshot: any VenueSnapshot) -> ExactDecimal {
        if let known = self.instruments.first(where: { $0.symbol == coin }) {
            return ExactDecimal(Int(known.sizeScale))
        }
        let book = snapshot.recent(Topic("l2Book", coin), limit: 1).last.flatMap { self.data(of: $0) }
        let levels = (book?.object?["levels"]?.array ?? []).flatMap { $0.array ?? [] }
        let digits = levels.compactMap { level -> Int? in
            let size = level.object?["sz"]?.string.flatMap { ExactDecimal($0) }
            return (size?.trimmed.compact?.scale).map { Int($0) }
        }
        return ExactDecimal(digits.max() ?? 0)
    }

    private func mids(_ snapshot: any VenueSnapshot) -> VenueResponse {
        var mids: [(String, JSONValue)] = []
        for coin in snapshot.symbols {
            guard let (bid, ask) = self.best(of: coin, snapshot), let middle = middle(bid, ask) else { continue }
            mids.append((coin, .string(middle.description)))
        }
        return self.answer(.object(JSONObject(mids)))
    }

    private func best(of coin: String, _ snapshot: any VenueSnapshot) -> (ExactDecimal, ExactDecimal)? {
        let sides: [JSONValue]
        if let book = snapshot.recent(Topic("l2Book", coin), limit: 1).last.flatMap({ self.data(of: $0) }) {
            sides = (book.object?["levels"]?.array ?? []).compactMap { $0.array?.first }
        } else {
            let best = snapshot.recent(Topic("bbo", coin), limit: 1).last.flatMap { self.data(of: $0) }
            sides = best?.object?["bbo"]?.array ?? []
        }
        let prices = sides.compactMap { $0.object?["px"]?.string.flatMap { ExactDecimal($0) } }
        return prices.count == 2 ? (prices[0], prices[1]) : nil
    }

    private func candles(
        _ snapshot: any VenueSnapshot, _ topic: Topic, from: Int, until: Int
    ) -> VenueResponse {
        var candles: [(start: Int, value: JSONValue)] = []
        for frame in snapshot.recent(topic, limit: 5000) {
            guard let data = self.data(of: frame) else { continue }
            for candle in data.array ?? [data] {
                guard let start = candle.object?["t"]?.int, from <= start, start <= until else { continue }
                if candles.last?.start == start { candles.removeLast() }
                candles.append((start, candle))
            }
        }
        return self.answer(.array(candles.map(\.value)))
    }

    /// The `data` of a frame.
    private func data(of frame: [UInt8]) -> JSONValue? {
        frame.withUnsafeBytes { bytes in
            do throws(EventDecodingError) {
                return try JSONObject(json: bytes)["data"]
            } catch {
                return nil
            }
        }
    }

    private func answer(_ value: JSONValue) -> VenueResponse {
        VenueResponse(body: Array(value.description.utf8))
    }

    private func refusal(_ status: Int, _ message: String) -> VenueResponse {
        VenueResponse(status: status, body: Array(message.utf8), contentType: "text/plain")
    }
}

/// Half way between two prices, exactly.
private func middle(_ first: ExactDecimal, _ second: ExactDecimal) -> ExactDecimal? {
    guard let (left, leftScale) = first.compact, let (right, rightScale) = second.compact else { return nil }
    let scale = max(leftScale, rightScale)
    guard scale < 15 else { return nil }
    let (leftUnits, leftOverflow) = left.multipliedReportingOverflow(by: Int64(powerOfTen(Int(scale - leftScale))))
    let (rightUnits, rightOverflow) = right.multipliedReportingOverflow(
        by: Int64(powerOfTen(Int(scale - rightScale))))
    let (sum, sumOverflow) = leftUnits.addingReportingOverflow(rightUnits)
    let (tenth, overflow) = sum.multipliedReportingOverflow(by: 5)
    if leftOverflow || rightOverflow || sumOverflow || overflow { return nil }
    return ExactDecimal(mantissa: tenth, scale: scale + 1).trimmed
}

extension [UInt8] {
    /// `withUnsafeBytes` with typed throws.
    fileprivate func withRawBytes<Value, Failure: Error>(
        _ body: (UnsafeRawBufferPointer) throws(Failure) -> Value
    ) throws(Failure) -> Value {
        let outcome: Result<Value, Failure> = self.withUnsafeBytes { bytes in
            do throws(Failure) {
                return .success(try body(bytes))
            } catch {
                return .failure(error)
            }
        }
        return try outcome.get()
    }
}
