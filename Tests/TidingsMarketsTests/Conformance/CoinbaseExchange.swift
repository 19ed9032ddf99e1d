import Tidings
import TidingsMarkets
import TidingsTesting

/// Coinbase Exchange as its documentation has it: it reports the maker's side, and does not count its book updates.
struct CoinbaseExchange: VenueExchange {
    let venue: any Venue = Coinbase()
    let instruments = [
        Instrument(symbol: "BTC-USD", venueSymbol: "BTC-USD"), Instrument(symbol: "ETH-EUR", venueSymbol: "ETH-EUR"),
    ]
    let abilities: VenueAbilities = [.countsTrades, .refillsTrades, .tickers]
    private var feed = SampleFeed(instruments: 2)
    private var sequence: UInt64 = 5000
    private var subscriptions: [Int: [(channel: String, products: [String])]] = [:]

    func instrumentList() -> String {
        let list = [("BTC", "USD", "online"), ("ETH", "EUR", "online"), ("OLD", "USD", "delisted")].map {
            base, quote, status in
            """
            {"id":"\(base)-\(quote)","base_currency":"\(base)","quote_currency":"\(quote)","quote_increment":"0.01",\
            "base_increment":"0.00000001","display_name":"\(base)-\(quote)","min_market_funds":"1","margin_enabled":false,\
            "post_only":false,"limit_only":false,"cancel_only":false,"status":"\(status)","status_message":"",\
            "trading_disabled":\(status != "online")}
            """
        }
        return "[\(list.joined(separator: ","))]"
    }

    mutating func opened(_ connection: Int) -> [String] {
        self.subscriptions[connection] = []
        return []
    }

    mutating func receive(_ text: String, on connection: Int) -> [String] {
        guard let object = text.object, let type = object["type"]?.string else { return [] }
        let all = (object["product_ids"]?.array ?? []).compactMap(\.string)
        let channels = (object["channels"]?.array ?? []).compactMap {
            channel -> (channel: String, products: [String])? in
            if let name = channel.string { return (name, all) }
            guard let name = channel.object?["name"]?.string else { return nil }
            return (name, channel.object?["product_ids"]?.array?.compactMap(\.string) ?? all)
        }
        var current = self.subscriptions[connection] ?? []
        var first: [String] = []
        for (channel, products) in channels {
            let at = current.firstIndex { $0.channel == channel }
            if type == "unsubscribe" {
                if let at { current[at].products.removeAll { products.contains($0) } }
                continue
            }
            if let at {
                current[at].products += products.filter { !current[at].products.contains($0) }
            } else {
                current.append((channel, products))
            }
            for index in self.instruments.indices where products.contains(self.instruments[index].venueSymbol) {
                first += self.beginning(of: channel, index)
            }
        }
        self.subscriptions[connection] = current
        let told = current.filter { !$0.products.isEmpty }.map { channel, products in
            let ids = products.map { "\"\($0)\"" }.joined(separator: ",")
            return #"{"name":"\#(channel.hasPrefix("level2") ? "level2_batch" : channel)","product_ids":[\#(ids)]}"#
        }
        return first + [#"{"type":"subscriptions","channels":[\#(told.joined(separator: ","))]}"#]
    }

    private func beginning(of channel: String, _ index: Int) -> [String] {
        let product = self.instruments[index].venueSymbol
        switch channel {
        case "level2", "level2_batch":
            return [
                """
                {"type":"snapshot","product_id":"\(product)","bids":\(self.feed.list(index, .bid)),\
                "asks":\(self.feed.list(index, .ask))}
                """
            ]
        case "matches": return self.feed.trades[index].last.map { [self.match($0, "last_match")] } ?? []
        default: return []
        }
    }

    mutating func respond(to request: VenueRequest) -> VenueAnswer {
        let parts = request.target.prefix { $0 != "?" }.split(separator: "/")
        guard parts.count == 3, parts[0] == "products", parts[2] == "trades",
            let index = self.instruments.firstIndex(where: { $0.venueSymbol == parts[1] })
        else { return .notFound }
        let after = request.target.parameter("after").flatMap { UInt64($0) } ?? .max
        let limit = request.target.parameter("limit").flatMap { Int($0) } ?? 1000
        let list = self.feed.trades[index].filter { $0.number < after }.suffix(limit).reversed().map { trade in
            """
            {"trade_id":\(trade.number),"side":"\(trade.side == .buy ? "sell" : "buy")","size":"\(trade.size)",\
            "price":"\(trade.price)","time":"\(trade.time)"}
            """
        }
        return .text("[\(list.joined(separator: ","))]")
    }

    mutating func happen(_ event: SampleEvent, on connections: [Int]) -> [(connection: Int, text: String)] {
        self.feed.take(event)
        self.sequence += 7
        let text: String
        switch event {
        case .trade(let trade): text = self.match(trade, "match")
        case .book(let index, let changes, let time):
            let list = changes.map { #"["\#($0.side == .bid ? "buy" : "sell")","\#($0.price)","\#($0.size)"]"# }
            text = """
                {"type":"l2update","product_id":"\(self.instruments[index].venueSymbol)",\
                "changes":[\(list.joined(separator: ","))],"time":"\(time)"}
                """
        case .ticker(let index, let bid, let ask, let time):
            text = """
                {"type":"ticker","sequence":\(self.sequence),"product_id":"\(self.instruments[index].venueSymbol)",\
                "price":"100.00","open_24h":"99.00","volume_24h":"1000.5","low_24h":"98.00","high_24h":"102.00",\
                "volume_30d":"30000.1","best_bid":"\(bid.price)","best_bid_size":"\(bid.size)","best_ask":"\(ask.price)",\
                "best_ask_size":"\(ask.size)","side":"buy","time":"\(time)","trade_id":1,"last_size":"0.1"}
                """
        }
        return connections.map { ($0, text) }
    }

    private func match(_ trade: SampleTrade, _ type: String) -> String {
        """
        {"type":"\(type)","trade_id":\(trade.number),"maker_order_id":"a","taker_order_id":"b",\
        "side":"\(trade.side == .buy ? "sell" : "buy")","size":"\(trade.size)","price":"\(trade.price)",\
        "product_id":"\(self.instruments[trade.instrument].venueSymbol)","sequence":\(self.sequence),"time":"\(trade.time)"}
        """
    }
}
