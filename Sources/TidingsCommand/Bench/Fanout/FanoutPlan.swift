import NIOCore
import Tidings
import TidingsWebSocket

/// What a figure of `tidings bench fanout` sends to whom.
struct FanoutPlan: Sendable {
    var clients: Int
    /// How many distinct filters the clients have, in turn.
    var filters = 1

    /// How many symbols trade. With several filters each takes all of them but one, and one of its own that never does,
    /// so that no two filters are the same and none gets a whole turn.
    private var symbols: Int { self.filters == 1 ? 1 : 4 }

    /// How many of a turn's events each client gets.
    func deliveries(of events: Int) -> Int { self.filters == 1 ? events : events - events / 4 }

    /// What each client sends, in turn.
    var subscriptions: [String] {
        (0..<self.filters).map { filter in
            var symbols = (0..<self.symbols).filter { self.filters == 1 || $0 != filter % 4 }.map(Self.symbol)
            if self.filters > 1 { symbols.append("OWN\(filter)-USD") }
            let list = symbols.map { "\"\($0)\"" }.joined(separator: ",")
            return #"{"action":"subscribe","symbols":[\#(list)],"event_types":["trade"]}"#
        }
    }

    private static func symbol(_ number: Int) -> String { ["BTC", "ETH", "SOL", "XRP"][number] + "-USD" }

    // MARK: Events

    /// How many bytes the JSON of an event has.
    static let eventBytes = 330
    private static let stampBase: Int64 = 1_000_000_000_000_000_000
    private static let padding = String(repeating: "x", count: max(Self.eventBytes - Self.byteCount(note: ""), 0))

    /// The next turn's events, all new, with the time of their making.
    func batch(_ count: Int) -> EventBatch {
        EventBatch((0..<count).map { Self.event(Self.symbol($0 % self.symbols), note: Self.padding) })
    }

    private static func event(_ symbol: String, note: String) -> StandardEvent {
        StandardEvent(
            eventType: .trade, source: "hyperliquid",
            payload: [
                "symbol": .string(symbol), "price": .number(ExactDecimal(mantissa: 5_000_000, scale: 2)),
                "volume": .number(ExactDecimal(mantissa: 15, scale: 1)),
                "sent_ns": .number(ExactDecimal(mantissa: Self.stampBase + MonotonicClock.nanoseconds())),
                "note": .string(note),
            ])
    }

    private static func byteCount(note: String) -> Int {
        EventBatch([self.event(self.symbol(0), note: note)]).json.byteCount(at: 0)
    }

    /// The frame of one event as the gateway sends it, and where in it the digits of its time stand.
    static func frame() -> (bytes: [UInt8], stamp: Int) {
        let batch = EventBatch([self.event(self.symbol(0), note: self.padding)])
        let json = batch.json.withJSON(at: 0) { String(decoding: $0, as: UTF8.self) }
        var frame = ByteBuffer()
        frame.writeWebSocketText(#"{"type":"event","offset":1234567,"data":\#(json)}"#)
        let bytes = Array(frame.readableBytesView)
        let name = Array(#""sent_ns":"#.utf8)
        let start = bytes.indices.first { bytes[$0...].starts(with: name) } ?? 0
        return (bytes, start + name.count)
    }
}
