import Foundation
import Testing

@testable import Tidings
@testable import TidingsSimulation

/// What clients send and ask for, well-formed and not.
@Suite struct VenueMessageTests {
    private func answers(_ venue: any SimulatedVenue, _ message: String, _ client: inout SimulatedClient) -> [String] {
        let symbols = Set(venue.instruments.map(\.symbol))
        let replies = message.withRawUTF8 { venue.answer($0, client: &client, knows: { symbols.contains($0) }) }
        return replies.compactMap { reply in
            switch reply {
            case .frame(let bytes), .acknowledgement(_, let bytes), .acknowledgements(_, let bytes):
                String(decoding: bytes, as: UTF8.self)
            case .begin: nil
            }
        }
    }

    @Test(arguments: SimulatedVenues.all.map(\.name))
    func `subscribing and unsubscribing is acknowledged`(name: String) throws {
        let venue = try SimulatedVenues.named(name)
        let client = VenueClient(venue)
        var state = SimulatedClient()
        for message in client.messages() {
            let answers = self.answers(venue, message, &state)
            #expect(answers.count == 1 && !answers[0].contains("rror"), "\(answers)")
        }
        #expect(state.subscriptions == client.topics)
        for message in client.messages(type: "unsubscribe") {
            let answers = self.answers(venue, message, &state)
            #expect(answers.count == 1 && !answers[0].contains("rror"), "\(answers)")
        }
        #expect(state.subscriptions.isEmpty && state.names.isEmpty && state.depths.isEmpty)
    }

