internal import Tidings

/// Coinbase Exchange: several channels in one subscription, the maker's side on trades, books without numbers.
///
/// https://docs.cdp.coinbase.com/exchange/websocket-feed/overview
struct CoinbaseVenue: SimulatedVenue {
    let name = "coinbase"

    let instruments = CoinbaseProducts.instruments

    let brokenFrame = Array(#"{"type":"match","trade_id":881613,"side":"sell","size":"0.0"#.utf8)

    func bookTopic(of symbol: String) -> Topic { Topic("level2", symbol) }

    func tradeTopics(of symbol: String) -> [Topic] { [Topic("matches", symbol)] }

    /// What a channel's name stands for; `nil` for one that is not played here.
    static func channel(_ name: String) -> String? {
        switch name {
        case "level2", "level2_batch", "level2_50": "level2"
        case "ticker", "ticker_batch": "ticker"
        case "matches", "heartbeat": name
        default: nil
        }
    }
}

/// What both of Coinbase's interfaces have in common.
enum CoinbaseProducts {
    static let instruments = [
        Instrument(
            symbol: "BTC-USD", priceScale: 2, tick: 1, sizeScale: 8, startPrice: 10_505_501, usualSize: 12_000_000,
            tradeRate: 4, depth: 100),
        Instrument(
            symbol: "ETH-USD", priceScale: 2, tick: 1, sizeScale: 8, startPrice: 325_042, usualSize: 300_000_000,
            tradeRate: 3, depth: 100),
        Instrument(
            symbol: "SOL-USD", priceScale: 2, tick: 1, sizeScale: 8, startPrice: 18_234, usualSize: 4_000_000_000,
            tradeRate: 2, depth: 100),
        Instrument(
            symbol: "ETH-BTC", priceScale: 5, tick: 1, sizeScale: 8, startPrice: 3_094, usualSize: 200_000_000,
            tradeRate: 1, depth: 100),
    ]

    static func split(_ product: String) -> (base: String, quote: String) {
        let parts = product.split(separator: "-", maxSplits: 1).map { String($0) }
        return (parts.first ?? "", parts.count > 1 ? parts[1] : "")
    }

    /// A number that grows with everything that happens to a product.
    static func sequence(of instrument: GeneratedInstrument) -> UInt64 {
        instrument.change.last + instrument.tape.nextNumber
    }

    /// An order's id that is made from a number.
    static func orderID(_ number: UInt64) -> String {
        var random = SeededGenerator(seed: number)
        let hex = String(random.next(), radix: 16) + String(random.next(), radix: 16)
        let digits = Array((String(repeating: "0", count: 32) + hex).suffix(32))
        return [0..<8, 8..<12, 12..<16, 16..<20, 20..<32].map { String(digits[$0]) }.joined(separator: "-")
    }
}

// MARK: Recorded frames

extension CoinbaseVenue {
    func role(of frame: UnsafeRawBufferPointer) -> FrameRole {
        guard let object = jsonObject(frame), let type = object["type"]?.string else { return .everyone }
        if type == "subscriptions" {
            return .acknowledgement(
                (object["channels"]?.array ?? []).flatMap { value -> [Topic] in
                    let name = value.object?["name"]?.string ?? ""
                    let products = (value.object?["product_ids"]?.array ?? []).compactMap(\.string)
                    return products.map { Topic(Self.channel(name) ?? name, $0) }
                })
        }
        guard let product = object["product_id"]?.string else { return .everyone }
        switch type {
        case "snapshot", "l2update": return .data(Topic("level2", product))
        case "match", "last_match": return .data(Topic("matches", product))
        case "ticker", "heartbeat": return .data(Topic(type, product))
        default: return .everyone
        }
    }

    func bookChange(in frame: UnsafeRawBufferPointer) -> BookChange? {
        guard let object = jsonObject(frame), let type = object["type"]?.string,
            let product = object["product_id"]?.string
        else { return nil }
        switch type {
        case "snapshot":
            return BookChange(
                symbol: product, isSnapshot: true, bids: bookLevels(object["bids"]), asks: bookLevels(object["asks"]))
        case "l2update":
            var change = BookChange(symbol: product)
            for value in object["changes"]?.array ?? [] {
                let parts = value.array?.compactMap(\.string) ?? []
                guard parts.count == 3 else { continue }
                let level = BookLevel(parts[1], parts[2])
                if parts[0] == "buy" { change.bids.append(level) } else { change.asks.append(level) }
            }
            return change
        default: return nil
        }
    }

    func trades(in frame: UnsafeRawBufferPointer) -> [TradeRecord] {
        guard let object = jsonObject(frame), let type = object["type"]?.string,
            type == "match" || type == "last_match",
            let id = object["trade_id"]?.int.flatMap({ UInt64(exactly: $0) }), let price = object["price"]?.string,
            let size = object["size"]?.string, let time = object["time"]?.string.flatMap({ Timestamp($0) })
        else { return [] }
        // The side is the maker's.
        return [
            TradeRecord(
                id: id, price: price, size: size, isBuy: object["side"]?.string == "sell", time: time.nanoseconds)
        ]
    }

    func corrupted(_ frame: UnsafeRawBufferPointer, from snapshot: any VenueSnapshot) -> [UInt8]? {
        guard let change = self.bookChange(in: frame) else { return nil }
        // The book knows what stands above all bids; a price is taken from the frame only where there is no book.
        let book = snapshot.book(of: change.symbol)
        guard let price = (book?.asks.first ?? change.asks.last ?? change.bids.first)?.price else { return nil }
        return change.isSnapshot
            ? inserting(#"["9\#(price)","1.00000000"]"#, afterFirst: #""bids":["#, in: frame)
            : inserting(#"["buy","9\#(price)","1.00000000"]"#, afterFirst: #""changes":["#, in: frame)
    }
}
