public import Tidings

/// How a connector is doing at a moment.
public struct ConnectorHealth: Sendable {
    /// A symbol with which something is not as it should be.
    public struct SymbolMark: Sendable, Equatable {
        /// In our spelling.
        public var symbol: String
        public var reason: String
    }

    public var connector: String
    /// That of the connection, or, when that stands, of the symbol that is worst off.
    public var state: ConnectorState
    public var symbols: [String]
    /// When a socket last read a frame.
    public var lastMessageAt: Timestamp?
    /// From the venue's time to ours, in milliseconds, smoothed over about ten reads of the socket.
    public var latencyMs: Double?
    /// Frames read.
    public var messages: UInt64 = 0
    /// Connections opened after the first one.
    public var reconnects: UInt64 = 0
    /// Symbols subscribed to anew, and books mended.
    public var resyncs: UInt64 = 0
    /// Events given up because the bus was full for too long.
    public var dropped: UInt64 = 0
    /// Why it is in this state, where there is something to say.
    public var reason: String?
    /// Symbols of which a stream has fallen silent.
    public var stale: [SymbolMark] = []
    /// Symbols whose book is not to be relied on, and is being mended.
    public var resyncing: [SymbolMark] = []

    /// How long ago a socket last read a frame; `nil` before the first.
    public func messageAge(at now: Timestamp = .now()) -> Duration? {
        self.lastMessageAt.map { now.duration(since: $0) }
    }
}
