import HTTPTypes
import HummingbirdCore
import Tidings

/// `GET /api/v1/order-books/{symbol}`: a book as it is now.
struct OrderBookRoute: Sendable {
    let books: OrderBookProjection

    private static let deepest: Int64 = 10_000

    func book(_ call: HTTPCall) async throws -> Response {
        let query = try call.query(["source", "depth"])
        let source = try query.single("source")
        let depth = Int(try query.integer("depth", in: 1...Self.deepest) ?? Self.deepest)
        let rights = call.principal.rights
        guard rights.includes(type: .orderBook) else { throw Problem.forbiddenType(.orderBook) }
        let found = self.books.find(call.parameter, source: source).filter {
            rights.includes(symbol: $0.key.symbol, $0.key.venueSymbol)
        }
        guard let first = found.first else {
            let of = source.map { " of \($0.prefix(128))" } ?? ""
            throw Problem.notFound("There is no book \(call.parameter.prefix(128))\(of)")
        }
        guard found.count == 1 else {
            let names = found.map(\.key.source.description).sorted().joined(separator: ", ")
            throw Problem.badValue("source", "'source' is required: \(names) have this book")
        }
        guard first.trouble == nil, let book = first.book else {
            throw Problem.unavailable(code: "stale", "The book is not live: \(first.trouble ?? "it is not whole")")
        }
        return .json { writer in
            writer.literal("{\"symbol\":")
            writer.write(book.symbol)
            writer.literal(",\"source\":")
            writer.write(first.key.source)
            if let venueSymbol = book.context.venueSymbol {
                writer.literal(",\"venue_symbol\":")
                writer.write(venueSymbol)
            }
            writer.literal(",\"state\":\"live\"")
            if let timestamp = book.timestamp {
                writer.literal(",\"timestamp\":")
                writer.write(timestamp)
            }
            if let sequence = book.sequence {
                writer.literal(",\"sequence\":")
                writer.write(sequence)
            }
            writer.literal(",\"bids\":")
            writer.write(book.bids.prefix(depth))
            writer.literal(",\"asks\":")
            writer.write(book.asks.prefix(depth))
            writer.write(byte: UInt8(ascii: "}"))
        }
    }
}

extension JSONWriter {
    fileprivate mutating func write(_ levels: ArraySlice<OrderBook.Level>) {
        self.write(byte: UInt8(ascii: "["))
        for (index, level) in levels.enumerated() {
            if index > 0 { self.write(byte: UInt8(ascii: ",")) }
            self.write(byte: UInt8(ascii: "["))
            self.write(level.price)
            self.write(byte: UInt8(ascii: ","))
            self.write(level.volume)
            self.write(byte: UInt8(ascii: "]"))
        }
        self.write(byte: UInt8(ascii: "]"))
    }
}
