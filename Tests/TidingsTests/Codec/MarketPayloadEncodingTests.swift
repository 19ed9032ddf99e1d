import Testing
import Tidings

/// Our own market payloads, members in the order of the contract's table.
@Suite struct MarketPayloadEncodingTests {
    let context = MarketContext(
        venueSymbol: "BTC", instrument: .perpetual, receivedAt: Timestamp("2024-01-15T10:30:00.200Z"))
    let moment = Timestamp("2024-01-15T10:30:00.123Z")!

    func decimal(_ text: String) throws -> ExactDecimal {
        try #require(ExactDecimal(text))
    }

    static let contextJSON = #""venue_symbol":"BTC","instrument":"perpetual","received_at":"2024-01-15T10:30:00.200Z""#

    @Test func `a trade`() throws {
        let trade = Trade(
            symbol: "BTC-USD", price: try self.decimal("50000.00"), volume: try self.decimal("0.0010"),
            timestamp: self.moment, side: .buy, tradeID: TradeID(12), context: self.context)
        #expect(
            Payload.trade(trade).description
                == #"{"symbol":"BTC-USD","price":50000.00,"volume":0.0010,"timestamp":"2024-01-15T10:30:00.123Z","#
                + #""side":"buy","trade_id":"12","# + Self.contextJSON + "}")
        #expect(
            Payload.trade(Trade(symbol: "X", price: 1, volume: 2, side: .sell, tradeID: TradeID("a\"b"))).description
                == #"{"symbol":"X","price":1,"volume":2,"side":"sell","trade_id":"a\"b"}"#)
    }

    @Test func `a ticker`() throws {
        let ticker = Ticker(
            symbol: "BTC-USD", price: 1, volume: try self.decimal("2.50"), bid: 3, ask: 4, bidVolume: 5, askVolume: 6,
            timestamp: self.moment, context: self.context)
        #expect(
            Payload.ticker(ticker).description
                == #"{"symbol":"BTC-USD","price":1,"volume":2.50,"bid":3,"ask":4,"bid_volume":5,"ask_volume":6,"#
                + #""timestamp":"2024-01-15T10:30:00.123Z","# + Self.contextJSON + "}")
        #expect(Payload.ticker(Ticker(symbol: "X", bid: 1)).description == #"{"symbol":"X","bid":1}"#)
    }

    @Test func `an order book`() {
        let bids = [OrderBook.Level(price: 10, volume: 1), OrderBook.Level(price: 9, volume: 2)]
        let asks = [OrderBook.Level(price: 11, volume: 3)]
        let book = OrderBook(
            symbol: "BTC-USD", bids: bids, asks: asks, bestBid: bids[0], bestAsk: asks[0], sequence: 42,
            timestamp: self.moment, context: self.context)
        #expect(
            Payload.orderBook(book).description
                == #"{"symbol":"BTC-USD","bid":10,"ask":11,"bid_volume":1,"ask_volume":3,"bids":[[10,1],[9,2]],"#
                + #""asks":[[11,3]],"kind":"snapshot","sequence":42,"timestamp":"2024-01-15T10:30:00.123Z","#
                + Self.contextJSON + "}")
        let delta = OrderBook(symbol: "X", kind: .delta, bids: [], asks: [], bestBid: nil, bestAsk: nil)
        #expect(Payload.orderBook(delta).description == #"{"symbol":"X","bids":[],"asks":[],"kind":"delta"}"#)
    }

    @Test func `a candle`() {
        var candle = Candle(
            symbol: "BTC-USD", interval: "1m", open: 1, high: 4, low: 0, close: 2, volume: 10, trades: 7,
            isClosed: false, timestamp: self.moment, context: self.context)
        let start =
            #"{"symbol":"BTC-USD","interval":"1m","open":1,"high":4,"low":0,"close":2,"volume":10,"trades":7,"#
            + #""closed":false,"timestamp":"2024-01-15T10:30:00.123Z","# + Self.contextJSON
        #expect(Payload.candle(candle).description == start + "}")
        candle.origin = "kraken"
        #expect(Payload.candle(candle).description == start + #","of":"kraken"}"#)
    }
}
