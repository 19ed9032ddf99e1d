import Tidings
import TidingsMarkets
import TidingsTesting

/// Coinbase Advanced Trade as its documentation has it: one count of messages for each connection.
struct CoinbaseAdvancedExchange: VenueExchange {
    let venue: any Venue = CoinbaseAdvanced()
    let instruments = [
        Instrument(symbol: "BTC-USD", venueSymbol: "BTC-USD"), Instrument(symbol: "ETH-EUR", venueSymbol: "ETH-EUR"),
    ]
    let abilities: VenueAbilities = [.countsTrades, .noticesLostBookFrames, .tickers]
    private var feed = SampleFeed(instruments: 2)
    private var sequences: [Int: UInt64] = [:]
    private var subscriptions: [Int: [(channel: String, products: [String])]] = [:]

    func instrumentList() -> String {
        let list = [("BTC", "USD", "online"), ("ETH", "EUR", "online"), ("OLD", "USD", "delisted")].map {
            base, quote, status in
            """
            {"product_id":"\(base)-\(quote)","price":"100.00","base_increment":"0.00000001","quote_increment":"0.01",\
            "base_min_size":"0.001","is_disabled":false,"new":false,"status":"\(status)","cancel_only":false,\
            "trading_disabled":\(status != "online"),"product_type":"SPOT","base_currency_id":"\(base)",\
            "quote_currency_id":"\(quote)","price_increment":"0.01","alias":"","alias_to":[]}
            """
        }
        return #"{"products":[\#(list.joined(separator: ","))],"num_products":\#(list.count)}"#
    }

    mutating func opened(_ connection: Int) -> [String] {
        self.sequences[connection] = 0
        self.subscriptions[connection] = []
        return []
    }

    mutating func receive(_ text: String, on connection: Int) -> [String] {
        guard let object = text.object, let type = object["type"]?.string, let channel = object["channel"]?.string
        else {
            return []
        }
        let products = (object["product_ids"]?.array ?? []).compactMap(\.string)
        var current = self.subscriptions[connection] ?? []
        let at = current.firstIndex { $0.channel == channel }
        if type == "unsubscribe" {
            if let at { current[at].products.removeAll { products.contains($0) } }
        } else if let at {
            current[at].products += products.filter { !current[at].products.contains($0) }
        } else {
            current.append((channel, products))
        }
        self.subscriptions[connection] = current
        let told = current.map { channel, products in
            #""\#(channel)":[\#(products.map { "\"\($0)\"" }.joined(separator: ","))]"#
        }
        var frames = [
            self.frame("subscriptions", #"{"subscriptions":{\#(told.joined(separator: ","))}}"#, on: connection)
        ]
        guard type == "subscribe" else { return frames }
        for index in self.instruments.indices where products.contains(self.instruments[index].venueSymbol) {
            if channel == "level2" {
                frames.append(self.book(index, "snapshot", self.everything(index), "1970-01-01T00:00:00Z", connection))
            } else if channel == "market_trades", !self.feed.trades[index].isEmpty {
                let trades = self.feed.trades[index].suffix(50).reversed().map { self.trade($0) }
                frames.append(
                    self.frame(
                        "market_trades", #"{"type":"snapshot","trades":[\#(trades.joined(separator: ","))]}"#,
                        on: connection))
            }
        }
        return frames
    }

    mutating func respond(to request: VenueRequest) -> VenueAnswer { .notFound }

    mutating func happen(_ event: SampleEvent, on connections: [Int]) -> [(connection: Int, text: String)] {
        self.feed.take(event)
        return connections.map { connection in
            switch event {
            case .trade(let trade):
                let text = #"{"type":"update","trades":[\#(self.trade(trade))]}"#
                return (connection, self.frame("market_trades", text, on: connection))
            case .book(let index, let changes, let time):
                return (connection, self.book(index, "update", changes, "\(time)", connection))
            case .ticker(let index, let bid, let ask, _):
                let text = """
                    {"type":"update","tickers":[{"type":"ticker","product_id":"\(self.instruments[index].venueSymbol)",\
                    "price":"100.00","volume_24_h":"1000.5","low_24_h":"98","high_24_h":"102","low_52_w":"1",\
                    "high_52_w":"200","price_percent_chg_24_h":"1.0","best_bid":"\(bid.price)",\
                    "best_bid_quantity":"\(bid.size)","best_ask":"\(ask.price)","best_ask_quantity":"\(ask.size)"}]}
                    """
                return (connection, self.frame("ticker", text, on: connection))
            }
        }
    }

    private mutating func frame(_ channel: String, _ event: String, on connection: Int) -> String {
        let sequence = self.sequences[connection] ?? 0
        self.sequences[connection] = sequence + 1
        return """
            {"channel":"\(channel)","client_id":"","timestamp":"2023-11-14T22:13:20.123456789Z","sequence_num":\(sequence),\
            "events":[\(event)]}
            """
    }

    private mutating func book(
        _ index: Int, _ type: String, _ levels: [SampleLevel], _ time: String, _ connection: Int
    ) -> String {
        let updates = levels.map { level in
            """
            {"side":"\(level.side == .bid ? "bid" : "offer")","event_time":"\(time)","price_level":"\(level.price)",\
            "new_quantity":"\(ExactDecimal(level.size) == .zero ? "0" : level.size)"}
            """
        }
        let event = """
            {"type":"\(type)","product_id":"\(self.instruments[index].venueSymbol)",\
            "updates":[\(updates.joined(separator: ","))]}
            """
        return self.frame("l2_data", event, on: connection)
    }

    private func everything(_ index: Int) -> [SampleLevel] {
        LocalBook.Side.allCases.flatMap { side in
            self.feed.books[index].levels(side).map { SampleLevel(side, $0.price, $0.size) }
        }
    }

    private func trade(_ trade: SampleTrade) -> String {
        """
        {"trade_id":"\(trade.number)","product_id":"\(self.instruments[trade.instrument].venueSymbol)",\
        "price":"\(trade.price)","size":"\(trade.size)","side":"\(trade.side == .buy ? "SELL" : "BUY")","time":"\(trade.time)"}
        """
    }
}
