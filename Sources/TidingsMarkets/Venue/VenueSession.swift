public import Tidings

/// A venue's feed, without I/O: bytes, answers and time in; events, texts to send and requests out.
///
/// A value that its driver keeps under one lock. It lives across connections, so that what it knows (the last trade, the
/// open candle) is not published again. Connections are numbered, upwards; there may be two at a time while an old one is
/// replaced as planned, and then both bring the same data. Every way in takes whatever the network sends without a trap.
public protocol VenueSession: Sendable {
    /// A socket has been opened: says what to subscribe to on it.
    mutating func opened(_ connection: Int, at now: Timestamp, into output: inout VenueOutput)

    /// A socket is gone.
    mutating func closed(_ connection: Int, at now: Timestamp, into output: inout VenueOutput)

    /// One text frame. All events of it carry `receivedAt`.
    mutating func receive(
        _ frame: UnsafeRawBufferPointer, on connection: Int, at receivedAt: Timestamp, into output: inout VenueOutput)

    /// The end of a request that the session asked for.
    mutating func receive(
        _ answer: VenueAnswer, to request: VenueRequest, at receivedAt: Timestamp, into output: inout VenueOutput)

    /// Time has passed: keep-alives, deadlines, books that are told of at intervals. Called about ten times a second.
    mutating func tick(at now: Timestamp, into output: inout VenueOutput)

    /// Asks anew for a stream that has fallen silent. A book is asked for with its snapshot.
    mutating func resubscribe(to stream: Int, at now: Timestamp, into output: inout VenueOutput)

    /// The whole book of an instrument as it stands, and whether it is to be relied on; `nil` when there is none.
    func book(of instrument: Int) -> (book: LocalBook, isLive: Bool)?
}
