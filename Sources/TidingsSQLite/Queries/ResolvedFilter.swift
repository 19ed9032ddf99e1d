import GRDB
import Tidings

/// A filter in the numbers of the tables.
struct ResolvedFilter {
    /// `nil` where nothing is asked.
    let types: [Int64]?
    let symbols: [Int64]?
    let sources: [Int64]?
    let filter: EventFilter

    /// More numbers than this are not written into a statement: then every event is decoded and asked instead.
    private static let maximumListed = 2000

    /// `nil` when no event of the log can match.
    init?(_ filter: EventFilter, _ db: Database) throws {
        self.filter = filter
        self.types = try Self.types(filter, db)
        self.symbols = try Self.symbols(filter, db)
        self.sources = try Self.sources(filter, db)
        for numbers in [self.types, self.symbols, self.sources] {
            if let numbers, numbers.isEmpty { return nil }
        }
    }

    /// Whether some of the filter can only be told from the event itself.
    var needsDecoding: Bool {
        !self.filter.items.isEmpty
            || [self.types, self.symbols, self.sources].contains { $0.map { $0.count > Self.maximumListed } ?? false }
    }

    /// The part of the filter that a statement can tell, beginning with ` AND `; empty when there is none.
    func conditions(except covered: EventIndex?) -> String {
        var text = ""
        if covered != .type { text += Self.condition("type", self.types) }
        if covered != .symbol { text += Self.condition("symbol", self.symbols) }
        text += Self.condition("source", self.sources)
        if let since = self.filter.since { text += " AND time >= \(since.nanoseconds)" }
        if let until = self.filter.until { text += " AND time < \(until.nanoseconds)" }
        return text
    }

    private static func condition(_ column: String, _ numbers: [Int64]?) -> String {
        guard let numbers, numbers.count <= Self.maximumListed else { return "" }
        return " AND \(column) IN (\(numbers.map(String.init).joined(separator: ",")))"
    }

    // MARK: Names to numbers

    private static func types(_ filter: EventFilter, _ db: Database) throws -> [Int64]? {
        if filter.types.isEmpty || filter.types.contains(.all) { return nil }
        let exact = filter.types.compactMap(\.exactType)
        if exact.count == filter.types.count {
            return try Self.numbers(exact.map(\.rawValue), in: "event_types", db)
        }
        var numbers: [Int64] = []
        let rows = try Row.fetchCursor(db, sql: "SELECT text, number FROM event_types")
        while let row = try rows.next() {
            if let type = EventType(row[0] as String), filter.matchesType(type) { numbers.append(row[1]) }
        }
        return numbers
    }

    private static func sources(_ filter: EventFilter, _ db: Database) throws -> [Int64]? {
        if filter.sources.isEmpty { return nil }
        return try Self.numbers(filter.sources.map(\.description), in: "sources", db)
    }

    private static func numbers(_ texts: [String], in table: String, _ db: Database) throws -> [Int64] {
        let find = try RawStatement.cached(db, "SELECT number FROM \(table) WHERE text = ?")
        var numbers: Set<Int64> = []
        for text in texts {
            find.bind(copyOf: text, at: 1)
            if let number = try find.firstInt() { numbers.insert(number) }
        }
        return numbers.sorted()
    }

    /// The numbers of all pairs of which one spelling or the other is asked for.
    private static func symbols(_ filter: EventFilter, _ db: Database) throws -> [Int64]? {
        if filter.requiredSymbols.isEmpty { return nil }
        let find = try RawStatement.cached(db, "SELECT number FROM symbols WHERE symbol = ?1 OR venue_symbol = ?1")
        defer { find.reset() }
        var numbers: Set<Int64> = []
        for name in filter.requiredSymbols {
            find.reset()
            find.bind(copyOf: name.description, at: 1)
            while try find.step() { numbers.insert(find.int(0)) }
        }
        return numbers.sorted()
    }
}
