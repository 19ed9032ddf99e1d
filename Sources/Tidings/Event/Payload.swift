/// What an event says: a typed market payload, or any JSON object.
///
/// Both forms can be asked for either way: ``trade`` of an event that came as JSON reads it, ``object`` of a typed one
/// writes it. Whatever came from outside is written back exactly as it came.
///
/// - Note: `@unchecked Sendable` is sound: `reference` is a ``Boxed`` of a `Sendable` value, or the storage of a
///   ``JSONObject``, which is `Sendable` too; neither ever changes.
public struct Payload: @unchecked Sendable {
    @usableFromInline
    enum Kind: UInt8, Sendable {
        /// In ``packed``, with its texts behind ``reference``.
        case trade
        // The others are behind ``reference``: a box, or the storage of a JSON object.
        case ticker
        case orderBook
        case candle
        case object
    }

    /// A value behind one reference.
    final class Boxed<Value: Sendable>: Sendable {
        let value: Value

        init(_ value: Value) {
            self.value = value
        }
    }

    // One reference and otherwise plain bytes, instead of an enum with payloads: copying that is a copy of memory and
    // one count.
    @usableFromInline let packed: PackedTrade
    @usableFromInline let kind: Kind
    @usableFromInline let reference: AnyObject?

    @inlinable
    @inline(__always)
    init(packed: PackedTrade, kind: Kind, reference: AnyObject?) {
        self.packed = packed
        self.kind = kind
        self.reference = reference
    }

    /// What stands in a blank event.
    @inline(__always)
    init() {
        self.packed = PackedTrade()
        self.kind = .trade
        self.reference = nil
    }

    @inline(__always)
    private init(_ kind: Kind, _ reference: AnyObject) {
        self.packed = PackedTrade()
        self.kind = kind
        self.reference = reference
    }

    @inlinable
    @inline(__always)
    public static func trade(_ trade: Trade) -> Payload {
        Payload(packed: trade.packed, kind: .trade, reference: trade.texts)
    }

    public static func ticker(_ ticker: Ticker) -> Payload { Payload(.ticker, Boxed(ticker)) }
    public static func orderBook(_ book: OrderBook) -> Payload { Payload(.orderBook, Boxed(book)) }
    public static func candle(_ candle: Candle) -> Payload { Payload(.candle, Boxed(candle)) }
    @inline(__always)
    public static func object(_ object: JSONObject) -> Payload { Payload(.object, object.storage) }

    /// An object that was read, and, if it is a trade, its fields.
    @inline(__always)
    init(_ object: JSONObject, trade: PackedTrade) {
        self.packed = trade
        self.kind = .object
        self.reference = object.storage
    }

    /// `{}`
    public static let empty = Payload.object(JSONObject())

    // What `reference` holds: the casts are sound because `kind` and `reference` are set together, by the functions
    // above, and never again.

    @inline(__always)
    func box<Value>(_ type: Value.Type) -> Boxed<Value> {
        unsafeDowncast(self.reference.unsafelyUnwrapped, to: Boxed<Value>.self)
    }

    @inline(__always)
    var heldObject: JSONObject {
        JSONObject(storage: unsafeDowncast(self.reference.unsafelyUnwrapped, to: JSONObject.Storage.self))
    }

    @inline(__always)
    private var heldTrade: Trade {
        Trade(packed: self.packed, texts: self.reference.map { unsafeDowncast($0, to: TradeTexts.self) })
    }
}

extension Payload {
    /// The payload as a trade, if it has a symbol, a price and a volume.
    public var trade: Trade? {
        switch self.kind {
        case .trade: self.heldTrade
        case .object:
            self.packed.flags.contains(.isKnown) ? Trade(packed: self.packed, texts: nil) : Trade(self.heldObject)
        default: nil
        }
    }

    /// The payload as a ticker, if it has a symbol.
    public var ticker: Ticker? {
        switch self.kind {
        case .ticker: self.box(Ticker.self).value
        case .object: Ticker(self.heldObject)
        default: nil
        }
    }

    /// The payload as an order book, if it has a symbol and well-formed levels.
    public var orderBook: OrderBook? {
        switch self.kind {
        case .orderBook: self.box(OrderBook.self).value
        case .object: OrderBook(self.heldObject)
        default: nil
        }
    }

    /// The payload as a candle, if it has all of its prices.
    public var candle: Candle? {
        switch self.kind {
        case .candle: self.box(Candle.self).value
        case .object: Candle(self.heldObject)
        default: nil
        }
    }

    /// The payload as a JSON object; a typed one is written first, so keep the result.
    public var object: JSONObject {
        if self.kind == .object { return self.heldObject }
        var writer = JSONWriter()
        writer.write(self)
        let names = JSONObject.Names(symbol: self.symbol, venueSymbol: self.venueSymbol)
        return writer.withBytes { JSONObject(compact: $0, names: names, depth: self.depth) }
    }

    /// How many containers stand inside one another; a book has its levels in lists of lists.
    var depth: Int {
        switch self.kind {
        case .object: self.heldObject.depth
        case .orderBook: 3
        case .trade, .ticker, .candle: 1
        }
    }

    /// The value of a member, by its name in the JSON.
    public subscript(key: String) -> JSONValue? {
        self.object[key]
    }

    /// `symbol`, where there is one.
    @inline(__always)
    public var symbol: Name? {
        switch self.kind {
        case .trade: self.heldTrade.symbol
        case .ticker: self.box(Ticker.self).value.symbol
        case .orderBook: self.box(OrderBook.self).value.symbol
        case .candle: self.box(Candle.self).value.symbol
        case .object: self.heldObject.symbol
        }
    }
}

extension Payload {
    /// `venue_symbol`, where there is one.
    public var venueSymbol: Name? {
        switch self.kind {
        case .trade: self.heldTrade.venueSymbol
        case .ticker: self.box(Ticker.self).value.context.venueSymbol
        case .orderBook: self.box(OrderBook.self).value.context.venueSymbol
        case .candle: self.box(Candle.self).value.context.venueSymbol
        case .object: self.heldObject.venueSymbol
        }
    }

    /// The names that a filter may call this payload's symbol by.
    package var symbolSpellings: [Name] {
        [self.symbol, self.venueSymbol].compactMap { $0 }
    }

    /// `item`, which only open objects have.
    package var item: String? {
        guard self.kind == .object else { return nil }
        return self.heldObject["item"]?.string
    }
}

extension Payload: ExpressibleByDictionaryLiteral, Equatable, CustomStringConvertible {
    public init(dictionaryLiteral elements: (String, JSONValue)...) {
        self = .object(JSONObject(elements))
    }

    public static func == (left: Payload, right: Payload) -> Bool {
        if left.kind == .trade && right.kind == .trade { return left.heldTrade == right.heldTrade }
        return left.object == right.object
    }

    /// Compact JSON.
    public var description: String {
        self.object.description
    }
}

extension JSONWriter {
    @inline(__always)
    package mutating func write(_ payload: borrowing Payload) {
        payload.write(to: &self)
    }
}

extension Payload {
    @inline(__always)
    fileprivate borrowing func write(to writer: inout JSONWriter) {
        switch self.kind {
        case .trade: writer.write(self.heldTrade)
        case .object: self.heldObject.withUTF8 { writer.write(bytes: $0) }
        case .ticker: writer.write(self.box(Ticker.self).value)
        case .orderBook: writer.write(self.box(OrderBook.self).value)
        case .candle: writer.write(self.box(Candle.self).value)
        }
    }
}
