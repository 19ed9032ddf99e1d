import Testing

@testable import TidingsMarkets

@Suite struct LagMonitorTests {
    @Test func `a feed that keeps pace is never behind, however far the clocks are apart`() {
        var monitor = LagMonitor(limit: .nanoseconds(100))
        for time in stride(from: Int64(0), to: 10_000, by: 10) {
            #expect(monitor.note(venueTime: time, at: time + 1_000_000 + time % 90) == nil)
        }
    }

    @Test func `a feed that gets slower is told of once`() {
        var monitor = LagMonitor(limit: .nanoseconds(100))
        var told: [Int64] = []
        for time in stride(from: Int64(0), to: 100, by: 10) {
            if let lag = monitor.note(venueTime: time, at: 10 * time) { told.append(lag) }
        }
        #expect(told == [180])
    }

    @Test func `older frames, as of a replay, say nothing`() {
        var monitor = LagMonitor(limit: .nanoseconds(100))
        #expect(monitor.note(venueTime: 1000, at: 1000) == nil)
        #expect(monitor.note(venueTime: 500, at: 5000) == nil)
        #expect(monitor.note(venueTime: 1001, at: 1010) == nil)
    }

    @Test func `a new connection begins anew`() {
        var monitor = LagMonitor(limit: .nanoseconds(100))
        #expect(monitor.note(venueTime: 1, at: 1) == nil)
        #expect(monitor.note(venueTime: 2, at: 1000) == 998)
        monitor.restart()
        #expect(monitor.note(venueTime: 3, at: 1001) == nil)
        #expect(monitor.note(venueTime: 4, at: 1102) == 100)
    }

    @Test(arguments: [Int64.min, -1, 0, 1, .max])
    func `times at the end of time trap nothing`(_ time: Int64) {
        var monitor = LagMonitor(limit: .seconds(1))
        for now in [Int64.min, -1, 0, 1, .max] {
            _ = monitor.note(venueTime: time, at: now)
            _ = monitor.note(venueTime: .max, at: now)
        }
    }
}
