import Tidings
import TidingsMarkets
import TidingsTesting

/// Binance spot as its documentation has it.
struct BinanceExchange: VenueExchange {
    let venue: any Venue = Binance()
    let instruments = [
        Instrument(symbol: "BTC-USDT", venueSymbol: "BTCUSDT"), Instrument(symbol: "ETH-BTC", venueSymbol: "ETHBTC"),
    ]
    let abilities: VenueAbilities = [.countsTrades, .refillsTrades, .noticesLostBookFrames, .tickers]
    private var feed = SampleFeed(instruments: 2)
    private var updates: [UInt64] = [1000, 1000]

    func instrumentList() -> String {
        let symbols = [
            ("BTCUSDT", "BTC", "USDT", "TRADING"), ("ETHBTC", "ETH", "BTC", "TRADING"),
            ("OLDBTC", "OLD", "BTC", "BREAK"),
        ]
        let list = symbols.map { symbol, base, quote, status in
            """
            {"symbol":"\(symbol)","status":"\(status)","baseAsset":"\(base)","baseAssetPrecision":8,"quoteAsset":"\(quote)",\
            "quotePrecision":8,"orderTypes":["LIMIT"],"isSpotTradingAllowed":true,"filters":[{"filterType":"PRICE_FILTER",\
            "minPrice":"0.01000000","maxPrice":"1000000.00000000","tickSize":"0.01000000"},{"filterType":"LOT_SIZE",\
            "minQty":"0.00001000","maxQty":"9000.00000000","stepSize":"0.00001000"}],"permissions":["SPOT"]}
            """
        }
        return
            #"{"timezone":"UTC","serverTime":1700000000000,"rateLimits":[],"symbols":[\#(list.joined(separator: ","))]}"#
    }

    mutating func opened(_ connection: Int) -> [String] { [] }

    mutating func receive(_ text: String, on connection: Int) -> [String] {
        guard let object = text.object, object["method"]?.string != nil, let id = object["id"] else { return [] }
        return [#"{"result":null,"id":\#(id)}"#]
    }

    mutating func respond(to request: VenueRequest) -> VenueAnswer {
        let path = request.target.prefix { $0 != "?" }
        guard let symbol = request.target.parameter("symbol"),
            let index = self.instruments.firstIndex(where: { $0.venueSymbol == symbol })
        else { return .notFound }
        let from = request.target.parameter("fromId").flatMap { UInt64($0) } ?? 0
        let limit = request.target.parameter("limit").flatMap { Int($0) } ?? 500
        switch path {
        case "/api/v3/depth":
            return .text(
                """
                {"lastUpdateId":\(self.updates[index]),"bids":\(self.feed.list(index, .bid)),\
                "asks":\(self.feed.list(index, .ask))}
                """)
        case "/api/v3/historicalTrades", "/api/v3/trades":
            let trades = self.feed.trades[index].filter { $0.number >= from }
            let kept = path.hasSuffix("/trades") ? Array(trades.suffix(limit)) : Array(trades.prefix(limit))
            let list = kept.map { trade in
                """
                {"id":\(trade.number),"price":"\(trade.price)","qty":"\(trade.size)","quoteQty":"1.00",\
                "time":\(trade.time.milliseconds),"isBuyerMaker":\(trade.side == .sell),"isBestMatch":true}
                """
            }
            return .text("[\(list.joined(separator: ","))]")
        default: return .notFound
        }
    }

    mutating func happen(_ event: SampleEvent, on connections: [Int]) -> [(connection: Int, text: String)] {
        self.feed.take(event)
        let text = self.text(of: event)
        return connections.map { ($0, text) }
    }

    private mutating func text(of event: SampleEvent) -> String {
        switch event {
        case .trade(let trade):
            let symbol = self.instruments[trade.instrument].venueSymbol
            let time = trade.time.milliseconds
            return """
                {"stream":"\(symbol.lowercased())@trade","data":{"e":"trade","E":\(time),"s":"\(symbol)","t":\(trade.number),\
                "p":"\(trade.price)","q":"\(trade.size)","T":\(time),"m":\(trade.side == .sell),"M":true}}
                """
        case .book(let index, let changes, let time):
            let symbol = self.instruments[index].venueSymbol
            let first = self.updates[index] + 1
            self.updates[index] += 3
            return """
                {"stream":"\(symbol.lowercased())@depth@100ms","data":{"e":"depthUpdate","E":\(time.milliseconds),\
                "s":"\(symbol)","U":\(first),"u":\(self.updates[index]),"b":\(changes.list(.bid)),"a":\(changes.list(.ask))}}
                """
        case .ticker(let index, let bid, let ask, _):
            let symbol = self.instruments[index].venueSymbol
            self.updates[index] += 1
            return """
                {"stream":"\(symbol.lowercased())@bookTicker","data":{"u":\(self.updates[index]),"s":"\(symbol)",\
                "b":"\(bid.price)","B":"\(bid.size)","a":"\(ask.price)","A":"\(ask.size)"}}
                """
        }
    }
}
