import Tidings
import TidingsMarkets
import TidingsTesting

/// Hyperliquid's perpetuals as its documentation has them: whole books, trades without a count.
struct HyperliquidExchange: VenueExchange {
    let venue: any Venue = Hyperliquid()
    let instruments = [
        Instrument(symbol: "BTC-USD", venueSymbol: "BTC", kind: .perpetual),
        Instrument(symbol: "ETH-USD", venueSymbol: "ETH", kind: .perpetual),
    ]
    let abilities: VenueAbilities = [.tickers]
    private var feed = SampleFeed(instruments: 2)
    private var bookTimes: [Int64] = [0, 0]

    func instrumentList() -> String {
        """
        {"universe":[{"name":"BTC","szDecimals":5,"maxLeverage":50},{"name":"ETH","szDecimals":4,"maxLeverage":50},\
        {"name":"OLD","szDecimals":0,"maxLeverage":3,"isDelisted":true}]}
        """
    }

    mutating func opened(_ connection: Int) -> [String] { [] }

    mutating func receive(_ text: String, on connection: Int) -> [String] {
        guard let object = text.object, let method = object["method"]?.string else { return [] }
        if method == "ping" { return [#"{"channel":"pong"}"#] }
        guard let subscription = object["subscription"], let coin = subscription.object?["coin"]?.string,
            let index = self.instruments.firstIndex(where: { $0.venueSymbol == coin })
        else { return [#"{"channel":"error","data":"Invalid subscription"}"#] }
        let answer =
            #"{"channel":"subscriptionResponse","data":{"method":"\#(method)","subscription":\#(subscription)}}"#
        guard method == "subscribe" else { return [answer] }
        switch subscription.object?["type"]?.string {
        case "l2Book" where self.bookTimes[index] > 0: return [answer, self.book(index)]
        case "trades" where !self.feed.trades[index].isEmpty:
            return [answer, self.trades(self.feed.trades[index].suffix(10), index)]
        default: return [answer]
        }
    }

    mutating func respond(to request: VenueRequest) -> VenueAnswer {
        guard let object = request.body.object, let coin = object["coin"]?.string,
            let index = self.instruments.firstIndex(where: { $0.venueSymbol == coin })
        else { return .notFound }
        guard object["type"]?.string == "recentTrades" else { return .notFound }
        let trades = self.feed.trades[index].suffix(10).reversed().map { self.trade($0, index) }
        return .text("[\(trades.joined(separator: ","))]")
    }

    mutating func happen(_ event: SampleEvent, on connections: [Int]) -> [(connection: Int, text: String)] {
        self.feed.take(event)
        let text: String
        switch event {
        case .trade(let trade): text = self.trades([trade], trade.instrument)
        case .book(let index, _, let time):
            self.bookTimes[index] = time.milliseconds
            text = self.book(index)
        case .ticker(let index, let bid, let ask, let time):
            text = """
                {"channel":"bbo","data":{"coin":"\(self.instruments[index].venueSymbol)","time":\(time.milliseconds),\
                "bbo":[\(self.level(bid.price, bid.size)),\(self.level(ask.price, ask.size))]}}
                """
        }
        return connections.map { ($0, text) }
    }

    private func trades(_ trades: some Sequence<SampleTrade>, _ index: Int) -> String {
        #"{"channel":"trades","data":[\#(trades.map { self.trade($0, index) }.joined(separator: ","))]}"#
    }

    private func trade(_ trade: SampleTrade, _ index: Int) -> String {
        """
        {"coin":"\(self.instruments[index].venueSymbol)","side":"\(trade.side == .buy ? "B" : "A")","px":"\(trade.price)",\
        "sz":"\(trade.size)","hash":"0x00","time":\(trade.time.milliseconds),"tid":\(trade.number),"users":["0x1","0x2"]}
        """
    }

    private func book(_ index: Int) -> String {
        let sides = [LocalBook.Side.bid, .ask].map { side in
            self.feed.books[index].levels(side).map { self.level($0.price, $0.size) }.joined(separator: ",")
        }
        return """
            {"channel":"l2Book","data":{"coin":"\(self.instruments[index].venueSymbol)","time":\(self.bookTimes[index]),\
            "levels":[[\(sides[0])],[\(sides[1])]]}}
            """
    }

    private func level(_ price: String, _ size: String) -> String { #"{"px":"\#(price)","sz":"\#(size)","n":1}"# }
}
