/// What an event says: a typed market payload, or any JSON object.
///
/// Both forms can be asked for either way: ``trade`` of an event that came as JSON reads it, ``object`` of a typed one
/// writes it. Whatever came from outside is written back exactly as it came.
public struct Payload: Sendable {
    enum Storage: Sendable {
        case trade(Trade)
        case ticker(Boxed<Ticker>)
        case orderBook(Boxed<OrderBook>)
        case candle(Boxed<Candle>)
        case object(JSONObject)
    }

    let storage: Storage

    /// A value behind one reference, so that the common case stays small.
    final class Boxed<Value: Sendable>: Sendable {
        let value: Value

        init(_ value: Value) {
            self.value = value
        }
    }

    @inline(__always)
    private init(_ storage: Storage) {
        self.storage = storage
    }

    @inline(__always)
    public static func trade(_ trade: Trade) -> Payload { Payload(.trade(trade)) }
    public static func ticker(_ ticker: Ticker) -> Payload { Payload(.ticker(Boxed(ticker))) }
    public static func orderBook(_ book: OrderBook) -> Payload { Payload(.orderBook(Boxed(book))) }
    public static func candle(_ candle: Candle) -> Payload { Payload(.candle(Boxed(candle))) }
    @inline(__always)
    public static func object(_ object: JSONObject) -> Payload { Payload(.object(object)) }

    /// `{}`
    public static let empty = Payload(.object(JSONObject()))
}

extension Payload {
    /// The payload as a trade, if it has a symbol, a price and a volume.
    public var trade: Trade? {
        switch self.storage {
        case .trade(let trade): trade
        case .object(let object): Trade(object)
        default: nil
        }
    }

    /// The payload as a ticker, if it has a symbol.
    public var ticker: Ticker? {
        switch self.storage {
        case .ticker(let ticker): ticker.value
        case .object(let object): Ticker(object)
        default: nil
        }
    }

    /// The payload as an order book, if it has a symbol and well-formed levels.
    public var orderBook: OrderBook? {
        switch self.storage {
        case .orderBook(let book): book.value
        case .object(let object): OrderBook(object)
        default: nil
        }
    }

    /// The payload as a candle, if it has all of its prices.
    public var candle: Candle? {
        switch self.storage {
        case .candle(let candle): candle.value
        case .object(let object): Candle(object)
        default: nil
        }
    }

    /// The payload as a JSON object; a typed one is written first, so keep the result.
    public var object: JSONObject {
        if case .object(let object) = self.storage { return object }
        var writer = JSONWriter()
        writer.write(self)
        let names = JSONObject.Names(symbol: self.symbol, venueSymbol: self.venueSymbol)
        return writer.withBytes { JSONObject(compact: $0, names: names) }
    }

    /// The value of a member, by its name in the JSON.
    public subscript(key: String) -> JSONValue? {
        self.object[key]
    }

    /// `symbol`, where there is one.
    @inline(__always)
    public var symbol: Name? {
        switch self.storage {
        case .trade(let trade): trade.symbol
        case .ticker(let ticker): ticker.value.symbol
        case .orderBook(let book): book.value.symbol
        case .candle(let candle): candle.value.symbol
        case .object(let object): object.symbol
        }
    }
}

extension Payload {
    /// `venue_symbol`, where there is one.
    public var venueSymbol: Name? {
        switch self.storage {
        case .trade(let trade): trade.context.venueSymbol
        case .ticker(let ticker): ticker.value.context.venueSymbol
        case .orderBook(let book): book.value.context.venueSymbol
        case .candle(let candle): candle.value.context.venueSymbol
        case .object(let object): object.venueSymbol
        }
    }

    /// The names that a filter may call this payload's symbol by.
    package var symbolSpellings: [Name] {
        [self.symbol, self.venueSymbol].compactMap { $0 }
    }

    /// `item`, which only open objects have.
    package var item: String? {
        guard case .object(let object) = self.storage else { return nil }
        return object["item"]?.string
    }
}

extension Payload: ExpressibleByDictionaryLiteral, Equatable, CustomStringConvertible {
    public init(dictionaryLiteral elements: (String, JSONValue)...) {
        self.init(.object(JSONObject(elements)))
    }

    public static func == (left: Payload, right: Payload) -> Bool {
        switch (left.storage, right.storage) {
        case (.trade(let left), .trade(let right)): left == right
        default: left.object == right.object
        }
    }

    /// Compact JSON.
    public var description: String {
        self.object.description
    }
}

extension JSONWriter {
    @inline(__always)
    package mutating func write(_ payload: Payload) {
        switch payload.storage {
        case .trade(let trade): self.write(trade)
        case .object(let object): object.withUTF8 { self.write(bytes: $0) }
        case .ticker(let ticker): self.write(ticker.value)
        case .orderBook(let book): self.write(book.value)
        case .candle(let candle): self.write(candle.value)
        }
    }
}
