import Testing

@testable import Tidings
@testable import TidingsMarkets

@Suite struct FeedMonitorTests {
    private let second: Int64 = 1_000_000_000

    @Test func `a symbol that falls silent is asked for anew, then the connection is replaced`() {
        var monitor = FeedMonitor(symbols: ["A", "B"], staleAfter: .seconds(30))
        monitor.connected(at: 0)
        #expect(monitor.tick(at: 29 * self.second).isEmpty)
        #expect(monitor.heard("B", at: 29 * self.second) == nil)
        #expect(monitor.tick(at: 30 * self.second) == [.resubscribe("A")])
        #expect(monitor.tick(at: 31 * self.second).isEmpty)
        #expect(monitor.heard("B", at: 50 * self.second) == nil)
        #expect(monitor.tick(at: 60 * self.second) == [.reconnect("A")])
    }

    @Test func `a symbol that talks again is well`() {
        var monitor = FeedMonitor(symbols: ["A"], staleAfter: .seconds(30))
        monitor.connected(at: 0)
        _ = monitor.tick(at: 30 * self.second)
        #expect(monitor.heard("A", at: 31 * self.second) == .recovered("A"))
        #expect(monitor.heard("A", at: 32 * self.second) == nil)
        #expect(monitor.tick(at: 61 * self.second).isEmpty)
    }

    @Test func `a new connection gives every symbol its time`() {
        var monitor = FeedMonitor(symbols: ["A"], staleAfter: .seconds(30))
        monitor.connected(at: 0)
        _ = monitor.tick(at: 30 * self.second)
        monitor.connected(at: 40 * self.second)
        #expect(monitor.tick(at: 69 * self.second).isEmpty)
        #expect(monitor.tick(at: 70 * self.second) == [.resubscribe("A")])
    }

    @Test func `symbols that nobody watches are passed over`() {
        var monitor = FeedMonitor(symbols: ["A"], staleAfter: .seconds(30))
        #expect(monitor.heard("Z", at: 0) == nil)
    }
}
