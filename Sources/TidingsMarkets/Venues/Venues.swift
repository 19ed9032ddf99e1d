/// The venues that come with Tidings.
public enum Venues {
    public static let all: [any Venue] = [
        Binance(), Coinbase(), CoinbaseAdvanced(), Hyperliquid(), Kraken(),
    ]

    /// The venue of a name, whatever its case.
    public static func named(_ name: String) throws(ConnectorError) -> any Venue {
        if let venue = Self.all.first(where: { $0.name == name.lowercased() }) { return venue }
        let known = Self.all.map(\.name).joined(separator: ", ")
        throw ConnectorError(.unknownVenue, "'\(name)' is no venue; there are: \(known)")
    }
}

extension Venue {
    /// The instruments that names in either spelling must be, each once.
    public func instruments(named names: [String]) throws(ConnectorError) -> [Instrument] {
        var instruments: [Instrument] = []
        for name in names {
            guard let instrument = self.instrument(named: name) else {
                throw ConnectorError(.unknownSymbol, "'\(name)' is no symbol of \(self.name)")
            }
            if !instruments.contains(instrument) { instruments.append(instrument) }
        }
        return instruments
    }
}
