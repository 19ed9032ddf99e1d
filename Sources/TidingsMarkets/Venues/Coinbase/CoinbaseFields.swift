import Tidings

/// Every member that the venue's frames have, read in one pass in whatever order, into memory that is used again.
struct CoinbaseFields: Sendable {
    enum Kind: Sendable {
        case match, lastMatch, ticker, snapshot, update, heartbeat, subscriptions, error, other

        /// Whether it tells of a market.
        var isData: Bool {
            switch self {
            case .match, .lastMatch, .ticker, .snapshot, .update: true
            case .heartbeat, .subscriptions, .error, .other: false
            }
        }
    }

    /// `nil`: the frame does not say what it is.
    private(set) var kind: Kind?
    /// The product's number in the plan.
    private(set) var product: Int?
    private(set) var side: TradeSide?
    private(set) var price: ExactDecimal?
    private(set) var size: ExactDecimal?
    private(set) var time: Timestamp?
    private(set) var sequence: UInt64?
    private(set) var tradeID: UInt64?
    private(set) var lastTradeID: UInt64?
    // A ticker.
    private(set) var bestBid: ExactDecimal?
    private(set) var bestBidSize: ExactDecimal?
    private(set) var bestAsk: ExactDecimal?
    private(set) var bestAskSize: ExactDecimal?
    private(set) var volume: ExactDecimal?
    // A book or its changes.
    private(set) var bids = LevelList()
    private(set) var asks = LevelList()
    /// How many of `bids`, `asks` and `changes` were there and sensible.
    private(set) var lists = 0
    // An answer.
    private(set) var message: String?
    private(set) var reason: String?
    /// Where `channels` stands in the frame.
    private(set) var channels: Range<Int>?

    mutating func read(_ reader: inout JSONReader, _ products: ProductTable) throws(JSONSyntaxError) {
        self.forget()
        try reader.beginObject()
        var isFirst = true
        while let key = try reader.nextKey(isFirst: &isFirst) {
            try self.read(key, &reader, products)
        }
        try reader.expectEnd()
    }

    private mutating func forget() {
        self.kind = nil
        self.product = nil
        self.side = nil
        self.price = nil
        self.size = nil
        self.time = nil
        self.sequence = nil
        self.tradeID = nil
        self.lastTradeID = nil
        self.bestBid = nil
        self.bestBidSize = nil
        self.bestAsk = nil
        self.bestAskSize = nil
        self.volume = nil
        self.bids.removeAll()
        self.asks.removeAll()
        self.lists = 0
        self.message = nil
        self.reason = nil
        self.channels = nil
    }

    private mutating func read(
        _ key: RawJSONString, _ reader: inout JSONReader, _ products: ProductTable
    ) throws(JSONSyntaxError) {
        switch key.bytes.count {
        case 4 where key.equals("type"): self.kind = try reader.looseText { Self.kind(of: $0) }
        case 4 where key.equals("time"): self.time = try reader.looseTimestamp()
        case 4 where key.equals("side"): self.side = try reader.looseText { CoinbaseSide.taker(ofMaker: $0) } ?? nil
        case 4 where key.equals("size"): self.size = try reader.looseNumber()
        case 4 where key.equals("bids"): if try reader.readLevels(into: &self.bids) { self.lists += 1 }
        case 4 where key.equals("asks"): if try reader.readLevels(into: &self.asks) { self.lists += 1 }
        case 5 where key.equals("price"): self.price = try reader.looseNumber()
        case 6 where key.equals("reason"): self.reason = try reader.looseText { $0.decoded() }
        case 7 where key.equals("changes"):
            if try reader.readSidedLevels(bids: &self.bids, asks: &self.asks) { self.lists += 1 }
        case 7 where key.equals("message"): self.message = try reader.looseText { $0.decoded() }
        case 8 where key.equals("trade_id"): self.tradeID = try reader.count()
        case 8 where key.equals("sequence"): self.sequence = try reader.count()
        case 8 where key.equals("best_bid"): self.bestBid = try reader.looseNumber()
        case 8 where key.equals("best_ask"): self.bestAsk = try reader.looseNumber()
        case 8 where key.equals("channels"): self.channels = try reader.skipValue()
        case 10 where key.equals("product_id"):
            self.product = try reader.looseText { $0.withUTF8 { products.index(of: $0) } } ?? nil
        case 10 where key.equals("volume_24h"): self.volume = try reader.looseNumber()
        case 13 where key.equals("last_trade_id"): self.lastTradeID = try reader.count()
        case 13 where key.equals("best_bid_size"): self.bestBidSize = try reader.looseNumber()
        case 13 where key.equals("best_ask_size"): self.bestAskSize = try reader.looseNumber()
        default: try reader.skipValue()
        }
    }

    private static func kind(of text: RawJSONString) -> Kind {
        switch text.bytes.count {
        case 5 where text.equals("match"): .match
        case 5 where text.equals("error"): .error
        case 6 where text.equals("ticker"): .ticker
        case 8 where text.equals("l2update"): .update
        case 8 where text.equals("snapshot"): .snapshot
        case 9 where text.equals("heartbeat"): .heartbeat
        case 10 where text.equals("last_match"): .lastMatch
        case 13 where text.equals("subscriptions"): .subscriptions
        default: .other
        }
    }
}

/// Both of Coinbase's interfaces give the maker's side of a trade, one in small letters and one in capitals.
///
/// Source: https://docs.cdp.coinbase.com/exchange/websocket-feed/channels ("side is the maker order side"), and the same
/// of Advanced Trade's `market_trades`.
enum CoinbaseSide {
    static func taker(ofMaker text: RawJSONString) -> TradeSide? {
        if text.equals("buy") || text.equals("BUY") { return .sell }
        if text.equals("sell") || text.equals("SELL") { return .buy }
        return nil
    }
}

extension JSONReader {
    /// What a text stands for; anything else is passed over.
    @inline(__always)
    mutating func looseText<Result>(_ read: (RawJSONString) -> Result) throws(JSONSyntaxError) -> Result? {
        guard try self.kind() == .string else {
            try self.skipValue()
            return nil
        }
        return read(try self.readString())
    }
}
