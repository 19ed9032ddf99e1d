import GRDB
import Tidings

/// The secondary indexes that a search can go along.
enum EventIndex {
    case type
    case symbol

    var name: String {
        switch self {
        case .type: "events_by_type"
        case .symbol: "events_by_symbol"
        }
    }

    var column: String {
        switch self {
        case .type: "type"
        case .symbol: "symbol"
        }
    }
}

/// How the rows of a search are found.
enum AccessPath {
    /// Every row between two offsets is looked at.
    case scan
    /// The rows of some numbers, merged by offset.
    case index(EventIndex, [Int64])
    /// The rows of one correlation.
    case correlation(EventID)

    /// More ranges of an index than this are not merged.
    private static let maximumRanges = 32
    /// How far into an index it is looked to tell how dense it is.
    private static let sampleCount: Int64 = 256
    /// Where more than this share of the rows match, reading them all in order is cheaper than finding each.
    private static let densest = 0.5

    /// Chooses the path along which the fewest rows have to be looked at to find the first matches: not from statistics
    /// that grow old, but by looking how far apart the first entries of each index are.
    static func choose(
        _ filter: ResolvedFilter, _ range: ClosedRange<Int64>, _ order: LogQuery.Order, _ db: Database
    ) throws -> AccessPath {
        if let correlation = filter.filter.correlationID { return .correlation(correlation) }
        var best = AccessPath.scan
        var bestDensity = Self.densest
        for (index, numbers) in [(EventIndex.symbol, filter.symbols), (.type, filter.types)] {
            guard let numbers, numbers.count <= Self.maximumRanges else { continue }
            let density = try Self.density(index, numbers, range, order, below: bestDensity, db)
            if density < bestDensity {
                best = .index(index, numbers)
                bestDensity = density
            }
        }
        return best
    }

    /// The share of the rows at the beginning of the range that an index has under some numbers; 0 when they are few in
    /// all.
    private static func density(
        _ index: EventIndex, _ numbers: [Int64], _ range: ClosedRange<Int64>, _ order: LogQuery.Order,
        below limit: Double, _ db: Database
    ) throws -> Double {
        let statement = RawStatement(
            try db.makeStatement(
                sql: Self.offsets(index, order) + " LIMIT 1 OFFSET \(Self.sampleCount - 1)"))
        var density = 0.0
        for number in numbers {
            statement.bind(number, at: 1)
            statement.bind(range.lowerBound, at: 2)
            statement.bind(range.upperBound, at: 3)
            if let offset = try statement.firstInt() {
                let span = order == .ascending ? offset - range.lowerBound : range.upperBound - offset
                density += Double(Self.sampleCount) / Double(max(span, 0) + 1)
            }
            if density >= limit { break }
        }
        return density
    }

    /// The offsets of one number within a range.
    static func offsets(_ index: EventIndex, _ order: LogQuery.Order) -> String {
        """
        SELECT offset FROM events INDEXED BY \(index.name) \
        WHERE \(index.column) = ?1 AND offset BETWEEN ?2 AND ?3 ORDER BY offset \(order.sql)
        """
    }
}

extension LogQuery.Order {
    var sql: String {
        switch self {
        case .ascending: "ASC"
        case .descending: "DESC"
        }
    }
}
