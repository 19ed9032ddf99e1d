internal import Tidings

/// Coinbase Advanced Trade: one channel a subscription, one row of numbers over all frames of a connection.
///
/// A recording's frames are numbered anew, since a client may subscribe to a part of them only.
/// https://docs.cdp.coinbase.com/coinbase-app/advanced-trade-apis/websocket/websocket-overview
struct CoinbaseAdvancedVenue: SimulatedVenue {
    let name = "coinbase-advanced"

    let instruments = CoinbaseProducts.instruments

    let brokenFrame = Array(#"{"channel":"market_trades","client_id":"","timestamp":"2023-02-09T20:1"#.utf8)

    static let channels: Set<String> = [
        "level2", "market_trades", "ticker", "ticker_batch", "candles", "heartbeats", "status",
    ]

    func bookTopic(of symbol: String) -> Topic { Topic("level2", symbol) }

    func tradeTopics(of symbol: String) -> [Topic] { [Topic("market_trades", symbol)] }

    // MARK: Numbers

    var numbersFrames: Bool { true }

    private static let marker = Array(#""sequence_num":"#.utf8)

    func numbered(_ frame: UnsafeRawBufferPointer, as number: UInt64) -> [UInt8]? {
        let bytes = Array(frame)
        guard let place = bytes.firstRange(of: Self.marker)?.upperBound else { return nil }
        let rest = bytes[place...].drop { (UInt8(ascii: "0")...UInt8(ascii: "9")).contains($0) }
        return bytes[..<place] + Array("\(number)".utf8) + rest
    }
}

// MARK: Recorded frames

extension CoinbaseAdvancedVenue {
    func role(of frame: UnsafeRawBufferPointer) -> FrameRole {
        guard let object = jsonObject(frame), let channel = object["channel"]?.string else { return .everyone }
        let event = object["events"]?.array?.first?.object
        func product(_ list: String) -> String? { event?[list]?.array?.first?.object?["product_id"]?.string }
        switch channel {
        case "subscriptions": return .answer
        case "heartbeats": return .data(Topic("heartbeats"))
        case "l2_data": return event?["product_id"]?.string.map { .data(Topic("level2", $0)) } ?? .everyone
        case "market_trades": return product("trades").map { .data(Topic(channel, $0)) } ?? .everyone
        case "ticker", "ticker_batch": return product("tickers").map { .data(Topic(channel, $0)) } ?? .everyone
        case "candles": return product("candles").map { .data(Topic(channel, $0)) } ?? .everyone
        default: return .everyone
        }
    }

    func bookChange(in frame: UnsafeRawBufferPointer) -> BookChange? {
        guard let object = jsonObject(frame), object["channel"]?.string == "l2_data",
            let event = object["events"]?.array?.first?.object, let product = event["product_id"]?.string
        else { return nil }
        var change = BookChange(symbol: product, isSnapshot: event["type"]?.string == "snapshot")
        for value in event["updates"]?.array ?? [] {
            guard let update = value.object, let price = update["price_level"]?.string,
                let size = update["new_quantity"]?.string
            else { continue }
            let level = BookLevel(price, size)
            if update["side"]?.string == "bid" { change.bids.append(level) } else { change.asks.append(level) }
        }
        return change
    }

    func trades(in frame: UnsafeRawBufferPointer) -> [TradeRecord] {
        guard let object = jsonObject(frame), object["channel"]?.string == "market_trades" else { return [] }
        let trades = (object["events"]?.array ?? []).flatMap { $0.object?["trades"]?.array ?? [] }
        return trades.compactMap { value -> TradeRecord? in
            guard let trade = value.object, let id = trade["trade_id"]?.string.flatMap({ UInt64($0) }),
                let price = trade["price"]?.string, let size = trade["size"]?.string,
                let time = trade["time"]?.string.flatMap({ Timestamp($0) })
            else { return nil }
            // The side is the maker's.
            return TradeRecord(
                id: id, price: price, size: size, isBuy: trade["side"]?.string == "SELL", time: time.nanoseconds)
        }.sorted { $0.id < $1.id }
    }

    func corrupted(_ frame: UnsafeRawBufferPointer, from snapshot: any VenueSnapshot) -> [UInt8]? {
        guard let change = self.bookChange(in: frame) else { return nil }
        let book = snapshot.book(of: change.symbol)
        guard let price = (book?.asks.first ?? change.asks.last ?? change.bids.first)?.price else { return nil }
        let time = timeText(nanoseconds: snapshot.time.multiplied(by: 1_000_000))
        return inserting(
            #"{"side":"bid","event_time":"\#(time)","price_level":"9\#(price)","new_quantity":"1"}"#,
            afterFirst: #""updates":["#, in: frame)
    }
}
