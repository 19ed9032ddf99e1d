public import Tidings

/// What a venue's feed asks of its driver.
public struct VenueOutput: Sendable {
    /// Events, in the order of the frames they came from.
    public var events: [StandardEvent] = []
    /// Texts to send, each on its connection, in order; the driver keeps the venue's rate.
    public var outgoing: [(text: String, connection: Int)] = []
    /// HTTP requests to make, in order; the driver keeps the venue's limits. Every one is answered once, by
    /// ``VenueSession/receive(_:to:at:into:)``.
    public var requests: [VenueRequest] = []
    /// Numbers of the streams that frames were about, whether or not they made events. One may be there several times.
    public var heard: [Int] = []
    public var notices: [Notice] = []
    /// What went wrong, without ending the connection: each becomes an `error` event.
    public var problems: [Problem] = []
    /// The session cannot go on with its connections as they are.
    public var replacement: Replacement?

    /// A change of a symbol's or a connection's state.
    public enum Notice: Sendable, Equatable {
        /// The venue has confirmed the subscription to a stream.
        case confirmed(stream: Int)
        /// Everything that was subscribed to on a connection is confirmed and running: an older one may go.
        case ready(connection: Int)
        /// A symbol's book is not to be relied on, and is being mended.
        case resyncing(symbol: Name, reason: String)
        /// The book is whole again.
        case resynced(symbol: Name)
    }

    public enum Replacement: Sendable, Equatable {
        /// Open a new connection, and close the old one when the new one is ready: nothing is lost.
        case planned(reason: String)
        /// The connection is useless: close it now and come back.
        case immediate(reason: String)
    }

    /// Something wrong with what the venue sent.
    public struct Problem: Sendable, Equatable {
        /// As in `interface.md`: `PARSE`, `SEQUENCE_GAP`, `CHECKSUM`, ...
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

    public mutating func send(_ text: String, on connection: Int) {
        self.outgoing.append((text, connection))
    }

    /// Notes that a frame was about a stream, if that is collected.
    @inline(__always)
    public mutating func hear(_ stream: Int?) {
        if let stream, self.heard.last != stream { self.heard.append(stream) }
    }

    /// Forgets everything and keeps the memory.
    public mutating func removeAll() {
        self.events.removeAll(keepingCapacity: true)
        self.outgoing.removeAll(keepingCapacity: true)
        self.requests.removeAll(keepingCapacity: true)
        self.heard.removeAll(keepingCapacity: true)
        self.notices.removeAll(keepingCapacity: true)
        self.problems.removeAll(keepingCapacity: true)
        self.replacement = nil
    }
}
