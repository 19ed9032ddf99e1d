import Testing
import TidingsWebSocket

@testable import Tidings
@testable import TidingsSimulation

/// Every venue over real sockets: what subscribers get, HTTP beside it, and every fault.
@Suite(.timeLimit(.minutes(2))) struct VenueSimulatorTests {
    static let names = SimulatedVenues.all.map(\.name)

    private func withSimulator(
        _ venue: String, faults: [String] = [], speed: PlaybackSpeed = .max, recording: String? = nil,
        _ body: (VenueClient, Int) async throws -> Void
    ) async throws {
        var configuration = ExchangeSimulatorConfiguration(venue: venue, source: .generated(seed: 12))
        if let recording { configuration.source = .recording(file: SampleRecordings.file(recording)) }
        configuration.speed = speed
        configuration.startTime = 1_700_000_000_000
        configuration.banTime = .seconds(60)
        configuration.faults = try faults.map { try Fault($0) }
        let simulator = ExchangeSimulator(configuration: configuration)
        let port = try await simulator.start()
        do {
            try await body(VenueClient(try SimulatedVenues.named(venue)), port)
        } catch {
            await simulator.stop()
            throw error
        }
        await simulator.stop()
    }

    private func subscriber(_ client: VenueClient, _ port: Int) async throws -> TestClient {
        let connection = try await TestClient.connect(port: port)
        for message in client.messages() { try connection.send(message) }
        return connection
    }

    /// What a client makes of its frames: trades, and whether each book was whole.
    private struct Heard {
        var trades: [TradeRecord] = []
        var faultyBooks = 0
        var books = 0
        var holes = 0
    }

    private func listen(_ client: VenueClient, _ frames: [String]) -> Heard {
        var heard = Heard()
        var book: SimulatedBook?
        for frame in frames {
            heard.trades += client.trades(frame)
            guard let change = client.bookChange(frame) else { continue }
            heard.books += 1
            if let known = book, let first = change.first, first != known.sequence + 1 { heard.holes += 1 }
            var next = book ?? SimulatedBook(symbol: client.symbol)
            next.apply(change, limit: 100)
            book = next
            var isFaulty = VenueClient.isCrossed(next)
            if client.venue.name == "kraken" {
                isFaulty = VenueClient.checksum(frame) != CRC32.checksum(bids: next.bids, asks: next.asks)
            }
            if isFaulty { heard.faultyBooks += 1 }
        }
        return heard
    }

    @Test(arguments: names)
    func `a subscriber gets its acknowledgement and then trades and books that fit`(name: String) async throws {
        try await self.withSimulator(name) { client, port in
            let connection = try await self.subscriber(client, port)
            let frames = try await connection.wait(for: 1500)
            connection.connection.abort()
            let heard = self.listen(client, frames)
            #expect(heard.books > 200 && heard.faultyBooks == 0 && heard.holes == 0)
            if name != "hyperliquid" {
                #expect(heard.trades.count > 50)
                // Coinbase and Kraken begin with trades of before.
                let ids = heard.trades.map(\.id)
                #expect(zip(ids, ids.dropFirst()).allSatisfy { $0 + 1 == $1 })
            }
            let depth = try await TestHTTP.get(client.bookPath, port: port)
            if name != "hyperliquid" { #expect(depth.status == 200 && depth.body.count > 500) }
        }
    }

    @Test(arguments: names)
    func `corrupt spoils one book so that it shows`(name: String) async throws {
        try await self.withSimulator(name, faults: ["corrupt@10"]) { client, port in
            let connection = try await self.subscriber(client, port)
            let frames = try await connection.wait(for: 1500)
            connection.connection.abort()
            #expect(self.listen(client, frames).faultyBooks > 0)
        }
    }

    @Test(arguments: names.filter { $0 != "hyperliquid" })
    func `a gap loses trades that HTTP still has`(name: String) async throws {
        try await self.withSimulator(name, faults: ["gap@10"]) { client, port in
            let connection = try await self.subscriber(client, port)
            try await connection.wait(for: 1200)
            connection.connection.pauseReading()
            let ids = self.listen(client, connection.frames).trades.map(\.id)
            let missing = zip(ids, ids.dropFirst()).flatMap { $0 + 1 < $1 ? Array(($0 + 1)..<$1) : [] }
            #expect(!missing.isEmpty)
            let path = name == "binance" ? client.tradesPath + "&fromId=\(missing.first ?? 0)" : client.tradesPath
            _ = try await TestHTTP.get(path, port: port)
            if name == "binance" {
                let body = try await TestHTTP.get(path, port: port).body
                for id in missing { #expect(body.contains(#""id":\#(id),"#)) }
                #expect(self.listen(client, connection.frames).holes == 1)
            }
            if name == "coinbase-advanced" {
                let numbers = try connection.frames.compactMap { try JSONObject(json: $0)["sequence_num"]?.int }
                #expect(zip(numbers, numbers.dropFirst()).count { $0 + 1 != $1 } == 1)
            }
            connection.connection.abort()
        }
    }

    @Test(arguments: names)
    func `429 is what handshakes and requests get, with the time to wait`(name: String) async throws {
        try await self.withSimulator(name, faults: ["429@5"]) { client, port in
            let connection = try await self.subscriber(client, port)
            try await connection.waitUntilClosed()
            let error = await #expect(throws: WebSocketError.self) { _ = try await TestClient.connect(port: port) }
            #expect(error?.status == 429)
            let response = try await TestHTTP.get(client.bookPath, port: port)
            #expect(response.status == 429)
            #expect(response.head.lowercased().contains("retry-after:"))
        }
    }

    @Test(arguments: names)
    func `close-1012, drop and garbage`(name: String) async throws {
        try await self.withSimulator(name, faults: ["garbage@4", "close-1012@5", "drop@6"]) { client, port in
            let first = try await self.subscriber(client, port)
            #expect(await first.connection.waitUntilClosed().code == .serviceRestart)
            #expect(first.frames.count { (try? JSONObject(json: $0)) == nil } == 1)
            let second = try await self.subscriber(client, port)
            try await second.waitUntilClosed()
            #expect(await second.connection.waitUntilClosed().code == .abnormal)
            let third = try await self.subscriber(client, port)
            try await third.wait(for: 500)
            third.connection.abort()
        }
    }

    /// How many frames a subscriber gets until a fault at a second of the market.
    private func frames(_ client: VenueClient, until second: Int64) -> Int {
        let venue = client.venue
        var source = GeneratedSource(
            GeneratedMarket(instruments: venue.instruments, seed: 12, start: 1_700_000_000_000), venue: venue)
        var state = SimulatedClient()
        var count = venue.greeting.count
        for message in client.messages() {
            let replies = message.withRawUTF8 { venue.answer($0, client: &state, knows: { _ in true }) }
            source.select(state)
            for reply in replies {
                switch reply {
                case .frame, .acknowledgements: count += 1
                case .acknowledgement(let topic, _):
                    count += 1
                    source.begin(topic) { _ in count += 1 }
                case .begin(let topic): source.begin(topic) { _ in count += 1 }
                }
            }
        }
        var playback = Playback(
            source, speed: .max, faults: [PlannedFault(index: 0, offset: second * 1_000_000_000)], now: 0)
        playback.select(state, now: 0)
        while playback.step(now: 0, emit: { _ in count += 1 }) == .again {}
        return count
    }

    @Test(arguments: names)
    func `a stale connection answers and sends no data`(name: String) async throws {
        try await self.withSimulator(name, faults: ["stale@5"]) { client, port in
            let stale = try await self.subscriber(client, port)
            let count = self.frames(client, until: 5)
            try await stale.wait(for: count)
            for message in client.messages(type: "unsubscribe") + client.messages() { try stale.send(message) }
            let answers = name == "binance" || name == "coinbase" ? 2 : 4
            let frames = try await stale.wait {
                $0.dropFirst(count).count { $0 != #"{"channel":"heartbeat"}"# } == answers
            }
            #expect(frames.dropFirst(count).allSatisfy { client.bookChange($0) == nil && client.trades($0).isEmpty })
            let other = try await self.subscriber(client, port)
            try await other.wait(for: count + 100)
            other.connection.abort()
        }
    }

    @Test(arguments: names)
    func `a half-open connection stays open and sends nothing at all`(name: String) async throws {
        try await self.withSimulator(name, faults: ["half-open@5"]) { client, port in
            let silent = try await self.subscriber(client, port)
            let count = self.frames(client, until: 5)
            try await silent.wait(for: count)
            for message in client.messages(type: "unsubscribe") { try silent.send(message) }
            // By then an answer would have come.
            let other = try await self.subscriber(client, port)
            try await other.wait(for: count + 100)
            other.connection.abort()
            #expect(silent.frames.count == count && silent.connection.isOpen)
        }
    }

    @Test(arguments: names)
    func `slow goes on at the market's own pace`(name: String) async throws {
        try await self.withSimulator(name, faults: ["slow@5"]) { client, port in
            let slow = try await self.subscriber(client, port)
            let count = self.frames(client, until: 5)
            let frames = try await slow.wait(for: count + 1)
            #expect(frames.count < count + 50)
            #expect(self.listen(client, frames).faultyBooks == 0)
        }
    }

    // MARK: Recordings

    @Test(
        .enabled(if: SampleRecordings.areThere, "no recordings beside the project"),
        arguments: [
            ("binance", "binance-spot.jsonl", "NKNUSDT", 150), ("kraken", "kraken.jsonl", "XMR/USD", 100),
            ("coinbase", "coinbase-exchange.jsonl", "SKL-USD", 2500),
        ])
    func `a subscription in the middle of a recording goes on from a book that fits`(
        venue: String, file: String, symbol: String, atLeast: Int
    ) async throws {
        try await self.withSimulator(venue, speed: .times(20), recording: file) { known, port in
            let client = VenueClient(known.venue, symbol)
            let session = RecordedSession(
                try await RecordingReader.read(file: SampleRecordings.file(file), venue: venue), venue: known.venue)
            let truth = try #require(session.book(of: symbol, position: .max, isRepeated: false))
            let connection = try await self.subscriber(client, port)
            // Somewhere in the middle.
            try await connection.wait { $0.count >= atLeast / 2 }
            for message in client.messages(type: "unsubscribe") { try connection.send(message) }
            let count = connection.frames.count
            try await connection.wait {
                $0.dropFirst(count).contains {
                    $0.contains("nsub") || $0.contains("result") || $0.contains("subscriptions")
                }
            }
            let start = connection.frames.count
            for message in client.messages(depth: 1000) { try connection.send(message) }
            var book: SimulatedBook?
            if venue == "binance" {
                // Asked for twice: the first answer would be the one for who was there from the beginning.
                try await connection.wait { $0.dropFirst(start).contains { $0.contains("result") } }
                _ = try await TestHTTP.get(client.bookPath, port: port)
                let body = try await TestHTTP.get(client.bookPath, port: port).body
                if let change = body.withRawUTF8({ client.venue.bookChange(inResponse: $0, to: client.bookPath) }) {
                    book = SimulatedBook(symbol: symbol)
                    book?.apply(change)
                }
            }
            // The recording is over when the last update of the symbol has come.
            let last = try #require(
                try SampleRecordings.received(file).last { client.bookChange($0)?.symbol == symbol })
            let frames = try await connection.wait { $0.last { client.bookChange($0) != nil } == last }
            for frame in frames[start...] {
                guard let change = client.bookChange(frame) else { continue }
                if let last = change.last, last <= book?.sequence ?? 0 { continue }
                if book == nil { #expect(change.isSnapshot) }
                book = book ?? SimulatedBook(symbol: symbol)
                book?.apply(change, limit: venue == "kraken" ? 1000 : .max)
                if venue == "kraken", let book {
                    #expect(VenueClient.checksum(frame) == CRC32.checksum(bids: book.bids, asks: book.asks))
                }
            }
            #expect(book?.numbers == truth.numbers)
        }
    }

    @Test(.enabled(if: SampleRecordings.areThere, "no recordings beside the project"))
    func `a Binance URL that names its streams begins by itself`() async throws {
        try await self.withSimulator("binance", recording: "binance-spot.jsonl") { _, port in
            let client = try await TestClient.connect(
                port: port, path: "/stream?streams=nknusdt@depth@100ms/lrcbtc@depth")
            let frames = try await client.wait(for: 165)
            let expected = try SampleRecordings.received("binance-spot.jsonl").filter {
                $0.contains("nknusdt@depth") || $0.contains("lrcbtc@depth")
            }
            #expect(frames == expected)
            let body = try await TestHTTP.get("/api/v3/depth?symbol=NKNUSDT&limit=1000", port: port).body
            #expect(body.hasPrefix(#"{"lastUpdateId":499869752,"#))
            let later = try await TestHTTP.get("/api/v3/depth?symbol=NKNUSDT&limit=1000", port: port).body
            #expect(!later.hasPrefix(#"{"lastUpdateId":499869752,"#))
        }
    }

    @Test func `an idle Kraken connection hears heartbeats, a Coinbase one of its products`() async throws {
        for (venue, message, expected) in [
            (
                "kraken", #"{"method":"subscribe","params":{"channel":"ohlc","symbol":["ETH/BTC"],"interval":10080}}"#,
                #"{"channel":"heartbeat"}"#
            ),
            ("coinbase", #"{"type":"subscribe","product_ids":["BTC-USD"],"channels":["heartbeat"]}"#, "last_trade_id"),
            ("coinbase-advanced", #"{"type":"subscribe","channel":"heartbeats"}"#, "heartbeat_counter"),
        ] {
            try await self.withSimulator(venue, speed: .times(0.001)) { _, port in
                let client = try await TestClient.connect(port: port)
                try client.send(message)
                try await client.wait { $0.contains { $0.contains(expected) } }
            }
        }
    }
}
