public import Tidings

extension BinanceSession {
    public mutating func receive(
        _ frame: UnsafeRawBufferPointer, on connection: Int, at receivedAt: Timestamp, into output: inout VenueOutput
    ) {
        if let start = frame.baseAddress?.assumingMemoryBound(to: UInt8.self),
            self.readQuickly(BinanceScanner(start, count: frame.count), at: receivedAt, into: &output)
        {
            return
        }
        self.readCarefully(frame, on: connection, at: receivedAt, into: &output)
    }

    // MARK: Frames as the venue writes them

    /// Reads the three kinds that come all the time; `false`, and nothing done, when it is any other, or not exactly so.
    @inline(__always)
    private mutating func readQuickly(
        _ frame: BinanceScanner, at receivedAt: Timestamp, into output: inout VenueOutput
    ) -> Bool {
        var scanner = frame
        let isWrapped = scanner.pass("{\"stream\":\"")
        if isWrapped {
            guard scanner.skipPlainText(), scanner.pass(",\"data\":") else { return false }
        }
        if scanner.pass("{\"u\":") {
            return self.readBookTicker(&scanner, isWrapped, at: receivedAt, into: &output)
        }
        if scanner.pass("{\"e\":\"trade\",\"E\":") {
            return self.readTrade(&scanner, isWrapped, at: receivedAt, into: &output)
        }
        if scanner.pass("{\"e\":\"depthUpdate\",\"E\":") {
            return self.readUpdate(&scanner, isWrapped, at: receivedAt, into: &output)
        }
        return false
    }

    /// `<u>,"s":"BTCUSDT","b":"1","B":"2","a":"3","A":"4"}`
    @inline(__always)
    private mutating func readBookTicker(
        _ scanner: inout BinanceScanner, _ isWrapped: Bool, at receivedAt: Timestamp, into output: inout VenueOutput
    ) -> Bool {
        guard let update = scanner.number(), scanner.pass(",\"s\":\""), let key = scanner.symbol(),
            scanner.pass(",\"b\":\""), let bid = scanner.decimal(), scanner.pass(",\"B\":\""),
            let bidSize = scanner.decimal(), scanner.pass(",\"a\":\""), let ask = scanner.decimal(),
            scanner.pass(",\"A\":\""), let askSize = scanner.decimal(), scanner.pass("}"),
            !isWrapped || scanner.pass("}"), scanner.isAtEnd
        else { return false }
        guard let index = self.table.index(of: key) else { return false }
        self.takeBookTicker(
            index, update, bid: bid, bidSize: bidSize, ask: ask, askSize: askSize, at: receivedAt, into: &output)
        return true
    }

    /// `<E>,"s":"BTCUSDT","t":1,"p":"2","q":"3","T":4,"m":true,"M":true}`
    @inline(__always)
    private mutating func readTrade(
        _ scanner: inout BinanceScanner, _ isWrapped: Bool, at receivedAt: Timestamp, into output: inout VenueOutput
    ) -> Bool {
        guard scanner.number() != nil, scanner.pass(",\"s\":\""), let key = scanner.symbol(), scanner.pass(",\"t\":"),
            let number = scanner.number(), scanner.pass(",\"p\":\""), let price = scanner.decimal(),
            scanner.pass(",\"q\":\""), let size = scanner.decimal(), scanner.pass(",\"T\":"),
            let time = scanner.number(), let timestamp = Timestamp(binance: time), scanner.pass(",\"m\":"),
            let buyerIsMaker = scanner.bool(), scanner.pass(",\"M\":"), scanner.bool() != nil, scanner.pass("}"),
            !isWrapped || scanner.pass("}"), scanner.isAtEnd
        else { return false }
        guard let index = self.table.index(of: key) else { return false }
        self.takeTrade(
            index, number, isAggregated: false, price: price, size: size, timestamp, buyerIsMaker: buyerIsMaker,
            at: receivedAt, into: &output)
        return true
    }

    /// `<E>,"s":"BTCUSDT","U":1,"u":2,"b":[["3","4"]],"a":[["5","6"]]}`
    @inline(__always)
    private mutating func readUpdate(
        _ scanner: inout BinanceScanner, _ isWrapped: Bool, at receivedAt: Timestamp, into output: inout VenueOutput
    ) -> Bool {
        self.bids.removeAll()
        self.asks.removeAll()
        guard let time = scanner.number(), let timestamp = Timestamp(binance: time), scanner.pass(",\"s\":\""),
            let key = scanner.symbol(), scanner.pass(",\"U\":"), let first = scanner.number(),
            scanner.pass(",\"u\":"), let last = scanner.number(), first <= last, scanner.pass(",\"b\":"),
            scanner.levels(into: &self.bids), scanner.pass(",\"a\":"), scanner.levels(into: &self.asks),
            scanner.pass("}"), !isWrapped || scanner.pass("}"), scanner.isAtEnd
        else { return false }
        guard let index = self.table.index(of: key) else { return false }
        self.takeUpdate(index, first, last, timestamp, at: receivedAt, into: &output)
        return true
    }

