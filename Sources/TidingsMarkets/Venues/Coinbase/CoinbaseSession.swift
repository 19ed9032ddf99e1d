import Tidings

/// Coinbase Exchange's public feed as a machine.
///
/// Source: https://docs.cdp.coinbase.com/exchange/websocket-feed/overview and /channels
/// - One message subscribes several products to several channels, within 5 s of connecting.
/// - `match`: a product's `trade_id` goes up by one; `side` is the maker's. `last_match` comes on every subscribe.
/// - `heartbeat`: once a second, with the number of the product's last trade and event.
/// - `level2_batch`: a snapshot, then absolute sizes, without any number: what a book has lost shows when it is crossed,
///   or when it is compared with the venue's own (``BookCheck``).
/// - `ticker`: one per match; `sequence` is the product's, of which a ticker sees only some.
struct CoinbaseSession: VenueSession {
    struct Product: Sendable {
        let instrument: Instrument
        let symbol: Name
        let venueSymbol: Name
        /// The numbers of its streams; `nil` for what is not collected.
        let tradeStream: Int?
        let tickerStream: Int?
        let bookStream: Int?
        let candleStream: Int?
        var trades = CoinbaseTrades()
        var ticker = LastTicker()
        var book: CoinbaseBook
        /// The venue's time of the book's last change.
        var bookTime: Int64 = .min
        /// How many changes in a row were older than that.
        var olderUpdates = 0
        /// The product's number of its last event, as the last heartbeat gave it.
        var heartbeatSequence: UInt64?
        var check = BookCheck()

        func context(_ receivedAt: Timestamp) -> MarketContext {
            MarketContext(venueSymbol: self.venueSymbol, instrument: .spot, receivedAt: receivedAt)
        }
    }

    /// What the last ticker said, to know it again.
    struct LastTicker: Sendable {
        var sequence: UInt64?
        var time: Int64 = .min
        var tradeID: UInt64?
    }

    static let source: Name = "coinbase"
    static let bookChannel = "level2_batch"
    /// So many products are named in one message.
    private static let productsPerMessage = 50

    let plan: FeedPlan
    let table: ProductTable
    var products: [Product]
    var links = LinkTable()
    var fields = CoinbaseFields()
    var candles: CandlePoll?
    var pulse = DataPulse()
    private let channels: [String]
    private var hasToldOfCandles = false

    init(_ plan: FeedPlan) {
        self.plan = plan
        self.table = ProductTable(plan.instruments.map(\.venueSymbol))
        self.products = plan.instruments.enumerated().map { index, instrument in
            Product(
                instrument: instrument, symbol: Name(instrument.symbol), venueSymbol: Name(instrument.venueSymbol),
                tradeStream: plan.stream(.trade, of: index), tickerStream: plan.stream(.ticker, of: index),
                bookStream: plan.stream(.orderBook, of: index), candleStream: plan.stream(.ohlcv, of: index),
                book: CoinbaseBook(BookPublisher(plan.book, source: Self.source, instrument: instrument)))
        }
        if plan.channels.contains(.ohlcv), let seconds = CoinbaseCandles.seconds(plan.candleInterval) {
            self.candles = CandlePoll(seconds: seconds, count: plan.instruments.count)
        }
        var channels: [String] = []
        if plan.channels.contains(.trade) { channels.append("matches") }
        if plan.channels.contains(.ticker) { channels.append("ticker") }
        channels.append("heartbeat")
        if plan.channels.contains(.orderBook) { channels.append(Self.bookChannel) }
        self.channels = channels
    }

    // MARK: Connections

