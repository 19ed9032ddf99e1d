import Tidings

/// One frame of the feed, read in one pass, whatever the order of its members, into memory that is used again.
///
/// Nothing is done with a frame before all of it has been read: a broken one changes nothing.
struct KrakenFrame: Sendable {
    enum Kind: Sendable {
        case unknown
        case heartbeat
        case status
        case data(KrakenChannel)
        /// The answer to a request.
        case answer
    }

    /// One market's part of a book message.
    struct Book: Sendable {
        /// Of the wire names; `nil` for a market that is not collected.
        var market: Int?
        var isNamed = false
        var isWhole = true
        var bids = LevelList()
        var asks = LevelList()
        var checksum: UInt64?
        var timestamp: Timestamp?

        mutating func clear() {
            self.market = nil
            self.isNamed = false
            self.isWhole = true
            self.bids.removeAll()
            self.asks.removeAll()
            self.checksum = nil
            self.timestamp = nil
        }
    }

    /// One element of any other channel's data.
    struct Entry: Sendable {
        var market: Int?
        var isNamed = false
        var timestamp: Timestamp?
        // A trade.
        var side: TradeSide?
        var price: ExactDecimal?
        var size: ExactDecimal?
        var tradeID: UInt64?
        // A ticker.
        var bid: ExactDecimal?
        var bidSize: ExactDecimal?
        var ask: ExactDecimal?
        var askSize: ExactDecimal?
        var last: ExactDecimal?
        var volume: ExactDecimal?
        // A candle, with the volume above.
        var open: ExactDecimal?
        var high: ExactDecimal?
        var low: ExactDecimal?
        var close: ExactDecimal?
        var trades: UInt64?
        var begin: Timestamp?
        // The venue's status.
        var system: String?
        var connectionID: UInt64?
    }

    /// What the venue says to a request.
    struct Answer: Sendable {
        var isSubscribe = false
        var isSuccess: Bool?
        var error: String?
        var requestID: UInt64?
        var channel: KrakenChannel?
        var market: Int?
        var depth: Int?
    }

    /// Messages with more markets than this give their memory back.
    private static let keptBooks = 16

    private(set) var kind = Kind.unknown
    private(set) var isSnapshot = false
    private(set) var entries: [Entry] = []
    private(set) var books: [Book] = []
    /// How many of ``books`` are of this frame.
    private(set) var bookCount = 0
    private(set) var answer = Answer()

    /// Why the frame makes no sense, although it is JSON.
    var flaw: String? {
        switch self.kind {
        case .unknown: self.isEmpty ? "a frame without channel or method" : nil
        case .heartbeat, .status, .answer: nil
        case .data:
            !self.hasData || self.entries.contains { !$0.isNamed }
                || self.books[..<self.bookCount].contains { !$0.isNamed }
                ? "data without content or symbol" : nil
        }
    }

    private var isEmpty = true
    private var hasData = false

    mutating func read(_ bytes: UnsafeRawBufferPointer, _ names: KrakenWireNames) throws(JSONSyntaxError) {
        self.clear()
        var reader = JSONReader(bytes)
        var data: Range<Int>?
        var (isKnown, isAnswer) = (false, false)
        try reader.beginObject()
        var isFirst = true
        while let key = try reader.nextKey(isFirst: &isFirst) {
            if key.equals("channel") {
                try self.readChannel(&reader)
                (isKnown, self.isEmpty) = (true, false)
            } else if key.equals("type"), try reader.kind() == .string {
                self.isSnapshot = try reader.readString().equals("snapshot")
            } else if key.equals("data") {
                self.hasData = true
                if isKnown {
                    try self.readData(&reader, names)
                } else {
                    data = try reader.skipValue()
                }
            } else if key.equals("method"), try reader.kind() == .string {
                (isAnswer, self.isEmpty) = (true, false)
                self.answer.isSubscribe = try reader.readString().equals("subscribe")
            } else if try !self.readAnswer(key, &reader, names) {
                try reader.skipValue()
            }
        }
        try reader.expectEnd()
        if let data {
            var rest = JSONReader(reader.slice(data))
            try self.readData(&rest, names)
        }
        if isAnswer || (!isKnown && self.answer.error != nil) { self.kind = .answer }
    }

