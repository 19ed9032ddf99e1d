public import Tidings

/// What a venue's feed asks of its driver.
public struct VenueOutput: Sendable {
    /// Events, in the order of the frames they came from.
    public var events: [StandardEvent] = []
    /// Texts to send.
    public var outgoing: [String] = []
    /// Symbols (ours) that frames were about, whether or not they made events.
    public var heard: [Name] = []
    /// Symbols (ours) whose subscriptions the venue has confirmed.
    public var confirmed: [Name] = []
    /// What went wrong, without ending the connection.
    public var problems: [Problem] = []

    /// Something wrong with what the venue sent.
    public struct Problem: Sendable, Equatable {
        public var code: String
        public var message: String
        public var details: JSONObject

        public init(code: String, message: String, details: JSONObject = JSONObject()) {
            self.code = code
            self.message = message
            self.details = details
        }
    }

    public init() {}

    /// Forgets everything and keeps the memory.
    public mutating func removeAll() {
        self.events.removeAll(keepingCapacity: true)
        self.outgoing.removeAll()
        self.heard.removeAll(keepingCapacity: true)
        self.confirmed.removeAll()
        self.problems.removeAll()
    }
}

/// One connection to a venue, without I/O: bytes and time in, events and texts to send out.
///
/// A value that the driver keeps on its connection's event loop. It lives across reconnects, so that what it knows (the
/// last book, the open candle) is not published again.
public protocol VenueSession: Sendable {
    /// A socket has been opened: says what to subscribe to.
    mutating func opened(at now: Timestamp, into output: inout VenueOutput)

    /// One text frame. Never traps, whatever it holds.
    mutating func receive(_ frame: UnsafeRawBufferPointer, at receivedAt: Timestamp, into output: inout VenueOutput)

    /// Time has passed: keep-alives. Called about once a second.
    mutating func tick(at now: Timestamp, into output: inout VenueOutput)

    /// Asks anew for the frames of one symbol, which have stopped coming.
    mutating func resubscribe(to symbol: Name, into output: inout VenueOutput)
}
