import Testing
import Tidings

@testable import TidingsMarkets

@Suite struct BookCheckTests {
    private func list(_ levels: [(String, String)]) -> LevelList {
        LevelList(
            levels.compactMap { price, size in
                guard let price = ExactDecimal(price), let size = ExactDecimal(size) else { return nil }
                return OrderBook.Level(price: price, volume: size)
            })
    }

    private func book(_ bids: [(String, String)], _ asks: [(String, String)]) -> LocalBook {
        var book = LocalBook()
        book.replace(bids: self.list(bids), asks: self.list(asks))
        return book
    }

    private static let second: Int64 = 1_000_000_000

    @Test func `equal books make nothing, however their digits are written`() {
        var check = BookCheck()
        let ours = self.book([("2", "1.0"), ("1", "3")], [("3", "1")])
        check.suspect()
        #expect(check.tick(at: 0, ours) == .ask)
        check.take(bids: self.list([("2.0", "1"), ("1", "3.00")]), asks: self.list([("3", "1")]), at: 1)
        #expect(check.tick(at: BookCheck.lag, ours) == .nothing)
        #expect(check.tick(at: BookCheck.lag + 1, ours) == .nothing)
    }

    @Test(arguments: [
        ([("2", "9"), ("1", "3")], "2", "9", "1"), ([("2", "1")], "1", "0", "3"),
        ([("2.5", "4"), ("2", "1"), ("1", "3")], "2.5", "4", "0"),
        ([("2", "1"), ("1", "3"), ("0.5", "8")], "0.5", "8", "0"),
    ])
    func `a level that differs is found`(
        theirs: [(String, String)], price: String, expected: String, got: String
    ) throws {
        var check = BookCheck()
        let ours = self.book([("2", "1"), ("1", "3")], [("3", "1")])
        check.suspect()
        _ = check.tick(at: 0, ours)
        check.take(bids: self.list(theirs), asks: self.list([("3", "1")]), at: 0)
        guard case .differs(let difference) = check.tick(at: BookCheck.lag, ours) else {
            Issue.record("it should differ")
            return
        }
        #expect(difference.price.description == price)
        #expect(difference.expected.description == expected)
        #expect(difference.got.description == got)
    }

    @Test func `what changed since the venue was asked is not compared`() {
        var check = BookCheck()
        let ours = self.book([("2", "1")], [("3", "1")])
        check.suspect()
        _ = check.tick(at: 0, ours)
        check.note(self.list([("2.0", "1")]), LevelList())
        check.take(bids: self.list([("2", "7")]), asks: self.list([("3", "1"), ("4", "1")]), at: 0)
        check.note(LevelList(), self.list([("4", "0")]))
        #expect(check.tick(at: BookCheck.lag, ours) == .nothing)
    }

    @Test func `suspicion does not ask more often than every ten seconds, and time alone every five minutes`() {
        var check = BookCheck()
        let ours = self.book([("2", "1")], [("3", "1")])
        check.restart(at: 0, offset: 0)
        #expect(check.tick(at: BookCheck.interval - 1, ours) == .nothing)
        #expect(check.tick(at: BookCheck.interval, ours) == .ask)
        check.failed(at: BookCheck.interval)
        check.suspect()
        #expect(check.tick(at: BookCheck.interval + 9 * Self.second, ours) == .nothing)
        #expect(check.tick(at: BookCheck.interval + 10 * Self.second, ours) == .ask)
    }

    @Test func `three tickers in a row with other best prices are suspicious`() {
        var check = BookCheck()
        let ours = self.book([("2", "1")], [("3", "1")])
        check.restart(at: 0, offset: 0)
        for isSame in [false, false, true, false, false] { check.saw(isSame: isSame) }
        #expect(check.tick(at: 1, ours) == .nothing)
        check.saw(isSame: false)
        #expect(check.tick(at: 2, ours) == .ask)
    }

    @Test func `too many changed prices, and an answer that does not come, end the comparison`() {
        var check = BookCheck()
        let ours = self.book([("2", "1")], [("3", "1")])
        check.suspect()
        _ = check.tick(at: 0, ours)
        check.note(self.list((0...BookCheck.maximumTouched).map { ("\($0)", "1") }), LevelList())
        check.take(bids: self.list([]), asks: self.list([]), at: 0)
        #expect(check.tick(at: BookCheck.lag, ours) == .nothing)
        check.suspect()
        #expect(check.tick(at: 20 * Self.second, ours) == .ask)
        #expect(check.tick(at: 20 * Self.second + BookCheck.patience, ours) == .nothing)
        check.take(bids: self.list([]), asks: self.list([]), at: 0)
        check.suspect()
        #expect(check.tick(at: 100 * Self.second, ours) == .ask)
    }
}

@Suite struct CandlePollTests {
    private static let second: Int64 = 1_000_000_000