    private mutating func clear() {
        self.kind = .unknown
        self.isSnapshot = false
        self.entries.removeAll(keepingCapacity: true)
        if self.books.count > Self.keptBooks { self.books.removeLast(self.books.count - Self.keptBooks) }
        self.bookCount = 0
        self.answer = Answer()
        self.isEmpty = true
        self.hasData = false
    }

    private mutating func readChannel(_ reader: inout JSONReader) throws(JSONSyntaxError) {
        guard try reader.kind() == .string else {
            try reader.skipValue()
            return
        }
        let channel = try reader.readString()
        if channel.equals("heartbeat") {
            self.kind = .heartbeat
        } else if channel.equals("status") {
            self.kind = .status
        } else if let known = KrakenChannel(channel) {
            self.kind = .data(known)
        }
    }

    private mutating func readData(
        _ reader: inout JSONReader, _ names: KrakenWireNames
    ) throws(JSONSyntaxError) {
        if case .unknown = self.kind {
            try reader.skipValue()
            return
        }
        guard try reader.kind() == .array else {
            // A part without content: whoever looks at it finds nothing that it needs.
            try reader.skipValue()
            self.entries.append(Entry())
            return
        }
        var isBook = false
        if case .data(.book) = self.kind { isBook = true }
        try reader.beginArray()
        var isFirst = true
        while try reader.nextElement(isFirst: &isFirst) {
            guard try reader.kind() == .object else {
                try reader.skipValue()
                self.entries.append(Entry())
                continue
            }
            if isBook {
                try self.readBook(&reader, names)
            } else {
                var entry = Entry()
                try entry.read(&reader, names)
                self.entries.append(entry)
            }
        }
    }

    private mutating func readBook(_ reader: inout JSONReader, _ names: KrakenWireNames) throws(JSONSyntaxError) {
        if self.bookCount == self.books.count { self.books.append(Book()) }
        self.books[self.bookCount].clear()
        try self.books[self.bookCount].read(&reader, names)
        self.bookCount += 1
    }

    /// Members of an answer; `false` for any other.
    private mutating func readAnswer(
        _ key: RawJSONString, _ reader: inout JSONReader, _ names: KrakenWireNames
    ) throws(JSONSyntaxError) -> Bool {
        if key.equals("success"), try reader.kind() == .bool {
            self.answer.isSuccess = try reader.readBool()
        } else if key.equals("error"), try reader.kind() == .string {
            self.answer.error = String(try reader.readString().decoded().prefix(200))
        } else if key.equals("req_id") {
            self.answer.requestID = try reader.count()
        } else if key.equals("symbol"), try reader.kind() == .string {
            self.answer.market = try reader.readString().withUTF8 { names.find($0) }
        } else if key.equals("result"), try reader.kind() == .object {
            try reader.beginObject()
            var isFirst = true
            while let key = try reader.nextKey(isFirst: &isFirst) {
                if key.equals("channel"), try reader.kind() == .string {
                    self.answer.channel = KrakenChannel(try reader.readString())
                } else if key.equals("symbol"), try reader.kind() == .string {
                    self.answer.market = try reader.readString().withUTF8 { names.find($0) }
                } else if key.equals("depth") {
                    self.answer.depth = try reader.count().flatMap { Int(exactly: $0) }
                } else {
                    try reader.skipValue()
                }
            }
        } else {
            return false
        }
        return true
    }
}

extension KrakenChannel {
    fileprivate init?(_ name: RawJSONString) {
        guard let channel = Self.allCases.first(where: { name.equals($0.literal) }) else { return nil }
        self = channel
    }

    private var literal: StaticString {
        switch self {
        case .trade: "trade"
        case .ticker: "ticker"
        case .book: "book"
        case .ohlc: "ohlc"
        }
    }
}
