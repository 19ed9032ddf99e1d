/// Plays a generated market, without end.
package struct GeneratedSource: PlaybackSource {
    private let venue: any SimulatedVenue
    private var market: GeneratedMarket
    private var subscriptions: Set<Topic> = []

    package init(_ market: GeneratedMarket, venue: any SimulatedVenue) {
        self.market = market
        self.venue = venue
    }

    package var nextOffset: Int64? { self.market.nextOffset }

    package mutating func advance(emit: (UnsafeRawBufferPointer) -> Void) {
        let events = self.market.step()
        guard !self.subscriptions.isEmpty else { return }
        for event in events {
            self.venue.render(event, of: self.market, for: self.subscriptions, emit: emit)
        }
    }

    package mutating func select(_ subscriptions: Set<Topic>) {
        self.subscriptions = subscriptions
    }

    package func begin(_ topic: Topic, emit: (UnsafeRawBufferPointer) -> Void) {
        self.venue.renderFirst(topic, of: self.market, emit: emit)
    }

    package func acknowledgement(of topic: Topic) -> [UInt8]? { nil }

    package var snapshot: any VenueSnapshot {
        GeneratedSnapshot(market: self.market, venue: self.venue)
    }
}

/// A generated exchange as it was at one moment.
struct GeneratedSnapshot: VenueSnapshot {
    let market: GeneratedMarket
    let venue: any SimulatedVenue

    var symbols: [String] { self.market.instruments.map(\.instrument.symbol) }
    var topics: [Topic] { [] }

    func recent(_ topic: Topic, limit: Int) -> [[UInt8]] {
        self.venue.renderRecent(topic, of: self.market, limit: limit)
    }

    func response(to uri: String) -> [UInt8]? { nil }
}
