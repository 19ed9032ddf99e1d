/// The candles of one market, of every interval: trades and times go in, what is to be published comes out.
struct CandleSeries {
    /// What all series of a processor share.
    struct Plan {
        let intervals: [CandleInterval]
        let names: [Name]
        let late: Int64
        let latePolicy: CandleConfiguration.LatePolicy
        let updates: Int64?
        /// Between two versions of a candle.
        var spacing: Int64 { self.updates ?? 1_000_000_000 }

        init(_ configuration: CandleConfiguration) {
            self.intervals = configuration.intervals
            self.names = configuration.intervals.map { Name($0.description) }
            self.late = configuration.lateNanoseconds
            self.latePolicy = configuration.latePolicy
            self.updates = configuration.updates.map { max(0, $0.clampedNanoseconds) }
        }
    }

    let market: MarketKey
    private var clock: MarketClock
    /// For each interval its candles that may still change, the oldest first.
    private var candles: [[GrowingCandle]]
    /// When something has to be published, in event time.
    private(set) var nextDue: Int64 = .max

    init(_ trade: MarketTrade, intervals: Int) {
        self.market = trade.key
        self.clock = MarketClock(time: trade.time, receivedAt: trade.context.receivedAt?.nanoseconds)
        self.candles = Array(repeating: [], count: intervals)
    }

    var openCount: Int { self.candles.reduce(0) { $0 + $1.count { !$0.isClosed } } }

    // MARK: What comes in

    mutating func add(
        _ trade: MarketTrade, _ cause: EventCause, _ plan: Plan, _ drops: inout CandleDrops,
        _ output: inout DerivedEvents
    ) {
        self.clock.hear(time: trade.time, receivedAt: trade.context.receivedAt?.nanoseconds)
        // First what was due before this trade came, without it: a timer would have published it by then.
        self.publishDue(until: self.clock.now, plan, &output)
        self.forget(plan)
        for index in plan.intervals.indices {
            guard let place = self.place(for: trade, index, plan, cause, &drops) else { continue }
            self.publishIfTime(index, place, plan, &output)
        }
        self.nextDue = self.earliestDue(plan)
    }

    /// Our clock says `wall`.
    mutating func advance(to wall: Int64, _ plan: Plan, _ output: inout DerivedEvents) {
        let now = self.clock.estimate(at: wall)
        guard now >= self.nextDue else { return }
        self.publishDue(until: now, plan, &output)
        self.nextDue = self.earliestDue(plan)
    }

    /// Nothing more will come.
    mutating func finish(_ plan: Plan, _ output: inout DerivedEvents) {
        self.publishDue(until: .max, plan, &output)
        self.candles = self.candles.map { _ in [] }
        self.nextDue = .max
    }

    // MARK: Candles

    /// Adds a trade to its candle of an interval, and says which one it is; `nil` where it has none any more.
    private mutating func place(
        for trade: MarketTrade, _ index: Int, _ plan: Plan, _ cause: EventCause, _ drops: inout CandleDrops
    ) -> Int? {
        let interval = plan.intervals[index]
        guard let start = interval.start(of: trade.time) else {
            drops.unusable += 1
            return nil
        }
        if let place = self.candles[index].lastIndex(where: { $0.start == start }) {
            let isSettled = self.isSettled(self.candles[index][place], plan)
            // It may still be here because its last version waits to be published.
            if isSettled, plan.latePolicy == .drop {
                drops.late += 1
                return nil
            }
            guard self.candles[index][place].add(trade, cause) else {
                drops.unusable += 1
                return nil
            }
            if isSettled { drops.amended += 1 }
            return place
        }
        var candle = GrowingCandle(start: start, end: start.clampedSum(interval.length), trade, cause)
        if self.isSettled(candle, plan) {
            // Only between candles that are remembered is it known that there was none.
            guard plan.latePolicy == .amend, let oldest = self.candles[index].first, oldest.start < start else {
                drops.late += 1
                return nil
            }
            drops.amended += 1
        }
        candle.isClosed = candle.end.clampedSum(plan.late) <= self.clock.now
        let place = self.candles[index].firstIndex { $0.start > start } ?? self.candles[index].count
        self.candles[index].insert(candle, at: place)
        return place
    }

    /// Whether a candle no longer waits for late trades: a trade of so much later has come.
    private func isSettled(_ candle: GrowingCandle, _ plan: Plan) -> Bool {
        candle.end.clampedSum(plan.late) <= self.clock.watermark
    }

    /// Lets go of candles that nothing can change any more.
    private mutating func forget(_ plan: Plan) {
        let kept = plan.latePolicy == .amend ? CandleConfiguration.amendable : 0
        for index in self.candles.indices where !self.candles[index].isEmpty {
            let settled = self.candles[index].prefix { self.isSettled($0, plan) && $0.isClosed && !$0.isChanged }
            if settled.count > kept { self.candles[index].removeFirst(settled.count - kept) }
        }
    }

    // MARK: Publishing

    private mutating func publishDue(until now: Int64, _ plan: Plan, _ output: inout DerivedEvents) {
        while let (due, index, place) = self.firstDue(plan), due <= now {
            if !self.candles[index][place].isClosed {
                let closing = self.candles[index][place].end.clampedSum(plan.late)
                if closing <= due { self.candles[index][place].isClosed = true }
            }
            self.publish(index, place, at: due, plan, &output)
        }
    }

    /// Publishes a candle that has just changed, unless it was published a short time ago.
    private mutating func publishIfTime(_ index: Int, _ place: Int, _ plan: Plan, _ output: inout DerivedEvents) {
        let candle = self.candles[index][place]
        guard candle.isClosed || plan.updates != nil else { return }
        if let publishedAt = candle.publishedAt, self.clock.now < publishedAt.clampedSum(plan.spacing) { return }
        self.publish(index, place, at: self.clock.now, plan, &output)
    }

    private mutating func publish(
        _ index: Int, _ place: Int, at moment: Int64, _ plan: Plan, _ output: inout DerivedEvents
    ) {
        self.candles[index][place].publishedAt = moment
        self.candles[index][place].isChanged = false
        let candle = self.candles[index][place]
        output.emit(candle.event(of: self.market, interval: plan.names[index]), because: candle.cause)
    }

    /// The next thing that has to be published; of several at one time those of the first interval, the oldest first.
    private func firstDue(_ plan: Plan) -> (due: Int64, index: Int, place: Int)? {
        var first: (due: Int64, index: Int, place: Int)?
        for index in self.candles.indices {
            for place in self.candles[index].indices {
                guard let due = Self.due(self.candles[index][place], plan) else { continue }
                if due < first?.due ?? .max || first == nil { first = (due, index, place) }
            }
        }
        return first
    }

    private func earliestDue(_ plan: Plan) -> Int64 {
        self.firstDue(plan)?.due ?? .max
    }

    private static func due(_ candle: GrowingCandle, _ plan: Plan) -> Int64? {
        let closing = candle.isClosed ? nil : candle.end.clampedSum(plan.late)
        guard candle.isChanged, candle.isClosed || plan.updates != nil, let publishedAt = candle.publishedAt else {
            return closing
        }
        let version = publishedAt.clampedSum(plan.spacing)
        return min(version, closing ?? version)
    }
}

/// What a ``CandleProcessor`` left out, or put in afterwards.
struct CandleDrops {
    /// Trades that came after their candle had stopped waiting.
    var late: UInt64 = 0
    /// Trades that were added to a candle after that.
    var amended: UInt64 = 0
    /// Trades that cannot be calculated with.
    var unusable: UInt64 = 0
    /// Open candles whose series had to make room.
    var evicted: UInt64 = 0
}
