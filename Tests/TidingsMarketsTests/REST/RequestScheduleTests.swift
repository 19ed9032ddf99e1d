import Testing

@testable import TidingsMarkets

@Suite struct RequestScheduleTests {
    private static let second: Int64 = 1_000_000_000

    private func schedule(weight: Int = 100, spacing: Duration = .zero) -> RequestSchedule {
        var limits = VenueLimits()
        limits.requestWeight = weight
        limits.requestInterval = .seconds(60)
        limits.requestSpacing = spacing
        return RequestSchedule(limits)
    }

    private func start(_ verdict: RequestSchedule.Verdict?) -> Int64? {
        guard case .start(let time) = verdict else { return nil }
        return time
    }

    @Test func `requests are spaced, in the order in which they came`() {
        var schedule = self.schedule(spacing: .milliseconds(200))
        let starts = (0..<4).map { _ in self.start(schedule.enter(weight: 1, now: 5 * Self.second)) }
        #expect(starts == [5_000_000_000, 5_200_000_000, 5_400_000_000, 5_600_000_000])
        #expect(self.start(schedule.enter(weight: 1, now: 9 * Self.second)) == 9 * Self.second)
    }

    @Test func `nine tenths of the weight are used within an interval, and no more`() {
        var schedule = self.schedule(weight: 100)
        #expect(self.start(schedule.enter(weight: 60, now: 0)) == 0)
        #expect(self.start(schedule.enter(weight: 30, now: Self.second)) == Self.second)
        // 60 of them come free a minute after the first.
        #expect(self.start(schedule.enter(weight: 40, now: 2 * Self.second)) == 60 * Self.second)
        #expect(self.start(schedule.enter(weight: 20, now: 3 * Self.second)) == 60 * Self.second)
        #expect(self.start(schedule.enter(weight: 30, now: 4 * Self.second)) == 61 * Self.second)
    }

    @Test func `at no time do the starts within an interval weigh more than allowed`() {
        var random = SystemRandomNumberGenerator()
        var schedule = self.schedule(weight: 200, spacing: .milliseconds(50))
        var starts: [(time: Int64, weight: Int)] = []
        var now: Int64 = 0
        for _ in 0..<500 {
            now += Int64.random(in: 0..<2 * Self.second, using: &random)
            let weight = Int.random(in: 1...90, using: &random)
            guard let start = self.start(schedule.enter(weight: weight, now: now)) else { continue }
            starts.append((start, weight))
        }
        for (time, _) in starts {
            let sum = starts.filter { $0.time > time - 60 * Self.second && $0.time <= time }.map(\.weight).reduce(0, +)
            #expect(sum <= 180)
        }
        #expect(starts.map(\.time) == starts.map(\.time).sorted())
    }

    @Test func `a request that is heavier than all that is allowed is refused`() {
        var schedule = self.schedule(weight: 10)
        #expect(schedule.enter(weight: 50, now: 0) == .refused("a request of weight 50 is more than the venue's 9"))
    }

    @Test func `a bounded number waits`() {
        var schedule = self.schedule(weight: 1_000_000, spacing: .seconds(1))
        for _ in 0...RequestSchedule.maximumWaiting { #expect(self.start(schedule.enter(weight: 1, now: 0)) != nil) }
        #expect(self.start(schedule.enter(weight: 1, now: 0)) == nil)
    }

    @Test func `a limit holds everybody back for as long as the venue says, and then they do not come at once`() {
        var schedule = self.schedule(spacing: .milliseconds(100))
        #expect(self.start(schedule.enter(weight: 1, now: 0)) == 0)
        #expect(schedule.limited(isBan: false, asked: 7 * Self.second, now: Self.second) == 7 * Self.second)
        #expect(self.start(schedule.check(weight: 1, now: 2 * Self.second)) == 8 * Self.second)
        #expect(self.start(schedule.check(weight: 1, now: 2 * Self.second)) == 8 * Self.second + 100_000_000)
        #expect(schedule.check(weight: 1, now: 8 * Self.second) == nil)
    }

    @Test func `a limit without a time grows until something succeeds, and a ban is longer`() {
        var schedule = self.schedule()
        #expect(schedule.limited(isBan: false, asked: nil, now: 0) == 5 * Self.second)
        #expect(schedule.limited(isBan: false, asked: nil, now: 10 * Self.second) == 10 * Self.second)
        schedule.succeeded()
        #expect(schedule.limited(isBan: false, asked: nil, now: 100 * Self.second) == 5 * Self.second)
        schedule.succeeded()
        #expect(schedule.limited(isBan: true, asked: nil, now: 200 * Self.second) == 120 * Self.second)
    }

    @Test func `weight that others use up makes us wait for the next interval`() {
        var schedule = self.schedule(weight: 100)
        schedule.observed(used: 50, rest: 30 * Self.second, now: 0)
        #expect(schedule.check(weight: 1, now: 0) == nil)
        schedule.observed(used: 95, rest: 30 * Self.second, now: 0)
        #expect(self.start(schedule.enter(weight: 1, now: 0)) == 30 * Self.second)
    }

    @Test func `requests that were under way together hear of one limit`() {
        var schedule = self.schedule()
        #expect(schedule.limited(isBan: false, asked: nil, now: 0) == 5 * Self.second)
        #expect(schedule.limited(isBan: false, asked: nil, now: Self.second) == 5 * Self.second)
        #expect(schedule.limited(isBan: false, asked: nil, now: 10 * Self.second) == 10 * Self.second)
    }

    @Test func `a limit never shortens one that is longer`() {
        var schedule = self.schedule()
        #expect(schedule.limited(isBan: true, asked: 100 * Self.second, now: 0) == 100 * Self.second)
        #expect(schedule.limited(isBan: false, asked: 2 * Self.second, now: Self.second) == 99 * Self.second)
    }

    @Test func `limits without a word on how long end within an hour, however many there were`() {
        var schedule = self.schedule()
        var now: Int64 = 0
        for _ in 0..<200 { now += schedule.limited(isBan: true, asked: nil, now: now) }
        #expect(schedule.limited(isBan: true, asked: nil, now: now) == 3600 * Self.second)
    }

    @Test(arguments: [Int64.min, -1, 0, 1, Int64.max])
    func `no pause that a venue asks for is beyond its longest ban or below a second`(_ asked: Int64) {
        var schedule = self.schedule()
        let pause = schedule.limited(isBan: false, asked: asked, now: 0)
        #expect((Self.second...RequestSchedule.longestBan).contains(pause))
    }
}
