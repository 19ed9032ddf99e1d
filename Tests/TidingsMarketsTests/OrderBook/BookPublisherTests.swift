import Foundation
import Testing
import TidingsSimulation

@testable import Tidings
@testable import TidingsMarkets

@Suite struct BookPublisherTests {
    private static let instrument = Instrument(symbol: "BTC-USD", venueSymbol: "BTC/USD")

    private func publisher(_ plan: BookPlan = BookPlan()) -> BookPublisher {
        BookPublisher(plan, source: "kraken", instrument: Self.instrument)
    }

    private func time(_ seconds: Double) -> Timestamp {
        Timestamp(nanoseconds: 1_700_000_000_000_000_000 + Int64(seconds * 1e9), precision: .milliseconds)
    }

    @Test func `an event has the best levels, the venue's number and time, and when it was received`() throws {
        var publisher = self.publisher(BookPlan(depth: 2))
        var book = LocalBook()
        for price in 1...3 as ClosedRange<Int64> {
            book.set(.bid, price: ExactDecimal(mantissa: price), size: 1)
            book.set(.ask, price: ExactDecimal(mantissa: price + 10), size: 2)
        }
        let made = publisher.update(book, sequence: 42, timestamp: self.time(1), receivedAt: self.time(2))
        let event = try #require(made)
        #expect(event.eventType == .orderBook)
        #expect(event.source == "kraken")
        #expect(event.timestamp == self.time(1))
        let payload = try #require(event.payload.orderBook)
        #expect(payload.symbol == "BTC-USD")
        #expect(payload.kind == .snapshot)
        #expect(digits(payload.bids) == ["3 1", "2 1"])
        #expect(digits(payload.asks) == ["11 2", "12 2"])
        #expect(payload.bestBid == payload.bids.first)
        #expect(payload.bestAsk == payload.asks.first)
        #expect(payload.sequence == 42)
        #expect(payload.timestamp == self.time(1))
        #expect(payload.context.venueSymbol == "BTC/USD")
        #expect(payload.context.receivedAt == self.time(2))
        var again = self.publisher(BookPlan(depth: 2))
        let same = again.update(book, sequence: 42, timestamp: self.time(1), receivedAt: self.time(9))
        #expect(same?.eventID == event.eventID)
    }

    @Test func `without a venue's time the envelope has that of receipt`() throws {
        var publisher = self.publisher()
        let book = LocalBook(bids: [OrderBook.Level(price: 1, volume: 1)], asks: [])
        let made = publisher.update(book, sequence: nil, timestamp: nil, receivedAt: self.time(2))
        let event = try #require(made)
        #expect(event.timestamp == self.time(2))
        #expect(event.payload.orderBook?.timestamp == nil)
    }

    @Test func `only another price or size among the best levels is told`() {
        var publisher = self.publisher(BookPlan(depth: 2))
        var book = LocalBook()
        func told() -> Bool {
            publisher.update(book, sequence: nil, timestamp: nil, receivedAt: self.time(1)) != nil
        }
        #expect(!told(), "nothing became nothing")
        for price in 1...3 as ClosedRange<Int64> { book.set(.bid, price: ExactDecimal(mantissa: price), size: 1) }
        #expect(told())
        #expect(!told())
        book.set(.bid, price: 1, size: 5)
        #expect(!told(), "beyond the depth")
        book.set(.bid, price: ExactDecimal(mantissa: 300, scale: 2), size: ExactDecimal(mantissa: 10, scale: 1))
        #expect(!told(), "other digits of the same numbers")
        book.set(.bid, price: 3, size: 2)
        book.set(.bid, price: 3, size: 1)
        #expect(!told(), "changed and changed back")
        book.set(.bid, price: 2, size: 2)
        #expect(told())
        book.set(.bid, price: 3, size: 0)
        #expect(told())
        book.set(.ask, price: 9, size: 1)
        #expect(told())
        publisher.restart()
        #expect(!told(), "a new beginning with the same book")
        book = LocalBook()
        #expect(told())
    }

    @Test(arguments: [1, 5, 20, 100], [false, true])
    func `deltas applied to the last snapshot give exactly the best levels`(depth: Int, hasLongNumbers: Bool) throws {
        let seeds: UInt64 = ProcessInfo.processInfo.environment["TIDINGS_LONG"] == nil ? 8 : 400
        for seed in 0..<seeds {
            var generator = LevelGenerator(random: SeededGenerator(seed: seed), hasLongNumbers: hasLongNumbers)
            var publisher = self.publisher(BookPlan(depth: depth, kind: .delta))
            var (book, told) = (LocalBook(), LocalBook())
            var isFresh = true
            for step in 0..<300 {
                if generator.below(40) == 0 {
                    publisher.restart()
                    isFresh = true
                    if generator.below(2) == 0 { book = LocalBook() }
                }
                for _ in 0..<generator.below(6) {
                    book.set(generator.side(), price: generator.price(), size: generator.size())
                }
                let event = publisher.update(
                    book, sequence: UInt64(step), timestamp: nil, receivedAt: self.time(Double(step)))
                if let payload = event?.payload.orderBook {
                    #expect(payload.kind == (isFresh ? .snapshot : .delta))
                    isFresh = false
                    if payload.kind == .snapshot { told = LocalBook() }
                    for level in payload.bids { told.set(.bid, price: level.price, size: level.volume) }
                    for level in payload.asks { told.set(.ask, price: level.price, size: level.volume) }
                    #expect(payload.bestBid == book.bestBid)
                    #expect(payload.bestAsk == book.bestAsk)
                    #expect(!payload.bids.isEmpty || !payload.asks.isEmpty || payload.kind == .snapshot)
                }
                guard told.best(.max, .bid) == book.best(depth, .bid), told.best(.max, .ask) == book.best(depth, .ask)
                else {
                    Issue.record("seed \(seed), step \(step)")
                    return
                }
            }
        }
    }

    @Test func `changes within the interval are told together when it is over`() throws {
        var publisher = self.publisher(BookPlan(interval: .seconds(1)))
        var book = LocalBook()
        func change(_ size: Int64, _ number: UInt64, at seconds: Double) -> StandardEvent? {
            book.set(.bid, price: 1, size: ExactDecimal(mantissa: size))
            return publisher.update(
                book, sequence: number, timestamp: self.time(seconds - 0.1), receivedAt: self.time(seconds))
        }
        #expect(change(1, 1, at: 0) != nil)
        #expect(change(2, 2, at: 0.3) == nil)
        #expect(change(3, 3, at: 0.6) == nil)
        #expect(publisher.tick(book, at: self.time(0.9)) == nil)
        let made = publisher.tick(book, at: self.time(1.0))
        let event = try #require(made)
        let payload = try #require(event.payload.orderBook)
        #expect(digits(payload.bids) == ["1 3"])
        #expect(payload.sequence == 3)
        #expect(event.timestamp == self.time(0.5))
        #expect(payload.context.receivedAt == self.time(0.6))
        #expect(publisher.tick(book, at: self.time(3)) == nil)
        #expect(change(4, 4, at: 3) != nil)
        #expect(change(5, 5, at: 3.1) == nil)
        #expect(change(4, 6, at: 3.2) == nil)
        #expect(publisher.tick(book, at: self.time(9)) == nil, "changed back meanwhile")
        #expect(change(5, 7, at: 9.1) != nil)
        #expect(change(6, 8, at: 2) != nil, "a clock that was put back does not silence the book")
        #expect(change(7, 9, at: 2.5) == nil)
        publisher.restart()
        #expect(publisher.tick(book, at: self.time(4)) == nil, "what waited belonged to the old book")
    }
}
