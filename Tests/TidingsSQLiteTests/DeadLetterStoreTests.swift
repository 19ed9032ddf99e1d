import GRDB
import Testing
import Tidings
import TidingsSQLite

@Suite(.timeLimit(.minutes(2)))
struct DeadLetterStoreTests {
    @Test func `letters come back as they were put, oldest first, also after the log was closed`() async throws {
        try await withTemporaryFolder { folder in
            let configuration = SQLiteLogConfiguration(file: "\(folder)/log.db")
            var generator = EventGenerator(seed: 1)
            let letters = (0..<200).map { sampleLetter(UInt64($0), event: generator.event()) }
            var log = try await SQLiteEventLog.open(configuration)
            for letter in letters.shuffled() { try await log.deadLetters.put(letter) }
            #expect(try await log.deadLetters.letters(after: nil, limit: .max) == letters)
            await log.close()
            log = try await SQLiteEventLog.open(configuration)
            let again = try await log.deadLetters.letters(after: nil, limit: .max)
            #expect(again == letters)
            // The text too, not only the value.
            #expect(again.map(\.json) == letters.map(\.json))
            #expect(try await log.deadLetters.letters(after: letters[9].id, limit: 3) == Array(letters[10..<13]))
            #expect(try await log.deadLetters.letter(letters[50].id) == letters[50])
            #expect(try await log.deadLetters.count() == 200)
            await log.close()
        }
    }

    @Test func `digits, key order, unknown keys and odd characters of an event are kept`() async throws {
        let json = """
            {"event_id":"an id \\u0001","event_type":"my.type","timestamp":"2026-01-31T12:00:00.120Z","source":"s",\
            "payload":{"z":50000.00,"a":-0.0,"n":1e-7,"t":"\\u0000 \\"é\\" 😀"},"correlation_id":"c","priority":5,\
            "zz":{"b":[1,2.0]},"aa":null}
            """
        let event = try StandardEvent(json: json, defaults: EventDecodingDefaults(source: "x"))
        try await withTemporaryFolder { folder in
            let log = try await SQLiteEventLog.open(SQLiteLogConfiguration(file: "\(folder)/log.db"))
            var letter = sampleLetter(1, event: event, error: "nul \u{0} and\nline")
            letter.lastError = ""
            try await log.deadLetters.put(letter)
            let found = try #require(try await log.deadLetters.letter(letter.id))
            #expect(found == letter)
            #expect(found.event.json == json)
            await log.close()
        }
    }

    @Test func `both stores agree on the order of ids of all kinds`() async throws {
        try await withTemporaryFolder { folder in
            let log = try await SQLiteEventLog.open(SQLiteLogConfiguration(file: "\(folder)/log.db"))
            let memory = MemoryDeadLetterStore()
            let words = [
                "a", "ab", "b", "é", "e\u{301}", "~", "\u{1F600}", "01980a2b", String(repeating: "x", count: 128),
            ]
            var ids = words.compactMap { EventID($0) }
            for high: UInt64 in [0, 1, 1 << 63, .max] {
                for low: UInt64 in [0, 1, 1 << 63, .max] { ids.append(EventID(high: high, low: low)) }
            }
            for id in ids.shuffled() {
                let letter = sampleLetter(id: id)
                try await log.deadLetters.put(letter)
                try await memory.put(letter)
            }
            let order = try await memory.letters(after: nil, limit: .max).map(\.id)
            #expect(order.count == ids.count)
            #expect(try await log.deadLetters.letters(after: nil, limit: .max).map(\.id) == order)
            for id in ids + [EventID(high: 5, low: 5), EventID("m")].compactMap({ $0 }) {
                let following = try await memory.letters(after: id, limit: 5).map(\.id)
                #expect(try await log.deadLetters.letters(after: id, limit: 5).map(\.id) == following)
            }
            await log.close()
        }
    }

    @Test func `a letter with the same id is replaced, and a removed one is gone`() async throws {
        try await withTemporaryFolder { folder in
            let log = try await SQLiteEventLog.open(SQLiteLogConfiguration(file: "\(folder)/log.db"))
            var letter = sampleLetter(1)
            try await log.deadLetters.put(letter)
            letter.attempts = 9
            letter.lastError = "worse"
            letter.offset = 77
            letter.lastFailedAt = Timestamp(nanoseconds: 1_770_000_000_123_456_789)
            try await log.deadLetters.put(letter)
            #expect(try await log.deadLetters.letters(after: nil, limit: 10) == [letter])
            #expect(try await log.deadLetters.remove(letter.id))
            #expect(try await !log.deadLetters.remove(letter.id))
            #expect(try await log.deadLetters.letter(letter.id) == nil)
            await log.close()
        }
    }

