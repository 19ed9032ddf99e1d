public import Tidings
public import TidingsMarkets

/// The other side of a venue, as ``VenueConformance`` needs it: says what its exchange would send. Written once by whoever
/// adds the venue, from the venue's documentation and not from the session it is to check.
///
/// A value without I/O. Connections are numbered upwards; two may be open at a time.
public protocol VenueExchange: Sendable {
    var venue: any Venue { get }
    /// Two or more instruments that are traded.
    var instruments: [Instrument] { get }
    var abilities: VenueAbilities { get }

    /// The answer to ``Venue/instrumentsRequest``, with ``instruments`` in it.
    func instrumentList() -> String

    /// A client has connected: what it is sent unasked.
    mutating func opened(_ connection: Int) -> [String]

    /// A client has sent a text: the answers, and what a new subscription begins with.
    mutating func receive(_ text: String, on connection: Int) -> [String]

    /// A client has made a request.
    mutating func respond(to request: VenueRequest) -> VenueAnswer

    /// Something has happened at the exchange; it is remembered.
    ///
    /// - Returns: the frames that tell of it on each of these connections, whether or not they have subscribed.
    mutating func happen(_ event: SampleEvent, on connections: [Int]) -> [(connection: Int, text: String)]
}

/// What a venue's feed can do; the suite checks nothing that is not declared.
public struct VenueAbilities: OptionSet, Sendable {
    public let rawValue: Int

    public init(rawValue: Int) {
        self.rawValue = rawValue
    }

    /// Trades of a symbol are counted without holes, so that a lost one is noticed.
    public static let countsTrades = VenueAbilities(rawValue: 1)
    /// Lost trades can be had again.
    public static let refillsTrades = VenueAbilities(rawValue: 2)
    /// A lost book frame is noticed with the next one, by a number or a checksum.
    public static let noticesLostBookFrames = VenueAbilities(rawValue: 4)
    /// There are best prices or 24-hour tickers.
    public static let tickers = VenueAbilities(rawValue: 8)
}

/// Something that happens at an exchange. Instruments are numbered as in ``VenueExchange/instruments``.
public enum SampleEvent: Sendable {
    case trade(SampleTrade)
    /// Levels of a book have changed; a size of zero removes one.
    case book(instrument: Int, changes: [SampleLevel], at: Timestamp)
    /// The best prices are these now.
    case ticker(instrument: Int, bid: SampleLevel, ask: SampleLevel, at: Timestamp)
}

public struct SampleTrade: Sendable {
    public var instrument: Int
    /// Counted up by one for each instrument, from 1.
    public var number: UInt64
    public var price: String
    public var size: String
    /// The side of the one who took.
    public var side: TradeSide
    public var time: Timestamp
}

public struct SampleLevel: Sendable {
    public var side: LocalBook.Side
    public var price: String
    public var size: String

    public init(_ side: LocalBook.Side, _ price: String, _ size: String) {
        self.side = side
        self.price = price
        self.size = size
    }
}

/// A book as an exchange keeps it, for those who write a ``VenueExchange``: texts in, texts out.
public struct SampleBook: Sendable {
    private var bids: [String: String] = [:]
    private var asks: [String: String] = [:]

    public init() {}

    public mutating func apply(_ changes: [SampleLevel]) {
        for change in changes {
            let size = ExactDecimal(change.size) == .zero ? nil : change.size
            if change.side == .bid { self.bids[change.price] = size } else { self.asks[change.price] = size }
        }
    }

    /// Best first.
    public func levels(_ side: LocalBook.Side) -> [(price: String, size: String)] {
        let levels = (side == .bid ? self.bids : self.asks).map { (price: $0.key, size: $0.value) }
        return levels.sorted { left, right in
            guard let first = ExactDecimal(left.price), let second = ExactDecimal(right.price) else { return false }
            return side == .bid ? first > second : first < second
        }
    }
}
