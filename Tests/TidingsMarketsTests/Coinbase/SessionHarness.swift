import Tidings

@testable import TidingsMarkets

/// A venue's session and the moment it is at.
struct SessionHarness {
    static let start = Timestamp(nanoseconds: 1_700_000_000_000_000_000, precision: .microseconds)

    var session: any VenueSession
    var now = SessionHarness.start

    init(_ venue: any Venue, _ symbols: [String], _ channels: [MarketChannel], interval: String = "1m") {
        let instruments = symbols.compactMap { venue.instrument(named: $0) }
        self.session = venue.makeSession(
            FeedPlan(instruments: instruments, channels: channels, candleInterval: interval))
    }

    mutating func open(_ connection: Int = 1) -> VenueOutput {
        self.run { $0.opened(connection, at: $1, into: &$2) }
    }

    mutating func close(_ connection: Int = 1) -> VenueOutput {
        self.run { $0.closed(connection, at: $1, into: &$2) }
    }

    mutating func receive(_ frame: String, on connection: Int = 1) -> VenueOutput {
        self.run { session, now, output in
            frame.withRawUTF8 { session.receive($0, on: connection, at: now, into: &output) }
        }
    }

    mutating func answer(_ request: VenueRequest, _ body: String) -> VenueOutput {
        self.run { $0.receive(.body(Array(body.utf8)), to: request, at: $1, into: &$2) }
    }

    mutating func fail(_ request: VenueRequest, _ reason: String = "HTTP 500") -> VenueOutput {
        self.run { $0.receive(.failure(status: 500, reason: reason), to: request, at: $1, into: &$2) }
    }

    mutating func wait(_ duration: Duration) -> VenueOutput {
        self.now = self.now.advanced(by: duration)
        return self.run { $0.tick(at: $1, into: &$2) }
    }

    mutating func resubscribe(_ stream: Int) -> VenueOutput {
        self.run { $0.resubscribe(to: stream, at: $1, into: &$2) }
    }

    private mutating func run(
        _ body: (inout any VenueSession, Timestamp, inout VenueOutput) -> Void
    ) -> VenueOutput {
        var output = VenueOutput()
        body(&self.session, self.now, &output)
        return output
    }
}

extension VenueOutput {
    var trades: [String] { self.events.compactMap { $0.payload.trade?.tradeID?.description } }
    var books: [OrderBook] { self.events.compactMap { $0.payload.orderBook } }
    var tickers: [Ticker] { self.events.compactMap { $0.payload.ticker } }
    var candles: [Candle] { self.events.compactMap { $0.payload.candle } }
    var texts: [String] { self.outgoing.map(\.text) }
}
