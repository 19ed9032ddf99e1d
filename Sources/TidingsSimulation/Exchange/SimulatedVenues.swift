/// The venues there is a simulator for.
package enum SimulatedVenues {
    package static let all: [any SimulatedVenue] = [
        HyperliquidVenue(), BinanceVenue(), CoinbaseVenue(), CoinbaseAdvancedVenue(), KrakenVenue(),
    ]

    package static func named(_ name: String) throws(ExchangeSimulatorError) -> any SimulatedVenue {
        guard let venue = self.all.first(where: { $0.name == name }) else {
            let known = self.all.map(\.name).joined(separator: ", ")
            throw ExchangeSimulatorError(.unknownVenue, "unknown venue '\(name)', known are: \(known)")
        }
        return venue
    }
}
