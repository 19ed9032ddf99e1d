import Testing

@testable import Tidings
@testable import TidingsMarkets

@Suite struct BinanceStreamTests {
    typealias Feed = BinanceFeed

    // MARK: Subscriptions

    @Test func `everything is subscribed to in one message`() {
        var feed = Feed(["BTC-USDT", "ETH-BTC"])
        feed.open()
        #expect(
            feed.output.outgoing.map(\.text) == [
                #"{"method":"SUBSCRIBE","params":["btcusdt@trade","btcusdt@bookTicker","btcusdt@ticker","btcusdt@depth@100ms","btcusdt@kline_1m","ethbtc@trade","ethbtc@bookTicker","ethbtc@ticker","ethbtc@depth@100ms","ethbtc@kline_1m"],"id":1}"#
            ])
        #expect(feed.output.outgoing.map(\.connection) == [1])
    }

    @Test func `two hundred streams go into one message, and a stream is confirmed when all of its own are`() {
        var feed = Feed((0..<100).map { "A\($0)-USDT" }, channels: [.trade, .ticker])
        feed.open()
        #expect(feed.output.outgoing.count == 2)
        feed.receive(#"{"result":null,"id":1}"#)
        #expect(feed.output.notices.count == 133)
        feed.receive(#"{"id":2,"result":null}"#)
        #expect(feed.output.notices.count == 201)
        #expect(feed.output.notices.last == .ready(connection: 1))
        feed.receive(#"{"id":2,"result":null}"#)
        #expect(feed.output.notices.count == 201)
    }

    @Test func `what does not fit one connection is left out and told of`() {
        var feed = Feed((0..<300).map { "A\($0)-USDT" })
        feed.open()
        let names = feed.output.outgoing.flatMap { $0.text.split(separator: "\"").filter { $0.contains("@") } }
        #expect(names.count == 1020)
        #expect(feed.output.codes == ["SUBSCRIPTION"])
        #expect(feed.output.problems[0].message.contains("96 symbols from A204-USDT on"))
    }

    @Test(arguments: [
        #"{"code":2,"msg":"Invalid request: unknown variant","id":1}"#,
        #"{"error":{"code":2,"msg":"Invalid request: unknown variant"},"id":1}"#,
        #"{"id":1,"msg":"Invalid request: unknown variant","code":2}"#,
    ])
    func `a refusal is told with what it was about`(frame: String) {
        var feed = Feed(channels: [.trade])
        feed.open()
        feed.receive(frame)
        #expect(feed.output.codes == ["SUBSCRIPTION"])
        #expect(
            feed.output.problems[0].message
                == "binance: Invalid request: unknown variant (code 2), for 1 streams from btcusdt@trade on")
        #expect(feed.output.problems[0].details.description == #"{"streams":["btcusdt@trade"],"code":2}"#)
        #expect(feed.output.notices.isEmpty)
    }

    @Test func `a connection is ready when everything is confirmed and every book is whole`() {
        var feed = Feed(channels: [.trade, .orderBook])
        feed.open()
        feed.acknowledge()
        #expect(feed.output.notices == [.confirmed(stream: 0), .confirmed(stream: 1)])
        feed.answer(Feed.snapshot(1))
        #expect(feed.output.notices.last == .ready(connection: 1))
        feed.wait(.seconds(1))
        #expect(feed.output.notices.count == 3)
    }

    @Test func `a replacement is ready after both have run side by side for a while`() {
        var feed = Feed(channels: [.trade, .orderBook])
        feed.open()
        feed.acknowledge()
        feed.answer(Feed.snapshot(1))
        feed.output.removeAll()
        feed.open(2)
        feed.acknowledge()
        #expect(!feed.output.notices.contains(.ready(connection: 2)))
        feed.wait(.milliseconds(900))
        #expect(!feed.output.notices.contains(.ready(connection: 2)))
        feed.wait(.milliseconds(100))
        #expect(feed.output.notices.contains(.ready(connection: 2)))
    }

    @Test func `answers to the messages of a lost connection confirm nothing on the next`() {
        var feed = Feed(channels: [.trade])
        feed.open()
        feed.close()
        feed.open(2)
        feed.receive(#"{"result":null,"id":1}"#, on: 2)
        #expect(feed.output.notices.isEmpty)
        feed.receive(#"{"result":null,"id":2}"#, on: 2)
        #expect(feed.output.notices == [.confirmed(stream: 0), .ready(connection: 2)])
    }

    @Test func `a server that goes down is left before it does, once`() {
        var feed = Feed()
        feed.open()
        feed.receive(#"{"e":"serverShutdown","E":1700000000000}"#)
        #expect(feed.output.replacement == .planned(reason: "binance is about to shut this server down"))
        feed.output.removeAll()
        feed.receive(#"{"stream":"!serverShutdown","data":{"e":"serverShutdown","E":1700000000000}}"#)
        #expect(feed.output.replacement == nil)
        feed.open(2)
        feed.receive(#"{"e":"serverShutdown","E":1}"#, on: 1)
        #expect(feed.output.replacement == nil)
        feed.receive(#"{"e":"serverShutdown","E":1}"#, on: 2)
        #expect(feed.output.replacement != nil)
    }

    @Test func `a silent ticker is subscribed to anew on the newest connection`() {
        var feed = Feed(["BTC-USDT", "ETH-USDT"], channels: [.trade, .ticker])
        feed.open(1)
        feed.open(2)
        feed.output.removeAll()
        feed.session.resubscribe(to: 3, at: feed.now, into: &feed.output)
        #expect(feed.output.outgoing.map(\.connection) == [2, 2])
        #expect(
            feed.output.outgoing[1].text
                == #"{"method":"SUBSCRIBE","params":["ethusdt@bookTicker","ethusdt@ticker"],"id":4}"#)
        feed.session.resubscribe(to: 99, at: feed.now, into: &feed.output)
        #expect(feed.output.outgoing.count == 2)
    }

    @Test func `frames tell which stream they are about`() {
        var feed = Feed(["ETH-USDT", "BTC-USDT"])
        feed.open()
        feed.trade(1)
        feed.bookTicker(1)
        feed.update(1, 1)
        feed.update(2, 2)
        #expect(feed.output.heard == [4, 5, 6])
    }

    // MARK: Tickers and candles

    @Test func `best prices become a ticker without a time of the venue`() throws {
        var feed = Feed()
        feed.open()
        feed.bookTicker(400)
        let said1 = feed.take()
        let event = try #require(said1.events.first)
        #expect(event.timestamp == Feed.start)
        #expect(
            event.payload.description
                == #"{"symbol":"BTC-USDT","bid":61685.99000000,"ask":61686.00000000,"bid_volume":1.25869000,"ask_volume":2.44816000,"venue_symbol":"BTCUSDT","instrument":"spot","received_at":"2023-11-14T22:13:20.000000Z"}"#
        )
    }

    @Test func `best prices that another connection has brought already are dropped`() {
        var feed = Feed()
        feed.open(1)
        feed.bookTicker(400)
        feed.bookTicker(400)
        #expect(feed.output.events.count == 1)
        feed.open(2)
        feed.bookTicker(399, on: 2)
        feed.bookTicker(401, on: 1)
        feed.bookTicker(400, on: 2)
        feed.bookTicker(401, on: 2)
        #expect(feed.output.events.count == 2)
        // On a connection of its own a lower number is no repetition: the venue may count anew.
        feed.close(1)
        feed.close(2)
        feed.open(3)
        feed.bookTicker(5, on: 3)
        #expect(feed.output.events.count == 3)
    }

    @Test func `the day's ticker has last price, volume, best prices and time`() throws {
        var feed = Feed()
        feed.open()
        let frame =
            #"{"e":"24hrTicker","E":1672515782136,"s":"BTCUSDT","p":"0.0015","P":"250.00","w":"0.0018","x":"0.0009","c":"0.0025","Q":"10","b":"0.0024","B":"10","a":"0.0026","A":"100","o":"0.0010","h":"0.0025","l":"0.0010","v":"10000","q":"18","O":0,"C":86400000,"F":0,"L":18150,"n":18151}"#
        feed.receive(frame)
        let said2 = feed.take()
        let event = try #require(said2.events.first)
        #expect(
            event.payload.description
                == #"{"symbol":"BTC-USDT","price":0.0025,"volume":10000,"bid":0.0024,"ask":0.0026,"bid_volume":10,"ask_volume":100,"timestamp":"2022-12-31T19:43:02.136Z","venue_symbol":"BTCUSDT","instrument":"spot","received_at":"2023-11-14T22:13:20.000000Z"}"#
        )
        #expect(event.timestamp == event.payload.ticker?.timestamp)
        feed.open(2)
        feed.receive(frame, on: 2)
        let said3 = feed.take()
        #expect(said3.events.isEmpty)
    }

    private static func kline(_ closed: Bool, _ interval: String = "1m") -> String {
        #"{"e":"kline","E":1672515782136,"s":"BTCUSDT","k":{"t":1672515780000,"T":1672515839999,"s":"BTCUSDT","i":"\#(interval)","f":100,"L":200,"o":"0.0010","c":"0.0020","h":"0.0025","l":"0.0015","v":"1000","n":100,"x":\#(closed),"q":"1.0000","V":"500","Q":"0.500","B":"123456"}}"#
    }

    @Test(arguments: [false, true])
    func `a kline becomes a candle of its start`(isClosed: Bool) throws {
        var feed = Feed()
        feed.open()
        feed.receive(Self.kline(isClosed))
        feed.receive(Self.kline(isClosed, "5m"))
        let output = feed.take()
        try #require(output.events.count == 1)
        #expect(
            output.events[0].payload.description
                == #"{"symbol":"BTC-USDT","interval":"1m","open":0.0010,"high":0.0025,"low":0.0015,"close":0.0020,"volume":1000,"trades":100,"closed":\#(isClosed),"timestamp":"2022-12-31T19:43:00.000Z","venue_symbol":"BTCUSDT","instrument":"spot","received_at":"2023-11-14T22:13:20.000000Z"}"#
        )
    }

    @Test func `times in microseconds are understood`() throws {
        var feed = Feed()
        feed.open()
        feed.receive(
            #"{"e":"trade","E":1700000000101123,"s":"BTCUSDT","t":1,"p":"1","q":"1","T":1700000000100123,"m":false,"M":true}"#
        )
        let said4 = feed.take()
        #expect(said4.events.first?.timestamp.description == "2023-11-14T22:13:20.100123Z")
    }

    // MARK: Shapes

    @Test func `members may come in any order, with white space, as numbers or as texts`() {
        let frames = [
            #"{"stream":"btcusdt@trade","data":{"e":"trade","E":1700000000101,"s":"BTCUSDT","t":1,"p":"2.50","q":"3","T":1700000000100,"m":true,"M":true}}"#,
            #"{"data":{"M":true,"m":true,"T":1700000000100,"q":3,"p":2.50,"t":"1","s":"BTCUSDT","E":1,"e":"trade"},"stream":"btcusdt@trade"}"#,
            #"{"e":"trade","E":1700000000101,"s":"BTCUSDT","t":1,"p":"2.50","q":"3","b":88,"a":50,"T":1700000000100,"m":true,"M":true}"#,
            " { \"e\" : \"trade\", \"s\":\"BTC\\u0055SDT\",\"t\":1,\"p\":\"2.50\",\"q\":\"3\",\"T\":1700000000100,\"m\":true}\n",
        ]
        var texts: Set<String> = []
        var ids: Set<EventID> = []
        for frame in frames {
            var feed = Feed()
            feed.open()
            feed.receive(frame)
            let output = feed.take()
            #expect(output.problems.isEmpty)
            for event in output.events {
                texts.insert(event.payload.description)
                ids.insert(event.eventID)
            }
        }
        #expect(texts.count == 1)
        #expect(ids.count == 1)
    }

    @Test(arguments: [
        "", "{", "[]", "null", "7", "\u{0}", "{}", #"{"x":1}"#, #"{"e":"trade"}"#, #"{"e":"trade","s":"BTCUSDT"}"#,
        #"{"e":"trade","E":1,"s":"BTCUSDT","t":1,"p":"NaN","q":"1","T":1,"m":true}"#,
        #"{"e":"trade","E":1,"s":"BTCUSDT","t":-1,"p":"1","q":"1","T":1,"m":true}"#,
        #"{"e":"trade","E":1,"s":"BTCUSDT","t":1,"p":"1","q":"1","T":99999999999999999999,"m":true}"#,
        #"{"e":"depthUpdate","E":1,"s":"BTCUSDT","U":5,"u":4,"b":[],"a":[]}"#,
        #"{"e":"depthUpdate","E":1,"s":"BTCUSDT","U":5,"u":6,"b":"1","a":[]}"#,
        #"{"u":1,"s":"BTCUSDT","b":"1"}"#, #"{"e":"kline","E":1,"s":"BTCUSDT","k":7}"#,
        #"{"e":"24hrTicker","E":1,"s":"BTCUSDT"}"#, #"{"lastUpdateId":1,"bids":[]}"#,
        #"{"stream":"btcusdt@trade","data":{"e":"trade","E":1,"s":"BTCUSDT","t":1,"p":"1","q":"1","T":1,"m":true}}x"#,
    ])
    func `a frame that makes no sense is a PARSE problem and no event`(frame: String) {
        var feed = Feed()
        feed.open()
        feed.receive(frame)
        #expect(feed.output.events.isEmpty)
        #expect(feed.output.codes == ["PARSE"])
    }

    @Test(arguments: [
        #"{"e":"avgPrice","E":1,"s":"BTCUSDT","i":"5m","w":"1","T":1}"#, #"{"e":"1hTicker","E":1,"s":"BTCUSDT"}"#,
        #"{"e":"trade","E":1,"s":"DOGEUSDT","t":1,"p":"1","q":"1","T":1,"m":true,"M":true}"#,
        #"{"u":1,"s":"A","b":"1","B":"1","a":"2","A":"1"}"#, #"{"stream":"!miniTicker@arr","data":[{}]}"#,
        #"{"stream":"dogeusdt@depth5","data":{"lastUpdateId":1,"bids":[],"asks":[]}}"#, #"{"id":7,"result":["x"]}"#,
        #"{"e":"trade","E":1,"s":"AVERYLONGSYMBOLTHATDOESNOTFITTWOWORDS","t":1,"p":"1","q":"1","T":1,"m":true,"M":true}"#,
    ])
    func `kinds and symbols that are not collected are passed over`(frame: String) {
        var feed = Feed()
        feed.open()
        feed.receive(frame)
        #expect(feed.output.events.isEmpty && feed.output.problems.isEmpty && feed.output.heard.isEmpty)
    }

    @Test func `channels that are not collected are passed over`() {
        var feed = Feed(channels: [])
        feed.open()
        feed.trade(1)
        feed.bookTicker(1)
        feed.update(1, 1)
        feed.receive(Self.kline(true))
        #expect(feed.output.events.isEmpty && feed.output.requests.isEmpty && feed.output.heard.isEmpty)
        #expect(feed.book == nil)
    }

    @Test func `each of many symbols is found, short, long and very long`() {
        let symbols = (0..<500).map { "\(String(repeating: "X", count: $0 % 20))A\($0)-USDT" }
        var feed = Feed(symbols, channels: [.trade])
        for (index, symbol) in symbols.enumerated() {
            feed.trade(1, of: symbol.replacing("-", with: ""))
            #expect(feed.output.events.last?.symbol == Name(symbol))
            #expect(feed.output.heard.last == index)
        }
        #expect(feed.output.events.count == 500)
    }
}
