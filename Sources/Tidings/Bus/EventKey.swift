/// What makes two events be about the same thing: for conflation and for handlers that are serial per key.
public struct EventKey: Sendable {
    let hash: @Sendable (borrowing StandardEvent) -> UInt64

    /// A key of your own: equal texts are the same thing.
    ///
    /// Called on the publisher's thread for every event; it must be quick and must not block.
    public init(_ text: @escaping @Sendable (StandardEvent) -> String) {
        self.hash = { event in
            StableHash.hash(of: text(copy event))
        }
    }

    private init(hash: @escaping @Sendable (borrowing StandardEvent) -> UInt64) {
        self.hash = hash
    }

    /// The symbol; events without one are all of one key.
    public static let symbol = EventKey(hash: { event in event.payload.symbol?.fingerprint ?? 0 })

    /// Source, symbol and type: what a ticker or a book replaces.
    public static let stream = EventKey(hash: { event in
        let name =
            (event.payload.symbol?.fingerprint ?? 0) ^ StableHash.mix(event.source.fingerprint, StableHash.secret0)
        return StableHash.mix(name, event.eventType.fingerprint ^ StableHash.secret1)
    })

    /// The payload's `item`, as scrapers have it; events without one are all of one key.
    public static let item = EventKey(hash: { event in
        event.payload.item.map { StableHash.hash(of: $0) } ?? 0
    })
}
