import Testing
import Tidings
import TidingsSQLite

@Suite(.timeLimit(.minutes(2)))
struct SQLiteEventLogTests {
    @Test func `a new log begins at offset 1`() async throws {
        try await withTemporaryFolder { folder in
            let log = try await SQLiteEventLog.open(SQLiteLogConfiguration(file: "\(folder)/log.db"))
            #expect(log.bounds == LogBounds(oldest: 1, head: 0))
            #expect(log.epoch.count == 16 && !log.epoch.contains("-"))
            let outcomes = try await log.append([EventSelection(sampleBatches(3)[0])])
            #expect(outcomes[0].committed?.firstOffset == 1)
            #expect(outcomes[0].committed?.lastOffset == 3)
            #expect(log.bounds == LogBounds(oldest: 1, head: 3))
            await log.close()
        }
    }

    @Test func `closing properly keeps offsets and epoch and leaves one file and its lock`() async throws {
        try await withTemporaryFolder { folder in
            let configuration = SQLiteLogConfiguration(file: "\(folder)/log.db")
            let first = try await SQLiteEventLog.open(configuration)
            _ = try await first.append(sampleBatches(100).map { EventSelection($0) })
            await first.close()
            #expect(filesIn(folder) == ["log.db", "log.db-lock"])
            let second = try await SQLiteEventLog.open(configuration)
            #expect(second.epoch == first.epoch)
            #expect(second.bounds == LogBounds(oldest: 1, head: 100))
            let outcomes = try await second.append([EventSelection(sampleBatches(1)[0])])
            #expect(outcomes[0].committed?.firstOffset == 101)
            await second.close()
        }
    }

    @Test func `an event that is known is not appended again, not even after a restart`() async throws {
        try await withTemporaryFolder { folder in
            let configuration = SQLiteLogConfiguration(file: "\(folder)/log.db")
            let batch = sampleBatches(5)[0]
            let text = StandardEvent(
                eventType: .custom, source: "http", payload: .empty, eventID: EventID("order 66"))
            let known = EventBatch([text])
            let first = try await SQLiteEventLog.open(configuration)
            _ = try await first.append([EventSelection(batch), EventSelection(known)])
            let mixed = EventBatch([batch[3], sampleBatches(1)[0][0], batch[0], text])
            await first.close()
            let second = try await SQLiteEventLog.open(configuration)
            let outcome = try await second.append([EventSelection(mixed)])[0]
            #expect(outcome.duplicates == [0: 4, 2: 1, 3: 6])
            #expect(outcome.committed?.selection.mask == 0b0010)
            #expect(outcome.committed?.firstOffset == 7)
            let again = try await second.append([EventSelection(mixed)])[0]
            #expect(again.committed == nil)
            #expect(again.duplicates == [0: 4, 1: 7, 2: 1, 3: 6])
            #expect(try await second.offsets(of: [text.eventID, EventID()]) == [text.eventID: 6])
            #expect(try await second.event(text.eventID)?.offset == 6)
            #expect(try await second.event(EventID()) == nil)
            await second.close()
        }
    }

    @Test func `what was written is what is read, digit by digit and byte by byte`() async throws {
        try await withTemporaryFolder { folder in
            let texts = [
                #"{"event_id":"x","event_type":"trade","timestamp":"2025-01-01T00:00:00.120Z","source":"s","payload":"#
                    + #"{"price":50000.00,"tiny":1e-7,"zero":-0.0,"long":123456789012345678901234567890.5,"a":"\u00e9\n"},"#
                    + #""correlation_id":"c","priority":5,"z":[1,{"y":2.50}]}"#,
                #"{"event_id":"é \"2\"","event_type":"a.b:c","timestamp":"2025-01-01T00:00:00Z","source":"ü","payload":{},"#
                    + #""correlation_id":"é \"2\"","priority":1}"#,
            ]
            let defaults = EventDecodingDefaults(source: "test")
            let events = try texts.map { try StandardEvent(json: $0, defaults: defaults) }
            let configuration = SQLiteLogConfiguration(file: "\(folder)/log.db")
            let log = try await SQLiteEventLog.open(configuration)
            _ = try await log.append([EventSelection(EventBatch(events))])
            let read = try await log.read(LogQuery())
            #expect(read.map(\.json) == events.map(\.json))
            #expect(read.map(\.json)[0].contains("123456789012345678901234567890.5"))
            #expect(try read.map { try $0.event() } == events)
            await log.close()
        }
    }

