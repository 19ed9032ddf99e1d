import Foundation
import Testing
import TidingsSimulation

@testable import Tidings
@testable import TidingsMarkets

@Suite struct LocalBookTests {
    private static let isLong = ProcessInfo.processInfo.environment["TIDINGS_LONG"] != nil

    @Test(arguments: [false, true])
    func `after any changes the book is that of a dictionary, digit for digit`(hasLongNumbers: Bool) {
        for seed in 0..<(Self.isLong ? 2000 : 10) as Range<UInt64> {
            var generator = LevelGenerator(random: SeededGenerator(seed: seed), hasLongNumbers: hasLongNumbers)
            var (book, model) = (LocalBook(), BookModel())
            for step in 0..<400 {
                if generator.below(100) == 0 {
                    let depth = Int(generator.below(120))
                    book.cut(to: depth)
                    model.cut(to: depth)
                } else if generator.below(3) == 0 {
                    let side = generator.side()
                    var changes = LevelList()
                    for _ in 0..<generator.below(30) {
                        let (price, size) = (generator.price(), generator.size())
                        changes.append(price: price, size: size)
                        model.set(side, price, size)
                    }
                    book.apply(changes, to: side)
                } else {
                    let (side, price, size) = (generator.side(), generator.price(), generator.size())
                    book.set(side, price: price, size: size)
                    model.set(side, price, size)
                }
                guard step % 20 == 0 else { continue }
                for side in LocalBook.Side.allCases {
                    let expected = digits(model.best(.max, side))
                    guard digits(book.best(.max, side)) == expected, book.count(side) == expected.count,
                        digits(book.best(7, side)) == Array(expected.prefix(7))
                    else {
                        Issue.record("seed \(seed), step \(step), \(side)")
                        return
                    }
                }
            }
        }
    }

    @Test(arguments: [false, true])
    func `a snapshot in any order gives the book that its levels give one by one`(hasLongNumbers: Bool) {
        for seed in 0..<(Self.isLong ? 5000 : 30) as Range<UInt64> {
            var generator = LevelGenerator(random: SeededGenerator(seed: seed), hasLongNumbers: hasLongNumbers)
            var (bids, asks) = (LevelList(), LevelList())
            var model = BookModel()
            for _ in 0..<generator.below(200) {
                let level = OrderBook.Level(price: generator.price(), volume: generator.size())
                bids.append(price: level.price, size: level.volume)
                model.set(.bid, level.price, level.volume)
            }
            // The best first, as venues send it, and now and then the best last.
            var sorted = (0..<generator.below(200)).map { _ in generator.price() }.sorted()
            if generator.below(2) == 0 { sorted.reverse() }
            for price in sorted {
                let size = generator.size()
                asks.append(price: price, size: size)
                model.set(.ask, price, size)
            }
            var book = LocalBook()
            book.set(.bid, price: 7, size: 7)
            book.replace(bids: bids, asks: asks)
            let made = LocalBook(bids: (0..<bids.count).map { bids[$0] }, asks: (0..<asks.count).map { asks[$0] })
            for side in LocalBook.Side.allCases {
                #expect(digits(book.best(.max, side)) == digits(model.best(.max, side)), "seed \(seed)")
            }
            #expect(book == made)
        }
    }

    @Test func `the digits received last are kept, and are no difference`() {
        var book = LocalBook(bids: [], asks: [])
        book.set(.bid, price: ExactDecimal(mantissa: 150, scale: 2), size: ExactDecimal(mantissa: 20, scale: 1))
        let before = book
        #expect(book.bestBid?.price.description == "1.50")
        book.set(.bid, price: ExactDecimal(mantissa: 15, scale: 1), size: 2)
        #expect(book.bestBid?.price.description == "1.5")
        #expect(book.bestBid?.volume.description == "2")
        #expect(book.count(.bid) == 1)
        #expect(book == before)
        book.set(.bid, price: ExactDecimal(mantissa: 1500, scale: 3), size: ExactDecimal(mantissa: 0, scale: 8))
        #expect(book.count(.bid) == 0)
        #expect(book != before)
    }

    @Test func `numbers at the end of 64 bits are held like any other`() {
        let numbers: [ExactDecimal] = [
            ExactDecimal(mantissa: .max), ExactDecimal(mantissa: .min), ExactDecimal(mantissa: .max, scale: 18),
            ExactDecimal(mantissa: 1, scale: 255), ExactDecimal(mantissa: -1, scale: 19), 1, 0, -5,
            ExactDecimal("123456789012345678901234567890.5") ?? 0,
        ]
        for rotation in numbers.indices {
            let order = Array(numbers[rotation...] + numbers[..<rotation])
            var (book, model) = (LocalBook(), BookModel())
            for price in order {
                for side in LocalBook.Side.allCases {
                    book.set(side, price: price, size: 3)
                    model.set(side, price, 3)
                }
            }
            for side in LocalBook.Side.allCases {
                #expect(digits(book.best(.max, side)) == digits(model.best(.max, side)))
                #expect(
                    digits(LocalBook(bids: book.best(99, .bid), asks: []).best(99, .bid))
                        == digits(model.best(99, .bid)))
            }
        }
    }

    @Test func `crossed is a bid at or above an ask`() {
        var book = LocalBook()
        #expect(!book.isCrossed)
        book.set(.bid, price: 10, size: 1)
        #expect(!book.isCrossed)
        book.set(.ask, price: ExactDecimal(mantissa: 101, scale: 1), size: 1)
        #expect(!book.isCrossed)
        book.set(.ask, price: ExactDecimal(mantissa: 1000, scale: 2), size: 1)
        #expect(book.isCrossed)
        book.removeAll()
        #expect(!book.isCrossed)
        #expect(book == LocalBook())
    }

    @Test func `a side that grows beyond its bound loses its worst levels`() {
        let most = LocalBook.maximumLevels
        var book = LocalBook()
        for price in 1...Int64(most) { book.set(.bid, price: ExactDecimal(mantissa: price), size: 1) }
        #expect(book.count(.bid) == most)
        book.set(.bid, price: ExactDecimal(mantissa: Int64(most) + 1), size: 1)
        #expect(book.count(.bid) == most - most / 8)
        #expect(book.bestBid?.price == ExactDecimal(mantissa: Int64(most) + 1))
        var levels = LevelList()
        for price in 1...Int64(most) + 10 { levels.append(price: ExactDecimal(mantissa: price), size: 1) }
        book.replace(bids: levels, asks: levels)
        #expect(book.count(.bid) == most)
        #expect(book.count(.ask) == most)
        #expect(book.bestBid?.price == ExactDecimal(mantissa: Int64(most) + 10))
        #expect(book.bestAsk?.price == 1)
    }

    @Test func `a book that was handed out stays as it was`() {
        var book = LocalBook()
        book.set(.bid, price: 1, size: 1)
        let copy = book
        book.set(.bid, price: 2, size: 1)
        #expect(copy.bestBid?.price == 1)
        #expect(book.bestBid?.price == 2)
    }
}
