import Tidings
import TidingsMarkets

/// A made-up exchange: the template for a new venue, and what the conformance suite is tried on.
///
/// It counts its trades and its book updates, gives lost trades again over HTTP, and sends the whole book on subscribing.
/// `docs/adding-a-venue.md` walks through it. The venues in `Sources/TidingsMarkets/Venues` read frames with `JSONReader`
/// in one pass; this one uses `JSONObject`, which is slower and public.
struct ExampleVenue: Venue {
    let name = "example"
    let endpoint = "wss://feed.example.com/v1"
    let rest = "https://api.example.com"

    var limits: VenueLimits {
        var limits = VenueLimits()
        limits.messagesPerSecond = 10
        limits.messageBurst = 10
        limits.silence = .seconds(10)
        return limits
    }

    // MARK: Names

    /// `BTC_USD` here is `BTC-USD` with us: certain in both directions, so a name can be known without the list.
    func instrument(named name: String) -> Instrument? {
        let parts = name.uppercased().split(omittingEmptySubsequences: false) { $0 == "-" || $0 == "_" }
        let isWellFormed = parts.allSatisfy { part in
            (1...16).contains(part.utf8.count) && part.utf8.allSatisfy { Self.isLetterOrDigit($0) }
        }
        guard parts.count == 2, isWellFormed else { return nil }
        return Instrument(symbol: "\(parts[0])-\(parts[1])", venueSymbol: "\(parts[0])_\(parts[1])")
    }

    private static func isLetterOrDigit(_ byte: UInt8) -> Bool {
        (UInt8(ascii: "A")...UInt8(ascii: "Z")).contains(byte) || (UInt8(ascii: "0")...UInt8(ascii: "9")).contains(byte)
    }

    var instrumentsRequest: VenueRequest { VenueRequest(.instruments, .get, "/markets") }

    func instruments(from answer: UnsafeRawBufferPointer) throws(VenueError) -> [Instrument] {
        guard let markets = try Self.object(answer)["markets"]?.array else {
            throw VenueError(.unreadable, "the list of instruments has no 'markets'")
        }
        return markets.compactMap { $0.string.flatMap { self.instrument(named: $0) } }
    }

    // MARK: Feed

    func makeSession(_ plan: FeedPlan) -> any VenueSession {
        ExampleSession(plan)
    }

    // MARK: History

    func request(for query: HistoryQuery) throws(VenueError) -> VenueRequest {
        guard case .trades(let limit) = query.kind else { throw VenueError(.unsupported, "there are no candles here") }
        return VenueRequest(.history, .get, "/trades?market=\(query.instrument.venueSymbol)&limit=\(limit)")
    }

    func page(
        of query: HistoryQuery, request: VenueRequest, from answer: UnsafeRawBufferPointer, at receivedAt: Timestamp
    ) throws(VenueError) -> HistoryPage {
        let trades = try Self.object(answer)["trades"]?.array ?? []
        return HistoryPage(
            events: trades.compactMap { trade in
                trade.object.flatMap { ExampleFrame($0).trade(of: query.instrument, receivedAt) }
            })
    }

    static func object(_ bytes: UnsafeRawBufferPointer) throws(VenueError) -> JSONObject {
        do throws(EventDecodingError) {
            return try JSONObject(json: bytes)
        } catch {
            throw VenueError(.unreadable, error.message)
        }
    }
}
