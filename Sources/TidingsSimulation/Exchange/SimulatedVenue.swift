/// One exchange's manner of speaking: all that is to be written to add a venue. No I/O, no clock, no state.
package protocol SimulatedVenue: Sendable {
    /// As in `--venue`.
    var name: String { get }

    /// What a generated market trades.
    var instruments: [Instrument] { get }

    /// How often the venue sends WebSocket pings; `nil` where it leaves that to its clients.
    var pingInterval: Duration? { get }

    /// Text of a frame that ends in the middle.
    var brokenFrame: [UInt8] { get }

    // MARK: Recorded frames

    /// What a frame the venue sent is, so that a playback knows whom to send it.
    func role(of frame: UnsafeRawBufferPointer) -> FrameRole

    /// The topics whose frames a client gets that asked for one there is nothing of, the best first.
    func alternatives(to topic: Topic) -> [Topic]

    /// The topic with the updates of a symbol's book.
    func bookTopic(of symbol: String) -> Topic

    /// The topics with the trades of a symbol, the best first.
    func tradeTopics(of symbol: String) -> [Topic]

    /// What a frame says about a book; `nil` for one that is about something else.
    func bookChange(in frame: UnsafeRawBufferPointer) -> BookChange?

    /// What a recorded HTTP answer says about a book.
    func bookChange(inResponse text: UnsafeRawBufferPointer, to uri: String) -> BookChange?

    /// The levels a side that a venue keeps up to date, as its acknowledgement says; `nil` = all.
    func bookDepth(inAcknowledgement frame: UnsafeRawBufferPointer) -> Int?

    /// The trades in a frame, oldest first.
    func trades(in frame: UnsafeRawBufferPointer) -> [TradeRecord]

    /// The frames that a subscription in the middle of a recording begins with.
    func first(of topic: Topic, from snapshot: any VenueSnapshot, for client: SimulatedClient) -> [[UInt8]]

    /// The recorded acknowledgement with what has to be this client's own in it.
    func acknowledgement(recorded: [UInt8], made: [UInt8]) -> [UInt8]

    // MARK: Clients

    /// Takes what the URL asks for into `client`.
    func open(_ client: inout SimulatedClient)

    /// What a client of a generated market is told first.
    var greeting: [[UInt8]] { get }

    /// Answers a client's message.
    /// - Parameters:
    ///   - client: who asks; the answer changes its subscriptions.
    ///   - knows: whether there is data for a symbol.
    func answer(
        _ message: UnsafeRawBufferPointer, client: inout SimulatedClient, knows: (String) -> Bool
    ) -> [VenueReply]

    /// Whether ``heartbeats(for:isIdle:isPlaying:from:)`` is to be asked.
    var hasHeartbeats: Bool { get }

    /// What is to be sent by the clock, asked once a second.
    /// - Parameters:
    ///   - isIdle: nothing was sent within the last second.
    ///   - isPlaying: there are frames to come, among which heartbeats may be.
    func heartbeats(
        for client: inout SimulatedClient, isIdle: Bool, isPlaying: Bool, from snapshot: any VenueSnapshot
    ) -> [[UInt8]]

    /// Whether every frame of a connection carries a number, so that ``numbered(_:as:)`` is to be asked.
    var numbersFrames: Bool { get }

    /// The frame with its number in it; `nil` for one that has none.
    func numbered(_ frame: UnsafeRawBufferPointer, as number: UInt64) -> [UInt8]?

    /// A book's frame with an error in it that a careful client notices; `nil` for frames that will not do.
    /// - Parameter snapshot: the exchange after this frame.
    func corrupted(_ frame: UnsafeRawBufferPointer, from snapshot: any VenueSnapshot) -> [UInt8]?

    // MARK: Generated markets

    /// Writes the frames with which a generated market tells a client of an event.
    func render(
        _ event: MarketEvent, of market: GeneratedMarket, for client: SimulatedClient,
        emit: (UnsafeRawBufferPointer) -> Void)

    /// The frames that a new subscription to a generated market begins with.
    func renderFirst(
        _ topic: Topic, of market: GeneratedMarket, for client: SimulatedClient,
        emit: (UnsafeRawBufferPointer) -> Void)

    /// Up to `limit` frames, oldest first, that a generated market would have sent last on a topic.
    func renderRecent(_ topic: Topic, of market: GeneratedMarket, limit: Int) -> [[UInt8]]

    // MARK: REST

    /// Answers an HTTP request.
    func respond(to request: VenueRequest, from snapshot: any VenueSnapshot) -> VenueResponse
}

