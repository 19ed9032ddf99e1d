import GRDB
import Tidings

/// Several lists of offsets, each in order, as one.
struct OffsetMerge {
    private struct List {
        let statement: RawStatement
        var offset: Int64
    }

    private var lists: [List] = []
    private let order: LogQuery.Order

    /// The offsets along a path; `nil` for a path that has no index.
    init?(_ path: AccessPath, _ range: ClosedRange<Int64>, _ order: LogQuery.Order, _ db: Database) throws {
        self.order = order
        switch path {
        case .scan: return nil
        case .index(let index, let numbers):
            for number in numbers {
                let statement = RawStatement(try db.makeStatement(sql: AccessPath.offsets(index, order)))
                statement.bind(number, at: 1)
                try self.add(statement, range)
            }
        case .correlation(let id):
            // An event that is its own correlation is found by its id.
            for condition in ["correlation = ?1", "id = ?1 AND correlation IS NULL"] {
                let sql = """
                    SELECT offset FROM events WHERE \(condition) AND offset BETWEEN ?2 AND ?3 \
                    ORDER BY offset \(order.sql)
                    """
                let statement = RawStatement(try db.makeStatement(sql: sql))
                statement.bind(copyOf: id, at: 1)
                try self.add(statement, range)
            }
        }
    }

    private mutating func add(_ statement: RawStatement, _ range: ClosedRange<Int64>) throws {
        statement.bind(range.lowerBound, at: 2)
        statement.bind(range.upperBound, at: 3)
        if try statement.step() { self.lists.append(List(statement: statement, offset: statement.int(0))) }
    }

    mutating func next() throws -> Int64? {
        guard !self.lists.isEmpty else { return nil }
        var first = 0
        for index in self.lists.indices.dropFirst() {
            let isBefore =
                self.order == .ascending
                ? self.lists[index].offset < self.lists[first].offset
                : self.lists[index].offset > self.lists[first].offset
            if isBefore { first = index }
        }
        let offset = self.lists[first].offset
        if try self.lists[first].statement.step() {
            self.lists[first].offset = self.lists[first].statement.int(0)
        } else {
            self.lists.remove(at: first)
        }
        return offset
    }
}
