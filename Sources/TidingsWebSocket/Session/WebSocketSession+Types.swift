/// Which end of the connection this is: clients mask, servers do not.
public enum WebSocketRole: Sendable { case client, server }

/// The limits and habits of a WebSocket, the same for both ends.
public struct WebSocketOptions: Sendable {
    /// A frame that claims more payload is answered with 1009.
    public var maximumFrameBytes = 16 << 20
    /// A message that grows beyond this, decompressed, is answered with 1009.
    public var maximumMessageBytes = 16 << 20
    /// How often to ping; nil never pings.
    public var pingInterval: Duration? = .seconds(20)
    /// A ping after which nothing at all arrives for this long ends the connection.
    public var pongTimeout: Duration = .seconds(20)
    /// The code that end is given.
    public var missedPongCode: WebSocketCloseCode = .noPong
    /// How long to wait for the peer's close frame, and for the end of the socket.
    public var closeTimeout: Duration = .seconds(5)
    /// `send` refuses when more bytes than this would wait to be written.
    public var maximumPendingBytes = 4 << 20

    public init() {}
}

/// Where the bytes of a message are.
public enum WebSocketPayload: Equatable, Sendable {
    /// A range of the input that was just given: not copied.
    case input(Range<Int>)
    /// In the session's own memory, see `WebSocketSession.assembled`.
    case assembled
}

/// What the driver has to do next.
public enum WebSocketAction: Sendable {
    /// A whole text message, valid UTF-8.
    case text(WebSocketPayload)
    /// A whole binary message.
    case binary(WebSocketPayload)
    /// An encoded control frame to write and flush.
    case send([UInt8])
    /// Flush what was sent, then close the socket. The last action of a session.
    case finished(WebSocketClosure)
}

extension Duration {
    /// Nanoseconds, none below zero and at most 95 years, which any clock of ours can be moved by.
    var clampedNanoseconds: Int64 {
        let (seconds, attoseconds) = self.components
        guard seconds < 3_000_000_000 else { return 3_000_000_000_000_000_000 }
        guard seconds >= 0, attoseconds >= 0 else { return 0 }
        return seconds * 1_000_000_000 + attoseconds / 1_000_000_000
    }
}
