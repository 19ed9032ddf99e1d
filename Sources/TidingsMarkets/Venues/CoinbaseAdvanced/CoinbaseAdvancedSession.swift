import Tidings

/// Coinbase Advanced Trade's public feed as a machine.
///
/// Source: https://docs.cdp.coinbase.com/coinbase-app/advanced-trade-apis/websocket/websocket-overview and
/// /websocket-channels
/// - One channel in each message, several products; within 5 s of connecting.
/// - `sequence_num` counts a connection's frames, of all channels together: a hole does not say which product lost what,
///   so every book that the connection feeds is asked for anew.
/// - `heartbeats` once a second keep quiet subscriptions open; without them channels close after 60 to 90 s.
/// - `level2` answers as `l2_data`: a snapshot, then absolute sizes; asks are called `offer`.
/// - `market_trades`: the recent ones on subscribing, then batches; `side` is the maker's.
/// - `candles` are of five minutes only; other intervals are asked for over REST.
struct CoinbaseAdvancedSession: VenueSession {
    static let source: Name = "coinbase-advanced"
    static let streamedInterval = "5m"
    /// So many products are named in one message.
    private static let productsPerMessage = 50

    let plan: FeedPlan
    var products: [CoinbaseAdvancedProduct]
    /// By the names in frames, and by those that were subscribed to.
    private let answered: ProductTable
    private let own: ProductTable
    var links = LinkTable()
    var counts: [Int: ConnectionCount] = [:]
    var bids = LevelList()
    var asks = LevelList()
    var poll: CandlePoll?
    var pulse = DataPulse()
    private var hasToldOfCandles = false

    init(_ plan: FeedPlan) {
        self.plan = plan
        self.products = plan.instruments.enumerated().map {
            CoinbaseAdvancedProduct($1, $0, of: plan, source: Self.source)
        }
        self.answered = ProductTable(
            plan.instruments.map { CoinbaseAdvancedProduct.answeredName($0.venueSymbol) })
        self.own = ProductTable(plan.instruments.map(\.venueSymbol))
        if plan.channels.contains(.ohlcv), plan.candleInterval != Self.streamedInterval,
            let granularity = CoinbaseAdvancedCandles.granularity(plan.candleInterval)
        {
            self.poll = CandlePoll(seconds: granularity.seconds, count: plan.instruments.count)
        }
    }

    /// The products that a name in a frame stands for.
    func indices(of name: RawJSONString) -> [Int] {
        name.withUTF8 { name in
            let found = self.answered.all(name)
            return found.isEmpty ? self.own.all(name) : found
        }
    }

    /// Whether candles come over the socket.
    var streamsCandles: Bool {
        self.plan.channels.contains(.ohlcv) && self.plan.candleInterval == Self.streamedInterval
    }

    private var hasNoCandles: Bool {
        self.plan.channels.contains(.ohlcv) && !self.streamsCandles && self.poll == nil
    }

    // MARK: Connections

