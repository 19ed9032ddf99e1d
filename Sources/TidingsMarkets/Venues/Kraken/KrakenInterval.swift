/// Candle intervals, which Kraken counts in minutes.
enum KrakenInterval {
    /// By the spelling of `interface.md`. Source: https://docs.kraken.com/api/docs/websocket-v2/ohlc.
    private static let known: [(name: String, minutes: Int)] = [
        ("1m", 1), ("5m", 5), ("15m", 15), ("30m", 30), ("1h", 60), ("4h", 240), ("1d", 1440), ("1w", 10_080),
        ("15d", 21_600),
    ]

    static func minutes(of name: String) -> Int? {
        Self.known.first { $0.name == name }?.minutes
    }

    static var names: String { Self.known.map(\.name).joined(separator: ", ") }
}
