import NIOHTTP1
import Testing
import Tidings

@testable import TidingsGateway

@Suite(.timeLimit(.minutes(1)))
struct OrderBookTests {
    private static func levels(_ text: String) -> [OrderBook.Level] {
        text.split(separator: " ").map { pair in
            let parts = pair.split(separator: "x").map { ExactDecimal(String($0)) ?? 0 }
            return OrderBook.Level(price: parts[0], volume: parts[1])
        }
    }

    private static func book(
        _ bids: String, _ asks: String, kind: OrderBook.Kind = .snapshot, sequence: UInt64? = 1,
        source: Name = "binance", symbol: Name = "BTC-USDT", venueSymbol: Name? = "BTCUSDT"
    ) -> StandardEvent {
        let (bids, asks) = (Self.levels(bids), Self.levels(asks))
        return StandardEvent(
            eventType: .orderBook, source: source,
            payload: .orderBook(
                OrderBook(
                    symbol: symbol, kind: kind, bids: bids, asks: asks, bestBid: bids.first, bestAsk: asks.first,
                    sequence: sequence, timestamp: Timestamp("2024-01-15T10:30:00.123Z"),
                    context: MarketContext(venueSymbol: venueSymbol, instrument: .spot))))
    }

    private static func status(
        _ state: String, symbol: String? = nil, reason: String? = nil, source: Name = "binance"
    ) -> StandardEvent {
        var members: [(String, JSONValue)] = [
            ("connector", .string(source.description)), ("state", .string(state)),
        ]
        if let symbol { members.append(("symbol", .string(symbol))) }
        if let reason { members.append(("reason", .string(reason))) }
        return StandardEvent(eventType: .connectorStatus, source: source, payload: .object(JSONObject(members)))
    }

    private static let path = "/api/v1/order-books/"

    @Test func `a book is what its snapshot and its changes make, with every digit`() async throws {
        try await GatewayHarness.run { gateway in
            _ = try await gateway.bus.publish(Self.book("100.50x1.00 100x2 99x3", "101x1 102.000x5", sequence: 7))
            let first = try await gateway.request("GET", Self.path + "BTC-USDT")
            #expect(first.status == 200)
            #expect(
                first.body
                    == #"{"symbol":"BTC-USDT","source":"binance","venue_symbol":"BTCUSDT","state":"live","#
                    + #""timestamp":"2024-01-15T10:30:00.123Z","sequence":7,"bids":[[100.50,1.00],[100,2],[99,3]],"#
                    + #""asks":[[101,1],[102.000,5]]}"#)
            _ = try await gateway.bus.publish(
                Self.book("100.5x0 100x9 98x1", "100.9x4 102x0 103x1", kind: .delta, sequence: 8))
            let second = try await gateway.request("GET", Self.path + "BTC-USDT?depth=3&source=binance")
            #expect(
                second.body.contains(#""sequence":8,"bids":[[100,9],[99,3],[98,1]],"asks":[[100.9,4],[101,1],[103,1]]"#)
            )
            let best = try await gateway.request("GET", Self.path + "BTC-USDT?depth=1")
            #expect(best.body.contains(#""bids":[[100,9]],"asks":[[100.9,4]]"#))
        }
    }

    @Test func `many changes add up to the book`() async throws {
        let books = OrderBookProjection()
        books.observe(Self.book("100x1", "200x1"))
        for number in 1...500 {
            books.observe(Self.book("\(number % 90 + 1)x\(number)", "", kind: .delta, sequence: UInt64(number)))
        }
        let book = try #require(books.find("BTC-USDT", source: nil).first?.book)
        #expect(book.bids.count == 91 && book.bids.first?.price == 100 && book.sequence == 500)
        #expect(zip(book.bids, book.bids.dropFirst()).allSatisfy { $0.price > $1.price })
        #expect(book.bids.first { $0.price == ExactDecimal(500 % 90 + 1) }?.volume == 500)
    }

    @Test func `it is found by either spelling in any case`() async throws {
        try await GatewayHarness.run { gateway in
            _ = try await gateway.bus.publish(
                Self.book("1x1", "2x1", source: "kraken", symbol: "BTC-USD", venueSymbol: "XBT/USD"))
            for symbol in ["BTC-USD", "btc-usd", "XBT%2FUSD", "xbt%2fusd"] {
                #expect(try await gateway.request("GET", Self.path + symbol).status == 200, "\(symbol)")
            }
            for path in ["ETH-USD", "BTC-USD?source=binance"] {
                let answer = try await gateway.request("GET", Self.path + path)
                #expect(try answer.status == 404 && answer.object["code"]?.string == "not_found")
            }
        }
    }

    @Test func `of several venues one has to be named`() async throws {
        try await GatewayHarness.run { gateway in
            _ = try await gateway.bus.publish(Self.book("1x1", "2x1"))
            _ = try await gateway.bus.publish(Self.book("3x1", "4x1", source: "kraken", venueSymbol: "BTC/USDT"))
            let answer = try await gateway.request("GET", Self.path + "BTC-USDT")
            #expect(try answer.status == 400 && answer.object["field"]?.string == "source")
            #expect(try answer.object["detail"]?.string?.contains("binance, kraken") == true)
            let one = try await gateway.request("GET", Self.path + "BTC-USDT?source=kraken")
            #expect(try one.status == 200 && one.object["source"]?.string == "kraken")
        }
    }

