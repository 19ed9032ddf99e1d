import GRDB
import GRDBSQLite
import Testing
import Tidings

@testable import TidingsSQLite

@Suite(.timeLimit(.minutes(2)))
struct AccessPathTests {
    /// 100 symbols of 60,000 trades, and one in a thousand a rare type.
    private func withLog(_ body: (SQLiteEventLog, DatabaseQueue) async throws -> Void) async throws {
        try await withTemporaryFolder { folder in
            let log = try await SQLiteEventLog.open(SQLiteLogConfiguration(file: "\(folder)/log.db"))
            let events = sampleBatches(60_000, symbols: 100).flatMap { EventSelection($0) }.enumerated()
                .map { index, event in
                    var event = event
                    if index % 1000 == 0 { event.eventType = .priceAlert }
                    return event
                }
            _ = try await log.append(EventBatch.batches(of: events).map { EventSelection($0) })
            let queue = try DatabaseQueue(path: log.file)
            try await body(log, queue)
            try queue.close()
            await log.close()
        }
    }

    @Test func `the way through the tables is the one with the fewest rows`() async throws {
        try await self.withLog { (_, queue) async throws in
            let dense = EventFilter(types: [.exact(.trade)], symbols: ["S7-USD"])
            let rare = EventFilter(types: ["price_alert"], symbols: (0..<20).map { "S\($0)-USD" })
            for order in [LogQuery.Order.ascending, .descending] {
                func way(_ filter: EventFilter) async throws -> String? {
                    try await queue.read { db in
                        try LogSearch(LogQuery(filter: filter, order: order), db)?.path.way
                    }
                }
                #expect(try await way(.all) == "scan")
                #expect(try await way(.type(.trade)) == "scan")
                #expect(try await way(EventFilter(symbols: ["s7-usd"])) == "symbol")
                #expect(try await way(dense) == "symbol")
                #expect(try await way(rare) == "type")
                #expect(try await way(EventFilter(correlationID: EventID("x"))) == "correlation")
                #expect(try await way(EventFilter(symbols: ["NONE"])) == nil)
            }
        }
    }

    @Test func `the newest events of one symbol are found without looking at the rest`() async throws {
        try await self.withLog { log, queue in
            let query = LogQuery(filter: EventFilter(symbols: ["S7-USD"]), order: .descending, limit: 100)
            let steps = try await queue.read { db in
                try hundredsOfSteps(db) {
                    let page = try LogSearch(query, db)?.page(limit: 100, maximumByteCount: .max, db)
                    #expect(page?.events.count == 100)
                }
            }
            // A scan would take thousands of hundreds.
            #expect(steps < 60)
            #expect(try await log.read(query).map(\.offset).first == 59_908)
        }
    }

    @Test func `the bounds are found without looking at all events`() async throws {
        try await self.withLog { _, queue in
            let steps = try await queue.read { db in
                try hundredsOfSteps(db) {
                    let head = try LogSession.bounds(db).head
                    #expect(head == 60_000)
                }
            }
            #expect(steps < 3)
        }
    }

    @Test func `appending pays for four secondary indexes`() async throws {
        try await self.withLog { _, queue in
            let indexes = try await queue.read { db in try db.indexes(on: "events").map(\.name).sorted() }
            #expect(indexes == ["events_by_correlation", "events_by_id", "events_by_symbol", "events_by_type"])
        }
    }
}

/// What SQLite's machine does for `body`, in hundreds of steps.
private func hundredsOfSteps(_ db: Database, _ body: () throws -> Void) rethrows -> Int {
    var count = 0
    try withUnsafeMutablePointer(to: &count) { counter in
        sqlite3_progress_handler(
            db.sqliteConnection, 100,
            { counter in
                counter?.assumingMemoryBound(to: Int.self).pointee += 1
                return 0
            }, counter)
        defer { sqlite3_progress_handler(db.sqliteConnection, 0, nil, nil) }
        try body()
    }
    return count
}

extension AccessPath {
    fileprivate var way: String {
        switch self {
        case .scan: "scan"
        case .index(let index, _): index.column
        case .correlation: "correlation"
        }
    }
}
