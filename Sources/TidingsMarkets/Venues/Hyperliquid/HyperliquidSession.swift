public import Tidings

/// Hyperliquid's public feed as a machine.
///
/// Source: https://hyperliquid.gitbook.io/hyperliquid-docs/for-developers/api/websocket
/// - `trades`: one event per fill. `B` is a buyer who took, `A` a seller. `tid` alone is a hash that may repeat: a fill is
///   known by its time, coin and tid. The venue replays recent fills on every subscribe.
/// - `l2Book`: always the whole book, at most 20 levels a side, without sequence or checksum.
/// - The server closes a connection to which it has sent nothing for 60 s; a ping every 30 s makes it answer.
public struct HyperliquidSession: VenueSession {
    struct Coin {
        let symbol: Name
        let venueSymbol: Name
        /// The time of the last book, and its best levels.
        var bookTime: Int64 = .min
        var bids: [OrderBook.Level] = []
        var asks: [OrderBook.Level] = []
        /// The running candle by interval.
        var candles: [Name: Candle] = [:]
        /// Channels not confirmed yet on this connection.
        var unconfirmed = 0

        func context(_ receivedAt: Timestamp) -> MarketContext {
            MarketContext(venueSymbol: self.venueSymbol, instrument: .perpetual, receivedAt: receivedAt)
        }
    }

    static let source: Name = "hyperliquid"
    private static let pingInterval: Int64 = 30_000_000_000

    private let channels: [HyperliquidChannel]
    private let order: [Name]
    var coins: [Name: Coin] = [:]
    private var lastPing: Int64 = 0
    private var connection = 0

    init(symbols: [Instrument], channels: [HyperliquidChannel]) {
        self.channels = channels
        self.order = symbols.map { Name($0.venueSymbol) }
        for entry in symbols {
            let venueSymbol = Name(entry.venueSymbol)
            self.coins[venueSymbol] = Coin(symbol: Name(entry.symbol), venueSymbol: venueSymbol)
        }
    }

    // MARK: What to send

    public mutating func opened(_ connection: Int, at now: Timestamp, into output: inout VenueOutput) {
        self.lastPing = now.nanoseconds
        self.connection = connection
        for coin in self.order {
            // What a candle became while nobody listened is not known, so it must not be called closed.
            self.coins[coin]?.candles = [:]
            self.subscribe(to: coin, into: &output)
        }
    }

    private mutating func subscribe(to coin: Name, into output: inout VenueOutput) {
        self.coins[coin]?.unconfirmed = self.channels.count
        for channel in self.channels {
            output.send(
                #"{"method":"subscribe","subscription":\#(channel.subscription(coin: coin.description))}"#,
                on: self.connection)
        }
    }

    public mutating func tick(at now: Timestamp, into output: inout VenueOutput) {
        guard now.nanoseconds - self.lastPing >= Self.pingInterval else { return }
        self.lastPing = now.nanoseconds
        output.send(#"{"method":"ping"}"#, on: self.connection)
    }

    public mutating func closed(_ connection: Int, at now: Timestamp, into output: inout VenueOutput) {}

    public mutating func receive(
        _ answer: VenueAnswer, to request: VenueRequest, at receivedAt: Timestamp, into output: inout VenueOutput
    ) {}

    public func book(of instrument: Int) -> (book: LocalBook, isLive: Bool)? { nil }

    public mutating func resubscribe(to stream: Int, at now: Timestamp, into output: inout VenueOutput) {
        let symbol = self.coins[self.order[stream % max(1, self.order.count)]]?.symbol
        for coin in self.order where self.coins[coin]?.symbol == symbol {
            for channel in self.channels {
                output.send(
                    #"{"method":"unsubscribe","subscription":\#(channel.subscription(coin: coin.description))}"#,
                    on: self.connection)
            }
            self.subscribe(to: coin, into: &output)
        }
    }
}
