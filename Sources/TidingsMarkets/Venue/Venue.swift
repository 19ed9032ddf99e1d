public import Tidings

/// An exchange, as a value without I/O: where it is, how it spells symbols, how its feed and its history work.
///
/// Adding one is a folder under `Venues` and its name in ``Venues/all``; `docs/adding-a-venue.md` shows how, and
/// `VenueConformance` in `TidingsTesting` checks it. A program of its own hands its value to ``Connector`` and touches
/// nothing here.
public protocol Venue: Sendable {
    /// The `source` of its events, in lower case.
    var name: String { get }
    /// Its public WebSocket, with scheme, host and path.
    var endpoint: String { get }
    /// Where its HTTP requests go: scheme and host, without a path.
    var rest: String { get }
    /// What it asks of those who connect.
    var limits: VenueLimits { get }

    /// The instrument that a name in either spelling must be, as far as that is certain without asking the venue; `nil`
    /// for what cannot be one. ``instruments(from:)`` has the last word where the list can be had.
    func instrument(named name: String) -> Instrument?

    /// Asks for the list of instruments.
    var instrumentsRequest: VenueRequest { get }

    /// What is traded, from the answer to ``instrumentsRequest``; what is not traded now is left out.
    func instruments(from answer: UnsafeRawBufferPointer) throws(VenueError) -> [Instrument]

    /// A feed of some instruments and channels.
    func makeSession(_ plan: FeedPlan) -> any VenueSession

    /// The first request for a piece of history.
    ///
    /// - Throws: `unsupported` for what the venue does not have, such as an interval.
    func request(for query: HistoryQuery) throws(VenueError) -> VenueRequest

    /// Reads an answer to a request for history.
    ///
    /// - Returns: its events, oldest first and with the identifiers that the feed would give them, and the request for
    ///   the next page where there is one.
    func page(
        of query: HistoryQuery, request: VenueRequest, from answer: UnsafeRawBufferPointer, at receivedAt: Timestamp
    ) throws(VenueError) -> HistoryPage
}

/// What a venue asks of those who connect to it.
public struct VenueLimits: Sendable, Equatable {
    /// Messages a client may send in a second on one connection; more wait their turn.
    public var messagesPerSecond: Double = 5
    /// How many of them may come at once.
    public var messageBurst: Int = 5
    /// Weight of HTTP requests in ``requestInterval``.
    public var requestWeight: Int = 60
    public var requestInterval: Duration = .seconds(60)
    /// The least time between two HTTP requests, so that the snapshots of many symbols do not come in one burst.
    public var requestSpacing: Duration = .milliseconds(100)
    /// The venue ends connections at this age: a new one is opened before, and both overlap.
    public var connectionLife: Duration?
    /// A connection on which nothing at all has come for so long is dead.
    public var silence: Duration = .seconds(60)

    public init() {}
}

/// What a venue could not do or did not understand.
public struct VenueError: Error, Sendable, Equatable, CustomStringConvertible {
    public struct Code: RawRepresentable, Hashable, Sendable {
        public let rawValue: String

        public init(rawValue: String) {
            self.rawValue = rawValue
        }

        /// The venue does not have what was asked for.
        public static let unsupported = Code(rawValue: "unsupported")
        /// An answer that makes no sense.
        public static let unreadable = Code(rawValue: "unreadable")
        /// The venue refused; the message is its own.
        public static let refused = Code(rawValue: "refused")
    }

    public let code: Code
    public let message: String

    public init(_ code: Code, _ message: String) {
        self.code = code
        self.message = message
    }

    public var description: String { self.message }
}
