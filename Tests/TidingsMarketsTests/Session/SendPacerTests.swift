import Testing

@testable import TidingsMarkets

@Suite struct SendPacerTests {
    private let millisecond: Int64 = 1_000_000

    private func limits(_ rate: Double, burst: Int) -> VenueLimits {
        var limits = VenueLimits()
        limits.messagesPerSecond = rate
        limits.messageBurst = burst
        return limits
    }

    /// When each of so many texts goes, asked every ten milliseconds.
    private func times(_ count: Int, _ pacer: SendPacer) -> [Int64] {
        var pacer = pacer
        for number in 0..<count { _ = pacer.add("\(number)") }
        var (times, next, now): ([Int64], Int, Int64) = ([], 0, 0)
        while times.count < count, now < 600_000 {
            while let text = pacer.next(at: now * self.millisecond) {
                #expect(text == "\(next)")
                next += 1
                times.append(now)
            }
            now += 10
        }
        return times
    }

    @Test(arguments: [(5.0, 5), (5.0, 1), (20.0, 10), (100.0, 1000), (8.0, 3), (1.0, 1), (33.0, 2)])
    func `no second sees more than the venue allows, and room is left for pings`(rate: Double, burst: Int) {
        let times = self.times(60, SendPacer(self.limits(rate, burst: burst)))
        #expect(times.count == 60)
        for (index, time) in times.enumerated() {
            let inThatSecond = times[index...].prefix { $0 < time + 1000 }.count
            #expect(inThatSecond <= (rate >= 5 ? Int(rate) - 2 : 1))
            #expect(times[index...].prefix { $0 == time }.count <= burst)
        }
    }

    @Test func `a burst goes at once, and what is allowed is used`() {
        let times = self.times(40, SendPacer(self.limits(20, burst: 10)))
        #expect(times.prefix(10).allSatisfy { $0 == 0 })
        // 18 in a second.
        #expect(times[17] < 1000 && times[18] >= 1000)
        #expect(times[39] < 2500)
    }

    @Test func `less than one a second works as well`() {
        #expect(self.times(3, SendPacer(self.limits(0.5, burst: 1))) == [0, 2000, 4000])
    }

    @Test func `nonsense limits trap nothing and stop nothing`() {
        for (rate, burst) in [(0.0, 0), (-1, -5), (.nan, 3), (.infinity, .max), (1e300, .min)] {
            var pacer = SendPacer(self.limits(rate, burst: burst))
            let isTaken = pacer.add("x")
            let texts = [pacer.next(at: .max / 2), pacer.next(at: .max / 2), pacer.next(at: 0)]
            #expect(isTaken)
            #expect(texts == ["x", nil, nil])
        }
    }

    @Test func `the queue is bounded`() {
        var pacer = SendPacer(self.limits(1, burst: 1))
        let taken = (0..<SendPacer.capacity).count { _ in pacer.add("x") }
        #expect(taken == SendPacer.capacity)
        let isOneMoreTaken = pacer.add("one too many")
        #expect(!isOneMoreTaken)
        let first = pacer.next(at: 0)
        #expect(first == "x")
        let isTakenNow = pacer.add("room again")
        #expect(isTakenNow)
        #expect(pacer.count == SendPacer.capacity)
    }
}
