import GRDB
import Tidings

/// One query, resolved and with its way through the tables chosen.
struct LogSearch {
    private let filter: ResolvedFilter
    private let range: ClosedRange<Int64>
    private let order: LogQuery.Order
    let path: AccessPath

    /// `nil` when nothing can match.
    init?(_ query: LogQuery, _ db: Database) throws {
        guard let filter = try ResolvedFilter(query.filter, db) else { return nil }
        let bounds = try LogSession.bounds(db)
        var low = max(query.after == .max ? .max : query.after + 1, bounds.oldest)
        var high = min(query.through, bounds.head)
        if query.filter.since != nil || query.filter.until != nil {
            guard let range = try TimeMarks.range(since: query.filter.since, until: query.filter.until, db) else {
                return nil
            }
            low = max(low, range.lowerBound)
            high = min(high, range.upperBound)
        }
        guard low <= high else { return nil }
        self.filter = filter
        self.range = low...high
        self.order = query.order
        self.path = try AccessPath.choose(filter, self.range, query.order, db)
    }

    /// The first events of the result.
    func page(limit: Int, maximumByteCount: Int, _ db: Database) throws -> LogPage {
        var page = PageBuilder(
            filter: self.filter.needsDecoding ? self.filter.filter : nil, limit: limit,
            maximumByteCount: maximumByteCount)
        if var offsets = try OffsetMerge(self.path, self.range, self.order, db) {
            try self.lookUp(&offsets, &page, db)
        } else {
            try self.scan(&page, db)
        }
        return LogPage(events: page.events, isLast: !page.isFull)
    }

    private func scan(_ page: inout PageBuilder, _ db: Database) throws {
        // The offset is the table's own key: NOT INDEXED rules out the others.
        let rows = RawStatement(
            try db.makeStatement(
                sql: """
                    SELECT offset, json FROM events NOT INDEXED WHERE offset BETWEEN ?1 AND ?2\
                    \(self.filter.conditions(except: nil)) ORDER BY offset \(self.order.sql)
                    """))
        rows.bind(self.range.lowerBound, at: 1)
        rows.bind(self.range.upperBound, at: 2)
        while !page.isFull, try rows.step() {
            page.add(offset: rows.int(0), json: rows.bytes(1))
        }
    }

    private func lookUp(_ offsets: inout OffsetMerge, _ page: inout PageBuilder, _ db: Database) throws {
        let covered: EventIndex? = if case .index(let index, _) = self.path { index } else { nil }
        let row = RawStatement(
            try db.makeStatement(
                sql: "SELECT json FROM events WHERE offset = ?1\(self.filter.conditions(except: covered))"))
        while !page.isFull, let offset = try offsets.next() {
            row.bind(offset, at: 1)
            if try row.step() { page.add(offset: offset, json: row.bytes(0)) }
            row.reset()
        }
    }
}

/// Collects the events of a page until there are enough.
private struct PageBuilder {
    /// What every event has to be decoded and asked for.
    let filter: EventFilter?
    let limit: Int
    let maximumByteCount: Int
    private(set) var events: [LoggedEvent] = []
    private var byteCount = 0

    init(filter: EventFilter?, limit: Int, maximumByteCount: Int) {
        self.filter = filter
        self.limit = limit
        self.maximumByteCount = maximumByteCount
    }

    var isFull: Bool {
        self.events.count >= self.limit || self.byteCount >= self.maximumByteCount
    }

    @inline(__always)
    mutating func add(offset: Int64, json: [UInt8]) {
        let event = LoggedEvent(offset: offset, json: json)
        if let filter = self.filter {
            // Text that is no event matches nothing.
            guard let decoded = try? event.event(), filter.matches(decoded) else { return }
        }
        self.events.append(event)
        self.byteCount += json.count
    }
}
