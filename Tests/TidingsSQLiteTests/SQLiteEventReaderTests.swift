import Testing
import Tidings
import TidingsSQLite

@Suite(.timeLimit(.minutes(2)))
struct SQLiteEventReaderTests {
    @Test func `a reader works beside a writer and sees what is committed`() async throws {
        try await withTemporaryFolder { folder in
            let log = try await SQLiteEventLog.open(SQLiteLogConfiguration(file: "\(folder)/log.db"))
            let reader = try await SQLiteEventReader.open(file: "\(folder)/log.db")
            #expect(try await reader.bounds() == LogBounds(oldest: 1, head: 0))
            for round in 1...20 {
                _ = try await log.append(sampleBatches(100).map { EventSelection($0) })
                let head = Int64(round * 100)
                #expect(try await reader.bounds() == LogBounds(oldest: 1, head: head))
                let newest = try await reader.read(LogQuery(order: .descending, limit: 1))
                #expect(newest.map(\.offset) == [head])
            }
            #expect(try await reader.epoch() == log.epoch)
            await reader.close()
            await log.close()
        }
    }

    @Test func `a reader works while many appends and checkpoints run`() async throws {
        try await withTemporaryFolder { folder in
            let log = try await SQLiteEventLog.open(SQLiteLogConfiguration(file: "\(folder)/log.db"))
            let reader = try await SQLiteEventReader.open(file: "\(folder)/log.db")
            try await withThrowingTaskGroup(of: Void.self) { group in
                group.addTask {
                    for batch in sampleBatches(64 * 400) { _ = try await log.append([EventSelection(batch)]) }
                }
                var seen: Int64 = 0
                while seen < 64 * 400 {
                    let events = try await reader.read(LogQuery(after: seen, limit: 5000))
                    #expect(events.map(\.offset) == Array(seen..<(seen + Int64(events.count))).map { $0 + 1 })
                    seen += Int64(events.count)
                }
                try await group.waitForAll()
            }
            await reader.close()
            await log.close()
        }
    }

    @Test func `a reader reads a closed log and one that a crash left behind, and changes neither`() async throws {
        try await withTemporaryFolder { folder in
            let file = "\(folder)/log.db"
            let log = try await SQLiteEventLog.open(SQLiteLogConfiguration(file: file))
            _ = try await log.append(sampleBatches(200).map { EventSelection($0) })
            try copyLog(file, to: "\(folder)/crashed.db")
            await log.close()
            for path in [file, "\(folder)/crashed.db"] {
                let before = readFile(path)
                let reader = try await SQLiteEventReader.open(file: path)
                #expect(try await reader.bounds() == LogBounds(oldest: 1, head: 200))
                #expect(try await reader.read(LogQuery(limit: .max)).count == 200)
                await reader.close()
                #expect(readFile(path) == before)
            }
            // Reading neither counts as a proper close nor as a crash.
            let again = try await SQLiteEventLog.open(SQLiteLogConfiguration(file: file))
            #expect(again.epoch == log.epoch)
            await again.close()
        }
    }

    @Test func `a reader names a log that is not there`() async throws {
        await #expect { try await SQLiteEventReader.open(file: "/tmp/no such log.db") } throws: {
            ($0 as? EventLogError)?.message.contains("/tmp/no such log.db") ?? false
        }
    }
}
