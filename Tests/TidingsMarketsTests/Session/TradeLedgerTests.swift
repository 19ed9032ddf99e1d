import Testing
import TidingsSimulation

@testable import TidingsMarkets

@Suite struct TradeLedgerTests {
    @Test func `numbers that follow one another are new, the same again is known`() {
        var ledger = TradeLedger()
        #expect(ledger.take(7) == .new)
        #expect(ledger.take(8) == .new)
        #expect(ledger.take(8) == .known)
        #expect(ledger.take(7) == .known)
        #expect(ledger.take(1) == .known, "before the first")
        #expect(ledger.holes.isEmpty)
    }

    @Test func `a jump is a hole that late trades fill, each once`() {
        var ledger = TradeLedger()
        _ = ledger.take(1)
        #expect(ledger.take(6) == .newAfterGap(2...5))
        #expect(ledger.take(4) == .new)
        #expect(ledger.take(4) == .known)
        #expect(ledger.holes == [2...3, 5...5])
        #expect(ledger.missing(in: 3...9) == [3...3, 5...5])
        #expect(ledger.take(5) == .new)
        #expect(ledger.take(2) == .new)
        #expect(ledger.take(3) == .new)
        #expect(ledger.holes.isEmpty)
        #expect(ledger.take(7) == .new)
    }

    @Test func `the venue's newest trade tells what is missing`() {
        var ledger = TradeLedger()
        #expect(ledger.expect(5) == nil, "before anything came nothing is missing")
        #expect(ledger.take(5) == .new)
        #expect(ledger.expect(5) == nil)
        #expect(ledger.expect(4) == nil)
        #expect(ledger.expect(8) == 6...8)
        #expect(ledger.expect(8) == nil)
        #expect(ledger.take(8) == .new)
        #expect(ledger.take(9) == .new)
        ledger.giveUp(6...6)
        #expect(ledger.holes == [7...7])
        #expect(ledger.take(6) == .known)
        #expect(ledger.take(7) == .new)
    }

    @Test func `the ends of 64 bits are numbers like others`() {
        var ledger = TradeLedger()
        _ = ledger.take(0)
        #expect(ledger.take(.max) == .newAfterGap(1...(.max - 1)))
        #expect(ledger.take(.max) == .known)
        #expect(ledger.take(1) == .new)
        #expect(ledger.take(.max - 1) == .new)
        ledger.giveUp(0...(.max))
        #expect(ledger.holes.isEmpty)
        #expect(ledger.expect(.max) == nil)
    }

    @Test func `holes are bounded, however they come about`() {
        var jumps = TradeLedger()
        for number in 0..<10_000 as Range<UInt64> {
            _ = jumps.take(number * 2)
            #expect(jumps.holes.count <= TradeLedger.maximumHoles)
        }
        #expect(jumps.holes.last == 19_997...19_997)
        var late = TradeLedger()
        _ = late.take(0)
        _ = late.take(100_000)
        for number in 1..<40_000 as Range<UInt64> {
            _ = late.take(number * 2)
            #expect(late.holes.count <= TradeLedger.maximumHoles)
        }
        var given = TradeLedger()
        _ = given.take(0)
        _ = given.take(100_000)
        for number in 1..<1000 as Range<UInt64> {
            given.giveUp(number * 3...number * 3)
            #expect(given.holes.count <= TradeLedger.maximumHoles)
        }
    }

    @Test func `in any order every number is new once and never again`() {
        for seed in 0..<200 as Range<UInt64> {
            var random = SeededGenerator(seed: seed)
            var ledger = TradeLedger()
            var seen: Set<UInt64> = []
            var (newest, first): (UInt64?, UInt64) = (nil, 0)
            for _ in 0..<300 {
                let number = 1000 + random.next() % 60
                let verdict = ledger.take(number)
                defer { seen.insert(number) }
                guard let last = newest else {
                    (newest, first) = (number, number)
                    #expect(verdict == .new)
                    continue
                }
                if number < first || seen.contains(number) {
                    #expect(verdict == .known)
                } else if number > last + 1 {
                    #expect(verdict == .newAfterGap(last + 1...number - 1))
                } else {
                    #expect(verdict == .new)
                }
                newest = max(last, number)
                let missing = ledger.holes.reduce(0) { $0 + $1.count }
                let known = seen.union([number]).filter { $0 >= first }.count
                #expect(missing + known == Int(max(last, number) - first + 1))
            }
        }
    }
}