    @Test func `a log that was not closed gets a new epoch, unless each commit was on the disk`() async throws {
        try await withTemporaryFolder { folder in
            for durability in SQLiteLogConfiguration.Durability.allCases {
                var configuration = SQLiteLogConfiguration(file: "\(folder)/\(durability).db")
                configuration.durability = durability
                let log = try await SQLiteEventLog.open(configuration)
                _ = try await log.append(sampleBatches(10).map { EventSelection($0) })
                let crashed = "\(folder)/\(durability)-crashed.db"
                try copyLog(configuration.file, to: crashed)
                await log.close()

                configuration.file = crashed
                let reopened = try await SQLiteEventLog.open(configuration)
                #expect((reopened.epoch == log.epoch) == (durability == .full))
                #expect(reopened.bounds == LogBounds(oldest: 1, head: 10))
                // What the first one handed out is still the same, but for a log that was never synchronized.
                let known: [String: Int64] =
                    switch durability {
                    case .full: [:]
                    case .normal: [log.epoch: 10]
                    case .off: [log.epoch: 0]
                    }
                #expect(reopened.earlierEpochs == known)
                await reopened.close()
                let third = try await SQLiteEventLog.open(configuration)
                #expect(third.epoch == reopened.epoch)
                #expect(third.earlierEpochs == known)
                await third.close()
            }
        }
    }

    @Test func `appending after closing is an error, and so is reading`() async throws {
        try await withTemporaryFolder { folder in
            let log = try await SQLiteEventLog.open(SQLiteLogConfiguration(file: "\(folder)/log.db"))
            await log.close()
            await log.close()
            await #expect { try await log.append([EventSelection(sampleBatches(1)[0])]) } throws: {
                ($0 as? EventLogError)?.code == .closed
            }
            await #expect { try await log.read(LogQuery()) } throws: { ($0 as? EventLogError)?.code == .closed }
        }
    }

    @Test func `pages give every event once, in both orders`() async throws {
        try await withTemporaryFolder { folder in
            let log = try await SQLiteEventLog.open(SQLiteLogConfiguration(file: "\(folder)/log.db"))
            _ = try await log.append(sampleBatches(5000).map { EventSelection($0) })
            var ascending: [Int64] = []
            for try await event in log.pages(LogQuery(limit: .max)).events { ascending.append(event.offset) }
            #expect(ascending == Array(1...5000))
            var descending: [Int64] = []
            let newest = LogQuery(filter: EventFilter(symbols: ["s3-usd"]), order: .descending, limit: 450)
            for try await page in log.pages(newest) { descending += page.map(\.offset) }
            #expect(descending == (0..<450).map { 4994 - Int64($0) * 10 })
            await log.close()
        }
    }

    @Test func `a page of large events is cut by its bytes`() async throws {
        try await withTemporaryFolder { folder in
            let log = try await SQLiteEventLog.open(SQLiteLogConfiguration(file: "\(folder)/log.db"))
            let text = String(repeating: "x", count: 900_000)
            let events = (0..<20).map { _ in
                StandardEvent(eventType: .custom, source: "http", payload: ["text": .string(text)])
            }
            _ = try await log.append([EventSelection(EventBatch(events))])
            var sizes: [Int] = []
            for try await page in log.pages(LogQuery(limit: .max)) { sizes.append(page.count) }
            #expect(sizes == [5, 5, 5, 5])
            await log.close()
        }
    }
}