    @Test func `a letter without an offset is told with that of its event in the log`() async throws {
        try await withTemporaryFolder { folder in
            let log = try await SQLiteEventLog.open(SQLiteLogConfiguration(file: "\(folder)/log.db"))
            let batch = sampleBatches(10)[0]
            _ = try await log.append([EventSelection(batch)])
            let letter = sampleLetter(1, event: batch.events[6])
            try await log.deadLetters.put(letter)
            try await log.deadLetters.put(sampleLetter(2))
            #expect(try await log.deadLetters.letters(after: nil, limit: 10).map(\.offset) == [7, nil])
            #expect(try await log.deadLetters.letter(letter.id)?.offset == 7)
            await log.close()
        }
    }

    @Test func `the oldest letters go where there is no more room, and are counted`() async throws {
        try await withTemporaryFolder { folder in
            var configuration = SQLiteLogConfiguration(file: "\(folder)/log.db")
            var log = try await SQLiteEventLog.open(configuration)
            for number: UInt64 in 1...10 { try await log.deadLetters.put(sampleLetter(number)) }
            await log.close()
            // A smaller bound than before is kept from the next letter on.
            configuration.maximumDeadLetters = 4
            log = try await SQLiteEventLog.open(configuration)
            for number: UInt64 in 11...12 {
                try await log.deadLetters.put(sampleLetter(number))
                try await log.deadLetters.put(sampleLetter(number))
            }
            let left = try await log.deadLetters.letters(after: nil, limit: 100)
            #expect(left.map(\.id) == (9...12).map { sampleLetter($0).id })
            #expect(await log.deadLetters.evictedCount() == 8)
            try await log.deadLetters.remove(left[0].id)
            try await log.deadLetters.put(sampleLetter(13))
            #expect(try await log.deadLetters.count() == 4)
            #expect(await log.deadLetters.evictedCount() == 8)
            await log.close()
        }
    }

    @Test func `purging takes all that were there, however many, and lets appending go on`() async throws {
        try await withTemporaryFolder { folder in
            let log = try await SQLiteEventLog.open(SQLiteLogConfiguration(file: "\(folder)/log.db"))
            #expect(try await log.deadLetters.removeAll() == 0)
            for number: UInt64 in 0..<5000 { try await log.deadLetters.put(sampleLetter(number)) }
            async let appended = log.append(sampleBatches(100).map { EventSelection($0) })
            #expect(try await log.deadLetters.removeAll() == 5000)
            _ = try await appended
            #expect(try await log.deadLetters.count() == 0)
            #expect(log.bounds.head == 100)
            await log.close()
        }
    }

    @Test func `a reader beside the writer reads letters too`() async throws {
        try await withTemporaryFolder { folder in
            let file = "\(folder)/log.db"
            let log = try await SQLiteEventLog.open(SQLiteLogConfiguration(file: file))
            let reader = try await SQLiteEventReader.open(file: file)
            #expect(try await reader.deadLetters(limit: 10).isEmpty)
            let letters = (1...5).map { sampleLetter($0) }
            for letter in letters { try await log.deadLetters.put(letter) }
            #expect(try await reader.deadLetters(limit: 10) == letters)
            #expect(try await reader.deadLetters(after: letters[1].id, limit: 2) == Array(letters[2..<4]))
            #expect(try await reader.deadLetter(letters[3].id) == letters[3])
            #expect(try await reader.deadLetterCount() == 5)
            await reader.close()
            await log.close()
        }
    }

