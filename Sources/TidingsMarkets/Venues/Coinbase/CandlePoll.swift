import Tidings

/// Says when to ask for the candles of several products over REST, and what of the answers is new. A machine.
///
/// Every interval's end, and a little, the closed candle is asked for; where the venue does not have it yet, twice more.
/// An interval without a trade has no candle. What was missed is asked for with the next.
struct CandlePoll: Sendable {
    /// After an interval's end, so that the venue has put its candle together.
    static let delay: Int64 = 2_000_000_000
    static let retryDelay: Int64 = 3_000_000_000
    static let attempts = 3
    /// So many candles are asked for at most; the venues give 300 and 350.
    static let maximumCandles: Int64 = 300

    /// Candles that start from `since` on and before `until`, in seconds since 1970.
    struct Window: Sendable, Equatable {
        var since: Int64
        var until: Int64
    }

    private struct State: Sendable {
        /// The start of the newest candle that was published.
        var published: Int64?
        /// The start of the newest interval that nothing more is asked about for now.
        var settled: Int64?
        var asking: Window?
        var attempts = 0
        var retryAt: Int64 = .min
        var failures = 0
    }

    let seconds: Int64
    private var states: [State]

    init(seconds: Int64, count: Int) {
        self.seconds = max(1, seconds)
        self.states = Array(repeating: State(), count: count)
    }

    /// Whether the answers come, so that silence only means that no interval has ended.
    func isHealthy(_ index: Int) -> Bool {
        self.states.indices.contains(index) && self.states[index].failures == 0
    }

    /// What to ask for now, if anything.
    mutating func tick(_ index: Int, at now: Int64) -> Window? {
        guard self.states.indices.contains(index), self.states[index].asking == nil, now >= 0 else { return nil }
        let until = now / 1_000_000_000 / self.seconds * self.seconds
        let newest = until - self.seconds
        guard newest > self.states[index].settled ?? .min, now >= self.states[index].retryAt,
            now - until * 1_000_000_000 >= Self.delay
        else { return nil }
        let first = self.states[index].published.map { $0 + self.seconds } ?? newest
        let window = Window(since: max(first, until - Self.maximumCandles * self.seconds), until: until)
        self.states[index].asking = window
        return window
    }

    /// An answer has come: which of its candles are new, by their starts, oldest first.
    mutating func take<Candle>(
        _ index: Int, _ candles: [Candle], start: (Candle) -> Int64, at now: Int64
    ) -> [Candle] {
        guard self.states.indices.contains(index), let window = self.states[index].asking else { return [] }
        self.states[index].asking = nil
        self.states[index].failures = 0
        let published = self.states[index].published ?? .min
        var fresh: [Candle] = []
        var last = published
        for candle in candles.sorted(by: { start($0) < start($1) })
        where start(candle) > last && start(candle) >= window.since && start(candle) < window.until {
            fresh.append(candle)
            last = start(candle)
        }
        if last > published { self.states[index].published = last }
        if last == window.until - self.seconds { self.settle(index, window) } else { self.retry(index, window, now) }
        return fresh
    }

    /// An answer could not be had. Returns whether that was the last attempt of this interval.
    mutating func failed(_ index: Int, at now: Int64) -> Bool {
        guard self.states.indices.contains(index), let window = self.states[index].asking else { return false }
        self.states[index].asking = nil
        self.states[index].failures += 1
        return self.retry(index, window, now)
    }

    private mutating func settle(_ index: Int, _ window: Window) {
        self.states[index].settled = window.until - self.seconds
        self.states[index].attempts = 0
    }

    @discardableResult
    private mutating func retry(_ index: Int, _ window: Window, _ now: Int64) -> Bool {
        self.states[index].attempts += 1
        self.states[index].retryAt = now.addingReportingOverflow(Self.retryDelay).partialValue
        guard self.states[index].attempts >= Self.attempts else { return false }
        self.settle(index, window)
        return true
    }
}
