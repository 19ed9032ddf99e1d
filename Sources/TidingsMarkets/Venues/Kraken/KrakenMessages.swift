import Tidings

/// What can be subscribed to, and how it is asked for.
enum KrakenChannel: Int, Sendable, CaseIterable {
    case book = 1
    case trade
    case ticker
    case ohlc

    init(_ channel: MarketChannel) {
        switch channel {
        case .trade: self = .trade
        case .ticker: self = .ticker
        case .orderBook: self = .book
        case .ohlcv: self = .ohlc
        }
    }

    var market: MarketChannel {
        switch self {
        case .trade: .trade
        case .ticker: .ticker
        case .book: .orderBook
        case .ohlc: .ohlcv
        }
    }

    var name: String {
        switch self {
        case .trade: "trade"
        case .ticker: "ticker"
        case .book: "book"
        case .ohlc: "ohlc"
        }
    }
}

/// Writes what is sent to the venue.
struct KrakenMessages: Sendable {
    /// The depths that can be asked for.
    static let depths = [10, 25, 100, 500, 1000]
    /// So many symbols are named in one message.
    static let symbolsPerMessage = 50

    /// Levels a side that are asked for: 100, or more where more are to be told of.
    let depth: Int
    /// Minutes of a candle.
    let interval: Int?
    private var serial = 0

    init(depth: Int, interval: Int?) {
        self.depth = Self.depths.first { $0 >= max(100, depth) } ?? 1000
        self.interval = interval
    }

    /// The request's number ends in its channel's, so that a refusal, which does not name the channel, can be understood.
    mutating func subscribe(_ channel: KrakenChannel, _ symbols: [String]) -> String {
        var parameters = #""channel":"\#(channel.name)","symbol":\#(Self.list(symbols))"#
        switch channel {
        case .book: parameters += #","depth":\#(self.depth),"snapshot":true"#
        case .trade: parameters += #","snapshot":true"#
        case .ticker: parameters += #","event_trigger":"bbo","snapshot":true"#
        case .ohlc: parameters += #","interval":\#(self.interval ?? 1),"snapshot":true"#
        }
        return #"{"method":"subscribe","params":{\#(parameters)},"req_id":\#(self.nextID(channel))}"#
    }

    /// - Parameter depth: the one that the venue has confirmed.
    mutating func unsubscribe(_ channel: KrakenChannel, _ symbol: String, depth: Int?) -> String {
        var parameters = #""channel":"\#(channel.name)","symbol":\#(Self.list([symbol]))"#
        switch channel {
        case .book: parameters += #","depth":\#(depth ?? self.depth)"#
        case .trade: break
        case .ticker: parameters += #","event_trigger":"bbo""#
        case .ohlc: parameters += #","interval":\#(self.interval ?? 1)"#
        }
        return #"{"method":"unsubscribe","params":{\#(parameters)},"req_id":\#(self.nextID(channel))}"#
    }

    mutating func ping() -> String {
        #"{"method":"ping","req_id":\#(self.nextID(nil))}"#
    }

    /// The channel of the request that has this number.
    static func channel(ofRequest id: UInt64) -> KrakenChannel? {
        KrakenChannel(rawValue: Int(id % 10))
    }

    private mutating func nextID(_ channel: KrakenChannel?) -> Int {
        self.serial = (self.serial + 1) % 100_000_000
        return self.serial * 10 + (channel?.rawValue ?? 0)
    }

    private static func list(_ symbols: [String]) -> String {
        JSONValue.array(symbols.map { .string($0) }).description
    }
}