    @Test(arguments: [
        ("depth=0", "depth"), ("depth=x", "depth"), ("source=a&source=b", "source"), ("limit=1", "limit"),
    ])
    func `a bad parameter is named`(query: String, field: String) async throws {
        try await GatewayHarness.run { gateway in
            _ = try await gateway.bus.publish(Self.book("1x1", "2x1"))
            let answer = try await gateway.request("GET", Self.path + "BTC-USDT?" + query)
            #expect(try answer.status == 400 && answer.object["field"]?.string == field)
        }
    }

    @Test(
        arguments: [
            ("stale", nil), ("resyncing", "BTC-USDT"), ("reconnecting", nil), ("stopped", nil),
            ("resyncing", "BTCUSDT"),
        ] as [(String, String?)])
    func `a book that is not live is not told, until its next event`(state: String, symbol: String?) async throws {
        try await GatewayHarness.run { gateway in
            _ = try await gateway.bus.publish(Self.book("1x1", "2x1"))
            _ = try await gateway.bus.publish(
                Self.book("3x1", "4x1", symbol: "ETH-USDT", venueSymbol: "ETHUSDT"))
            _ = try await gateway.bus.publish(Self.book("5x1", "6x1", source: "kraken", symbol: "SOL-USD"))
            _ = try await gateway.bus.publish(Self.status(state, symbol: symbol, reason: "no data for 30 s"))
            let answer = try await gateway.request("GET", Self.path + "BTC-USDT")
            #expect(try answer.status == 503 && answer.object["code"]?.string == "stale")
            #expect(try answer.object["detail"]?.string?.contains("\(state): no data for 30 s") == true)
            #expect(answer.headers.first(name: "retry-after") == "1")
            #expect(answer.headers.first(name: "content-type") == "application/problem+json")
            // Only the books concerned.
            let other = try await gateway.request("GET", Self.path + "ETH-USDT")
            #expect(other.status == (symbol == nil ? 503 : 200))
            #expect(try await gateway.request("GET", Self.path + "SOL-USD").status == 200)
            _ = try await gateway.bus.publish(Self.status("subscribed", symbol: symbol ?? "BTC-USDT"))
            #expect(try await gateway.request("GET", Self.path + "BTC-USDT").status == 503)
            _ = try await gateway.bus.publish(Self.book("7x1", "8x1", sequence: 9))
            #expect(try await gateway.request("GET", Self.path + "BTC-USDT").status == 200)
        }
    }

    @Test func `a book that did not change while it was mended is live when the connector says so`() async throws {
        try await GatewayHarness.run { gateway in
            _ = try await gateway.bus.publish(Self.book("1x1", "2x1"))
            for (symbol, reason) in [("BTC-USDT", "the order book is whole again"), (nil, nil)] as [(String?, String?)]
            {
                _ = try await gateway.bus.publish(Self.status("resyncing", symbol: symbol, reason: "a gap"))
                #expect(try await gateway.request("GET", Self.path + "BTC-USDT").status == 503)
                _ = try await gateway.bus.publish(Self.status("subscribed", symbol: symbol, reason: reason))
                #expect(try await gateway.request("GET", Self.path + "BTC-USDT").status == 200)
            }
        }
    }

    @Test func `changes without a snapshot are no book`() async throws {
        try await GatewayHarness.run { gateway in
            _ = try await gateway.bus.publish(Self.book("1x1", "2x1", kind: .delta))
            let answer = try await gateway.request("GET", Self.path + "BTC-USDT")
            #expect(try answer.status == 503 && answer.object["detail"]?.string?.contains("no snapshot") == true)
        }
    }

    @Test func `what was published before the tap is taken from the log, under what came since`() {
        let books = OrderBookProjection()
        books.observe(Self.book("10x5", "", kind: .delta, sequence: 3))
        books.observe(Self.book("50x1", "60x1", sequence: 1, symbol: "ETH-USDT", venueSymbol: "ETHUSDT"))
        books.seed([
            Self.book("10x1 9x1", "20x1", sequence: 1), Self.book("8x1", "", kind: .delta, sequence: 2),
            Self.book("1x1", "2x1", sequence: 0, symbol: "ETH-USDT", venueSymbol: "ETHUSDT"),
            Self.book("1x1", "2x1", sequence: 0, symbol: "SOL-USDT", venueSymbol: "SOLUSDT"),
            Self.status("stale", symbol: "SOL-USDT"),
        ])
        let book = books.find("BTC-USDT", source: nil).first?.book
        #expect(book?.bids == Self.levels("10x5 9x1 8x1") && book?.sequence == 3)
        #expect(books.find("ETH-USDT", source: nil).first?.book?.bids == Self.levels("50x1"))
        #expect(books.find("SOL-USDT", source: nil).first?.trouble == "stale")
    }

    @Test func `there are so many books at most`() {
        let books = OrderBookProjection(capacity: 32)
        for number in 0..<100 { books.observe(Self.book("1x1", "2x1", symbol: Name("S\(number)"), venueSymbol: nil)) }
        #expect(books.find("S99", source: nil).count == 1 && books.find("S0", source: nil).isEmpty)
    }

    @Test func `a book posted as JSON is a book`() async throws {
        try await GatewayHarness.run { gateway in
            let event =
                #"{"event_type":"order_book","source":"mine","payload":{"symbol":"A-B","bids":[["1.10","2"]],"asks":[[1.2,3]]}}"#
            #expect(try await gateway.post(event).status == 202)
            let answer = try await gateway.request("GET", Self.path + "a-b")
            #expect(answer.body.contains(#""bids":[[1.10,2]],"asks":[[1.2,3]]"#))
        }
    }
}
