public import Tidings

/// Kraken's public feed, version 2, as a machine.
///
/// Source: https://docs.kraken.com/api/docs/websocket-v2/ (book, trade, ticker, ohlc, status, ping).
/// - `book`: a snapshot, then changes. A size is absolute, zero removes. After each message the book is cut to the depth
///   that the venue's own answer named, and its checksum is compared. On a mismatch that symbol's book alone is asked for
///   anew, and nothing is told of it until it is whole.
/// - `trade`: `side` is the taker's. Numbers count up by one for each symbol. The channel is always subscribed to with its
///   snapshot, which is the last 50 trades: on the first connection they are published too (a process that was restarted
///   so fills what it missed; what is in the log already is dropped there), later ones fill the hole of a reconnect. A
///   hole that is longer is asked for over REST, and reported where that does not have it either.
/// - `ticker` comes with every change of the best prices. It has no number, so with two connections the newer one's count.
/// - `ohlc` never says that a candle is closed: it is when the next one begins. The candles of the snapshot that are new
///   are published, all but its last one as closed.
public struct KrakenSession: VenueSession {
    static let source: Name = "kraken"
    /// More connections than this are forgotten, the oldest first.
    static let maximumLinks = 4
    /// A subscription that is not answered in this time is asked for anew.
    static let answerTime: Int64 = 15_000_000_000
    /// A book that has not become whole in this time is asked for anew.
    static let snapshotTime: Int64 = 10_000_000_000
    /// So often in a row a book is asked for anew before the connection is replaced.
    static let maximumRepairs = 5
    /// A book that was whole for so long starts counting anew.
    static let healthyTime: Int64 = 60_000_000_000
    static let firstPenalty: Int64 = 1_000_000_000
    static let longestPenalty: Int64 = 30_000_000_000
    /// The feed is asked for a sign of life after so long a silence; it is dead after twice that.
    static let quietTime: Int64 = 2_000_000_000
    /// Subscriptions sent anew at once; the others wait for the next tick.
    static let retriesPerTick = 10

    let plan: FeedPlan
    let channels: [KrakenChannel]
    let names: KrakenWireNames
    var messages: KrakenMessages
    var markets: [KrakenMarket]
    var links: [KrakenLink] = []
    var frame = KrakenFrame()
    /// What the venue says of itself.
    var system = "online"

    init(_ plan: FeedPlan) {
        self.plan = plan
        self.channels = plan.channels.map { KrakenChannel($0) }
        self.names = KrakenWireNames(plan.instruments)
        self.messages = KrakenMessages(
            depth: plan.book.depth, interval: KrakenInterval.minutes(of: plan.candleInterval))
        self.markets = plan.instruments.map { KrakenMarket($0, plan.book) }
    }

    // MARK: Streams

    @inline(__always)
    func stream(_ channel: KrakenChannel, _ market: Int) -> Int? {
        guard let index = self.channels.firstIndex(of: channel) else { return nil }
        return market * self.channels.count + index
    }

    func parts(of stream: Int) -> (channel: KrakenChannel, market: Int)? {
        guard !self.channels.isEmpty, stream >= 0 else { return nil }
        let (market, channel) = stream.quotientAndRemainder(dividingBy: self.channels.count)
        guard self.markets.indices.contains(market) else { return nil }
        return (self.channels[channel], market)
    }

    func linkIndex(_ connection: Int) -> Int? {
        self.links.firstIndex { $0.number == connection }
    }

    /// The newest connection, where everything is asked for.
    var newest: Int? { self.links.last?.number }

    static func add(_ time: Int64, to now: Int64) -> Int64 {
        let (sum, overflows) = now.addingReportingOverflow(time)
        return overflows ? .max : sum
    }

    // MARK: Connections