    @Test func `the closed candle is asked for two seconds after its end, once it is there no more`() {
        var poll = CandlePoll(seconds: 60, count: 1)
        #expect(poll.tick(0, at: 121 * Self.second) == nil)
        #expect(poll.tick(0, at: 122 * Self.second) == CandlePoll.Window(since: 60, until: 120))
        #expect(poll.tick(0, at: 123 * Self.second) == nil)
        #expect(poll.take(0, [120, 60, 0], start: { $0 }, at: 123 * Self.second) == [60])
        #expect(poll.tick(0, at: 150 * Self.second) == nil)
        #expect(poll.tick(0, at: 182 * Self.second) == CandlePoll.Window(since: 120, until: 180))
    }

    @Test func `a candle that is not there yet is asked for twice more, then with the next`() {
        var poll = CandlePoll(seconds: 60, count: 1)
        var now = 122 * Self.second
        for _ in 0..<3 {
            #expect(poll.tick(0, at: now) == CandlePoll.Window(since: 60, until: 120))
            #expect(poll.take(0, [Int64](), start: { $0 }, at: now) == [])
            #expect(poll.tick(0, at: now) == nil)
            now += CandlePoll.retryDelay
        }
        #expect(poll.tick(0, at: now) == nil)
        #expect(poll.tick(0, at: 182 * Self.second) == CandlePoll.Window(since: 120, until: 180))
        #expect(poll.take(0, [120], start: { $0 }, at: now) == [120])
        // Nothing was traded for two intervals: both are asked for with the third.
        for minute: Int64 in [4, 5] {
            for retry: Int64 in 0..<3 {
                let moment = (minute * 60 + 2) * Self.second + retry * CandlePoll.retryDelay
                #expect(poll.tick(0, at: moment) == CandlePoll.Window(since: 180, until: minute * 60))
                _ = poll.take(0, [Int64](), start: { $0 }, at: moment)
            }
        }
        #expect(poll.tick(0, at: 362 * Self.second) == CandlePoll.Window(since: 180, until: 360))
        #expect(poll.take(0, [300, 180], start: { $0 }, at: 362 * Self.second) == [180, 300])
    }

    @Test func `failures are told of once an interval, and never ask for more than 300 candles`() {
        var poll = CandlePoll(seconds: 60, count: 1)
        _ = poll.tick(0, at: 122 * Self.second)
        _ = poll.take(0, [60], start: { $0 }, at: 122 * Self.second)
        var now = 1_000_000 * Self.second
        var told: [Bool] = []
        for _ in 0..<3 {
            let window = poll.tick(0, at: now)
            #expect((window?.until ?? 0) - (window?.since ?? 0) == 18_000)
            told.append(poll.failed(0, at: now))
            now += CandlePoll.retryDelay
        }
        #expect(told == [false, false, true])
        #expect(!poll.isHealthy(0))
        #expect(poll.tick(7, at: now) == nil)
    }
}

@Suite struct ConnectionCountTests {
    @Test func `numbers go up by one, from whichever they begin with`() {
        var count = ConnectionCount()
        #expect([7, 8, 9].map { count.take($0) } == [.inOrder, .inOrder, .inOrder])
        #expect(count.take(9) == .repeated)
        #expect(count.take(3) == .repeated)
        #expect(count.take(12) == .gap(expected: 10, got: 12))
        #expect(count.take(13) == .inOrder)
        #expect(count.take(.max) == .gap(expected: 14, got: .max))
        #expect(count.take(.max) == .repeated)
    }

    @Test func `eight lower numbers in a row are a count that began anew`() {
        var count = ConnectionCount()
        _ = count.take(100)
        #expect((0..<7).map { count.take($0) }.allSatisfy { $0 == .repeated })
        #expect(count.take(7) == .gap(expected: 101, got: 7))
        #expect(count.take(8) == .inOrder)
    }
}

@Suite struct QuietStreamsTests {
    private static let second: Int64 = 1_000_000_000

    @Test func `what never talked is not quiet`() {
        var quiet = QuietStreams()
        #expect(quiet.judge(.trade, at: 0) == .silent)
    }

    @Test func `a heartbeat vouches for five minutes, then the stream is asked`() {
        var quiet = QuietStreams()
        quiet.heard(.orderBook, at: 0)
        #expect(quiet.judge(.orderBook, at: 299 * Self.second) == .quiet)
        #expect(quiet.judge(.orderBook, at: 300 * Self.second) == .ask)
        #expect(quiet.judge(.orderBook, at: 310 * Self.second) == .quiet)
        #expect(quiet.judge(.orderBook, at: 311 * Self.second) == .silent)
        quiet.heard(.orderBook, at: 312 * Self.second)
        #expect(quiet.judge(.orderBook, at: 313 * Self.second) == .quiet)
    }

    @Test func `trades without a change of the book are no quiet market`() {
        var quiet = QuietStreams()
        quiet.heard(.orderBook, at: 0)
        quiet.heard(.trade, at: 6 * Self.second)
        #expect(quiet.judge(.orderBook, at: 7 * Self.second) == .silent)
        #expect(quiet.judge(.trade, at: 7 * Self.second) == .quiet)
    }
}