    @Test(arguments: SimulatedVenues.all.map(\.name))
    func `a symbol there is not, and words that are no message, are answered with an error`(name: String) throws {
        let venue = try SimulatedVenues.named(name)
        var state = SimulatedClient()
        var messages = ["", "hello", "[]", "{}", "{\"method\":5}", #"{"type":"dance"}"#, #"{"method":"dance"}"#]
        // Binance accepts any stream's name.
        if name != "binance" { messages += VenueClient(venue, "DOGE/NOPE").messages() }
        for message in messages {
            let answers = self.answers(venue, message, &state)
            #expect(!answers.isEmpty && answers.allSatisfy { $0.contains("rror") }, "\(message): \(answers)")
            for answer in answers { #expect(throws: Never.self) { try JSONObject(json: answer) } }
        }
        #expect(state.subscriptions.isEmpty)
    }

    @Test(arguments: SimulatedVenues.all.map(\.name))
    func `no message and no request of any shape is a trap`(name: String) throws {
        let venue = try SimulatedVenues.named(name)
        var seeds = VenueClient(venue).messages() + VenueClient(venue).messages(type: "unsubscribe")
        seeds += [
            #"{"method":"ping","req_id":18446744073709551615}"#, #"{"method":"LIST_SUBSCRIPTIONS","id":null}"#,
            #"{"method":"SET_PROPERTY","params":["combined",true],"id":"a"}"#,
            #"{"type":"subscribe","channels":[{"name":"heartbeat","product_ids":["BTC-USD"]}]}"#,
            #"{"method":"subscribe","params":{"channel":"ohlc","symbol":["BTC/USD"],"interval":5}}"#,
            #"{"method":"subscribe","params":{"channel":"instrument"}}"#,
        ]
        let paths = [
            "/api/v3/historicalTrades?symbol=BTCUSDT&fromId=5&limit=10", "/api/v3/klines?symbol=BTCUSDT&interval=1m",
            "/api/v3/aggTrades?symbol=BTCUSDT&startTime=1", "/api/v3/exchangeInfo?symbols=%5B%22BTCUSDT%22%5D",
            "/api/v3/depth?symbol=BTCUSDT&limit=5", "/0/public/Trades?pair=XBTUSD&since=1&count=5",
            "/0/public/OHLC?pair=XBTUSD&interval=1&since=-5", "/0/public/Depth?pair=XBTUSD&count=2",
            "/products/BTC-USD/trades?after=99&before=1&limit=7", "/products/BTC-USD/candles?start=1&end=2",
            "/api/v3/brokerage/market/products/BTC-USD/ticker?limit=3&start=-9&end=9223372036854775807",
        ]
        var market = GeneratedMarket(instruments: venue.instruments, seed: 1, start: 1_700_000_000_000)
        for _ in 0..<100 { _ = market.step() }
        let snapshot = GeneratedSource(market, venue: venue).snapshot
        var random = SeededGenerator(seed: 2)
        let rounds = ProcessInfo.processInfo.environment["TIDINGS_LONG"] == "1" ? 500_000 : 4000
        var state = SimulatedClient()
        for round in 0..<rounds {
            var message = Array(seeds[round % seeds.count].utf8)
            self.mutate(&message, &random)
            let text = String(decoding: message, as: UTF8.self)
            for answer in self.answers(venue, text, &state) {
                if (try? JSONObject(json: answer)) == nil { Issue.record("\(text) was answered with \(answer)") }
            }
            #expect(state.subscriptions.count <= SimulatedClient.maximumSubscriptions)
            if round % 8 == 0 {
                var path = Array(paths[round / 8 % paths.count].utf8)
                self.mutate(&path, &random)
                let uri = String(decoding: path, as: UTF8.self)
                let response = venue.respond(to: VenueRequest(uri: uri), from: snapshot)
                #expect((200..<600).contains(response.status))
                var opened = SimulatedClient(path: uri)
                venue.open(&opened)
            }
            if round % 50 == 0 { state = SimulatedClient() }
            // The same bytes as a recorded frame.
            text.withRawUTF8 { bytes in
                _ = venue.role(of: bytes)
                _ = venue.bookChange(in: bytes)
                _ = venue.trades(in: bytes)
                _ = venue.corrupted(bytes, from: snapshot)
                _ = venue.numbered(bytes, as: 1)
            }
        }
    }

    private func mutate(_ bytes: inout [UInt8], _ random: inout SeededGenerator) {
        for _ in 0..<random.number(0...4) {
            guard !bytes.isEmpty else { return }
            let place = Int(random.number(0...Int64(bytes.count - 1)))
            switch random.number(0...4) {
            case 0: bytes[place] = UInt8(truncatingIfNeeded: random.next())
            case 1: bytes.remove(at: place)
            case 2: bytes.insert(UInt8(truncatingIfNeeded: random.next() % 96 + 32), at: place)
            case 3: bytes.removeSubrange(place...)
            default: bytes.insert(contentsOf: [UInt8](repeating: UInt8(ascii: "9"), count: 25), at: place)
            }
        }
    }

    @Test func `Binance's URLs name streams`() {
        let venue = BinanceVenue()
        var client = SimulatedClient(path: "/stream?streams=btcusdt@depth@100ms/ethbtc@kline_1m/ethbtc@trade")
        venue.open(&client)
        let expected: Set<Topic> = [
            Topic("depth", "BTCUSDT"), Topic("kline", "ETHBTC", "1m"), Topic("trade", "ETHBTC"),
        ]
        #expect(client.subscriptions == expected && client.isCombined)
        client = SimulatedClient(path: "/ws/btcusdt@depth")
        venue.open(&client)
        #expect(client.subscriptions == [Topic("depth", "BTCUSDT")] && !client.isCombined)
        client = SimulatedClient(path: "/ws")
        venue.open(&client)
        #expect(client.subscriptions.isEmpty)
    }

    @Test func `Kraken's names of pairs are known in all their spellings`() {
        let symbols = ["BTC/USD", "ETH/BTC", "OCEAN/XBT", "SOL/USD"]
        for (text, symbol) in [
            ("XBTUSD", "BTC/USD"), ("XXBTZUSD", "BTC/USD"), ("BTC/USD", "BTC/USD"), ("XETHXXBT", "ETH/BTC"),
            ("OCEANXBT", "OCEAN/XBT"), ("OCEAN/BTC", "OCEAN/XBT"), ("SOLUSD", "SOL/USD"),
        ] {
            #expect(KrakenVenue.symbol(text, among: symbols) == symbol, "\(text)")
        }
        #expect(KrakenVenue.symbol("DOGEUSD", among: symbols) == nil)
    }
}
