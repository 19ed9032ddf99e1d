import Testing
import Tidings

/// Market payloads read from JSON that somebody else wrote.
@Suite struct MarketPayloadDecodingTests {
    func payload(_ json: String) throws -> Payload {
        .object(try JSONObject(json: json))
    }

    @Test func `a trade may give its numbers as text and leave out what is optional`() throws {
        let trade = try #require(
            try self.payload(#"{"volume":"0.0010","price":"50000.00","symbol":"BTC-USD","more":[1]}"#).trade)
        #expect(trade.symbol == "BTC-USD")
        #expect(trade.price.description == "50000.00")
        #expect(trade.volume.description == "0.0010")
        #expect(trade.timestamp == nil && trade.side == nil && trade.tradeID == nil)
        #expect(trade.context == MarketContext())
    }

    @Test func `a trade with everything is read with everything`() throws {
        let trade = try #require(
            try self.payload(
                #"{"symbol":"BTC-USD","price":1,"volume":2,"timestamp":"2024-01-15T10:30:00.123Z","side":"sell","#
                    + #""trade_id":12,"venue_symbol":"BTC","instrument":"perpetual","received_at":1705314600123}"#
            ).trade)
        #expect(trade.timestamp?.description == "2024-01-15T10:30:00.123Z")
        #expect(trade.side == .sell)
        #expect(trade.tradeID == TradeID(12))
        #expect(trade.context.venueSymbol == "BTC")
        #expect(trade.context.instrument == .perpetual)
        #expect(trade.context.receivedAt?.description == "2024-01-15T10:30:00.123Z")
    }

    @Test func `null and other kinds are as good as absent`() throws {
        let trade = try #require(
            try self.payload(
                #"{"symbol":"X","price":1,"volume":2,"timestamp":null,"side":null,"trade_id":null,"#
                    + #""venue_symbol":3,"instrument":"future","received_at":{"a":[]}}"#
            ).trade)
        #expect(trade.timestamp == nil && trade.side == nil && trade.tradeID == nil)
        #expect(trade.context == MarketContext())
    }

    @Test(arguments: [
        "{}", #"{"price":1,"volume":2}"#, #"{"symbol":"X","volume":2}"#, #"{"symbol":"X","price":1}"#,
        #"{"symbol":null,"price":1,"volume":2}"#, #"{"symbol":"X","price":null,"volume":2}"#,
        #"{"symbol":"X","price":"one","volume":2}"#, #"{"symbol":"X","price":"NaN","volume":2}"#,
        #"{"symbol":"X","price":true,"volume":2}"#, #"{"symbol":"X","price":[1],"volume":2}"#,
        #"{"symbol":"X","price":"","volume":2}"#, #"{"symbol":5,"price":1,"volume":2}"#,
        #"{"symbol":"X","price":" 1","volume":2}"#,
    ])
    func `a trade without symbol, price or volume is none`(json: String) throws {
        #expect(try self.payload(json).trade == nil)
    }

    @Test func `a ticker needs only its symbol`() throws {
        let empty = try #require(try self.payload(#"{"symbol":"X"}"#).ticker)
        #expect(empty == Ticker(symbol: "X"))
        let full = try #require(
            try self.payload(
                #"{"symbol":"X","price":"1","volume":2,"bid":"3.0","ask":4,"bid_volume":5,"ask_volume":"6","#
                    + #""timestamp":1}"#
            ).ticker)
        #expect(full.price == 1 && full.volume == 2 && full.bid == 3 && full.ask == 4)
        #expect(full.bidVolume == 5 && full.askVolume == 6 && full.timestamp == Timestamp(seconds: 1))
        #expect(try self.payload("{}").ticker == nil)
    }

    @Test func `an order book is read with its levels as numbers or text`() throws {
        let book = try #require(
            try self.payload(
                #"{"symbol":"X","bid":"1.5","bid_volume":2,"bids":[["1.5",2],[1,"3",7]],"asks":[],"kind":"delta","#
                    + #""sequence":"42"}"#
            ).orderBook)
        #expect(book.kind == .delta)
        #expect(book.bids.map(\.price.description) == ["1.5", "1"])
        #expect(book.bids.map(\.volume.description) == ["2", "3"])
        #expect(book.asks.isEmpty)
        #expect(book.bestBid == OrderBook.Level(price: 1.5, volume: 2))
        #expect(book.bestAsk == nil)
        #expect(book.sequence == 42)
    }

    @Test(arguments: [
        #"{"symbol":"X","bids":[]}"#, #"{"symbol":"X","bids":[],"asks":null}"#, #"{"bids":[],"asks":[]}"#,
        #"{"symbol":"X","bids":[[1]],"asks":[]}"#, #"{"symbol":"X","bids":[{"price":1}],"asks":[]}"#,
        #"{"symbol":"X","bids":[[1,null]],"asks":[]}"#, #"{"symbol":"X","bids":[1,2],"asks":[]}"#,
        #"{"symbol":"X","bids":"none","asks":[]}"#, #"{"symbol":"X","bids":{},"asks":[]}"#,
        #"{"symbol":"X","bids":[["a","b"]],"asks":[]}"#,
    ])
    func `a book with levels that are none is no book`(json: String) throws {
        #expect(try self.payload(json).orderBook == nil)
    }

    @Test func `a candle is read with all of its members`() throws {
        let json =
            #"{"symbol":"X","interval":"1m","open":1,"high":"4.0","low":0.5,"close":2,"volume":10,"trades":7,"#
            + #""closed":true,"timestamp":"2024-01-15T10:30:00Z","of":"kraken"}"#
        let candle = try #require(try self.payload(json).candle)
        #expect(candle.interval == "1m" && candle.high == 4 && candle.trades == 7 && candle.isClosed == true)
        #expect(candle.origin == "kraken")
        for key in ["symbol", "open", "high", "low", "close", "volume", "timestamp"] {
            #expect(Payload.object(try JSONObject(json: json).setting(key, to: nil)).candle == nil, "without \(key)")
        }
    }

    @Test func `members spelt with escapes are found`() throws {
        #expect(try self.payload(#"{"s\u0079mbol":"X","pr\u0069ce":"\u0031","volume":2}"#).trade?.price == 1)
    }

    @Test(arguments: ["-0", "007", "+7", "18446744073709551616", "7.0", "", "abc", "7"])
    func `a trade's identifier comes out as it went in`(text: String) throws {
        #expect(TradeID(text).description == text)
        let trade = try #require(
            try self.payload(#"{"symbol":"X","price":1,"volume":2,"trade_id":"# + "\"\(text)\"}").trade)
        #expect(trade.tradeID == TradeID(text))
        #expect(trade.tradeID?.description == text)
    }

    @Test func `a typed payload can be asked for other kinds and answers with nothing`() {
        let payload = Payload.trade(Trade(symbol: "X", price: 1, volume: 2))
        #expect(payload.orderBook == nil && payload.candle == nil && payload.ticker == nil)
        #expect(payload["price"]?.int == 1)
        #expect(payload["nothing"] == nil)
    }
}
