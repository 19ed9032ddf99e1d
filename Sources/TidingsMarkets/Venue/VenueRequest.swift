/// An HTTP request to a venue, to be made by a driver that keeps the venue's limits.
public struct VenueRequest: Sendable, Equatable {
    public enum Method: String, Sendable {
        case get = "GET"
        case post = "POST"
    }

    /// What it is for, so that the answer finds its way.
    public enum Purpose: Sendable, Equatable {
        case instruments
        /// The book of the instrument with this index in the plan.
        case book(Int)
        /// Trades of an instrument that the feed has lost, by their numbers.
        case lostTrades(Int, ClosedRange<UInt64>)
        /// Trades or candles of an instrument around a break, without numbers.
        case recent(MarketChannel, Int)
        /// A page of history.
        case history
    }

    public var purpose: Purpose
    public var method: Method
    /// Path and query, beginning with `/`.
    public var target: String
    /// JSON; empty for none.
    public var body: String
    /// What it counts against the venue's limit.
    public var weight: Int

    public init(_ purpose: Purpose, _ method: Method = .get, _ target: String, body: String = "", weight: Int = 1) {
        self.purpose = purpose
        self.method = method
        self.target = target
        self.body = body
        self.weight = weight
    }
}

/// How a request ended.
public enum VenueAnswer: Sendable, Equatable {
    /// The body of a 2xx answer.
    case body([UInt8])
    /// Any other answer, or none after the attempts that the driver makes.
    case failure(status: Int?, reason: String)
}
