public import Tidings

/// Binance's public feed as a machine.
///
/// Source: https://github.com/binance/binance-spot-api-docs/blob/master/web-socket-streams.md
/// - Streams are named `<symbol>@<kind>`, in small letters; many are subscribed to in one message, which is answered by
///   its number.
/// - `bookTicker` has neither kind nor time: it is known by its members.
/// - Books are built by ``BinanceBookSync``, trades counted by ``BinanceTradeLine``.
/// - The server pings every 20 s by frames of the WebSocket itself, which are not seen here.
/// - `serverShutdown` comes before maintenance: time to open the next connection.
public struct BinanceSession: VenueSession {
    /// One kind of frame about one symbol, by its name at the venue.
    struct Subscription: Sendable {
        let name: String
        /// The number of the stream in the plan that it is for.
        let stream: Int
    }

    struct Connection: Sendable {
        let number: Int
        /// How many subscriptions of each stream are not confirmed.
        var unconfirmed: [UInt8]
        /// How many streams have one of those.
        var remaining: Int
        var confirmedAt: Int64?
        var isReady = false
        var saidShutdown = false
        /// Whether another one was open before it, whose place it takes.
        let isReplacement: Bool
    }

    /// A message of ours that waits for its answer.
    struct Request: Sendable {
        let connection: Int
        let isSubscription: Bool
        let subscriptions: [Int]
    }

    static let source: Name = "binance"
    /// So many streams are subscribed to in one message.
    static let streamsPerMessage = 200
    /// So many messages of ours may wait for an answer; the oldest are forgotten.
    static let maximumRequests = 512
    /// For so long both connections run side by side before the old one may go: what it has on the way arrives.
    static let overlap: Int64 = 1_000_000_000

    var markets: [BinanceMarket]
    var table: BinanceSymbolTable
    let plan: FeedPlan
    let subscriptions: [Subscription]
    /// How many subscriptions each stream has.
    private let counts: [UInt8]
    /// Symbols that did not fit one connection.
    private let leftOut: [String]
    var connections: [Connection] = []
    var requests: [UInt64: Request] = [:]
    private var nextID: UInt64 = 1
    /// Whether the venue refuses `historicalTrades`.
    var isHistoryRefused = false
    // The levels of the frame that is being read; kept for their memory.
    var bids = LevelList()
    var asks = LevelList()

    init(_ plan: FeedPlan) {
        self.plan = plan
        self.markets = plan.instruments.enumerated().map { BinanceMarket($1, index: $0, plan: plan) }
        self.table = BinanceSymbolTable(plan.instruments.map(\.venueSymbol))
        var subscriptions: [Subscription] = []
        var counts = Array(repeating: 0 as UInt8, count: plan.instruments.count * plan.channels.count)
        var leftOut: [String] = []
        for (index, instrument) in plan.instruments.enumerated() {
            let wanted = Self.names(of: instrument, plan).flatMap { channel, names in
                names.compactMap { name in
                    plan.stream(channel, of: index).map { Subscription(name: name, stream: $0) }
                }
            }
            guard leftOut.isEmpty, subscriptions.count + wanted.count <= Binance.maximumStreams else {
                leftOut.append(instrument.symbol)
                continue
            }
            subscriptions += wanted
            for subscription in wanted { counts[subscription.stream] += 1 }
        }
        self.subscriptions = subscriptions
        self.counts = counts
        self.leftOut = leftOut
    }

    private static func names(of instrument: Instrument, _ plan: FeedPlan) -> [(MarketChannel, [String])] {
        let symbol = instrument.venueSymbol.lowercased()
        return plan.channels.map { channel in
            switch channel {
            case .trade: (channel, ["\(symbol)@trade"])
            case .ticker: (channel, ["\(symbol)@bookTicker", "\(symbol)@ticker"])
            case .orderBook: (channel, ["\(symbol)@depth@100ms"])
            case .ohlcv: (channel, ["\(symbol)@kline_\(plan.candleInterval)"])
            }
        }
    }

    // MARK: Connections

    public mutating func opened(_ connection: Int, at now: Timestamp, into output: inout VenueOutput) {
        if self.connections.isEmpty {
            for index in self.markets.indices { self.markets[index].beginAnew() }
        }
        self.connections.append(
            Connection(
                number: connection, unconfirmed: self.counts, remaining: self.counts.count { $0 > 0 },
                isReplacement: !self.connections.isEmpty))
        var start = 0
        while start < self.subscriptions.count {
            let end = min(start + Self.streamsPerMessage, self.subscriptions.count)
            self.send(isSubscription: true, Array(start..<end), on: connection, into: &output)
            start = end
        }
        if let first = self.leftOut.first {
            output.problems.append(
                VenueOutput.Problem(
                    code: "SUBSCRIPTION",
                    message: "binance: one connection has \(Binance.maximumStreams) streams at most: "
                        + "\(self.leftOut.count) symbols from \(first) on are not collected",
                    details: [
                        "symbol": .string(first), "left_out": .number(ExactDecimal(self.leftOut.count)),
                    ]))
        }
    }

