/// How a simulated exchange behaves.
public struct ExchangeSimulatorConfiguration: Sendable {
    /// What it plays.
    public enum Source: Hashable, Sendable {
        /// A recorded session, each connection from its beginning.
        case recording(file: String)
        /// A market made up from a number: the same number gives the same market.
        case generated(seed: UInt64)
    }

    /// Whose manner of speaking: `hyperliquid`, `binance`, `kraken`, `coinbase` or `coinbase-advanced`.
    public var venue = "hyperliquid"
    public var source: Source
    public var speed = PlaybackSpeed.times(1)
    /// Whether a recording begins anew after its last frame.
    public var loops = false
    /// What goes wrong, and when; each once.
    public var faults: [Fault] = []
    public var host = "127.0.0.1"
    /// 0 takes any free one.
    public var port = 0
    /// A playback begins so long after its client's last subscription, at most ten times as long after the first: a
    /// client that subscribes to several things misses the beginning of none. A generated market that is played at a
    /// pace runs anyway and waits for nobody.
    public var settleTime: Duration = .milliseconds(200)
    /// How long the fault `429` refuses handshakes and HTTP requests.
    public var banTime: Duration = .seconds(3)
    /// When a generated market begins, in milliseconds since 1970; `nil` = now.
    public var startTime: Int64?

    /// How long a generated market lasts, in its own time: after that it stands still, and its clients stay connected;
    /// `nil` = for ever.
    public var marketDuration: Duration?

    public init(venue: String = "hyperliquid", source: Source) {
        self.venue = venue
        self.source = source
    }
}
