internal import Tidings

/// The one market of a simulator that runs in real time or a multiple of it: whoever joins gets the same trades.
final class SharedMarket: Sendable {
    /// The clock's time, in nanoseconds, at which the market began.
    let origin: Int64
    private let factor: Double
    private let market: Locked<GeneratedMarket>

    /// So many steps are made in one go at most; a market that is asked for more falls behind instead of hanging.
    private static let maximumSteps = 20_000

    init(_ market: GeneratedMarket, factor: Double, origin: Int64) {
        self.market = Locked(market)
        self.factor = factor
        self.origin = origin
    }

    /// The market as it is now.
    func advanced(to now: Int64) -> GeneratedMarket {
        let offset = Int64(min(Double(max(0, now - self.origin)) * self.factor, 9e18))
        return self.market.withLock { market in
            var steps = 0
            while let next = market.nextOffset, next <= offset, steps < Self.maximumSteps {
                _ = market.step()
                steps += 1
            }
            return market
        }
    }
}