    public mutating func opened(_ connection: Int, at now: Timestamp, into output: inout VenueOutput) {
        self.links.removeAll { $0.number == connection }
        if self.links.count >= Self.maximumLinks { self.links.removeFirst() }
        var link = KrakenLink(number: connection, heardAt: now.nanoseconds, pingedAt: now.nanoseconds)
        let deadline = Self.add(Self.answerTime, to: now.nanoseconds)
        for channel in self.channels {
            let streams = self.markets.indices.compactMap { self.stream(channel, $0) }
            if channel == .ohlc, self.messages.interval == nil {
                link.refused.formUnion(streams)
                output.problems.append(
                    VenueOutput.Problem(
                        code: "SUBSCRIPTION",
                        message:
                            "kraken has no candles of \(self.plan.candleInterval); there are: \(KrakenInterval.names)"))
                continue
            }
            for stream in streams { link.unconfirmed[stream] = deadline }
            let symbols = self.plan.instruments.map(\.venueSymbol)
            var start = 0
            while start < symbols.count {
                let end = min(start + KrakenMessages.symbolsPerMessage, symbols.count)
                output.send(self.messages.subscribe(channel, Array(symbols[start..<end])), on: connection)
                start = end
            }
        }
        // In order of their numbers: the newest is last.
        let place = self.links.firstIndex { $0.number > connection } ?? self.links.count
        self.links.insert(link, at: place)
        if self.plan.channels.contains(.orderBook) {
            for index in self.markets.indices where self.markets[index].bookState != .whole {
                self.markets[index].repair.next = deadline
            }
        }
        self.checkReady(connection, into: &output)
    }

    public mutating func closed(_ connection: Int, at now: Timestamp, into output: inout VenueOutput) {
        self.links.removeAll { $0.number == connection }
        for index in self.markets.indices {
            if self.markets[index].bookConnection == connection {
                self.markets[index].bookConnection = nil
                if self.markets[index].bookState == .whole { self.markets[index].bookState = .absent }
            }
            if self.markets[index].candleConnection == connection { self.markets[index].isCandleOutdated = true }
            // The next connection brings the snapshot.
            if case .snapshot = self.markets[index].recovery.step {
                self.markets[index].recovery.step = .snapshot(
                    deadline: Self.add(Self.answerTime, to: now.nanoseconds))
            }
        }
    }

    public mutating func resubscribe(to stream: Int, at now: Timestamp, into output: inout VenueOutput) {
        guard let (channel, market) = self.parts(of: stream) else { return }
        if channel == .book {
            self.mend(market, because: "the book is asked for anew", at: now, into: &output)
        } else {
            self.ask(for: channel, market, at: now, into: &output)
        }
    }

    /// Subscribes anew to one channel of one market, on the newest connection.
    mutating func ask(for channel: KrakenChannel, _ market: Int, at now: Timestamp, into output: inout VenueOutput) {
        guard let stream = self.stream(channel, market), let link = self.links.indices.last,
            !self.links[link].refused.contains(stream)
        else { return }
        let (name, number) = (self.markets[market].instrument.venueSymbol, self.links[link].number)
        output.send(self.messages.unsubscribe(channel, name, depth: self.markets[market].depth), on: number)
        output.send(self.messages.subscribe(channel, [name]), on: number)
        self.links[link].unconfirmed[stream] = Self.add(Self.answerTime, to: now.nanoseconds)
    }

    /// Says once of a connection that everything on it is confirmed and running.
    mutating func checkReady(_ connection: Int, into output: inout VenueOutput) {
        guard let link = self.linkIndex(connection), !self.links[link].isReady,
            self.links[link].unconfirmed.isEmpty
        else { return }
        for index in self.markets.indices {
            guard let stream = self.stream(.book, index), !self.links[link].refused.contains(stream) else { continue }
            let market = self.markets[index]
            guard market.bookState == .whole, market.bookConnection == connection else { return }
        }
        self.links[link].isReady = true
        output.notices.append(.ready(connection: connection))
    }

    public func book(of instrument: Int) -> (book: LocalBook, isLive: Bool)? {
        guard self.markets.indices.contains(instrument), self.stream(.book, instrument) != nil else { return nil }
        let market = self.markets[instrument]
        if market.bookState != .whole, market.book.count(.bid) == 0, market.book.count(.ask) == 0 { return nil }
        return (market.book, market.bookState == .whole && !market.isCrossed)
    }
}