extension SimulatedVenue {
    package var pingInterval: Duration? { nil }
    package func alternatives(to topic: Topic) -> [Topic] { [] }
    package func bookChange(inResponse text: UnsafeRawBufferPointer, to uri: String) -> BookChange? { nil }
    package func bookDepth(inAcknowledgement frame: UnsafeRawBufferPointer) -> Int? { nil }
    package func acknowledgement(recorded: [UInt8], made: [UInt8]) -> [UInt8] { recorded }
    package func open(_ client: inout SimulatedClient) {}
    package var greeting: [[UInt8]] { [] }
    package var hasHeartbeats: Bool { false }
    package func heartbeats(
        for client: inout SimulatedClient, isIdle: Bool, isPlaying: Bool, from snapshot: any VenueSnapshot
    ) -> [[UInt8]] { [] }
    package var numbersFrames: Bool { false }
    package func numbered(_ frame: UnsafeRawBufferPointer, as number: UInt64) -> [UInt8]? { nil }

    /// The topic's last frame once more.
    package func first(
        of topic: Topic, from snapshot: any VenueSnapshot, for client: SimulatedClient
    ) -> [[UInt8]] {
        snapshot.recent(topic, limit: 1)
    }

    package func renderRecent(_ topic: Topic, of market: GeneratedMarket, limit: Int) -> [[UInt8]] {
        var frames: [[UInt8]] = []
        guard limit > 0 else { return [] }
        self.renderFirst(topic, of: market, for: SimulatedClient()) { frames.append(Array($0)) }
        return frames.suffix(limit)
    }
}

/// What a venue's frame is to a playback.
package enum FrameRole: Equatable, Sendable {
    /// Data for those who subscribed.
    case data(Topic)
    /// The answer to a subscription, which is sent when somebody subscribes.
    case acknowledgement([Topic])
    /// The answer to something else that clients ask; it is made anew for whoever asks.
    case answer
    /// For everybody: what tells of the connection itself, and what cannot be understood.
    case everyone
}

/// A frame that answers a client's message.
package enum VenueReply: Sendable {
    case frame([UInt8])
    /// The answer to a new subscription; the recorded one is sent instead where there is one.
    case acknowledgement(Topic, made: [UInt8])
    /// Tells all that is subscribed to; a recorded one that tells exactly that is sent instead.
    case acknowledgements(Set<Topic>, made: [UInt8])
    /// A subscription begins: what it begins with follows.
    case begin(Topic)
}

/// An HTTP request to a venue.
package struct VenueRequest {
    package var method: String
    /// Path and query.
    package var uri: String
    package var body: [UInt8]
    /// Whether this is the first time that the client of the youngest playback asks for a symbol's book: then it kept
    /// all updates from the beginning, and the book as it was then fits.
    package var isFirst: (_ symbol: String) -> Bool = { _ in false }

    package init(
        method: String = "GET", uri: String, body: [UInt8] = [], isFirst: @escaping (String) -> Bool = { _ in false }
    ) {
        self.method = method
        self.uri = uri
        self.body = body
        self.isFirst = isFirst
    }
}

/// A venue's answer to an HTTP request.
package struct VenueResponse: Sendable {
    package var status: Int
    package var body: [UInt8]
    package var contentType: String
    package var headers: [(name: String, value: String)]

    package init(
        status: Int = 200, body: [UInt8], contentType: String = "application/json",
        headers: [(name: String, value: String)] = []
    ) {
        self.status = status
        self.body = body
        self.contentType = contentType
        self.headers = headers
    }
}

/// What an exchange knows at one point of a playback.
package protocol VenueSnapshot: Sendable {
    /// The venue's spelling of every symbol there is.
    var symbols: [String] { get }
    /// Up to `limit` frames of a topic up to now, oldest first.
    func recent(_ topic: Topic, limit: Int) -> [[UInt8]]
    /// The topics there is data on.
    var topics: [Topic] { get }
    /// The recorded answer to a GET, by path and query.
    func response(to uri: String) -> [UInt8]?
    /// Milliseconds since 1970, in the exchange's own time.
    var time: Int64 { get }
    func instrument(_ symbol: String) -> InstrumentRecord
    /// A symbol's book now.
    func book(of symbol: String) -> SimulatedBook?
    /// A symbol's book as it was when the playback began, where it had one.
    func firstBook(of symbol: String) -> SimulatedBook?
    /// The latest trades up to now, up to 10,000 at least, oldest first.
    func trades(of symbol: String) -> [TradeRecord]
    /// The candles up to now, oldest first.
    func candles(of symbol: String, _ interval: CandleInterval) -> [CandleRecord]
}
