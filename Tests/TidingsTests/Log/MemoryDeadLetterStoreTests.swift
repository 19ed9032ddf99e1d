import Testing

@testable import Tidings

@Suite struct MemoryDeadLetterStoreTests {
    private func letter(_ number: UInt64, error: String = "no") -> DeadLetter {
        DeadLetter(
            id: EventID(high: 1, low: number), event: .sample(Int(number)), subscriber: "handler", firstError: error,
            lastError: error, attempts: 1, firstFailedAt: .now(), lastFailedAt: .now())
    }

    @Test func `letters are told oldest first, in pages, also from behind one that is gone`() async throws {
        let store = MemoryDeadLetterStore()
        for number: UInt64 in [3, 1, 5, 2, 4] { try await store.put(self.letter(number)) }
        let first = try await store.letters(after: nil, limit: 2)
        #expect(first.map(\.event.number) == [1, 2])
        try await store.remove(first[1].id)
        #expect(try await store.letters(after: first[1].id, limit: 2).map(\.event.number) == [3, 4])
        #expect(try await store.letters(after: EventID(high: 1, low: 5), limit: 2).isEmpty)
        #expect(try await store.count() == 4)
    }

    @Test func `a letter with the same id is replaced`() async throws {
        let store = MemoryDeadLetterStore()
        var letter = self.letter(1)
        try await store.put(letter)
        letter.attempts = 7
        letter.lastError = "still no"
        try await store.put(letter)
        #expect(try await store.letters(after: nil, limit: 10) == [letter])
        #expect(try await store.letter(letter.id) == letter)
        #expect(try await store.remove(letter.id))
        #expect(try await !store.remove(letter.id))
        #expect(try await store.letter(letter.id) == nil)
    }

    @Test func `the oldest go when there are too many or they are too large, and are counted`() async throws {
        let store = MemoryDeadLetterStore(capacity: 3)
        for number: UInt64 in 1...5 { try await store.put(self.letter(number)) }
        #expect(try await store.letters(after: nil, limit: 10).map(\.event.number) == [3, 4, 5])
        #expect(await store.evictedCount() == 2)
        #expect(try await store.removeAll() == 3)
        #expect(try await store.count() == 0)

        let small = MemoryDeadLetterStore(byteCapacity: 3000)
        for number: UInt64 in 1...5 {
            try await small.put(self.letter(number, error: String(repeating: "x", count: 500)))
        }
        #expect(try await small.letters(after: nil, limit: 10).map(\.event.number) == [4, 5])
    }

    @Test func `a letter without an offset is told with that of its event in the log`() async throws {
        let log = MemoryEventLog()
        let event = StandardEvent.sample(1)
        _ = try await log.append([EventSelection(EventBatch([.sample(0), event]))])
        let letter = DeadLetter(
            event: event, subscriber: "a", firstError: "", lastError: "", attempts: 1, firstFailedAt: .now(),
            lastFailedAt: .now())
        try await log.deadLetters.put(letter)
        #expect(try await log.deadLetters.letter(letter.id)?.offset == 2)
        #expect(try await log.deadLetters.letters(after: nil, limit: 1).first?.offset == 2)
    }

    @Test func `an error of any length is cut between characters`() {
        for filler in ["e", "é", "€", "😀"] {
            var letter = self.letter(1, error: "a" + String(repeating: filler, count: 5000))
            #expect(letter.firstError.utf8.count <= DeadLetter.maximumErrorByteCount)
            #expect(letter.firstError.utf8.count > DeadLetter.maximumErrorByteCount - 4)
            #expect(letter.firstError.hasSuffix(filler + "…"))
            letter.lastError = String(repeating: filler, count: 9000)
            #expect(letter.lastError.utf8.count <= DeadLetter.maximumErrorByteCount)
        }
    }

    @Test func `a letter survives its JSON`() throws {
        var letter = self.letter(1, error: "line 1\nline \"2\"")
        letter.offset = 42
        #expect(DeadLetter(try JSONObject(json: letter.json)) == letter)
        letter.offset = nil
        #expect(letter.json.contains("\"offset\":null"))
        #expect(DeadLetter(try JSONObject(json: letter.json)) == letter)
        #expect(DeadLetter(try JSONObject(json: "{}")) == nil)
    }

    @Test func `cursors are kept by name`() async throws {
        let store = MemoryDurableCursorStore()
        #expect(try await store.cursor(of: "a") == nil)
        let cursor = DurableCursor(lowWater: 3, acknowledged: [5, 9])
        try await store.save(cursor, of: "a")
        #expect(try await store.cursor(of: "a") == cursor)
        #expect(try await store.cursor(of: "b") == nil)
        try await store.removeCursor(of: "a")
        #expect(try await store.cursor(of: "a") == nil)
    }
}
