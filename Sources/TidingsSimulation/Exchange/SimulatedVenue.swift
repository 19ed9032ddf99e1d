/// One exchange's manner of speaking: all that is to be written to add a venue. No I/O, no clock, no state.
package protocol SimulatedVenue: Sendable {
    /// As in `--venue`.
    var name: String { get }

    /// What a generated market trades.
    var instruments: [Instrument] { get }

    /// What a frame the venue sent is, so that a playback knows whom to send it.
    func role(of frame: UnsafeRawBufferPointer) -> FrameRole

    /// Answers a client's message.
    /// - Parameters:
    ///   - subscriptions: of this client so far; the answer changes them.
    ///   - knows: whether there is data for a symbol.
    func answer(
        _ message: UnsafeRawBufferPointer, subscriptions: inout Set<Topic>, knows: (String) -> Bool
    ) -> [VenueReply]

    /// Text of a frame that ends in the middle.
    var brokenFrame: [UInt8] { get }

    /// Writes the frames with which a generated market tells of an event, for these subscriptions.
    func render(
        _ event: MarketEvent, of market: GeneratedMarket, for subscriptions: Set<Topic>,
        emit: (UnsafeRawBufferPointer) -> Void)

    /// The frames that a new subscription to a generated market begins with.
    func renderFirst(_ topic: Topic, of market: GeneratedMarket, emit: (UnsafeRawBufferPointer) -> Void)

    /// Up to `limit` frames, oldest first, that a generated market would have sent last on a topic.
    func renderRecent(_ topic: Topic, of market: GeneratedMarket, limit: Int) -> [[UInt8]]

    /// Answers an HTTP request.
    func respond(to request: VenueRequest, from snapshot: any VenueSnapshot) -> VenueResponse
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
}

/// An HTTP request to a venue.
package struct VenueRequest: Sendable {
    package var method: String
    /// Path and query.
    package var uri: String
    package var body: [UInt8]
}

/// A venue's answer to an HTTP request.
package struct VenueResponse: Sendable {
    package var status: Int
    package var body: [UInt8]
    package var contentType: String

    package init(status: Int = 200, body: [UInt8], contentType: String = "application/json") {
        self.status = status
        self.body = body
        self.contentType = contentType
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
}
