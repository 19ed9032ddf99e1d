public import Tidings

/// Hyperliquid's public feed as a machine.
///
/// Source: https://hyperliquid.gitbook.io/hyperliquid-docs/for-developers/api/websocket
/// - `trades`: one event per fill. `B` is a buyer who took, `A` a seller. `tid` alone is a hash that may repeat: a fill is
///   known by its time, coin and tid. The venue replays recent fills on every subscribe: what came before is dropped.
///   Fills have no sequence: after a break the recent ones are asked for over REST, and where their oldest is newer than
///   the last that was known, the hole is reported.
/// - `l2Book`: always the whole book, at most 20 levels a side, without sequence or checksum: a frame that is newer than
///   the last replaces it.
/// - `bbo` and `activeAssetCtx` make the ticker; the latter has no time, so with two connections the newer one's counts.
/// - `candle` never says that one is closed: it is when the next one starts. What ended during a break is asked for.
/// - The server closes a connection to which it has sent nothing for 60 s; a ping every 30 s makes it answer.
public struct HyperliquidSession: VenueSession {
    static let source: Name = "hyperliquid"
    private static let pingInterval: Int64 = 30_000_000_000
    /// A subscription that is not answered in this time is sent anew.
    static let answerTime: Int64 = 15_000_000_000
    /// Subscriptions sent anew at once; the others wait for the next tick.
    static let retriesPerTick = 10
    /// More connections than this are forgotten, the oldest first.
    static let maximumLinks = 4
    /// A venue's time that is further ahead of ours makes no sense.
    static let maximumAhead: Int64 = 24 * 3600 * 1000

    let plan: FeedPlan
    /// Of one coin.
    let channels: [HyperliquidChannel]
    private let byName: [Name: Int]
    var coins: [HyperliquidCoin]
    var links: [HyperliquidLink] = []

    init(_ plan: FeedPlan) {
        self.plan = plan
        self.channels = plan.channels.flatMap {
            HyperliquidChannel.parts(of: $0, interval: plan.candleInterval)
        }
        self.coins = plan.instruments.map { HyperliquidCoin($0, plan.book) }
        self.byName = Dictionary(
            plan.instruments.enumerated().map { (Name($1.venueSymbol), $0) }, uniquingKeysWith: { first, _ in first })
    }

    /// The index of a coin that is collected.
    @inline(__always)
    func index(of coin: Name?) -> Int? {
        coin.flatMap { self.byName[$0] }
    }

    func linkIndex(_ connection: Int) -> Int? {
        self.links.firstIndex { $0.number == connection }
    }

    static func add(_ time: Int64, to now: Int64) -> Int64 {
        let (sum, overflows) = now.addingReportingOverflow(time)
        return overflows ? .max : sum
    }

    // MARK: Connections

    public mutating func opened(_ connection: Int, at now: Timestamp, into output: inout VenueOutput) {
        self.links.removeAll { $0.number == connection }
        if self.links.count >= Self.maximumLinks { self.links.removeFirst() }
        var link = HyperliquidLink(number: connection, pingedAt: now.nanoseconds)
        let deadline = Self.add(Self.answerTime, to: now.nanoseconds)
        for index in self.coins.indices {
            for channel in self.channels {
                link.unconfirmed[HyperliquidSubscription(coin: index, channel: channel)] = deadline
                output.send(
                    channel.message("subscribe", coin: self.coins[index].instrument.venueSymbol), on: connection)
            }
        }
        // In order of their numbers: the newest is last.
        self.links.insert(link, at: self.links.firstIndex { $0.number > connection } ?? self.links.count)
        let interval = self.plan.candleInterval
        if self.plan.channels.contains(.ohlcv), !HyperliquidChannel.intervals.contains(interval) {
            output.problems.append(
                VenueOutput.Problem(
                    code: "SUBSCRIPTION",
                    message: "hyperliquid has no candles of \(interval); there are: "
                        + HyperliquidChannel.intervals.joined(separator: ", ")))
        }
        self.checkReady(connection, into: &output)
    }

    public mutating func closed(_ connection: Int, at now: Timestamp, into output: inout VenueOutput) {
        self.links.removeAll { $0.number == connection }
        for index in self.coins.indices {
            // What another connection brings goes on without a break.
            if !self.links.contains(where: { $0.books.contains(index) }), self.coins[index].bookState == .whole {
                self.coins[index].bookState = .absent
                self.coins[index].publisher.restart()
            }
            if !self.isListening(to: .trades, index) { self.breakTrades(index) }
            if self.coins[index].candleConnection == connection { self.coins[index].isCandleOutdated = true }
        }
    }

