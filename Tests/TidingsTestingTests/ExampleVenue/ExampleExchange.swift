import Tidings
import TidingsMarkets
import TidingsTesting

/// The other side of ``ExampleVenue``.
struct ExampleExchange: VenueExchange {
    let instruments = [
        Instrument(symbol: "BTC-USD", venueSymbol: "BTC_USD"), Instrument(symbol: "ETH-USD", venueSymbol: "ETH_USD"),
    ]
    let abilities: VenueAbilities = [.countsTrades, .refillsTrades, .noticesLostBookFrames, .tickers]
    let venue: any Venue
    private var books = [SampleBook(), SampleBook()]
    private var bookNumbers: [UInt64] = [0, 0]
    private var quotes: UInt64 = 0
    private var trades: [[(number: UInt64, text: String)]] = [[], []]

    init(venue: any Venue = ExampleVenue()) {
        self.venue = venue
    }

    func instrumentList() -> String { #"{"markets":["BTC_USD","ETH_USD","DOGE_USD"]}"# }

    mutating func opened(_ connection: Int) -> [String] { [] }

    mutating func receive(_ text: String, on connection: Int) -> [String] {
        var text = text
        let read = text.withUTF8 { bytes in try? JSONObject(json: UnsafeRawBufferPointer(bytes)) }
        guard let object = read, object["op"]?.string == "subscribe", let channel = object["channel"]?.string,
            let market = object["market"]?.string,
            let index = self.instruments.firstIndex(where: { $0.venueSymbol == market })
        else { return [] }
        let answer = #"{"type":"subscribed","channel":"\#(channel)","market":"\#(market)"}"#
        return channel == "book" ? [answer, self.wholeBook(index)] : [answer]
    }

    mutating func respond(to request: VenueRequest) -> VenueAnswer {
        guard case .lostTrades(let index, let range) = request.purpose else {
            return .failure(status: 404, reason: "no such path")
        }
        let trades = self.trades[index].filter { range.contains($0.number) }.map(\.text).joined(separator: ",")
        return .body(Array(#"{"trades":[\#(trades)]}"#.utf8))
    }

    mutating func happen(_ event: SampleEvent, on connections: [Int]) -> [(connection: Int, text: String)] {
        let text = self.text(of: event)
        return connections.map { ($0, text) }
    }

    private mutating func text(of event: SampleEvent) -> String {
        switch event {
        case .trade(let trade):
            let market = self.instruments[trade.instrument].venueSymbol
            let text = """
                {"type":"trade","market":"\(market)","number":\(trade.number),"price":"\(trade.price)",\
                "size":"\(trade.size)","taker":"\(trade.side.rawValue)","time":\(trade.time.nanoseconds / 1_000_000)}
                """
            self.trades[trade.instrument].append((trade.number, text))
            return text
        case .book(let index, let changes, let time):
            self.books[index].apply(changes)
            self.bookNumbers[index] += 1
            return self.book(
                index, changes.filter { $0.side == .bid }.map { ($0.price, $0.size) },
                changes.filter { $0.side == .ask }.map { ($0.price, $0.size) },
                #""time":\#(time.nanoseconds / 1_000_000)"#)
        case .ticker(let index, let bid, let ask, let time):
            self.quotes += 1
            return """
                {"type":"quote","market":"\(self.instruments[index].venueSymbol)","number":\(self.quotes),\
                "bid":"\(bid.price)","ask":"\(ask.price)","time":\(time.nanoseconds / 1_000_000)}
                """
        }
    }

    private func wholeBook(_ index: Int) -> String {
        self.book(
            index, self.books[index].levels(.bid).map { ($0.price, $0.size) },
            self.books[index].levels(.ask).map { ($0.price, $0.size) }, #""whole":true"#)
    }

    private func book(
        _ index: Int, _ bids: [(String, String)], _ asks: [(String, String)], _ rest: String
    ) -> String {
        func list(_ levels: [(String, String)]) -> String {
            levels.map { #"["\#($0.0)","\#($0.1)"]"# }.joined(separator: ",")
        }
        return """
            {"type":"book","market":"\(self.instruments[index].venueSymbol)","number":\(self.bookNumbers[index]),\
            "bids":[\(list(bids))],"asks":[\(list(asks))],\(rest)}
            """
    }
}