    @Test func `a log of the layout before dead letters is read, and opened, and has them from then on`() async throws {
        try await withTemporaryFolder { folder in
            let file = "\(folder)/log.db"
            var log = try await SQLiteEventLog.open(SQLiteLogConfiguration(file: file))
            let epoch = log.epoch
            _ = try await log.append(sampleBatches(100).map { EventSelection($0) })
            await log.close()
            // What the older version wrote is what there was before the second migration.
            let queue = try DatabaseQueue(path: file)
            try await queue.write { db in
                try db.execute(sql: "DROP TABLE dead_letters; DROP TABLE cursors")
                try db.execute(sql: "DELETE FROM grdb_migrations WHERE identifier <> '1 events'")
                #expect(db.changesCount == 1)
            }
            try queue.close()

            let reader = try await SQLiteEventReader.open(file: file)
            #expect(try await reader.read(LogQuery(limit: .max)).count == 100)
            #expect(try await reader.deadLetters(limit: 10).isEmpty)
            #expect(try await reader.deadLetter(sampleLetter(1).id) == nil)
            #expect(try await reader.deadLetterCount() == 0)

            log = try await SQLiteEventLog.open(SQLiteLogConfiguration(file: file))
            #expect(log.epoch == epoch)
            #expect(log.bounds == LogBounds(oldest: 1, head: 100))
            try await log.deadLetters.put(sampleLetter(1))
            try await log.cursors.save(DurableCursor(lowWater: 4), of: "a")
            #expect(try await reader.deadLetters(limit: 10) == [sampleLetter(1)])
            #expect(try await log.cursors.cursor(of: "a") == DurableCursor(lowWater: 4))
            await reader.close()
            await log.close()
        }
    }

    @Test func `a damaged letter is named, and can be removed`() async throws {
        try await withTemporaryFolder { folder in
            let file = "\(folder)/log.db"
            let letter = sampleLetter(1)
            var log = try await SQLiteEventLog.open(SQLiteLogConfiguration(file: file))
            try await log.deadLetters.put(letter)
            await log.close()
            let queue = try DatabaseQueue(path: file)
            try await queue.write { try $0.execute(sql: "UPDATE dead_letters SET json = '{\"no\":'") }
            try queue.close()
            log = try await SQLiteEventLog.open(SQLiteLogConfiguration(file: file))
            await #expect { try await log.deadLetters.letters(after: nil, limit: 1) } throws: { error in
                (error as? EventLogError)?.message.contains(letter.id.description) ?? false
            }
            #expect(try await log.deadLetters.remove(letter.id))
            #expect(try await log.deadLetters.letters(after: nil, limit: 1).isEmpty)
            await log.close()
        }
    }

    @Test func `a full disk is told, and leaves the letters that were there`() async throws {
        try await withTemporaryFolder { folder in
            var configuration = SQLiteLogConfiguration(file: "\(folder)/log.db")
            configuration.maximumFileSize = 512 << 10
            let log = try await SQLiteEventLog.open(configuration)
            var kept = 0
            let error = await #expect(throws: EventLogError.self) {
                for number: UInt64 in 1...1000 {
                    let text = JSONValue.string(String(repeating: "x", count: 8000))
                    let event = StandardEvent(eventType: .custom, source: "test", payload: ["text": text])
                    try await log.deadLetters.put(sampleLetter(number, event: event))
                    kept += 1
                }
            }
            #expect(error?.code == .diskFull)
            #expect(try await log.deadLetters.count() == kept)
            try await log.deadLetters.removeAll()
            try await log.deadLetters.put(sampleLetter(1))
            await log.close()
        }
    }

    @Test func `a closed log says so`() async throws {
        try await withTemporaryFolder { folder in
            let log = try await SQLiteEventLog.open(SQLiteLogConfiguration(file: "\(folder)/log.db"))
            await log.close()
            let put = await #expect(throws: EventLogError.self) { try await log.deadLetters.put(sampleLetter(1)) }
            #expect(put?.code == .closed)
            let read = await #expect(throws: EventLogError.self) { try await log.deadLetters.count() }
            #expect(read?.code == .closed)
        }
    }
}

/// A letter like no other of another number, and always the same one of the same number.
func sampleLetter(
    _ number: UInt64 = 0, id: EventID? = nil, event: StandardEvent? = nil, error: String = "the handler threw"
) -> DeadLetter {
    let time = Timestamp(nanoseconds: 1_760_000_000_000_000_000 + Int64(number) * 1_000_000, precision: .milliseconds)
    let made = StandardEvent(
        eventType: .custom, source: "test", payload: ["n": .number(ExactDecimal(Int(number)))], timestamp: time,
        eventID: EventID(high: 2, low: number))
    return DeadLetter(
        id: id ?? EventID(high: 1, low: number), event: event ?? made, subscriber: "webhook", firstError: error,
        lastError: error, attempts: 3, firstFailedAt: time, lastFailedAt: time.advanced(by: .seconds(2)))
}
