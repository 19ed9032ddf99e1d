import Testing
import Tidings
import TidingsSQLite

@Suite(.timeLimit(.minutes(2)))
struct EventTreeStoreTests {
    private func event(_ id: String, parent: String? = nil, correlation: String? = nil) -> StandardEvent {
        StandardEvent(
            eventType: "custom", source: "test", payload: ["price": .number(ExactDecimal("1.50") ?? 0)],
            timestamp: Timestamp("2026-01-15T10:30:00.123456Z"), eventID: EventID(id),
            correlationID: correlation.flatMap { EventID($0) }, parentEventID: parent.flatMap { EventID($0) })
    }

    private func tree(_ id: String, in log: some EventReader) async throws -> EventTree? {
        let id = try #require(EventID(id))
        return try await EventTree.build(for: id, in: log)
    }

    @Test func `writer and reader of a file, and a log in memory, have the same trees`() async throws {
        let events =
            [
                self.event("a"), self.event("x", parent: "late", correlation: "a"), self.event("b", parent: "a"),
                self.event("late", parent: "a", correlation: "a"), self.event("c", parent: "b", correlation: "b"),
                self.event("d", parent: "gone", correlation: "a"), self.event("e", correlation: "a"),
                self.event("loop-1", parent: "loop-2"), self.event("loop-2", parent: "loop-1"),
            ] + (0..<3000).map { self.event("noise-\($0)", parent: $0 % 2 == 0 ? "someone" : nil) }
            + [self.event("f", parent: "c"), self.event("g", parent: "f", correlation: "a")]
        try await withTemporaryFolder { folder in
            let log = try await SQLiteEventLog.open(SQLiteLogConfiguration(file: "\(folder)/log.db"))
            let memory = MemoryEventLog()
            for batch in EventBatch.batches(of: events) {
                _ = try await log.append([EventSelection(batch)])
                _ = try await memory.append([EventSelection(batch)])
            }
            let reader = try await SQLiteEventReader.open(file: "\(folder)/log.db")
            for id in ["a", "x", "b", "late", "c", "d", "e", "f", "g", "loop-1", "noise-4"] {
                let id = try #require(EventID(id))
                let expected = try #require(try await EventTree.build(for: id, in: memory))
                #expect(try await EventTree.build(for: id, in: log)?.json == expected.json)
                #expect(try await EventTree.build(for: id, in: reader)?.json == expected.json)
            }
            let tree = try #require(try await self.tree("g", in: reader))
            #expect(
                tree.nodes.map(\.event.eventID.description) == ["a", "b", "c", "f", "g", "late", "x", "d", "e"])
            #expect(tree.nodes.map(\.depth) == [0, 1, 2, 3, 4, 1, 2, 1, 1])
            #expect(tree.isIncomplete)
            #expect(try await self.tree("nobody", in: reader) == nil)
            await reader.close()
            await log.close()
        }
    }

    @Test func `a closed log is an error`() async throws {
        try await withTemporaryFolder { folder in
            let log = try await SQLiteEventLog.open(SQLiteLogConfiguration(file: "\(folder)/log.db"))
            await log.close()
            await #expect(throws: EventLogError.self) {
                try await self.tree("a", in: log)
            }
        }
    }
}