    public mutating func closed(_ connection: Int, at now: Timestamp, into output: inout VenueOutput) {
        self.connections.removeAll { $0.number == connection }
        self.requests = self.requests.filter { $0.value.connection != connection }
        for index in self.markets.indices {
            guard let stream = self.markets[index].bookStream else { continue }
            if self.connections.isEmpty {
                self.markets[index].sync.stop()
            } else if self.markets[index].sync.isLive, !self.isConfirmed(stream) {
                // The successor does not bring this book yet: what happens meanwhile would be missing from it.
                self.mend(index, "its connection was lost before the next one was ready", at: now, into: &output)
            }
        }
    }

    private func isConfirmed(_ stream: Int) -> Bool {
        self.connections.contains { stream < $0.unconfirmed.count && $0.unconfirmed[stream] == 0 }
    }

    public mutating func resubscribe(to stream: Int, at now: Timestamp, into output: inout VenueOutput) {
        guard let newest = self.connections.indices.last else { return }
        let concerned = self.subscriptions.indices.filter { self.subscriptions[$0].stream == stream }
        guard !concerned.isEmpty else { return }
        let connection = self.connections[newest].number
        self.send(isSubscription: false, concerned, on: connection, into: &output)
        self.send(isSubscription: true, concerned, on: connection, into: &output)
        if self.connections[newest].unconfirmed[stream] == 0 { self.connections[newest].remaining += 1 }
        self.connections[newest].unconfirmed[stream] = self.counts[stream]
        for index in self.markets.indices where self.markets[index].bookStream == stream {
            self.mend(index, "it has been silent for too long", at: now, into: &output)
        }
    }

    private mutating func send(
        isSubscription: Bool, _ subscriptions: [Int], on connection: Int, into output: inout VenueOutput
    ) {
        let id = self.nextID
        self.nextID &+= 1
        if self.requests.count >= Self.maximumRequests, let oldest = self.requests.keys.min() {
            self.requests[oldest] = nil
        }
        self.requests[id] = Request(
            connection: connection, isSubscription: isSubscription, subscriptions: subscriptions)
        let names = subscriptions.map { JSONValue.string(self.subscriptions[$0].name).description }
        output.send(
            #"{"method":"\#(isSubscription ? "SUBSCRIBE" : "UNSUBSCRIBE")","params":["#
                + names.joined(separator: ",") + #"],"id":\#(id)}"#, on: connection)
    }

    // MARK: Time

    public mutating func tick(at now: Timestamp, into output: inout VenueOutput) {
        for index in self.markets.indices {
            if self.markets[index].sync.isDue(at: now.nanoseconds) { self.requestBook(index, into: &output) }
            if self.plan.book.interval > .zero, self.markets[index].sync.isLive,
                let event = self.markets[index].publisher.tick(self.markets[index].sync.book, at: now)
            {
                output.events.append(event)
            }
            self.retryRefills(index, at: now, into: &output)
        }
        self.tellReady(at: now, into: &output)
    }

    /// Tells of connections on which everything runs.
    mutating func tellReady(at now: Timestamp, into output: inout VenueOutput) {
        for index in self.connections.indices where !self.connections[index].isReady {
            let connection = self.connections[index]
            guard connection.remaining == 0 else { continue }
            let confirmedAt = connection.confirmedAt ?? now.nanoseconds
            self.connections[index].confirmedAt = confirmedAt
            let age = now.nanoseconds.subtractingReportingOverflow(confirmedAt).partialValue
            if connection.isReplacement, self.connections.count > 1, age < Self.overlap { continue }
            guard self.areBooksWhole else { continue }
            self.connections[index].isReady = true
            output.notices.append(.ready(connection: connection.number))
        }
    }

    private var areBooksWhole: Bool {
        self.markets.allSatisfy { market in
            guard let stream = market.bookStream, self.counts[stream] > 0 else { return true }
            return market.sync.isLive
        }
    }

    public func book(of instrument: Int) -> (book: LocalBook, isLive: Bool)? {
        guard self.markets.indices.contains(instrument), self.markets[instrument].bookStream != nil else { return nil }
        return (self.markets[instrument].sync.book, self.markets[instrument].sync.isLive)
    }
}
