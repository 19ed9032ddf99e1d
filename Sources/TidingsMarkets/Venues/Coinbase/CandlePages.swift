import Tidings

/// The pages in which a venue that gives a limited number of candles an answer is asked for a longer time. A machine.
struct CandlePages: Sendable {
    let seconds: Int64
    private let limit: Int64
    private let until: Int64
    /// The page that is asked for: candles that start in it, in seconds since 1970.
    private(set) var window: CandlePoll.Window

    /// - Parameter limit: so many candles are in one answer.
    init(since: Timestamp, until: Timestamp, seconds: Int64, limit: Int64) {
        self.seconds = max(1, seconds)
        self.limit = max(1, limit)
        // The first start that is not before `since`.
        let first = Self.ceiling(max(0, since.nanoseconds), self.seconds)
        self.until = max(first, Self.ceiling(max(0, until.nanoseconds), self.seconds))
        self.window = CandlePoll.Window(
            since: first, until: min(self.until, first + self.seconds * self.limit))
    }

    private static func ceiling(_ nanoseconds: Int64, _ seconds: Int64) -> Int64 {
        let whole = nanoseconds / 1_000_000_000 + (nanoseconds % 1_000_000_000 == 0 ? 0 : 1)
        return (whole + seconds - 1) / seconds * seconds
    }

    /// Finds the page that a request was for, and the request for what follows it.
    mutating func follow(_ request: VenueRequest, make: (CandlePages) -> VenueRequest) -> VenueRequest? {
        var page = self
        // The pages are few, and a request is known by what it asks.
        while make(page) != request {
            guard page.advance() else { return nil }
        }
        self = page
        return page.advance() ? make(page) : nil
    }

    private mutating func advance() -> Bool {
        guard self.window.until < self.until else { return false }
        let since = self.window.until
        self.window = CandlePoll.Window(
            since: since, until: min(self.until, since + self.seconds * self.limit))
        return true
    }

    /// The page's candles, oldest first, each once.
    func events(
        _ candles: [CoinbaseCandle], at now: Timestamp, _ source: Name, _ symbol: Name, _ venueSymbol: Name,
        interval: String, _ context: MarketContext
    ) -> [StandardEvent] {
        var last = Int64.min
        var events: [StandardEvent] = []
        for candle in candles.sorted(by: { $0.start < $1.start })
        where candle.start > last && candle.start >= self.window.since && candle.start < self.window.until {
            last = candle.start
            let end = candle.start.addingReportingOverflow(self.seconds).partialValue
            let event = candle.event(
                source, symbol, venueSymbol, interval: interval, isClosed: end <= now.nanoseconds / 1_000_000_000,
                context)
            if let event { events.append(event) }
        }
        return events
    }
}
