@testable import Tidings
@testable import TidingsMarkets

/// A session of Hyperliquid with a hand to feed it by.
struct HyperliquidFeed {
    static let start = Timestamp(nanoseconds: 1_700_000_000_000_000_000, precision: .microseconds)

    var session: HyperliquidSession
    var now = Self.start
    var output = VenueOutput()

    init(
        _ coins: [String] = ["BTC"], channels: [MarketChannel] = MarketChannel.allCases, book: BookPlan = BookPlan(),
        candles: String = "1m"
    ) {
        self.session = HyperliquidSession(
            FeedPlan(
                instruments: coins.compactMap { Hyperliquid().instrument(named: $0) }, channels: channels, book: book,
                candleInterval: candles))
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
    mutating func answer(_ request: VenueRequest, _ answer: VenueAnswer) -> VenueOutput {
        self.output.removeAll()
        self.session.receive(answer, to: request, at: self.now, into: &self.output)
        return self.output
    }

    @discardableResult
    mutating func answer(_ request: VenueRequest, _ body: String) -> VenueOutput {
        self.answer(request, .body(Array(body.utf8)))
    }

    static func ack(_ type: String, _ coin: String = "BTC") -> String {
        #"{"channel":"subscriptionResponse","data":{"method":"subscribe","subscription":{"type":"\#(type)","coin":"\#(coin)"}}}"#
    }

    /// Fills whose number is their time in milliseconds.
    static func fills(_ times: [Int], coin: String = "BTC") -> String {
        let list = times.map {
            #"{"coin":"\#(coin)","side":"B","px":"98450.0","sz":"0.015","hash":"0x","time":\#($0),"tid":\#($0),"users":["0x","0x"]}"#
        }
        return "[\(list.joined(separator: ","))]"
    }

    static func trades(_ times: [Int], coin: String = "BTC") -> String {
        #"{"channel":"trades","data":\#(Self.fills(times, coin: coin))}"#
    }

    static func book(
        _ time: Int, bid: String = "1.0", ask: String = "2.0", size: String = "5", coin: String = "BTC"
    )
        -> String
    {
        #"{"channel":"l2Book","data":{"coin":"\#(coin)","time":\#(time),"levels":[[{"px":"\#(bid)","sz":"\#(size)","n":1}],[{"px":"\#(ask)","sz":"1","n":1}]]}}"#
    }

    static func candle(_ start: Int, _ close: String = "1.5", interval: String = "1m") -> String {
        #"{"t":\#(start),"T":\#(start + 59999),"s":"BTC","i":"\#(interval)","o":"1.0","c":"\#(close)","h":"2.0","l":"0.5","v":"3.25","n":42}"#
    }

    var tradeIDs: [String] {
        self.output.events.compactMap { $0.payload.trade?.tradeID?.description }
    }

    var books: [OrderBook] { self.output.events.compactMap(\.payload.orderBook) }
    var codes: [String] { self.output.problems.map(\.code) }
    var closed: [Bool?] { self.output.events.compactMap(\.payload.candle).map(\.isClosed) }
}
