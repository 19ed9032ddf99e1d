import Foundation
import Testing
import TidingsSimulation
import TidingsTestSupport

@testable import Tidings
@testable import TidingsMarkets

private typealias Files = TidingsTestSupport.Recording

private let files = [
    "hyperliquid-btc.jsonl", "binance-btcusdt-5min.jsonl", "binance-spot.jsonl", "coinbase-exchange.jsonl",
    "kraken.jsonl",
]

/// Every recorded session, played through its venue, makes what an independent script says it holds.
@Suite(
    .enabled(
        if: files.allSatisfy { Files.isThere($0) } && RecordingFacts.python != nil,
        "../shared/recordings or python3 is not here"))
struct RecordedVenueTests {
    private func play(
        _ file: String, book: BookPlan = BookPlan()
    ) throws -> (facts: RecordingFacts, symbols: [String], play: RecordedPlay) {
        let path = Files.folder.appending(path: file)
        let facts = try RecordingFacts.of(path)
        let venue = try Venues.named(facts.venue)
        let symbols = facts.markets.keys.sorted()
        let instruments = try symbols.map { symbol in
            let instrument = venue.instrument(named: facts.markets[symbol]?.venue_symbol ?? symbol)
            return try #require(instrument, "\(symbol)")
        }
        #expect(instruments.map(\.symbol) == symbols)
        let recording = try RecordingReader.readBlocking(file: path.path, venue: facts.venue)
        var play = RecordedPlay(recording, venue: venue, instruments: instruments, book: book)
        play.run()
        return (facts, symbols, play)
    }

    @Test(arguments: files)
    func `a recording makes the events and ends with the books that are in it`(file: String) throws {
        let (facts, symbols, play) = try self.play(file)
        let bySymbol = Dictionary(grouping: play.events) { $0.symbol?.description ?? "" }
        #expect(Set(bySymbol.keys).isSubset(of: facts.markets.keys))
        for (index, symbol) in symbols.enumerated() {
            let market = try #require(facts.markets[symbol])
            let events = bySymbol[symbol] ?? []
            let counts = Dictionary(grouping: events) { $0.eventType.description }.mapValues(\.count)
            #expect(counts == market.counts, "\(symbol)")
            self.compareTrades(events, market, symbol)
            self.compareTickers(events, market, symbol)
            // Books.
            let (book, isLive) = try #require(play.session.book(of: index), "\(symbol)")
            #expect(isLive, "\(symbol)")
            #expect(self.levels(book, .bid) == market.bids, "\(symbol)")
            #expect(self.levels(book, .ask) == market.asks, "\(symbol)")
            let last = events.last { $0.eventType == .orderBook }?.payload.orderBook
            #expect(last?.bids == book.best(20, .bid), "\(symbol)")
            #expect(last?.asks == book.best(20, .ask), "\(symbol)")
        }
        #expect(Set(play.events.map(\.eventID)).count == play.events.count, "two events have one identifier")
        #expect(play.notices.allSatisfy { if case .resyncing = $0 { false } else { true } })
        let allowed = self.allowedProblems(facts)
        #expect(play.problems.map(\.code).filter { !allowed.contains($0) } == [])
        #expect(play.replacements == [])
    }

    /// The trades of the Kraken recording have made-up numbers with holes; Coinbase's candles are asked for over HTTP, and
    /// are in no recording.
    private func allowedProblems(_ facts: RecordingFacts) -> Set<String> {
        switch facts.venue {
        case "kraken": ["SEQUENCE_GAP"]
        case "coinbase": ["CONNECTION"]
        default: []
        }
    }

    private func compareTrades(_ events: [StandardEvent], _ market: RecordingFacts.Market, _ symbol: String) {
        let trades = events.compactMap(\.payload.trade)
        func text(_ trade: Trade?) -> [String]? {
            trade.map { [$0.price.description, $0.volume.description, $0.side?.rawValue ?? ""] }
        }
        #expect(text(trades.first) == market.first_trade, "\(symbol)")
        #expect(text(trades.last) == market.last_trade, "\(symbol)")
        #expect(self.sum(trades.map(\.volume)) == ExactDecimal(market.volume), "\(symbol)")
        #expect(self.sum(trades.filter { $0.side == .buy }.map(\.volume)) == ExactDecimal(market.bought), "\(symbol)")
    }

