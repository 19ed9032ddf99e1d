import Testing

@testable import Tidings
@testable import TidingsMarkets

@Suite struct ReportLimiterTests {
    private let second: Int64 = 1_000_000_000

    private func problem(_ code: String, _ symbol: String? = nil, _ message: String = "") -> VenueOutput.Problem {
        VenueOutput.Problem(
            code: code, message: message, details: symbol.map { ["symbol": .string($0)] } ?? JSONObject())
    }

    @Test func `of problems of one kind the first is told, then one a second with the number left out`() {
        var limiter = ReportLimiter()
        #expect(limiter.add(self.problem("PARSE"), at: 0) == self.problem("PARSE"))
        for number in 1...99 { #expect(limiter.add(self.problem("PARSE"), at: Int64(number)) == nil) }
        let next = limiter.add(self.problem("PARSE"), at: self.second)
        #expect(next?.details["unreported"]?.int == 99)
        #expect(limiter.add(self.problem("PARSE"), at: 2 * self.second)?.details["unreported"] == nil)
    }

    @Test func `the first of a kind is never lost in the crowd of another`() {
        var limiter = ReportLimiter()
        for number in 0..<1000 { _ = limiter.add(self.problem("PARSE"), at: Int64(number)) }
        #expect(limiter.add(self.problem("CHECKSUM", "A"), at: 1000) != nil)
        #expect(limiter.add(self.problem("CHECKSUM", "B"), at: 1001) != nil)
        #expect(limiter.add(self.problem("CHECKSUM", "A"), at: 1002) == nil)
    }

    @Test func `what was left out and followed by nothing is told in time`() {
        var limiter = ReportLimiter()
        _ = limiter.add(self.problem("PARSE"), at: 0)
        for number in 1...3 { _ = limiter.add(self.problem("PARSE", nil, "\(number)"), at: Int64(number)) }
        #expect(limiter.tick(at: self.second / 2).isEmpty)
        let told = limiter.tick(at: 2 * self.second)
        #expect(told.map(\.message) == ["3"])
        #expect(told.first?.details["unreported"]?.int == 2)
        #expect(limiter.tick(at: 10 * self.second).isEmpty)
    }

    @Test func `kinds without number do not fill the memory`() {
        var limiter = ReportLimiter()
        var told = 0
        for number in 0..<100_000 where limiter.add(self.problem("X\(number)", "S\(number)"), at: 1) != nil {
            told += 1
        }
        #expect(told == 2 * ReportLimiter.capacity + 1)
        #expect(limiter.add(self.problem("PARSE"), at: 2 * self.second) != nil)
        for tick in 1...200 { _ = limiter.tick(at: Int64(tick) * self.second) }
        #expect(limiter.add(self.problem("PARSE"), at: 300 * self.second) == self.problem("PARSE"))
    }
}
