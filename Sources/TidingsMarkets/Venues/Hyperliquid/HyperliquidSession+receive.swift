public import Tidings

extension HyperliquidSession {
    public mutating func receive(
        _ frame: UnsafeRawBufferPointer, on connection: Int, at receivedAt: Timestamp, into output: inout VenueOutput
    ) {
        let before = output.events.count
        do throws(JSONSyntaxError) {
            try self.read(frame, at: receivedAt, into: &output)
        } catch {
            output.events.removeSubrange(before...)
            // The SDK tolerates this greeting, which is not JSON.
            if frame.starts(with: "Websocket connection established.".utf8) { return }
            output.problems.append(.unreadable(frame, error.message))
        }
    }

    private mutating func read(
        _ frame: UnsafeRawBufferPointer, at receivedAt: Timestamp, into output: inout VenueOutput
    ) throws(JSONSyntaxError) {
        var reader = JSONReader(frame)
        try reader.beginObject()
        var channel: RawJSONString?
        var data: Range<Int>?
        var isFirst = true
        while let key = try reader.nextKey(isFirst: &isFirst) {
            if key.equals("channel"), try reader.kind() == .string {
                channel = try reader.readString()
            } else if key.equals("data") {
                data = try reader.skipValue()
            } else {
                try reader.skipValue()
            }
        }
        try reader.expectEnd()
        guard let channel else {
            output.problems.append(.unreadable(frame, "a frame without a channel"))
            return
        }
        guard let data else { return }
        var body = JSONReader(reader.slice(data))
        if channel.equals("trades") {
            try self.readTrades(&body, frame, at: receivedAt, into: &output)
        } else if channel.equals("l2Book") {
            try self.readBook(&body, frame, at: receivedAt, into: &output)
        } else if channel.equals("bbo") {
            try self.readBBO(&body, frame, at: receivedAt, into: &output)
        } else if channel.equals("activeAssetCtx") || channel.equals("activeSpotAssetCtx") {
            try self.readAssetContext(&body, frame, at: receivedAt, into: &output)
        } else if channel.equals("candle") {
            try self.readCandles(&body, frame, at: receivedAt, into: &output)
        } else if channel.equals("subscriptionResponse") {
            try self.readConfirmation(&body, into: &output)
        } else if channel.equals("error") {
            let text =
                try body.kind() == .string
                ? try body.readString().decoded() : String(decoding: body.slice(try body.skipValue()), as: UTF8.self)
            output.problems.append(
                VenueOutput.Problem(code: "SUBSCRIPTION", message: "hyperliquid: \(text.prefix(200))"))
        }
    }

    // MARK: Trades

    func readTrades(
        _ reader: inout JSONReader, _ frame: UnsafeRawBufferPointer, at receivedAt: Timestamp,
        into output: inout VenueOutput
    ) throws(JSONSyntaxError) {
        try reader.beginArray()
        var isFirst = true
        while try reader.nextElement(isFirst: &isFirst) {
            var fields = HyperliquidFields()
            try fields.read(&reader)
            guard let coin = fields.coin else { continue }
            guard let known = self.coins[coin] else { continue }
            output.hear(0)
            guard let price = fields.price, let size = fields.size, let time = fields.time,
                let timestamp = Timestamp(milliseconds: time), let tradeID = fields.tradeID
            else {
                output.problems.append(.unreadable(frame, "a trade without price, size, time or id"))
                continue
            }
            var hash = StableHash()
            hash.combine("hyperliquid.trade")
            coin.withUTF8 { hash.combine($0) }
            hash.combine(time)
            hash.combine(tradeID)
            output.events.append(
                StandardEvent(
                    eventType: .trade, source: Self.source,
                    payload: .trade(
                        Trade(
                            symbol: known.symbol, price: price, volume: size, timestamp: timestamp,
                            side: fields.side, tradeID: TradeID(tradeID),
                            context: known.context(receivedAt))),
                    timestamp: timestamp, eventID: EventID(at: timestamp, hash: hash)))
        }
    }

    // MARK: Books

    mutating func readBook(
        _ reader: inout JSONReader, _ frame: UnsafeRawBufferPointer, at receivedAt: Timestamp,
        into output: inout VenueOutput
    ) throws(JSONSyntaxError) {
        var fields = HyperliquidFields()
        try fields.read(&reader)
        guard let coin = fields.coin, var known = self.coins[coin] else { return }
        output.hear(0)
        guard let time = fields.time, let timestamp = Timestamp(milliseconds: time), fields.sides.count == 2 else {
            output.problems.append(.unreadable(frame, "a book without time or levels"))
            return
        }
        let (bids, asks) = (Array(fields.sides[0].prefix(20)), Array(fields.sides[1].prefix(20)))
        // Older than what is known, or nothing changed in what is published.
        if time <= known.bookTime || (bids == known.bids && asks == known.asks) {
            if time > known.bookTime { self.coins[coin]?.bookTime = time }
            return
        }
        known.bookTime = time
        known.bids = bids
        known.asks = asks
        self.coins[coin] = known
        var hash = StableHash()
        hash.combine("hyperliquid.order_book")
        coin.withUTF8 { hash.combine($0) }
        hash.combine(time)
        for side in [bids, asks] {
            hash.combine(UInt64(side.count))
            for level in side {
                hash.combine(level.price)
                hash.combine(level.volume)
            }
        }
        output.events.append(
            StandardEvent(
                eventType: .orderBook, source: Self.source,
                payload: .orderBook(
                    OrderBook(
                        symbol: known.symbol, bids: bids, asks: asks, bestBid: bids.first, bestAsk: asks.first,
                        timestamp: timestamp, context: known.context(receivedAt))),
                timestamp: timestamp, eventID: EventID(at: timestamp, hash: hash)))
        if let bid = bids.first, let ask = asks.first, bid.price >= ask.price {
            output.problems.append(
                VenueOutput.Problem(
                    code: "CROSSED_BOOK",
                    message: "hyperliquid \(known.symbol): bid \(bid.price) is not below ask \(ask.price)"))
        }
    }
}