    // MARK: Frames in any shape

    @inline(never)
    private mutating func readCarefully(
        _ frame: UnsafeRawBufferPointer, on connection: Int, at receivedAt: Timestamp, into output: inout VenueOutput
    ) {
        var fields = BinanceFields()
        do throws(JSONSyntaxError) {
            var reader = JSONReader(frame)
            try fields.read(&reader)
            try reader.expectEnd()
        } catch {
            output.problems.append(.unreadable(frame, error.message))
            return
        }
        if fields.hasResult || fields.errorCode != nil || fields.errorMessage != nil {
            return self.takeAnswer(fields, on: connection, at: receivedAt, into: &output)
        }
        if fields.kind == .serverShutdown {
            return self.takeShutdown(on: connection, into: &output)
        }
        guard let reason = self.take(fields, at: receivedAt, into: &output) else { return }
        output.problems.append(.unreadable(frame, reason))
    }

    /// Takes what a frame says; returns what is wrong with it.
    private mutating func take(
        _ fields: BinanceFields, at receivedAt: Timestamp, into output: inout VenueOutput
    ) -> String? {
        switch fields.kind {
        case .other, .serverShutdown: return nil
        case nil:
            if fields.lastUpdateID != nil { return self.takeWholeBook(fields, at: receivedAt, into: &output) }
            guard fields.symbol != nil, fields.lastUpdate != nil || fields.bidSize != nil else {
                // Kinds that there may be one day, and messages that are about no stream.
                return fields.stream == nil && fields.symbol == nil && fields.id == nil
                    ? "a frame of no known kind" : nil
            }
        default: break
        }
        guard let symbol = fields.symbol else { return "a frame without a symbol" }
        guard let index = symbol.withUTF8({ self.table.index(of: $0) }) else { return nil }
        switch fields.kind {
        case .trade: return self.takeTrade(index, fields, isAggregated: false, at: receivedAt, into: &output)
        case .aggregatedTrade: return self.takeTrade(index, fields, isAggregated: true, at: receivedAt, into: &output)
        case .depthUpdate: return self.takeUpdate(index, fields, at: receivedAt, into: &output)
        case .ticker: return self.takeTicker(index, fields, at: receivedAt, into: &output)
        case .kline: return self.takeCandle(index, fields, at: receivedAt, into: &output)
        default: return self.takeBookTicker(index, fields, at: receivedAt, into: &output)
        }
    }

    // MARK: Answers to what we sent

    /// `{"result":null,"id":1}`, `{"code":2,"msg":"..","id":1}` or `{"error":{"code":2,"msg":".."},"id":1}`.
    private mutating func takeAnswer(
        _ fields: BinanceFields, on connection: Int, at receivedAt: Timestamp, into output: inout VenueOutput
    ) {
        let request = fields.id.flatMap { self.requests.removeValue(forKey: $0) }
        if fields.errorCode != nil || fields.errorMessage != nil {
            let names = request?.subscriptions.map { self.subscriptions[$0].name } ?? []
            let code = fields.errorCode.map { " (code \($0))" } ?? ""
            let concerned = names.first.map { ", for \(names.count) streams from \($0) on" } ?? ""
            var details: JSONObject = ["streams": .array(names.prefix(20).map { .string($0) })]
            if let code = fields.errorCode { details = details.setting("code", to: .number(code)) }
            output.problems.append(
                VenueOutput.Problem(
                    code: "SUBSCRIPTION",
                    message: "binance: \((fields.errorMessage ?? "an error").prefix(200))\(code)\(concerned)",
                    details: details))
            return
        }
        guard let request, request.isSubscription,
            let index = self.connections.firstIndex(where: { $0.number == request.connection })
        else { return }
        for subscription in request.subscriptions {
            let stream = self.subscriptions[subscription].stream
            guard self.connections[index].unconfirmed[stream] > 0 else { continue }
            self.connections[index].unconfirmed[stream] -= 1
            guard self.connections[index].unconfirmed[stream] == 0 else { continue }
            self.connections[index].remaining -= 1
            output.notices.append(.confirmed(stream: stream))
            // What the snapshot does not have comes over the feed from now on.
            let market = stream / max(1, self.plan.channels.count)
            if self.markets[market].bookStream == stream, self.markets[market].sync.begin(at: receivedAt.nanoseconds) {
                self.requestBook(market, into: &output)
            }
        }
        self.tellReady(at: receivedAt, into: &output)
    }

    /// "The server is about to be shut down": the next connection is opened before this one goes.
    private mutating func takeShutdown(on connection: Int, into output: inout VenueOutput) {
        guard let newest = self.connections.indices.last, self.connections[newest].number == connection,
            !self.connections[newest].saidShutdown
        else { return }
        self.connections[newest].saidShutdown = true
        output.replacement = .planned(reason: "binance is about to shut this server down")
    }
}
