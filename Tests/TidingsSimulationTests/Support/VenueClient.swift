@testable import Tidings
@testable import TidingsSimulation

/// What a careful client of a venue does with frames, in a few lines, for one symbol: subscribe, and keep a book.
struct VenueClient {
    let venue: any SimulatedVenue
    let symbol: String

    init(_ venue: any SimulatedVenue, _ symbol: String? = nil) {
        self.venue = venue
        self.symbol = symbol ?? venue.instruments[0].symbol
    }

    /// The messages that subscribe to book and trades of the symbol; of all heartbeats too where there are any.
    func messages(depth: Int = 100, type: String = "subscribe") -> [String] {
        let name = "\"\(self.symbol)\""
        switch self.venue.name {
        case "hyperliquid":
            return ["l2Book", "trades"].map {
                #"{"method":"\#(type)","subscription":{"type":"\#($0)","coin":\#(name)}}"#
            }
        case "binance":
            let stream = self.symbol.lowercased()
            return [
                #"{"method":"\#(type.uppercased())","params":["\#(stream)@depth@100ms","\#(stream)@trade"],"id":1}"#
            ]
        case "coinbase":
            return [#"{"type":"\#(type)","product_ids":[\#(name)],"channels":["level2","matches"]}"#]
        case "coinbase-advanced":
            return ["level2", "market_trades"].map {
                #"{"type":"\#(type)","product_ids":[\#(name)],"channel":"\#($0)"}"#
            }
        default:
            return [
                #"{"method":"\#(type)","params":{"channel":"book","symbol":[\#(name)],"depth":\#(depth)}}"#,
                #"{"method":"\#(type)","params":{"channel":"trade","symbol":[\#(name)]}}"#,
            ]
        }
    }

    var topics: Set<Topic> { [self.venue.bookTopic(of: self.symbol), self.venue.tradeTopics(of: self.symbol)[0]] }

    /// Where the venue's newest trades and its book are to be had.
    var tradesPath: String {
        switch self.venue.name {
        case "binance": "/api/v3/historicalTrades?symbol=\(self.symbol)&limit=1000"
        case "coinbase": "/products/\(self.symbol)/trades?limit=1000"
        case "coinbase-advanced": "/api/v3/brokerage/market/products/\(self.symbol)/ticker?limit=1000"
        case "kraken": "/0/public/Trades?pair=\(KrakenVenue.restName(of: self.symbol))&count=1000"
        default: "/info"
        }
    }

    var bookPath: String {
        switch self.venue.name {
        case "binance": "/api/v3/depth?symbol=\(self.symbol)&limit=5000"
        case "coinbase": "/products/\(self.symbol)/book?level=2"
        case "coinbase-advanced": "/api/v3/brokerage/market/product_book?product_id=\(self.symbol)&limit=1000"
        case "kraken": "/0/public/Depth?pair=\(KrakenVenue.restName(of: self.symbol))&count=500"
        default: "/info"
        }
    }

    func bookChange(_ frame: String) -> BookChange? { frame.withRawUTF8 { self.venue.bookChange(in: $0) } }

    func trades(_ frame: String) -> [TradeRecord] { frame.withRawUTF8 { self.venue.trades(in: $0) } }

    /// Best prices that a change leaves crossed.
    static func isCrossed(_ book: SimulatedBook) -> Bool {
        guard let bid = book.bids.first.flatMap({ DecimalUnits($0.price) }),
            let ask = book.asks.first.flatMap({ DecimalUnits($0.price) })
        else { return false }
        return bid >= ask
    }

    /// Kraken's checksum in a frame.
    static func checksum(_ frame: String) -> UInt32? {
        guard let object = try? JSONObject(json: frame) else { return nil }
        return object["data"]?.array?.first?.object?["checksum"]?.int.flatMap { UInt32(exactly: $0) }
    }
}

extension SimulatedBook {
    /// Prices and sizes as numbers, whatever zeros they are written with.
    var numbers: [[DecimalUnits?]] {
        [self.bids, self.asks].map { side in side.flatMap { [DecimalUnits($0.price), DecimalUnits($0.size)] } }
    }
}

extension SimulatedVenue {
    /// The texts of what `first` makes, and so on.
    static func text(_ frame: [UInt8]) -> String { String(decoding: frame, as: UTF8.self) }
}
