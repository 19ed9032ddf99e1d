import Tidings
import TidingsMarkets
import TidingsTesting

/// Kraken's second WebSocket API as its documentation has it: numbers without quotes, and a checksum on every book.
struct KrakenExchange: VenueExchange {
    let venue: any Venue = Kraken()
    let instruments = [
        Instrument(symbol: "BTC-USD", venueSymbol: "BTC/USD"), Instrument(symbol: "ETH-EUR", venueSymbol: "ETH/EUR"),
    ]
    let abilities: VenueAbilities = [.countsTrades, .refillsTrades, .noticesLostBookFrames, .tickers]
    private var feed = SampleFeed(instruments: 2)

    func instrumentList() -> String {
        """
        {"error":[],"result":{"XXBTZUSD":{"altname":"XBTUSD","wsname":"XBT/USD","aclass_base":"currency","base":"XXBT",\
        "aclass_quote":"currency","quote":"ZUSD","pair_decimals":2,"lot_decimals":3,"lot_multiplier":1,"status":"online"},\
        "XETHZEUR":{"altname":"ETHEUR","wsname":"ETH/EUR","base":"XETH","quote":"ZEUR","pair_decimals":2,"lot_decimals":3,\
        "status":"online"},"OLDUSD":{"altname":"OLDUSD","wsname":"OLD/USD","base":"OLD","quote":"ZUSD","pair_decimals":2,\
        "lot_decimals":3,"status":"cancel_only"}}}
        """
    }

    mutating func opened(_ connection: Int) -> [String] {
        [
            """
            {"channel":"status","type":"update","data":[{"system":"online","api_version":"v2",\
            "connection_id":12393906104898154338,"version":"2.0.4"}]}
            """
        ]
    }

    mutating func receive(_ text: String, on connection: Int) -> [String] {
        guard let object = text.object, let method = object["method"]?.string else { return [] }
        let id = object["req_id"].map { #","req_id":\#($0)"# } ?? ""
        let times = #""time_in":"2023-11-14T22:13:20.000000Z","time_out":"2023-11-14T22:13:20.000001Z""#
        if method == "ping" { return [#"{"method":"pong"\#(id),\#(times)}"#] }
        guard let parameters = object["params"]?.object, let channel = parameters["channel"]?.string else { return [] }
        var frames: [String] = []
        for symbol in (parameters["symbol"]?.array ?? []).compactMap(\.string) {
            guard let index = self.instruments.firstIndex(where: { $0.venueSymbol == symbol }) else {
                frames.append(
                    #"{"error":"Currency pair not supported \#(symbol)","method":"\#(method)","success":false\#(id),\#(times)}"#
                )
                continue
            }
            let depth = channel == "book" ? #","depth":\#(parameters["depth"]?.int ?? 10)"# : ""
            frames.append(
                """
                {"method":"\(method)","result":{"channel":"\(channel)","symbol":"\(symbol)"\(depth),"snapshot":true},\
                "success":true\(id),\(times)}
                """)
            guard method == "subscribe", parameters["snapshot"]?.bool != false else { continue }
            if channel == "book" {
                frames.append(self.book(index, "snapshot", self.levels(index, .bid), self.levels(index, .ask), nil))
            } else if channel == "trade", !self.feed.trades[index].isEmpty {
                let trades = self.feed.trades[index].suffix(50).map { self.trade($0) }
                frames.append(#"{"channel":"trade","type":"snapshot","data":[\#(trades.joined(separator: ","))]}"#)
            }
        }
        return frames
    }

    mutating func respond(to request: VenueRequest) -> VenueAnswer { .notFound }

    mutating func happen(_ event: SampleEvent, on connections: [Int]) -> [(connection: Int, text: String)] {
        self.feed.take(event)
        let text: String
        switch event {
        case .trade(let trade): text = #"{"channel":"trade","type":"update","data":[\#(self.trade(trade))]}"#
        case .book(let index, let changes, let time):
            func side(_ side: LocalBook.Side) -> [(String, String)] {
                changes.filter { $0.side == side }.map { ($0.price, $0.size) }
            }
            text = self.book(index, "update", side(.bid), side(.ask), time)
        case .ticker(let index, let bid, let ask, _):
            text = """
                {"channel":"ticker","type":"update","data":[{"symbol":"\(self.instruments[index].venueSymbol)",\
                "bid":\(bid.price),"bid_qty":\(bid.size),"ask":\(ask.price),"ask_qty":\(ask.size),"last":100.00,\
                "volume":1000.500,"vwap":100.10,"low":98.00,"high":102.00,"change":-0.10,"change_pct":-0.10}]}
                """
        }
        return connections.map { ($0, text) }
    }

    private func trade(_ trade: SampleTrade) -> String {
        """
        {"symbol":"\(self.instruments[trade.instrument].venueSymbol)","side":"\(trade.side.rawValue)","price":\(trade.price),\
        "qty":\(trade.size),"ord_type":"market","trade_id":\(trade.number),"timestamp":"\(trade.time)"}
        """
    }

    private func levels(_ index: Int, _ side: LocalBook.Side) -> [(String, String)] {
        self.feed.books[index].levels(side).map { ($0.price, $0.size) }
    }

    private func book(
        _ index: Int, _ type: String, _ bids: [(String, String)], _ asks: [(String, String)], _ time: Timestamp?
    ) -> String {
        func list(_ levels: [(String, String)]) -> String {
            levels.map { #"{"price":\#($0.0),"qty":\#($0.1)}"# }.joined(separator: ",")
        }
        let timestamp = time.map { #","timestamp":"\#($0)""# } ?? ""
        return """
            {"channel":"book","type":"\(type)","data":[{"symbol":"\(self.instruments[index].venueSymbol)",\
            "bids":[\(list(bids))],"asks":[\(list(asks))],"checksum":\(self.checksum(index))\(timestamp)}]}
            """
    }

    /// Ten asks, then ten bids, best first: prices and sizes without points and without zeros in front, through CRC-32.
    private func checksum(_ index: Int) -> UInt32 {
        let levels = self.levels(index, .ask).prefix(10) + self.levels(index, .bid).prefix(10)
        let numbers = levels.flatMap { [$0.0, $0.1] }
        let text = String(numbers.flatMap { number in number.filter { $0 != "." }.drop { $0 == "0" } })
        var register: UInt32 = 0xFFFF_FFFF
        for byte in text.utf8 {
            register ^= UInt32(byte)
            for _ in 0..<8 { register = register & 1 == 1 ? register >> 1 ^ 0xEDB8_8320 : register >> 1 }
        }
        return ~register
    }
}
