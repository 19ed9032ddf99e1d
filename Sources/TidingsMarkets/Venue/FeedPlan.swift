public import Tidings

/// What a session is to collect. Streams are numbered: ``stream(_:of:)``.
public struct FeedPlan: Sendable {
    public var instruments: [Instrument]
    public var channels: [MarketChannel]
    public var book: BookPlan
    /// The interval of the `ohlcv` channel, in the spelling of `interface.md`, such as `1m`.
    public var candleInterval: String

    public init(
        instruments: [Instrument], channels: [MarketChannel] = MarketChannel.standard, book: BookPlan = BookPlan(),
        candleInterval: String = "1m"
    ) {
        self.instruments = instruments
        self.channels = channels
        self.book = book
        self.candleInterval = candleInterval
    }

    /// The number of an instrument's channel; `nil` when it is not collected.
    public func stream(_ channel: MarketChannel, of instrument: Int) -> Int? {
        guard let index = self.channels.firstIndex(of: channel) else { return nil }
        return instrument * self.channels.count + index
    }

    /// Every stream, by its number.
    public var streams: [MarketStream] {
        self.instruments.flatMap { instrument in
            self.channels.map { MarketStream(channel: $0, symbol: Name(instrument.symbol)) }
        }
    }
}

/// One channel of one symbol.
public struct MarketStream: Sendable, Hashable {
    public var channel: MarketChannel
    /// In our spelling.
    public var symbol: Name

    public init(channel: MarketChannel, symbol: Name) {
        self.channel = channel
        self.symbol = symbol
    }
}

/// Which `order_book` events are made.
public struct BookPlan: Sendable, Equatable {
    /// So many levels of each side are told of.
    public var depth: Int
    public var kind: OrderBook.Kind
    /// At most one event of a symbol in this time; zero for every change.
    public var interval: Duration

    public init(depth: Int = 20, kind: OrderBook.Kind = .snapshot, interval: Duration = .zero) {
        self.depth = depth
        self.kind = kind
        self.interval = interval
    }
}

/// What can be collected of a symbol; each is named by the type of its events.
public enum MarketChannel: String, Sendable, CaseIterable {
    case trade
    case ticker
    case orderBook = "order_book"
    case ohlcv

    /// What is collected unless something else is asked for.
    public static let standard: [MarketChannel] = [.trade, .ticker, .orderBook]
}
