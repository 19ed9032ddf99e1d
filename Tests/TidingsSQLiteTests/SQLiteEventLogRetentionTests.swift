import Testing
import Tidings
import TidingsSQLite

@Suite(.timeLimit(.minutes(2)))
struct SQLiteEventLogRetentionTests {
    @Test func `deleting the oldest moves the bounds and leaves the rest as it was`() async throws {
        try await withTemporaryFolder { folder in
            let configuration = SQLiteLogConfiguration(file: "\(folder)/log.db")
            let log = try await SQLiteEventLog.open(configuration)
            let batches = sampleBatches(10_000)
            _ = try await log.append(batches.map { EventSelection($0) })
            #expect(try await log.deleteEvents(before: 9001) == 9000)
            #expect(log.bounds == LogBounds(oldest: 9001, head: 10_000))
            #expect(try await log.deleteEvents(before: 100) == 0)
            let rest = try await log.read(LogQuery(limit: .max))
            #expect(rest.map(\.offset) == Array(9001...10_000))
            #expect(try await log.offset(notBefore: batches[0][0].timestamp) == 9001)
            #expect(try await log.event(batches[0][0].eventID) == nil)
            await log.close()
            let again = try await SQLiteEventLog.open(configuration)
            #expect(again.bounds == LogBounds(oldest: 9001, head: 10_000))
            await again.close()
        }
    }

    @Test func `an emptied log goes on where it was`() async throws {
        try await withTemporaryFolder { folder in
            let configuration = SQLiteLogConfiguration(file: "\(folder)/log.db")
            let log = try await SQLiteEventLog.open(configuration)
            _ = try await log.append(sampleBatches(100).map { EventSelection($0) })
            #expect(try await log.deleteEvents(before: .max) == 100)
            #expect(log.bounds == LogBounds(oldest: 101, head: 100))
            #expect(try await log.read(LogQuery()).isEmpty)
            #expect(try await log.offset(notBefore: Timestamp(nanoseconds: 0)) == 101)
            await log.close()
            let again = try await SQLiteEventLog.open(configuration)
            #expect(again.epoch == log.epoch)
            #expect(again.bounds == LogBounds(oldest: 101, head: 100))
            let outcome = try await again.append([EventSelection(sampleBatches(1)[0])])[0]
            #expect(outcome.committed?.firstOffset == 101)
            #expect(again.bounds == LogBounds(oldest: 101, head: 101))
            await again.close()
        }
    }
}
