internal import Tidings

/// Hyperliquid's perpetuals: one subscription a message, books always whole, numbers as text.
struct HyperliquidVenue: SimulatedVenue {
    let name = "hyperliquid"

    let instruments = [
        Instrument(
            symbol: "BTC", priceScale: 1, tick: 10, sizeScale: 5, startPrice: 1_050_550, usualSize: 12_000,
            tradeRate: 4),
        Instrument(
            symbol: "ETH", priceScale: 1, tick: 1, sizeScale: 4, startPrice: 32_504, usualSize: 30_000,
            tradeRate: 3),
        Instrument(
            symbol: "SOL", priceScale: 2, tick: 1, sizeScale: 2, startPrice: 18_234, usualSize: 4_000,
            tradeRate: 2),
    ]

    let brokenFrame = Array(#"{"channel":"trades","data":[{"coin":"BTC","side":"B","px":"1050"#.utf8)
}

// MARK: Recorded frames

extension HyperliquidVenue {
    func role(of frame: UnsafeRawBufferPointer) -> FrameRole {
        do throws(JSONSyntaxError) {
            var reader = JSONReader(frame)
            var channel = ""
            var data: Int?
            try reader.beginObject()
            var isFirst = true
            while let key = try reader.nextKey(isFirst: &isFirst) {
                if key.equals("channel") {
                    channel = try reader.readString().decoded()
                } else if key.equals("data") {
                    data = try reader.skipValue().lowerBound
                } else {
                    try reader.skipValue()
                }
            }
            try reader.expectEnd()
            if channel == "pong" { return .answer }
            guard let data else { return .everyone }
            reader.index = data
            return try self.role(of: channel, data: &reader)
        } catch {
            // A recording may well hold what is no JSON: it is played as it was.
            return .everyone
        }
    }

    private func role(of channel: String, data reader: inout JSONReader) throws(JSONSyntaxError) -> FrameRole {
        switch channel {
        case "subscriptionResponse":
            let data = try reader.readValue().object
            guard data?["method"]?.string == "subscribe", let subscription = data?["subscription"]?.object,
                let topic = self.topic(of: subscription)
            else { return .answer }
            return .acknowledgement([topic])
        case "trades", "l2Book", "bbo":
            return try self.symbol(in: &reader).map { .data(Topic(channel, $0.coin)) } ?? .everyone
        case "activeAssetCtx", "activeSpotAssetCtx":
            return try self.symbol(in: &reader).map { .data(Topic("activeAssetCtx", $0.coin)) } ?? .everyone
        case "candle":
            return try self.symbol(in: &reader).map { .data(Topic(channel, $0.coin, $0.interval)) } ?? .everyone
        case "allMids": return .data(Topic(channel))
        default: return .everyone
        }
    }

    /// Coin and interval of an object, or of the first one in an array.
    private func symbol(
        in reader: inout JSONReader
    ) throws(JSONSyntaxError) -> (coin: String, interval: String)? {
        if try reader.kind() == .array {
            try reader.beginArray()
            var isFirst = true
            guard try reader.nextElement(isFirst: &isFirst) else { return nil }
        }
        guard try reader.kind() == .object else { return nil }
        var coin: String?
        var interval = ""
        try reader.beginObject()
        var isFirst = true
        while let key = try reader.nextKey(isFirst: &isFirst) {
            guard try reader.kind() == .string else {
                try reader.skipValue()
                continue
            }
            let value = try reader.readString()
            if key.equals("coin") || key.equals("s") { coin = value.decoded() }
            if key.equals("i") { interval = value.decoded() }
        }
        return coin.map { ($0, interval) }
    }
}

// MARK: Books and trades

extension HyperliquidVenue {
    func bookTopic(of symbol: String) -> Topic { Topic("l2Book", symbol) }

    func tradeTopics(of symbol: String) -> [Topic] { [Topic("trades", symbol)] }

    /// Every frame is the whole book.
    func bookChange(in frame: UnsafeRawBufferPointer) -> BookChange? {
        guard let object = jsonObject(frame), object["channel"]?.string == "l2Book",
            let data = object["data"]?.object, let coin = data["coin"]?.string,
            let sides = data["levels"]?.array, sides.count == 2
        else { return nil }
        let levels = sides.map { side in
            (side.array ?? []).compactMap { level -> BookLevel? in
                guard let level = level.object, let price = level["px"]?.string, let size = level["sz"]?.string else {
                    return nil
                }
                return BookLevel(price, size)
            }
        }
        return BookChange(symbol: coin, isSnapshot: true, bids: levels[0], asks: levels[1])
    }

    /// REST answers with the recorded frames themselves here.
    func trades(in frame: UnsafeRawBufferPointer) -> [TradeRecord] { [] }

    func corrupted(_ frame: UnsafeRawBufferPointer, from snapshot: any VenueSnapshot) -> [UInt8]? {
        guard let change = self.bookChange(in: frame), let price = crossingPrice(change) else { return nil }
        return inserting(#"{"px":"\#(price)","sz":"1.0","n":1}"#, afterFirst: #""levels":[["#, in: frame)
    }
}
