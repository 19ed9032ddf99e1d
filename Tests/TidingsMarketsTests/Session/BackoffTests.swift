import Testing

@testable import TidingsMarkets

@Suite struct BackoffTests {
    @Test func `delays double up to the cap`() {
        var backoff = Backoff()
        let delays = (0..<8).map { _ in backoff.nextDelay(chance: 0.5) / .milliseconds(1) }
        #expect(delays == [250, 500, 1000, 2000, 4000, 5000, 5000, 5000])
    }

    @Test func `jitter moves a delay by a fifth at most`() {
        var (low, high) = (Backoff(), Backoff())
        #expect(low.nextDelay(chance: 0) == .milliseconds(200))
        let longest = high.nextDelay(chance: 0.999_999)
        #expect(longest > .milliseconds(299) && longest <= .milliseconds(300))
    }

    @Test func `only a connection that lived starts it over`() {
        var backoff = Backoff()
        for _ in 0..<3 { _ = backoff.nextDelay(chance: 0.5) }
        backoff.connectionEnded(after: .seconds(1))
        #expect(backoff.nextDelay(chance: 0.5) == .seconds(2))
        backoff.connectionEnded(after: .seconds(31))
        #expect(backoff.nextDelay(chance: 0.5) == .milliseconds(250))
        #expect(backoff.attempt == 1)
    }

    @Test func `what the venue asks for is kept, however long`() {
        var backoff = Backoff()
        #expect(backoff.nextDelay(chance: 0, atLeast: .seconds(90)) == .seconds(90))
    }

    @Test func `a thousand failures do not overflow`() {
        var backoff = Backoff()
        for _ in 0..<1000 { _ = backoff.nextDelay(chance: 0.5) }
        #expect(backoff.nextDelay(chance: 0.5) == .seconds(5))
    }
}
