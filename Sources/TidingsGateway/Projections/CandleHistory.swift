import Tidings

/// Reads candles out of the log, the newest first, and no more of the log than it has to.
///
/// The log is searched by windows of time, from the newest back: each as long as the candles that are still wanted would
/// fill, then twice as long, and in the end whatever is older. Of each candle the version with the highest offset counts.
struct CandleHistory {
    let log: any EventLog
    let symbol: String
    let interval: Name
    let source: CandleSource?
    /// How many candles of a series are enough.
    let limit: Int
    /// Events that may still be looked at.
    private(set) var budget = CandleHistory.mostEvents
    private(set) var found: [CandleKey: CandleSet] = [:]

    /// The most events read for one answer: versions of the candles wanted, and of other intervals of the same symbol.
    static let mostEvents = 200_000
    private static let pageSize = 2000
    private static let windows = 3

    init(log: any EventLog, symbol: String, interval: Name, source: CandleSource?, limit: Int) {
        self.log = log
        self.symbol = symbol
        self.interval = interval
        self.source = source
        self.limit = limit
    }

    var isEnough: Bool { self.found.values.contains { $0.count >= self.limit } }

    /// Reads candles that start before `until`, and not before `since`.
    mutating func read(since: Timestamp?, until: Timestamp?, now: Timestamp) async throws(EventLogError) {
        var until = until
        if let length = CandleInterval(self.interval.description)?.duration {
            var end = until
            if end == nil { end = try await self.newestEnd(since, now, length) }
            var span = length * max(self.limit, 1)
            for _ in 0..<Self.windows {
                guard let last = end, !self.isEnough, self.budget > 0 else { break }
                let start = last.advanced(by: .zero - span)
                if let since, start <= since { break }
                try await self.scan(since: start, until: until)
                until = start
                end = start
                span = span * 2
            }
        }
        if !self.isEnough, self.budget > 0 { try await self.scan(since: since, until: until) }
    }

    /// About where the newest candles end. Nearly always now; but what was recorded long ago may have been put into the log.
    private func newestEnd(
        _ since: Timestamp?, _ now: Timestamp, _ length: Duration
    ) async throws(EventLogError) -> Timestamp? {
        let recent = now.advanced(by: .zero - length * 2)
        var query = LogQuery(filter: self.filter(since: recent, until: nil), order: .descending, limit: 1)
        if !(try await self.log.read(query)).isEmpty { return now }
        query = LogQuery(filter: self.filter(since: since, until: nil), order: .descending, limit: 100)
        let newest = try await self.log.read(query).compactMap { try? $0.event().timestamp }.max()
        return newest?.advanced(by: length)
    }

    private func filter(since: Timestamp?, until: Timestamp?) -> EventFilter {
        EventFilter(
            types: [.exact(.ohlcv)], symbols: [self.symbol], sources: self.source.map { [$0.source] } ?? [],
            since: since, until: until)
    }

    private mutating func scan(since: Timestamp?, until: Timestamp?) async throws(EventLogError) {
        var query = LogQuery(
            filter: self.filter(since: since, until: until), order: .descending, limit: Self.pageSize)
        while self.budget > 0 {
            query.limit = min(Self.pageSize, self.budget)
            let page = try await self.log.read(query)
            self.budget -= page.count
            for logged in page { self.take(logged) }
            guard page.count == query.limit, let last = page.last else { return }
            query.through = last.offset - 1
        }
    }

    private mutating func take(_ logged: LoggedEvent) {
        guard let event = try? logged.event(), let candle = event.payload.candle, candle.interval == self.interval
        else { return }
        let key = CandleKey(candle, source: event.source)
        guard self.source?.matches(key) ?? true else { return }
        let start = candle.timestamp.nanoseconds
        if self.found[key]?[start] == nil { self.found[key, default: [:]][start] = candle }
    }
}
