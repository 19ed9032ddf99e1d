/// An exchange: its name, where it is, how it spells symbols, and how its feed works.
///
/// Adding a venue is one folder under `Venues` with a type like ``Hyperliquid``, and one line in ``all``.
public struct Venue: Sendable {
    /// The `source` of its events.
    public let name: String
    /// Its public WebSocket.
    public let endpoint: String
    /// The instrument of a name in either spelling; `nil` for none.
    let resolve: @Sendable (String) -> Instrument?
    /// A feed of some instruments and channels.
    let makeSession: @Sendable ([Instrument], [MarketChannel]) -> any VenueSession

    /// Every venue there is.
    public static let all: [Venue] = [Hyperliquid.venue]

    /// The venue of a name.
    public static func named(_ name: String) throws(ConnectorError) -> Venue {
        if let venue = Self.all.first(where: { $0.name == name.lowercased() }) { return venue }
        let known = Self.all.map(\.name).joined(separator: ", ")
        throw ConnectorError(.unknownVenue, "'\(name)' is no venue; there are: \(known)")
    }

    /// The instruments of names in either spelling, each once.
    public func instruments(_ names: [String]) throws(ConnectorError) -> [Instrument] {
        var entries: [Instrument] = []
        for name in names {
            guard let entry = self.resolve(name) else {
                throw ConnectorError(.unknownSymbol, "'\(name)' is no symbol of \(self.name)")
            }
            if !entries.contains(entry) { entries.append(entry) }
        }
        return entries
    }
}