    /// Whether some connection has confirmed a channel of a coin.
    private func isListening(to channel: HyperliquidChannel, _ coin: Int) -> Bool {
        let subscription = HyperliquidSubscription(coin: coin, channel: channel)
        return self.links.contains {
            $0.unconfirmed[subscription] == nil && !$0.refused.contains(subscription)
        }
    }

    /// From here on trades may be missing, until the recent ones have been asked for.
    func breaking(_ coin: HyperliquidCoin) -> HyperliquidCoin.TradeBreak? {
        if let known = coin.tradeBreak {
            return HyperliquidCoin.TradeBreak(after: known.after, oldest: known.oldest)
        }
        return coin.newestTrade.map { HyperliquidCoin.TradeBreak(after: $0) }
    }

    mutating func breakTrades(_ index: Int) {
        self.coins[index].tradeBreak = self.breaking(self.coins[index])
    }

    public mutating func resubscribe(to stream: Int, at now: Timestamp, into output: inout VenueOutput) {
        guard stream >= 0, !self.plan.channels.isEmpty, let link = self.links.indices.last else { return }
        let (index, place) = stream.quotientAndRemainder(dividingBy: self.plan.channels.count)
        guard self.coins.indices.contains(index) else { return }
        let channel = self.plan.channels[place]
        for part in HyperliquidChannel.parts(of: channel, interval: self.plan.candleInterval) {
            let subscription = HyperliquidSubscription(coin: index, channel: part)
            guard !self.links[link].refused.contains(subscription) else { continue }
            let coin = self.coins[index].instrument.venueSymbol
            output.send(part.message("unsubscribe", coin: coin), on: self.links[link].number)
            output.send(part.message("subscribe", coin: coin), on: self.links[link].number)
            self.links[link].unconfirmed[subscription] = Self.add(Self.answerTime, to: now.nanoseconds)
        }
        switch channel {
        case .orderBook: self.distrustBook(index, because: "the book is asked for anew", into: &output)
        case .trade: self.breakTrades(index)
        case .ohlcv: self.coins[index].isCandleOutdated = true
        case .ticker: break
        }
    }

    public mutating func tick(at now: Timestamp, into output: inout VenueOutput) {
        for index in self.links.indices {
            if now.nanoseconds >= Self.add(Self.pingInterval, to: self.links[index].pingedAt) {
                self.links[index].pingedAt = now.nanoseconds
                output.send(#"{"method":"ping"}"#, on: self.links[index].number)
            }
            guard !self.links[index].unconfirmed.isEmpty else { continue }
            let due = self.links[index].unconfirmed.filter { $0.value <= now.nanoseconds }.keys
            for subscription in due.sorted(by: { ($0.coin, $0.channel.type) < ($1.coin, $1.channel.type) })
                .prefix(Self.retriesPerTick)
            {
                self.links[index].unconfirmed[subscription] = Self.add(Self.answerTime, to: now.nanoseconds)
                let coin = self.coins[subscription.coin].instrument.venueSymbol
                output.send(subscription.channel.message("subscribe", coin: coin), on: self.links[index].number)
            }
        }
        guard self.plan.book.interval > .zero else { return }
        for index in self.coins.indices where self.coins[index].bookState == .whole && !self.coins[index].isCrossed {
            if let event = self.coins[index].publisher.tick(self.coins[index].book, at: now) {
                output.events.append(event)
            }
        }
    }

    /// Says once of a connection that everything on it is confirmed and running.
    mutating func checkReady(_ connection: Int, into output: inout VenueOutput) {
        guard let link = self.linkIndex(connection), !self.links[link].isReady,
            self.links[link].unconfirmed.isEmpty
        else { return }
        if self.channels.contains(.l2Book) {
            for index in self.coins.indices where !self.links[link].books.contains(index) {
                let subscription = HyperliquidSubscription(coin: index, channel: .l2Book)
                guard self.links[link].refused.contains(subscription) else { return }
            }
        }
        self.links[link].isReady = true
        output.notices.append(.ready(connection: connection))
    }

    public func book(of instrument: Int) -> (book: LocalBook, isLive: Bool)? {
        guard self.coins.indices.contains(instrument), self.coins[instrument].bookTime != .min else { return nil }
        let coin = self.coins[instrument]
        return (coin.book, coin.bookState == .whole && !coin.isCrossed)
    }
}
