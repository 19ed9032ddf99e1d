import Testing

@testable import Tidings

@Suite struct ValidationProcessorTests {
    private func problem(_ type: String, _ payload: String) throws -> String? {
        do {
            _ = try ValidationProcessor().process(.foreign(payload, type: type))
            return nil
        } catch let error as EventValidationError {
            return error.description
        }
    }

    private static let trade = #""symbol":"BTC-USD","price":50000.00,"volume":1.5"#

    @Test(arguments: [
        (#"{"symbol":"BTC-USD","price":50000.00,"volume":1.5,"timestamp":"2024-01-15T10:30:00Z"}"#, nil),
        (#"{"symbol":"BTC-USD","price":"50000.00","volume":0,"side":"sell","instrument":"spot"}"#, nil),
        (#"{"symbol":"BTC-USD","price":1e-7,"volume":1,"side":null,"anything":{"price":null}}"#, nil),
        (#"{"price":1,"volume":1}"#, "payload.symbol: is missing"),
        (#"{"symbol":null,"price":1,"volume":1}"#, "payload.symbol: is missing"),
        (#"{"symbol":"","price":1,"volume":1}"#, "payload.symbol: is empty"),
        (#"{"symbol":7,"price":1,"volume":1}"#, "payload.symbol: must be a text"),
        (#"{"symbol":"A","volume":1}"#, "payload.price: is missing"),
        (#"{"symbol":"A","price":1,"price":null,"volume":1}"#, "payload.price: is missing"),
        (#"{"symbol":"A","price":"much","volume":1}"#, "payload.price: must be a number"),
        (#"{"symbol":"A","price":[1],"volume":1}"#, "payload.price: must be a number"),
        (#"{"symbol":"A","price":0.00,"volume":1}"#, "payload.price: must be above 0, was 0.00"),
        (#"{"symbol":"A","price":-1,"volume":1}"#, "payload.price: must be above 0, was -1"),
        (#"{"symbol":"A","price":1}"#, "payload.volume: is missing"),
        (#"{"symbol":"A","price":1,"volume":-0.1}"#, "payload.volume: must not be negative, was -0.1"),
        (#"{"symbol":"A","price":1,"volume":1,"side":"long"}"#, #"payload.side: must be "buy" or "sell", was "long""#),
        (#"{"symbol":"A","price":1,"volume":1,"side":1}"#, "payload.side: must be a text"),
        (
            #"{"symbol":"A","price":1,"volume":1,"instrument":"future"}"#,
            #"payload.instrument: must be "spot" or "perpetual", was "future""#
        ),
        (
            #"{"symbol":"A","price":1,"volume":1,"timestamp":"noon"}"#,
            "payload.timestamp: must be an RFC 3339 date or a Unix number"
        ),
        ("{}", "payload.symbol: is missing"),
        (#"{"pr\u0069ce":0,"symbol":"A","volume":1}"#, "payload.price: must be above 0, was 0"),
    ])
    func `a trade`(payload: String, expected: String?) throws {
        #expect(try self.problem("trade", payload) == expected)
    }

    @Test(arguments: [
        (#"{"symbol":"A","price":1}"#, nil), (#"{"symbol":"A","bid":0,"ask":2}"#, nil),
        (#"{"symbol":"A","bid":3,"ask":2}"#, nil),
        (#"{"symbol":"A","volume":1}"#, "payload.price: is missing, and so are bid and ask"),
        (#"{"symbol":"A","price":0}"#, "payload.price: must be above 0, was 0"),
        (#"{"symbol":"A","bid":-1}"#, "payload.bid: must not be negative, was -1"),
        (#"{"symbol":"A","price":1,"ask_volume":"x"}"#, "payload.ask_volume: must be a number"),
    ])
    func `a ticker`(payload: String, expected: String?) throws {
        #expect(try self.problem("ticker", payload) == expected)
    }

    @Test(arguments: [
        (#"{"symbol":"A","bids":[["1.0","2"]],"asks":[],"kind":"delta"}"#, nil),
        (#"{"symbol":"A","bids":[[2,0]],"asks":[[1,1,"more"]]}"#, nil),
        (#"{"symbol":"A","asks":[]}"#, "payload.bids: is missing"),
        (#"{"symbol":"A","bids":{},"asks":[]}"#, "payload.bids: must be a list of levels"),
        (
            #"{"symbol":"A","bids":[[1,1],[1]],"asks":[]}"#,
            "payload.bids: must be a list of [price, volume], see element 1"
        ),
        (#"{"symbol":"A","bids":[],"asks":[[1,1],[0,1]]}"#, "payload.asks[1][0]: must be above 0, was 0"),
        (#"{"symbol":"A","bids":[[1,-1]],"asks":[]}"#, "payload.bids[0][1]: must not be negative, was -1"),
        (
            #"{"symbol":"A","bids":[],"asks":[],"kind":"all"}"#,
            #"payload.kind: must be "snapshot" or "delta", was "all""#
        ),
        (#"{"symbol":"A","bids":[],"asks":[],"sequence":-1}"#, "payload.sequence: must be a count"),
    ])
    func `an order book`(payload: String, expected: String?) throws {
        #expect(try self.problem("order_book", payload) == expected)
    }

    @Test(arguments: [
        (
            #"{"symbol":"BTC-USD","open":49500.00,"high":50200.00,"low":49300.00,"close":50000.00,"volume":1250.5,"#
                + #""timestamp":"2024-01-15T10:00:00Z"}"#, nil
        ),
        (
            #"{"symbol":"A","open":1,"high":1,"low":2,"close":1,"volume":0,"timestamp":1}"#,
            "payload.high: is below low: 1 < 2"
        ),
        (
            #"{"symbol":"A","open":3,"high":2,"low":1,"close":1,"volume":0,"timestamp":1}"#,
            "payload.open: is not between low and high"
        ),
        (
            #"{"symbol":"A","open":1,"high":2,"low":1,"close":0.9,"volume":0,"timestamp":1}"#,
            "payload.close: is not between low and high"
        ),
        (#"{"symbol":"A","open":1,"high":2,"low":1,"close":1,"volume":0}"#, "payload.timestamp: is missing"),
        (#"{"symbol":"A","open":1,"high":2,"low":1,"close":1,"timestamp":1}"#, "payload.volume: is missing"),
        (#"{"symbol":"A","open":1,"high":2,"low":1,"volume":1,"timestamp":1}"#, "payload.close: is missing"),
        (
            #"{"symbol":"A","open":1,"high":2,"low":1,"close":1,"volume":0,"timestamp":1,"closed":1}"#,
            "payload.closed: must be true or false"
        ),
    ])
    func `a candle`(payload: String, expected: String?) throws {
        #expect(try self.problem("ohlcv", payload) == expected)
    }

    @Test func `our own payloads are judged as they are held`() throws {
        func problem(_ type: EventType, _ payload: Payload) -> String? {
            do throws(EventValidationError) {
                try ValidationProcessor().validate(StandardEvent(eventType: type, source: "t", payload: payload))
                return nil
            } catch {
                return error.description
            }
        }
        #expect(problem(.trade, .trade(Trade(symbol: "A", price: 1, volume: 1))) == nil)
        #expect(
            problem(.trade, .trade(Trade(symbol: "A", price: 0, volume: 1))) == "payload.price: must be above 0, was 0")
        let bad = OrderBook.Level(price: 1, volume: -1)
        let book = OrderBook(symbol: "A", bids: [bad], asks: [], bestBid: bad, bestAsk: nil)
        #expect(problem(.orderBook, .orderBook(book)) == "payload.bids[0][1]: must not be negative, was -1")
        #expect(problem(.ticker, .ticker(Ticker(symbol: "A"))) == "payload.price: is missing, and so are bid and ask")
        // The type says what it has to be, not the payload.
        #expect(problem(.ticker, .trade(Trade(symbol: "A", price: 1, volume: 1))) == nil)
        #expect(problem(.ohlcv, .trade(Trade(symbol: "A", price: 1, volume: 1))) == "payload.open: is missing")
    }

    @Test func `other types pass, whatever they hold`() throws {
        #expect(try self.problem("custom", #"{"price":-1}"#) == nil)
        #expect(try self.problem("trade.mine", "{}") == nil)
    }

    @Test func `the chain refuses with the field named and a report`() throws {
        let chain = IngressChain(processors: [ValidationProcessor()])
        let bad = try StandardEvent.foreign(#"{"symbol":"A","volume":1}"#, type: "trade")
        let verdict = try #require(chain.transform([bad], fresh: 1))
        #expect(verdict.refusals[0] == EventBusError(.refused, "payload.price: is missing"))
        let rejection = verdict.rejections[0]
        #expect(rejection.field == "payload.price" && rejection.processor == "validate")
        #expect(rejection.report?.payload["error_code"] == "VALIDATION")
        #expect(rejection.report?.payload["message"] == "payload.price: is missing")
    }

    @Test func `arbitrary payloads are judged without a trap`() throws {
        var random = SeededGenerator(seed: 5)
        let names = [
            "symbol", "price", "volume", "bids", "asks", "open", "high", "low", "close", "timestamp", "side", "trades",
        ]
        for _ in 0..<10_000 {
            let members = (0..<random.below(8)).map { _ in
                "\"\(random.pick(names))\":\(RandomJSON.value(&random, depth: 3))"
            }
            let payload = "{" + members.joined(separator: ",") + "}"
            _ = try self.problem(random.pick(["trade", "ticker", "order_book", "ohlcv"]), payload)
        }
    }
}
