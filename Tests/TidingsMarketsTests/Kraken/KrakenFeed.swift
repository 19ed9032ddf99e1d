@testable import Tidings
@testable import TidingsMarkets

/// A session of Kraken with a hand to feed it by.
struct KrakenFeed {
    static let start = Timestamp(nanoseconds: 1_700_000_000_000_000_000, precision: .microseconds)

    var session: KrakenSession
    var now = Self.start
    var output = VenueOutput()

    init(
        _ symbols: [String] = ["BTC-USD"], channels: [MarketChannel] = [.orderBook, .trade], depth: Int = 20,
        kind: OrderBook.Kind = .snapshot, every interval: Duration = .zero, candles: String = "1m",
        scales: (Int, Int)? = nil
    ) {
        let instruments = symbols.compactMap { Kraken().instrument(named: $0) }.map {
            Instrument(
                symbol: $0.symbol, venueSymbol: $0.venueSymbol, kind: $0.kind, priceScale: scales?.0,
                sizeScale: scales?.1)
        }
        self.session = KrakenSession(
            FeedPlan(
                instruments: instruments, channels: channels,
                book: BookPlan(depth: depth, kind: kind, interval: interval), candleInterval: candles))
    }

    @discardableResult
    mutating func open(_ connection: Int = 0) -> VenueOutput {
        self.output.removeAll()
        self.session.opened(connection, at: self.now, into: &self.output)
        return self.output
    }

    @discardableResult
    mutating func close(_ connection: Int = 0) -> VenueOutput {
        self.output.removeAll()
        self.session.closed(connection, at: self.now, into: &self.output)
        return self.output
    }

    @discardableResult
    mutating func tick(after duration: Duration = .milliseconds(100)) -> VenueOutput {
        self.now = self.now.advanced(by: duration)
        self.output.removeAll()
        self.session.tick(at: self.now, into: &self.output)
        return self.output
    }

    @discardableResult
    mutating func resubscribe(_ stream: Int) -> VenueOutput {
        self.output.removeAll()
        self.session.resubscribe(to: stream, at: self.now, into: &self.output)
        return self.output
    }

    @discardableResult
    mutating func receive(_ frame: String, on connection: Int = 0) -> VenueOutput {
        self.output.removeAll()
        let now = self.now
        frame.withRawUTF8 { self.session.receive($0, on: connection, at: now, into: &self.output) }
        return self.output
    }

    @discardableResult
    mutating func answer(_ request: VenueRequest, _ body: String) -> VenueOutput {
        self.answer(request, .body(Array(body.utf8)))
    }

    @discardableResult
    mutating func answer(_ request: VenueRequest, _ answer: VenueAnswer) -> VenueOutput {
        self.output.removeAll()
        self.session.receive(answer, to: request, at: self.now, into: &self.output)
        return self.output
    }

    // MARK: Frames

    static func ack(_ channel: String, _ symbol: String = "BTC/USD", depth: Int = 100) -> String {
        let depth = channel == "book" ? #","depth":\#(depth)"# : ""
        return
            #"{"method":"subscribe","result":{"channel":"\#(channel)","symbol":"\#(symbol)"\#(depth),"snapshot":true},"success":true,"time_in":"x","time_out":"y"}"#
    }

    /// Levels as `price:size`, with a space between two.
    static func book(
        _ type: String, bids: String, asks: String, checksum: UInt32, symbol: String = "BTC/USD", at time: String? = nil
    ) -> String {
        func levels(_ text: String) -> String {
            text.split(separator: " ").map { level in
                let parts = level.split(separator: ":")
                return #"{"price":\#(parts[0]),"qty":\#(parts[1])}"#
            }.joined(separator: ",")
        }
        let time = time.map { #","timestamp":"\#($0)""# } ?? ""
        return
            #"{"channel":"book","type":"\#(type)","data":[{"symbol":"\#(symbol)","bids":[\#(levels(bids))],"asks":[\#(levels(asks))],"checksum":\#(checksum)\#(time)}]}"#
    }

    static func trades(_ ids: [UInt64], type: String = "update", symbol: String = "BTC/USD") -> String {
        let list = ids.map { id in
            #"{"symbol":"\#(symbol)","side":"sell","price":0.5117,"qty":40.0,"ord_type":"market","trade_id":\#(id),"timestamp":"\#(Self.time(id))"}"#
        }
        return #"{"channel":"trade","type":"\#(type)","data":[\#(list.joined(separator: ","))]}"#
    }

    /// Trade n takes place n seconds after the start.
    static func time(_ id: UInt64) -> Timestamp {
        Timestamp(nanoseconds: Self.start.nanoseconds + Int64(id % 1_000_000) * 1_000_000_000, precision: .microseconds)
    }

    static func restTrades(_ ids: [UInt64], last: String = "1") -> String {
        let rows = ids.map { id in
            let seconds = Self.time(id).nanoseconds / 1_000_000_000
            return #"["0.51170","40.00000000",\#(seconds).0001234,"s","m","",\#(id)]"#
        }
        return #"{"error":[],"result":{"XXBTZUSD":[\#(rows.joined(separator: ","))],"last":"\#(last)"}}"#
    }

    // MARK: What came out

    var tradeIDs: [String] {
        self.output.events.compactMap { $0.payload.trade?.tradeID?.description }
    }

    var books: [OrderBook] { self.output.events.compactMap(\.payload.orderBook) }
    var codes: [String] { self.output.problems.map(\.code) }
}

/// The checksum of the levels, written as the feed writes them, by the definition and bit by bit.
func krakenChecksum(bids: String, asks: String) -> UInt32 {
    func digits(_ text: String) -> String {
        text.split(separator: " ").prefix(10).map { level in
            level.split(separator: ":").map { part in
                String(part.filter { $0 != "." }.drop { $0 == "0" })
            }.joined()
        }.joined()
    }
    var state = UInt32.max
    for byte in (digits(asks) + digits(bids)).utf8 {
        state ^= UInt32(byte)
        for _ in 0..<8 { state = state & 1 == 1 ? state >> 1 ^ 0xEDB8_8320 : state >> 1 }
    }
    return ~state
}