    mutating func opened(_ connection: Int, at now: Timestamp, into output: inout VenueOutput) {
        let isOnly = self.links.newest == nil
        var awaited: Set<Int> = []
        for product in self.products {
            awaited.formUnion([product.tradeStream, product.tickerStream, product.bookStream].compactMap { $0 })
        }
        self.links.opened(connection, awaiting: awaited)
        for index in self.products.indices {
            self.products[index].heartbeatSequence = nil
            if isOnly { self.products[index].book.asked(at: now.nanoseconds) }
            if self.candles != nil, let stream = self.products[index].candleStream {
                output.notices.append(.confirmed(stream: stream))
            }
        }
        let names = self.products.map(\.instrument.venueSymbol)
        for start in stride(from: 0, to: names.count, by: Self.productsPerMessage) {
            let some = Array(names[start..<min(start + Self.productsPerMessage, names.count)])
            output.send(Self.message("subscribe", some, self.channels), on: connection)
        }
        self.tellOfCandles(into: &output)
        self.noteReady(connection, into: &output)
    }

    mutating func closed(_ connection: Int, at now: Timestamp, into output: inout VenueOutput) {
        self.links.closed(connection)
        for index in self.products.indices where self.products[index].bookStream != nil {
            guard self.products[index].book.closed(connection), let newest = self.links.newest else { continue }
            // A newer connection has its snapshot under way; an older one had its own, which was not kept.
            if newest < connection {
                self.askForBook(index, at: now, into: &output)
            } else {
                self.products[index].book.asked(at: now.nanoseconds)
            }
        }
    }

    mutating func resubscribe(to stream: Int, at now: Timestamp, into output: inout VenueOutput) {
        guard let newest = self.links.newest,
            let index = self.products.firstIndex(where: {
                $0.tradeStream == stream || $0.tickerStream == stream || $0.bookStream == stream
            })
        else { return }
        if self.products[index].bookStream == stream { return self.askForBook(index, at: now, into: &output) }
        let channel = self.products[index].tradeStream == stream ? "matches" : "ticker"
        let name = self.products[index].instrument.venueSymbol
        output.send(Self.message("unsubscribe", [name], [channel]), on: newest)
        output.send(Self.message("subscribe", [name], [channel]), on: newest)
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
        for index in self.products.indices {
            if self.products[index].bookStream != nil {
                if let event = self.products[index].book.lateEvent(at: now) { output.events.append(event) }
                if self.products[index].book.isOverdue(at: now.nanoseconds) {
                    self.askForBook(index, at: now, into: &output)
                }
                self.tickCheck(index, at: now, into: &output)
            }
            if self.products[index].tradeStream != nil,
                let lost = self.products[index].trades.tick(at: now.nanoseconds)
            {
                self.refill(index, lost, at: now, into: &output)
            }
        }
        self.tickCandles(at: now, into: &output)
        if self.links.newest != nil, self.pulse.wantsProof(at: now.nanoseconds), let first = self.products.first,
            let stream = first.tickerStream ?? first.tradeStream ?? first.bookStream
        {
            self.resubscribe(to: stream, at: now, into: &output)
        }
    }

    // MARK: Messages

    static func message(_ type: String, _ products: [String], _ channels: [String]) -> String {
        let products = products.map { JSONValue.string($0).description }.joined(separator: ",")
        let channels = channels.map { JSONValue.string($0).description }.joined(separator: ",")
        return #"{"type":"\#(type)","product_ids":[\#(products)],"channels":[\#(channels)]}"#
    }

    /// Asks for a product's book anew; it is not whole until the snapshot has come.
    mutating func askForBook(_ index: Int, at now: Timestamp, into output: inout VenueOutput) {
        self.products[index].book.asked(at: now.nanoseconds)
        guard let newest = self.links.newest else { return }
        let name = self.products[index].instrument.venueSymbol
        output.send(Self.message("unsubscribe", [name], [Self.bookChannel]), on: newest)
        output.send(Self.message("subscribe", [name], [Self.bookChannel]), on: newest)
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

    private mutating func tellOfCandles(into output: inout VenueOutput) {
        guard self.plan.channels.contains(.ohlcv), self.candles == nil, !self.hasToldOfCandles else { return }
        self.hasToldOfCandles = true
        output.problems.append(
            .unsupportedInterval(Self.source, self.plan.candleInterval, known: CoinbaseCandles.intervals))
    }
}
