public import Tidings

/// How a connector is doing at a moment.
public struct ConnectorHealth: Sendable {
    public var connector: String
    public var state: ConnectorState
    public var symbols: [String]
    /// When the socket last read a frame.
    public var lastMessageAt: Timestamp?
    /// From the venue's time to ours, in milliseconds, smoothed over about ten events.
    public var latencyMs: Double?
    /// Frames read.
    public var messages: UInt64 = 0
    /// Connections opened after the first one.
    public var reconnects: UInt64 = 0
    /// Symbols subscribed to anew.
    public var resyncs: UInt64 = 0
    /// Events given up because the bus was full for too long.
    public var dropped: UInt64 = 0
    /// Why it is in this state, where there is something to say.
    public var reason: String?

    mutating func noteLatency(_ milliseconds: Double) {
        self.latencyMs = self.latencyMs.map { $0 * 0.9 + milliseconds * 0.1 } ?? milliseconds
    }
}
