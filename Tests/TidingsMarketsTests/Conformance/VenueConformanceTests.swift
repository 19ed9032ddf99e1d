import Testing
import TidingsTesting

@Suite struct VenueConformanceTests {
    @Test(arguments: VenueConformance.checks)
    func `Hyperliquid keeps the rules`(_ check: VenueConformance.Check) throws {
        try check.run(on: HyperliquidExchange())
    }

    @Test(arguments: VenueConformance.checks)
    func `Binance keeps the rules`(_ check: VenueConformance.Check) throws {
        try check.run(on: BinanceExchange())
    }

    @Test(arguments: VenueConformance.checks)
    func `Coinbase Exchange keeps the rules`(_ check: VenueConformance.Check) throws {
        try check.run(on: CoinbaseExchange())
    }

    @Test(arguments: VenueConformance.checks)
    func `Coinbase Advanced Trade keeps the rules`(_ check: VenueConformance.Check) throws {
        try check.run(on: CoinbaseAdvancedExchange())
    }

    @Test(arguments: VenueConformance.checks)
    func `Kraken keeps the rules`(_ check: VenueConformance.Check) throws {
        try check.run(on: KrakenExchange())
    }
}
