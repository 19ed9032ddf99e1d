import Foundation
import Tidings
import TidingsSQLite

/// `tidings bench store`: appending to the log and reading it back, beside bare SQLite with the same tables, indexes and
/// transactions.
enum StoreBench {
    static let all: [any BenchSubject] = [
        StoreFigure(
            name: "append", reference: "sqlite3 from C, same schema and transactions",
            work: Self.append, referenceWork: Self.referenceAppend),
        StoreFigure(
            name: "read", reference: "sqlite3 from C, same schema", work: Self.read,
            referenceWork: Self.referenceRead),
    ]

    /// How many events one transaction holds.
    private static let eventsPerCommit = 1024

    /// Seconds that appending a number of fresh events takes.
    private static func append(_ amount: Int, _ folder: String) async throws -> Duration {
        let batches = Self.makeBatches(amount)
        let log = try await SQLiteEventLog.open(SQLiteLogConfiguration(file: folder + "/log.db"))
        let start = ContinuousClock.now
        try await Self.append(batches, to: log)
        let elapsed = ContinuousClock.now - start
        precondition(log.bounds.head == Int64(amount), "events are missing")
        await log.close()
        return elapsed
    }

    private static func append(_ batches: [EventBatch], to log: SQLiteEventLog) async throws {
        let step = Self.eventsPerCommit / EventBatch.capacity
        for start in stride(from: 0, to: batches.count, by: step) {
            let end = min(start + step, batches.count)
            _ = try await log.append(batches[start..<end].map { EventSelection($0) })
        }
    }

    private static func referenceAppend(_ amount: Int, _ folder: String) async throws -> Duration {
        let rows = SQLiteReference.Rows(Self.makeBatches(amount))
        let reference = try SQLiteReference(SQLiteLogConfiguration(file: folder + "/reference.db"))
        let start = ContinuousClock.now
        for start in stride(from: 0, to: rows.count, by: Self.eventsPerCommit) {
            try reference.append(rows, start..<min(start + Self.eventsPerCommit, rows.count))
        }
        return ContinuousClock.now - start
    }

    private static func read(_ amount: Int, _ folder: String) async throws -> Duration {
        let log = try await SQLiteEventLog.open(SQLiteLogConfiguration(file: folder + "/log.db"))
        try await Self.append(Self.makeBatches(amount), to: log)
        let start = ContinuousClock.now
        var count = 0
        for try await page in log.pages(LogQuery(limit: .max)) { count += page.count }
        let elapsed = ContinuousClock.now - start
        precondition(count == amount, "events are missing")
        await log.close()
        return elapsed
    }

    private static func referenceRead(_ amount: Int, _ folder: String) async throws -> Duration {
        let rows = SQLiteReference.Rows(Self.makeBatches(amount))
        let reference = try SQLiteReference(SQLiteLogConfiguration(file: folder + "/reference.db"))
        for start in stride(from: 0, to: rows.count, by: Self.eventsPerCommit) {
            try reference.append(rows, start..<min(start + Self.eventsPerCommit, rows.count))
        }
        let start = ContinuousClock.now
        let count = try reference.readAll()
        let elapsed = ContinuousClock.now - start
        precondition(count == amount, "rows are missing")
        return elapsed
    }

    /// Fresh trades whose JSON is made already: the codec has its own figures.
    private static func makeBatches(_ amount: Int) -> [EventBatch] {
        let batches = (0..<(amount / EventBatch.capacity)).map { _ in TradeMaker().batch(EventBatch.capacity) }
        for batch in batches { precondition(batch.json.byteCount(at: 0) > 0) }
        return batches
    }
}

/// A figure that needs a folder on the disk.
private struct StoreFigure: BenchSubject {
    let name: String
    let reference: String
    /// The time that an amount of work takes, in an empty folder.
    let work: @Sendable (Int, String) async throws -> Duration
    let referenceWork: @Sendable (Int, String) async throws -> Duration

    func measure(within budget: Duration) async throws -> BenchFigure {
        let runs = 5
        // Preparing takes about as long as what is timed.
        let slice = budget / Double(runs * 5)
        let probe = 1 << 14
        let perSecond = Double(probe) / (try await Self.inFolder(probe, self.work) / .seconds(1))
        let amount = min(max(Int(perSecond * (slice / .seconds(1))) / probe, 1), 64) * probe
        var (values, references): ([Double], [Double]) = ([], [])
        for _ in 0..<runs {
            values.append(Double(amount) / (try await Self.inFolder(amount, self.work) / .seconds(1)))
            references.append(Double(amount) / (try await Self.inFolder(amount, self.referenceWork) / .seconds(1)))
        }
        return BenchFigure(
            name: self.name, value: values.median, unit: "events/s", reference: self.reference,
            referenceValue: references.median, runs: runs)
    }

    private static func inFolder(
        _ amount: Int, _ work: (Int, String) async throws -> Duration
    ) async throws -> Duration {
        let folder = FileManager.default.temporaryDirectory.appending(path: "tidings-bench-\(UUID().uuidString)")
        try FileManager.default.createDirectory(at: folder, withIntermediateDirectories: true)
        defer { try? FileManager.default.removeItem(at: folder) }
        return try await work(amount, folder.path)
    }
}
