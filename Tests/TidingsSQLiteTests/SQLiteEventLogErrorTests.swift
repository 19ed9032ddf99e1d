import GRDB
import Testing
import Tidings
import TidingsSQLite

#if canImport(Glibc)
import Glibc
#else
import Darwin
#endif

@Suite(.timeLimit(.minutes(2)))
struct SQLiteEventLogErrorTests {
    private func expectFailure(
        _ code: EventLogError.Code, saying words: String..., opening file: String,
        sourceLocation: SourceLocation = #_sourceLocation
    ) async {
        do throws(EventLogError) {
            let log = try await SQLiteEventLog.open(SQLiteLogConfiguration(file: file))
            await log.close()
            Issue.record("opening should fail", sourceLocation: sourceLocation)
        } catch {
            #expect(error.code == code, "\(error)", sourceLocation: sourceLocation)
            for word in words + [file] {
                #expect(error.message.contains(word), "\(error)", sourceLocation: sourceLocation)
            }
        }
    }

    @Test func `a second writer is refused and told who has the log`() async throws {
        try await withTemporaryFolder { folder in
            let file = "\(folder)/log.db"
            let log = try await SQLiteEventLog.open(SQLiteLogConfiguration(file: file))
            await self.expectFailure(.locked, saying: "process \(getpid())", "--url", opening: file)
            symlink(file, "\(folder)/link.db")
            do throws(EventLogError) {
                _ = try await SQLiteEventLog.open(SQLiteLogConfiguration(file: "\(folder)/link.db"))
                Issue.record("a link should not get around the lock")
            } catch {
                #expect(error.code == .locked)
            }
            _ = try await log.append([EventSelection(sampleBatches(1)[0])])
            await log.close()
            let next = try await SQLiteEventLog.open(SQLiteLogConfiguration(file: file))
            #expect(next.bounds.head == 1)
            await next.close()
        }
    }

    @Test func `the lock file of a dead process hinders nobody`() async throws {
        try await withTemporaryFolder { folder in
            let file = "\(folder)/log.db"
            try writeFile("\(file)-lock", Array("1\n".utf8))
            let log = try await SQLiteEventLog.open(SQLiteLogConfiguration(file: file))
            #expect(String(decoding: readFile("\(file)-lock"), as: UTF8.self) == "\(getpid())\n")
            await log.close()
        }
    }

    @Test func `what is no log is named and left as it is`() async throws {
        try await withTemporaryFolder { folder in
            let text = "\(folder)/text.db"
            try writeFile(text, Array("hello, this is no database at all".utf8))
            await self.expectFailure(.unusable, saying: "no SQLite database", opening: text)
            #expect(readFile(text).count == 33)

            let foreign = "\(folder)/foreign.db"
            let queue = try DatabaseQueue(path: foreign)
            try await queue.write { try $0.execute(sql: "CREATE TABLE t (a)") }
            try queue.close()
            let before = readFile(foreign)
            await self.expectFailure(.unusable, saying: "another program", opening: foreign)
            #expect(readFile(foreign) == before)
            let inner = "\(folder)/folder.db"
            mkdir(inner, 0o755)
            await self.expectFailure(.unusable, saying: "directory", opening: inner)
            rmdir(inner)
            #expect(filesIn(folder) == ["foreign.db", "text.db"])
        }
    }

    @Test func `a folder that cannot be written or is not there is named`() async throws {
        // Not even root makes files in /proc.
        await self.expectFailure(.unusable, saying: "cannot be written", opening: "/proc/tidings.db")
        await self.expectFailure(.unusable, saying: "No such file", opening: "/tmp/no such folder/tidings.db")
    }

    @Test func `a log of a newer version is refused`() async throws {
        try await withTemporaryFolder { folder in
            let file = "\(folder)/log.db"
            await (try SQLiteEventLog.open(SQLiteLogConfiguration(file: file))).close()
            let queue = try DatabaseQueue(path: file)
            try await queue.write { try $0.execute(sql: "INSERT INTO grdb_migrations VALUES ('2 more')") }
            try queue.close()
            await self.expectFailure(.unusable, saying: "newer version", opening: file)
            await #expect { try await SQLiteEventReader.open(file: file) } throws: {
                ($0 as? EventLogError)?.code == .unusable
            }
        }
    }

    @Test func `damage is told when it is met, as an error`() async throws {
        try await withTemporaryFolder { folder in
            let file = "\(folder)/log.db"
            let log = try await SQLiteEventLog.open(SQLiteLogConfiguration(file: file))
            _ = try await log.append(sampleBatches(5000).map { EventSelection($0) })
            await log.close()
            var bytes = readFile(file)
            for index in bytes.indices.dropFirst(100) { bytes[index] = UInt8(truncatingIfNeeded: index &* 31) }
            try writeFile(file, bytes)
            await self.expectFailure(.unusable, saying: "damaged", opening: file)
        }
    }

    @Test func `a full disk is told by name, nothing of the append is kept, and smaller ones go on`() async throws {
        try await withTemporaryFolder { folder in
            var configuration = SQLiteLogConfiguration(file: "\(folder)/log.db")
            configuration.maximumFileSize = 512 << 10
            let log = try await SQLiteEventLog.open(configuration)
            _ = try await log.append([EventSelection(sampleBatches(10, source: "before")[0])])
            let large = sampleBatches(20_000, symbols: 5000, source: "large")
            await #expect { try await log.append(large.map { EventSelection($0) }) } throws: {
                ($0 as? EventLogError)?.code == .diskFull
            }
            #expect(log.bounds == LogBounds(oldest: 1, head: 10))
            // The names that the failed append had learnt are gone with it, and are learnt again.
            let outcomes = try await log.append([EventSelection(large[0])])
            #expect(outcomes[0].committed?.firstOffset == 11)
            let filter = EventFilter(symbols: ["s7-usd"], sources: ["large"])
            #expect(try await log.read(LogQuery(filter: filter)).map(\.offset) == [18])
            #expect(try await log.read(LogQuery(limit: .max)).count == 74)
            await log.close()
            let again = try await SQLiteEventLog.open(configuration)
            #expect(again.bounds.head == 74)
            await again.close()
        }
    }
}
