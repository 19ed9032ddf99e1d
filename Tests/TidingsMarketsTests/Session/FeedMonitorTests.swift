import Testing

@testable import TidingsMarkets

@Suite struct FeedMonitorTests {
    private let second: Int64 = 1_000_000_000

    /// Two books, and the trades of one symbol.
    private func monitor(_ channels: [MarketChannel] = [.orderBook, .ticker]) -> FeedMonitor {
        var monitor = FeedMonitor(channels: channels, staleAfter: .seconds(30))
        monitor.connected(at: 0)
        return monitor
    }

    @Test func `a stream that falls silent is asked for anew, then the connection is replaced`() {
        var monitor = self.monitor()
        #expect(monitor.tick(at: 29 * self.second).isEmpty)
        #expect(monitor.heard(1, at: 29 * self.second) == false)
        #expect(monitor.tick(at: 30 * self.second) == [.resubscribe(0)])
        #expect(monitor.tick(at: 31 * self.second).isEmpty)
        #expect(monitor.heard(1, at: 50 * self.second) == false)
        #expect(monitor.tick(at: 60 * self.second) == [.reconnect(0)])
    }

    @Test func `a stream that talks again is well`() {
        var monitor = self.monitor()
        _ = monitor.heard(1, at: 29 * self.second)
        _ = monitor.tick(at: 30 * self.second)
        #expect(monitor.heard(0, at: 31 * self.second) == true)
        #expect(monitor.heard(0, at: 32 * self.second) == false)
        _ = monitor.heard(1, at: 50 * self.second)
        #expect(monitor.tick(at: 61 * self.second).isEmpty)
    }

    @Test func `a new connection gives every stream its time, and a stale one stays so until it talks`() {
        var monitor = self.monitor()
        #expect(monitor.tick(at: 30 * self.second) == [.resubscribe(0), .resubscribe(1)])
        monitor.connected(at: 40 * self.second)
        #expect(monitor.tick(at: 69 * self.second).isEmpty)
        #expect(monitor.heard(0, at: 69 * self.second) == true)
        #expect(monitor.tick(at: 70 * self.second) == [.reconnect(1)])
    }

    @Test func `a stream for which connections are replaced in vain is given ever more time`() {
        var monitor = self.monitor([.orderBook])
        var replacements: [Int64] = []
        for now in 1...20_000 {
            for step in monitor.tick(at: Int64(now) * self.second) where step == .reconnect(0) {
                replacements.append(Int64(now))
                monitor.connected(at: Int64(now) * self.second)
            }
        }
        let gaps = zip(replacements.dropFirst(), replacements).map { $0 - $1 }
        #expect(gaps.prefix(6) == [60, 120, 240, 480, 960, 1920])
        #expect(gaps.dropFirst(6).allSatisfy { $0 == 1920 })
        #expect(monitor.heard(0, at: 20_000 * self.second) == true)
        #expect(monitor.tick(at: 20_030 * self.second) == [.resubscribe(0)])
        #expect(monitor.tick(at: 20_060 * self.second) == [.reconnect(0)])
    }

    @Test func `a replacement that does not come about is asked for again`() {
        var monitor = self.monitor([.ticker])
        var replacements = 0
        for now in 1...1000 {
            replacements += monitor.tick(at: Int64(now) * self.second).count { $0 == .reconnect(0) }
        }
        #expect(replacements >= 3)
    }

    @Test func `a quiet market's trades are asked for anew without a word, and a confirmation is enough`() {
        var monitor = self.monitor([.trade])
        #expect(monitor.tick(at: 599 * self.second).isEmpty)
        #expect(monitor.tick(at: 600 * self.second) == [.probe(0)])
        #expect(monitor.confirmed(0, at: 601 * self.second) == false)
        #expect(monitor.tick(at: 1200 * self.second).isEmpty)
        #expect(monitor.tick(at: 1201 * self.second) == [.probe(0)])
    }

    @Test func `trades that are not even confirmed are as stale as a book`() {
        var monitor = self.monitor([.ohlcv])
        #expect(monitor.tick(at: 600 * self.second) == [.probe(0)])
        #expect(monitor.tick(at: 630 * self.second) == [.resubscribe(0)])
        #expect(monitor.tick(at: 660 * self.second) == [.reconnect(0)])
        #expect(monitor.confirmed(0, at: 661 * self.second) == true)
    }

    @Test func `a confirmation does not make a silent book well`() {
        var monitor = self.monitor([.orderBook])
        _ = monitor.tick(at: 30 * self.second)
        #expect(monitor.confirmed(0, at: 31 * self.second) == false)
        #expect(monitor.tick(at: 60 * self.second) == [.reconnect(0)])
    }

    @Test func `while nothing is read nobody is silent`() {
        var monitor = self.monitor()
        monitor.paused(until: 29 * self.second)
        #expect(monitor.tick(at: 58 * self.second).isEmpty)
        #expect(monitor.tick(at: 59 * self.second).count == 2)
    }

    @Test func `numbers that are no streams and times without end are passed over`() {
        var monitor = FeedMonitor(channels: [.trade], staleAfter: .seconds(Int64.max / 2))
        monitor.connected(at: 0)
        for stream in [-1, 1, .max, .min] {
            #expect(monitor.heard(stream, at: 0) == false)
            #expect(monitor.confirmed(stream, at: 0) == false)
        }
        #expect(monitor.tick(at: 86_400 * self.second).isEmpty)
    }
}