    mutating func opened(_ connection: Int, at now: Timestamp, into output: inout VenueOutput) {
        let isOnly = self.links.newest == nil
        var awaited: Set<Int> = []
        for product in self.products {
            awaited.formUnion([product.tradeStream, product.tickerStream, product.bookStream].compactMap { $0 })
            if self.streamsCandles, let stream = product.candleStream { awaited.insert(stream) }
        }
        self.links.opened(connection, awaiting: awaited)
        self.counts[connection] = ConnectionCount()
        output.send(#"{"type":"subscribe","channel":"heartbeats"}"#, on: connection)
        let names = self.products.map(\.instrument.venueSymbol)
        for start in stride(from: 0, to: names.count, by: Self.productsPerMessage) {
            let some = Array(names[start..<min(start + Self.productsPerMessage, names.count)])
            for channel in MarketChannel.allCases where self.plan.channels.contains(channel) {
                if channel == .ohlcv, !self.streamsCandles { continue }
                output.send(Self.message("subscribe", some, channel), on: connection)
            }
        }
        for index in self.products.indices {
            if isOnly { self.products[index].book.asked(at: now.nanoseconds) }
            if self.poll != nil, let stream = self.products[index].candleStream {
                output.notices.append(.confirmed(stream: stream))
            }
        }
        if self.hasNoCandles, !self.hasToldOfCandles {
            self.hasToldOfCandles = true
            output.problems.append(
                .unsupportedInterval(
                    Self.source, self.plan.candleInterval, known: CoinbaseAdvancedCandles.intervals))
        }
        self.noteReady(connection, into: &output)
    }

    mutating func closed(_ connection: Int, at now: Timestamp, into output: inout VenueOutput) {
        self.links.closed(connection)
        self.counts[connection] = nil
        var orphans: [Int] = []
        for index in self.products.indices {
            if self.products[index].tickerSource == connection { self.products[index].tickerSource = nil }
            if self.products[index].candleSource == connection { self.products[index].candleSource = nil }
            guard self.products[index].bookStream != nil, self.products[index].book.closed(connection) else {
                continue
            }
            self.products[index].book.asked(at: now.nanoseconds)
            // A newer connection has its snapshot under way; an older one had its own, which was not kept.
            if let newest = self.links.newest, newest < connection { orphans.append(index) }
        }
        self.ask(for: .orderBook, orphans, at: now, into: &output)
    }

    mutating func resubscribe(to stream: Int, at now: Timestamp, into output: inout VenueOutput) {
        for index in self.products.indices {
            for channel in MarketChannel.allCases where self.products[index].stream(channel) == stream {
                self.ask(for: channel, [index], at: now, into: &output)
            }
        }
    }

    func book(of instrument: Int) -> (book: LocalBook, isLive: Bool)? {
        guard self.products.indices.contains(instrument), self.products[instrument].bookStream != nil else {
            return nil
        }
        let book = self.products[instrument].book
        return (book.book, book.isWhole)
    }

    // MARK: Time

    mutating func tick(at now: Timestamp, into output: inout VenueOutput) {
        var overdue: [Int] = []
        for index in self.products.indices {
            if self.products[index].bookStream != nil {
                if let event = self.products[index].book.lateEvent(at: now) { output.events.append(event) }
                if self.products[index].book.isOverdue(at: now.nanoseconds) { overdue.append(index) }
            }
            // Nothing is to be expected of a stream that there is not, as was told.
            if self.hasNoCandles { output.hear(self.products[index].candleStream) }
        }
        self.ask(for: .orderBook, overdue, at: now, into: &output)
        self.tickPoll(at: now, into: &output)
        if self.links.newest != nil, self.pulse.wantsProof(at: now.nanoseconds), !self.products.isEmpty,
            let channel = [MarketChannel.ticker, .trade, .orderBook, .ohlcv].first(where: self.plan.channels.contains)
        {
            self.ask(for: channel, [0], at: now, into: &output)
        }
    }

    // MARK: Messages

    static func message(_ type: String, _ products: [String], _ channel: MarketChannel) -> String {
        let products = products.map { JSONValue.string($0).description }.joined(separator: ",")
        let name =
            switch channel {
            case .trade: "market_trades"
            case .ticker: "ticker"
            case .orderBook: "level2"
            case .ohlcv: "candles"
            }
        return #"{"type":"\#(type)","product_ids":[\#(products)],"channel":"\#(name)"}"#
    }

    /// Asks anew for a channel of some products, all in one message; a book is not whole until its snapshot has come.
    mutating func ask(
        for channel: MarketChannel, _ indices: [Int], at now: Timestamp, into output: inout VenueOutput
    ) {
        guard !indices.isEmpty else { return }
        if channel == .orderBook {
            for index in indices { self.products[index].book.asked(at: now.nanoseconds) }
        }
        guard let newest = self.links.newest, channel != .ohlcv || self.streamsCandles else { return }
        let names = indices.map { self.products[$0].instrument.venueSymbol }
        output.send(Self.message("unsubscribe", names, channel), on: newest)
        output.send(Self.message("subscribe", names, channel), on: newest)
    }

    /// Tells that a connection carries everything, once.
    mutating func noteReady(_ connection: Int, into output: inout VenueOutput) {
        guard self.links.awaitsAnything(connection) else { return }
        let products = self.products
        let isReady = self.links.becomesReady(
            connection,
            areBooksWhole: products.allSatisfy {
                $0.bookStream == nil || ($0.book.isWhole && ($0.book.source ?? -1) >= connection)
            })
        if isReady { output.notices.append(.ready(connection: connection)) }
    }

    /// A stream talks or was acknowledged on a connection.
    @inline(__always)
    mutating func confirm(_ stream: Int?, on connection: Int, into output: inout VenueOutput) {
        guard let stream, self.links.awaitsAnything(connection) else { return }
        if self.links.confirm(stream, on: connection) { output.notices.append(.confirmed(stream: stream)) }
        self.noteReady(connection, into: &output)
    }
}
