import Testing

@testable import Tidings
@testable import TidingsSimulation

/// The recordings beside the project, each point of them, without sockets.
@Suite(.enabled(if: SampleRecordings.areThere, "no recordings beside the project"))
struct RecordedVenueTests {
    private func session(_ name: String, _ venue: String) throws -> RecordedSession {
        let recording = try RecordingReader.readBlocking(file: SampleRecordings.file("\(name).jsonl"), venue: venue)
        return RecordedSession(recording, venue: try SimulatedVenues.named(venue))
    }

    @Test(arguments: [
        ("binance-spot", "binance", 265), ("coinbase-exchange", "coinbase", 9943), ("kraken", "kraken", 2036),
    ])
    func `everything recorded is played to who wants it all`(name: String, venue: String, count: Int) throws {
        let session = try self.session(name, venue)
        var source = RecordedSource(session)
        source.select(Set(session.topics))
        var frames: [String] = []
        while source.nextOffset != nil { source.advance { frames.append(String(decoding: $0, as: UTF8.self)) } }
        #expect(frames.count == count)
        let all = try SampleRecordings.received("\(name).jsonl")
        // Acknowledgements are given to who asks.
        #expect(frames == all.filter { !$0.contains(#""subscriptions""#) && !$0.hasPrefix(#"{"method":"subscribe""#) })
    }

    @Test func `Kraken's books have the recorded checksum at every point, and so have snapshots made there`() throws {
        let session = try self.session("kraken", "kraken")
        var books: [String: SimulatedBook] = [:]
        var source = RecordedSource(session)
        source.select(Set(session.topics))
        var checked = 0
        var made = 0
        for position in 0..<session.frames.count {
            var text = ""
            source.advance { text = String(decoding: $0, as: UTF8.self) }
            guard let change = text.withRawUTF8({ session.venue.bookChange(in: $0) }) else { continue }
            books[change.symbol, default: SimulatedBook(symbol: change.symbol)].apply(change, limit: 1000)
            let book = try #require(session.book(of: change.symbol, position: position + 1, isRepeated: false))
            if position % 37 == 0 { #expect(book.numbers == books[change.symbol]?.numbers) }
            let recorded = VenueClient.checksum(text)
            #expect(CRC32.checksum(bids: book.bids, asks: book.asks) == recorded)
            checked += 1
            if position % 37 == 0 {
                source.begin(Topic("book", change.symbol)) { frame in
                    made += 1
                    #expect(VenueClient.checksum(String(decoding: frame, as: UTF8.self)) == recorded)
                    var copy = SimulatedBook(symbol: change.symbol)
                    if let whole = session.venue.bookChange(in: frame) { copy.apply(whole) }
                    #expect(copy == book)
                }
            }
        }
        #expect(checked == 1930 && made > 20)
    }

    @Test func `a Coinbase book begun anywhere ends as the one that was begun first`() throws {
        let session = try self.session("coinbase-exchange", "coinbase")
        var random = SeededGenerator(seed: 9)
        for symbol in session.symbols {
            let topic = Topic("level2", symbol)
            let middle = Int(random.number(500...9000))
            var source = RecordedSource(session)
            for _ in 0..<middle { source.advance { _ in } }
            source.select([topic])
            var book = SimulatedBook(symbol: symbol)
            source.begin(topic) { if let change = session.venue.bookChange(in: $0) { book.apply(change) } }
            #expect(!book.bids.isEmpty && !book.asks.isEmpty)
            while source.nextOffset != nil {
                source.advance { if let change = session.venue.bookChange(in: $0) { book.apply(change) } }
            }
            #expect(book == session.book(of: symbol, position: .max, isRepeated: false))
            #expect(!VenueClient.isCrossed(book))
        }
    }

    @Test func `a Binance depth answer fits at every point, and ends in the same book`() throws {
        let session = try self.session("binance-spot", "binance")
        for symbol in ["NKNUSDT", "BLZETH", "LRCBTC", "RUNEEUR"] {
            let truth = session.book(of: symbol, position: .max, isRepeated: false)
            for position in stride(from: 0, through: session.frames.count, by: 11) {
                for isFirst in [true, false] where !isFirst || position == 0 {
                    var source = RecordedSource(session)
                    for _ in 0..<position { source.advance { _ in } }
                    source.select([Topic("depth", symbol)])
                    var book = try #require(
                        GeneratedVenueTests.depth(session.venue, source.snapshot, symbol, isFirst: isFirst))
                    var isNext = false
                    while source.nextOffset != nil {
                        source.advance { frame in
                            guard let change = session.venue.bookChange(in: frame), let first = change.first,
                                let last = change.last, last > book.sequence
                            else { return }
                            #expect(isNext ? first == book.sequence + 1 : first <= book.sequence + 1)
                            isNext = true
                            book.apply(change)
                        }
                    }
                    #expect(book.numbers == truth?.numbers)
                }
            }
        }
    }

    @Test func `without a recorded answer a Binance book begins empty, one before the first update`() throws {
        let session = try self.session("binance-btcusdt-5min", "binance")
        let source = RecordedSource(session)
        let first = try #require(
            GeneratedVenueTests.depth(session.venue, source.snapshot, "BTCUSDT", isFirst: true))
        #expect(first.sequence == 50_093_421_584 && first.bids.isEmpty && first.asks.isEmpty)
        let trades = session.trades(of: "BTCUSDT", position: .max)
        #expect(trades.count == 10_147 && trades.first?.id == 3_735_693_016)
        let last = try #require(session.book(of: "BTCUSDT", position: .max, isRepeated: false))
        #expect(!VenueClient.isCrossed(last) && last.sequence > first.sequence)
        #expect(session.instrument("BTCUSDT") == InstrumentRecord(symbol: "BTCUSDT", priceDigits: 2, sizeDigits: 6))
    }

    @Test func `who asks for single trades of aggregated ones gets those`() throws {
        let session = try self.session("binance-spot", "binance")
        var source = RecordedSource(session)
        source.select([Topic("trade", "NKNUSDT")])
        var frames = 0
        while source.nextOffset != nil { source.advance { _ in frames += 1 } }
        #expect(frames == 1)
    }
}
