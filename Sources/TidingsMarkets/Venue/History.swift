public import Tidings

/// A piece of a venue's past.
public struct HistoryQuery: Sendable, Equatable {
    public enum Kind: Sendable, Equatable {
        /// Candles that start in `since..<until`, in the spelling of `interface.md` (`1m`, `1h`).
        case candles(interval: String, since: Timestamp, until: Timestamp)
        /// The newest trades that the venue gives without an account, at most so many.
        case trades(limit: Int)
    }

    public var instrument: Instrument
    public var kind: Kind

    public init(_ instrument: Instrument, _ kind: Kind) {
        self.instrument = instrument
        self.kind = kind
    }
}

/// One answer's worth of history.
public struct HistoryPage: Sendable {
    /// Oldest first.
    public var events: [StandardEvent]
    /// Asks for what follows, or comes before, where the answer was not all of it.
    public var next: VenueRequest?

    public init(events: [StandardEvent], next: VenueRequest? = nil) {
        self.events = events
        self.next = next
    }
}
