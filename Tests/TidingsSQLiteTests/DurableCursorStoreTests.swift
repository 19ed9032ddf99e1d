import GRDB
import Testing
import Tidings

@testable import TidingsSQLite

@Suite(.timeLimit(.minutes(1)))
struct DurableCursorStoreTests {
    @Test func `cursors are kept by name, replaced, forgotten, and there after a restart`() async throws {
        try await withTemporaryFolder { folder in
            let configuration = SQLiteLogConfiguration(file: "\(folder)/log.db")
            var log = try await SQLiteEventLog.open(configuration)
            #expect(try await log.cursors.cursor(of: "a") == nil)
            let long = DurableCursor(lowWater: 9, acknowledged: (0..<4096).map { 11 + $0 * 3 })
            try await log.cursors.save(DurableCursor(lowWater: 3, acknowledged: [5, 6]), of: "a")
            try await log.cursors.save(long, of: "a")
            try await log.cursors.save(DurableCursor(), of: "b ü \u{0} c")
            try await log.cursors.save(DurableCursor(lowWater: 1), of: "gone")
            try await log.cursors.removeCursor(of: "gone")
            await log.close()
            log = try await SQLiteEventLog.open(configuration)
            #expect(try await log.cursors.cursor(of: "a") == long)
            #expect(try await log.cursors.cursor(of: "b ü \u{0} c") == DurableCursor())
            #expect(try await log.cursors.cursor(of: "b ü ") == nil)
            #expect(try await log.cursors.cursor(of: "gone") == nil)
            await log.close()
        }
    }

    @Test func `a damaged cursor is named`() async throws {
        try await withTemporaryFolder { folder in
            let file = "\(folder)/log.db"
            var log = try await SQLiteEventLog.open(SQLiteLogConfiguration(file: file))
            try await log.cursors.save(DurableCursor(lowWater: 3, acknowledged: [5]), of: "alerts")
            await log.close()
            let queue = try DatabaseQueue(path: file)
            try await queue.write { try $0.execute(sql: "UPDATE cursors SET acknowledged = x'8080'") }
            try queue.close()
            log = try await SQLiteEventLog.open(SQLiteLogConfiguration(file: file))
            await #expect { try await log.cursors.cursor(of: "alerts") } throws: {
                ($0 as? EventLogError)?.message.contains("alerts") ?? false
            }
            await log.close()
        }
    }

    @Test func `lists of offsets survive their bytes, and no bytes trap`() {
        var generator = EventGenerator(seed: 3)
        for _ in 0..<2000 {
            var offsets: Set<Int64> = []
            for _ in 0..<Int(generator.next() % 20) {
                offsets.insert(Int64(generator.next() >> (1 + generator.next() % 60)) | 1)
            }
            let list = offsets.sorted()
            #expect(OffsetList.decode(OffsetList.encode(list)) == list)
            let bytes = (0..<Int(generator.next() % 30)).map { _ in UInt8(truncatingIfNeeded: generator.next()) }
            if let read = OffsetList.decode(bytes) { #expect(read == read.sorted() && read.allSatisfy { $0 > 0 }) }
        }
        #expect(OffsetList.decode(OffsetList.encode([1, .max])) == [1, .max])
        #expect(OffsetList.decode([0x80]) == nil)
        #expect(OffsetList.decode([0x01, 0x00]) == nil)
        #expect(OffsetList.decode([UInt8](repeating: 0xFF, count: 40)) == nil)
    }
}