    private func compareTickers(_ events: [StandardEvent], _ market: RecordingFacts.Market, _ symbol: String) {
        let tickers = events.compactMap(\.payload.ticker)
        func text(_ ticker: Ticker?) -> [String: String]? {
            ticker.map { ticker in
                [
                    "price": ticker.price, "volume": ticker.volume, "bid": ticker.bid, "ask": ticker.ask,
                    "bid_volume": ticker.bidVolume, "ask_volume": ticker.askVolume,
                ].compactMapValues { $0?.description }
            }
        }
        #expect(text(tickers.first) == market.first_ticker, "\(symbol)")
        #expect(text(tickers.last) == market.last_ticker, "\(symbol)")
    }

    private func levels(_ book: LocalBook, _ side: LocalBook.Side) -> [[String]] {
        book.best(.max, side).map { [$0.price.description, $0.volume.description] }
    }

    /// Exact, without a binary floating-point number.
    private func sum(_ numbers: [ExactDecimal]) -> ExactDecimal? {
        let scale = numbers.compactMap { $0.compact?.scale }.max() ?? 0
        var sum: Int64 = 0
        for number in numbers {
            guard let (mantissa, own) = number.compact else { return nil }
            sum += mantissa * Int64(powerOfTen(Int(scale - own)))
        }
        return ExactDecimal(mantissa: sum, scale: scale)
    }

    @Test func `every checksum of the Kraken recording is right, and no book was asked for again`() throws {
        let (facts, _, play) = try self.play("kraken.jsonl")
        let checks = facts.markets.values.reduce(into: [:]) { sums, market in
            sums.merge(market.updates ?? [:], uniquingKeysWith: +)
        }
        #expect(checks == ["checksum matches": 1930])
        #expect(play.problems.allSatisfy { $0.code != "CHECKSUM" })
    }

    @Test(arguments: ["binance-btcusdt-5min.jsonl", "binance-spot.jsonl"])
    func `every Binance update is in the book or older than it`(file: String) throws {
        let (facts, _, play) = try self.play(file)
        let updates = facts.markets.values.reduce(into: [:]) { sums, market in
            sums.merge(market.updates ?? [:], uniquingKeysWith: +)
        }
        #expect(Set(updates.keys).isSubset(of: ["applied", "in the snapshot already"]))
        let frames = play.recording.frames.filter { frame in
            frame.kind == .received
                && String(decoding: play.recording.text(of: frame), as: UTF8.self).contains(#""e":"depthUpdate""#)
        }
        #expect(updates.values.reduce(0, +) == frames.count)
    }

    @Test(arguments: files)
    func `deltas of a recording add up to its books`(file: String) throws {
        let (_, symbols, play) = try self.play(file, book: BookPlan(depth: 10, kind: .delta))
        for (index, symbol) in symbols.enumerated() {
            var told = LocalBook()
            for payload in play.events.compactMap(\.payload.orderBook) where payload.symbol.description == symbol {
                if payload.kind == .snapshot { told = LocalBook() }
                for level in payload.bids { told.set(.bid, price: level.price, size: level.volume) }
                for level in payload.asks { told.set(.ask, price: level.price, size: level.volume) }
                #expect(told.bestBid == payload.bestBid)
                #expect(told.bestAsk == payload.bestAsk)
            }
            let book = try #require(play.session.book(of: index)).book
            #expect(told.best(.max, .bid) == book.best(10, .bid), "\(symbol)")
            #expect(told.best(.max, .ask) == book.best(10, .ask), "\(symbol)")
        }
    }

    @Test(arguments: files)
    func `the same recording gives the same events, byte for byte`(file: String) throws {
        let (first, second) = (try self.play(file).play.events, try self.play(file).play.events)
        #expect(first.map(\.json) == second.map(\.json))
    }
}
