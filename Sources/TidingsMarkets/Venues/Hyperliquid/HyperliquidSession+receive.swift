public import Tidings

extension HyperliquidSession {
    public mutating func receive(
        _ frame: UnsafeRawBufferPointer, on connection: Int, at receivedAt: Timestamp, into output: inout VenueOutput
    ) {
        do throws(JSONSyntaxError) {
            try self.read(frame, on: connection, at: receivedAt, into: &output)
        } catch {
            // The SDK tolerates this greeting, which is not JSON.
            if frame.starts(with: "Websocket connection established.".utf8) { return }
            output.problems.append(.unreadable(frame, error.message))
        }
    }

    /// The envelope is read to its end before anything is made of it, and each channel reads all of its data first.
    private mutating func read(
        _ frame: UnsafeRawBufferPointer, on connection: Int, at receivedAt: Timestamp,
        into output: inout VenueOutput
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
        if channel.equals("l2Book") {
            let fields = try body.hyperliquidFields()
            self.takeBook(fields, frame, on: connection, at: receivedAt, into: &output)
        } else if channel.equals("trades") {
            let list = try body.hyperliquidList()
            self.takeTrades(list, frame, at: receivedAt, into: &output)
        } else if channel.equals("bbo") {
            let fields = try body.hyperliquidFields()
            self.takeBBO(fields, frame, at: receivedAt, into: &output)
        } else if channel.equals("activeAssetCtx") || channel.equals("activeSpotAssetCtx") {
            let fields = try body.hyperliquidFields()
            self.takeAssetContext(fields, frame, on: connection, at: receivedAt, into: &output)
        } else if channel.equals("candle") {
            // One candle or a list of them.
            let list = try body.kind() == .array ? try body.hyperliquidList() : [try body.hyperliquidFields()]
            for fields in list {
                self.takeCandle(fields, frame, on: connection, at: receivedAt, into: &output)
            }
        } else if channel.equals("subscriptionResponse") {
            try self.readConfirmation(&body, on: connection, into: &output)
        } else if channel.equals("error") {
            let text =
                try body.kind() == .string
                ? try body.readString().decoded() : String(decoding: body.slice(try body.skipValue()), as: UTF8.self)
            self.takeError(text, on: connection, into: &output)
        }
    }

    public mutating func receive(
        _ answer: VenueAnswer, to request: VenueRequest, at receivedAt: Timestamp, into output: inout VenueOutput
    ) {
        switch request.purpose {
        case .recent(.trade, let index): self.takeRecentTrades(answer, index, at: receivedAt, into: &output)
        case .recent(.ohlcv, let index): self.takeMissedCandles(answer, index, at: receivedAt, into: &output)
        case .recent, .instruments, .book, .lostTrades, .history: break
        }
    }

    /// Whether the venue's time can be meant: one far ahead of ours would make everything after it seem old.
    static func isMeant(_ time: Int64, at receivedAt: Timestamp) -> Bool {
        time <= Self.add(Self.maximumAhead, to: receivedAt.nanoseconds / 1_000_000)
    }

    static func hash(_ kind: String, _ coin: Name, _ time: Int64) -> StableHash {
        var hash = StableHash()
        hash.combine(kind)
        coin.withUTF8 { hash.combine($0) }
        hash.combine(time)
        return hash
    }
}

extension JSONReader {
    /// An object's members.
    mutating func hyperliquidFields() throws(JSONSyntaxError) -> HyperliquidFields {
        var fields = HyperliquidFields()
        try fields.read(&self)
        return fields
    }

    /// A list of objects.
    mutating func hyperliquidList() throws(JSONSyntaxError) -> [HyperliquidFields] {
        var list: [HyperliquidFields] = []
        try self.beginArray()
        var isFirst = true
        while try self.nextElement(isFirst: &isFirst) { list.append(try self.hyperliquidFields()) }
        return list
    }
}
