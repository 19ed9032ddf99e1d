public import Logging
public import Tidings

/// A venue's past, over HTTP: its instruments, candles and recent trades. The venue's rate limits are kept.
///
/// ```swift
/// let history = try MarketHistory(venue: "binance")
/// let candles = try await history.candles("BTC-USDT", interval: "1h", since: yesterday, until: .now())
/// await history.shutdown()
/// ```
/// What it returns are events like those of the feed, with the same identifiers: publishing them beside a feed makes no
/// doubles. Safe to use from any task.
public final class MarketHistory: Sendable {
    public let venue: any Venue
    private let http: VenueHTTP
    private let known = Locked<[Instrument]?>(nil)

    /// A history longer than this is an error of the venue's.
    private static let maximumPages = 100_000

    /// - Parameters:
    ///   - rest: where its HTTP requests go; the venue's own unless given.
    ///   - proxy: `http://[user:password@]host:port`.
    /// - Throws: when an address makes no sense.
    public init(
        venue: any Venue, rest: String? = nil, proxy: String? = nil,
        logger: Logger = Logger(label: "tidings.history")
    ) throws(ConnectorError) {
        self.venue = venue
        self.http = try VenueHTTP(rest: rest ?? venue.rest, limits: venue.limits, proxy: proxy, logger: logger)
    }

    /// - Parameter venue: the name of one of ``Venues/all``.
    public convenience init(
        venue: String, rest: String? = nil, proxy: String? = nil, logger: Logger = Logger(label: "tidings.history")
    ) throws(ConnectorError) {
        try self.init(venue: try Venues.named(venue), rest: rest, proxy: proxy, logger: logger)
    }

    /// Closes the connections; requests under way fail. To be called before this is let go of.
    public func shutdown() async {
        await self.http.shutdown()
    }

    /// Everything that is traded at the venue now.
    ///
    /// - Throws: `refused` when the venue does not answer (a task that is cancelled has none either), `unreadable` when
    ///   its answer makes no sense.
    public func instruments() async throws(VenueError) -> [Instrument] {
        let body = try await self.body(of: self.venue.instrumentsRequest)
        let list = try body.withBytes { bytes throws(VenueError) in try self.venue.instruments(from: bytes) }
        self.known.withLock { $0 = list }
        return list
    }

    /// Candles that start in `since..<until`, oldest first.
    ///
    /// - Parameters:
    ///   - symbol: in either spelling.
    ///   - interval: such as `1m`, `1h`, `1d`.
    /// - Throws: `unsupported` for a symbol or an interval that the venue does not have, else as ``instruments()``. All of
    ///   them are in memory then: ``forEachPage(of:_:_:)`` is for long times.
    public func candles(
        _ symbol: String, interval: String, since: Timestamp, until: Timestamp
    ) async throws(VenueError) -> [StandardEvent] {
        var events: [StandardEvent] = []
        try await self.forEachPage(
            of: symbol, .candles(interval: interval, since: since, until: until)
        ) { page in events += page }
        return events
    }

    /// The newest trades that the venue gives without an account, oldest first, at most `limit`.
    ///
    /// - Throws: as ``candles(_:interval:since:until:)``.
    public func trades(_ symbol: String, limit: Int = 1000) async throws(VenueError) -> [StandardEvent] {
        var events: [StandardEvent] = []
        try await self.forEachPage(of: symbol, .trades(limit: limit)) { page in events += page }
        return events.suffix(max(0, limit))
    }

    /// Hands out history page by page, as it comes, so that a year of candles need not be in memory. Within a page events
    /// are in order; whether pages go up or down in time is the venue's way. The next page is asked for when `body` has
    /// returned; a cancelled task gets no more.
    ///
    /// - Throws: as ``candles(_:interval:since:until:)``.
    public func forEachPage(
        of symbol: String, _ kind: HistoryQuery.Kind, _ body: (_ events: [StandardEvent]) async -> Void
    ) async throws(VenueError) {
        let query = HistoryQuery(try await self.instrument(symbol), kind)
        var next: VenueRequest? = try self.venue.request(for: query)
        var pages = 0
        while let request = next {
            pages += 1
            guard pages <= Self.maximumPages else { throw VenueError(.unreadable, "the history has no end") }
            let answer = try await self.body(of: request)
            let page = try answer.withBytes { bytes throws(VenueError) in
                try self.venue.page(of: query, request: request, from: bytes, at: .now())
            }
            await body(page.events)
            next = page.next
        }
    }

    // MARK: Asking

    private func instrument(_ name: String) async throws(VenueError) -> Instrument {
        if let certain = self.venue.instrument(named: name) { return certain }
        let list: [Instrument]
        if let known = self.known.withLock({ $0 }) {
            list = known
        } else {
            list = try await self.instruments()
        }
        let wanted = name.uppercased()
        let found = list.first { $0.symbol == wanted || $0.venueSymbol.uppercased() == wanted }
        guard let found else { throw VenueError(.unsupported, "'\(name)' is no symbol of \(self.venue.name)") }
        return found
    }

    private func body(of request: VenueRequest) async throws(VenueError) -> [UInt8] {
        switch await self.http.answer(to: request) {
        case .body(let body): return body
        case .failure(let status, let reason):
            let text = status.map { "HTTP \($0): \(reason)" } ?? reason
            throw VenueError(.refused, "\(self.venue.name): \(text)")
        }
    }
}

extension [UInt8] {
    /// `withUnsafeBytes` with typed throws.
    func withBytes<Value, Failure: Error>(
        _ body: (UnsafeRawBufferPointer) throws(Failure) -> Value
    ) throws(Failure) -> Value {
        let outcome: Result<Value, Failure> = self.withUnsafeBytes { bytes in
            do throws(Failure) {
                return .success(try body(bytes))
            } catch {
                return .failure(error)
            }
        }
        return try outcome.get()
    }
}
