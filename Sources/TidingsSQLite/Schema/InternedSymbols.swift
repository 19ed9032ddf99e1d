import GRDB
import Tidings

/// A symbol and the venue's own spelling of it, as an event has them.
struct SymbolPair: Hashable {
    let symbol: Name?
    let venueSymbol: Name?
}

/// The numbers of pairs of a symbol and the venue's spelling, both in capitals, as the writer knows them.
///
/// Memory is bounded: a full cache is emptied and filled again from the table.
struct InternedSymbols {
    private var numbers: [SymbolPair: Int64] = [:]
    private var next: Int64?
    private var newest: (pair: SymbolPair, number: Int64)?

    private static let capacity = 8192

    /// The number of a pair, given to it now if it is new; `nil` for an event without a symbol.
    @inline(__always)
    mutating func number(symbol: Name?, venueSymbol: Name?, _ db: Database) throws -> Int64? {
        if symbol == nil && venueSymbol == nil { return nil }
        let pair = SymbolPair(symbol: symbol, venueSymbol: venueSymbol)
        if let newest = self.newest, newest.pair == pair { return newest.number }
        let number = try self.numbers[pair] ?? self.load(pair, db)
        self.newest = (pair, number)
        return number
    }

    @inline(never)
    private mutating func load(_ pair: SymbolPair, _ db: Database) throws -> Int64 {
        let find = try RawStatement.cached(db, "SELECT number FROM symbols WHERE symbol = ? AND venue_symbol = ?")
        Self.bind(pair, to: find)
        let known = try find.firstInt()
        let number = try known ?? self.insert(pair, db)
        if self.numbers.count >= Self.capacity { self.numbers.removeAll(keepingCapacity: true) }
        self.numbers[pair] = number
        return number
    }

    private mutating func insert(_ pair: SymbolPair, _ db: Database) throws -> Int64 {
        let highest = "SELECT coalesce(max(number), 0) FROM symbols"
        let number = try self.next ?? (Int64.fetchOne(db, sql: highest) ?? 0) + 1
        let insert = try RawStatement.cached(
            db, "INSERT INTO symbols (symbol, venue_symbol, number) VALUES (?, ?, ?)")
        Self.bind(pair, to: insert)
        insert.bind(number, at: 3)
        try insert.run()
        self.next = number + 1
        return number
    }

    private static func bind(_ pair: SymbolPair, to statement: RawStatement) {
        Self.bind(pair.symbol, to: statement, at: 1)
        Self.bind(pair.venueSymbol, to: statement, at: 2)
    }

    /// A name as the table holds it: text in capitals, or the number 0 for none, which no text equals.
    private static func bind(_ name: Name?, to statement: RawStatement, at index: Int32) {
        if let name {
            statement.bind(copyOf: name.folded.description, at: index)
        } else {
            statement.bind(0, at: index)
        }
    }

    /// Forgets what was learnt: the transaction that wrote it was taken back.
    mutating func forget() {
        self.numbers.removeAll(keepingCapacity: true)
        self.next = nil
        self.newest = nil
    }
}
