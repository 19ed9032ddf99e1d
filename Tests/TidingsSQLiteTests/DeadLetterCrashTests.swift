import Testing
import Tidings
import TidingsSQLite

#if canImport(Glibc)
import Glibc
#else
import Darwin
#endif

/// As in ``SQLiteEventLogCrashTests``, the kill comes from a thread of the child itself.
@Suite(.serialized, .timeLimit(.minutes(2)))
struct DeadLetterCrashTests {
    @Test(arguments: SQLiteLogConfiguration.Durability.allCases)
    func `letters and cursors survive a killed process, and no cursor is ahead of its log`(
        durability: SQLiteLogConfiguration.Durability
    ) async throws {
        try await withTemporaryFolder { folder in
            let file = "\(folder)/log.db"
            var configuration = SQLiteLogConfiguration(file: file)
            configuration.durability = durability
            for round in 0..<4 {
                let delay = UInt32.random(in: 20_000...80_000)
                let level = durability.rawValue
                let child = await #expect(
                    processExitsWith: .signal(SIGKILL), observing: [\.standardOutputContent]
                ) { [file = file as String, delay = delay as UInt32, level = level as String] in
                    await giveUpUntilKilled(file, level, after: delay)
                }
                let lines = String(decoding: child?.standardOutputContent ?? [], as: UTF8.self)
                    .split(separator: "\n", omittingEmptySubsequences: false).dropLast()
                // How many letters there were, and how far the cursor was.
                let numbers = lines.last?.split(separator: " ").compactMap { Int64($0) } ?? [0, 0]
                let log = try await SQLiteEventLog.open(configuration)
                let letters = try await log.deadLetters.letters(after: nil, limit: .max)
                #expect(letters.count >= numbers[0], "round \(round)")
                #expect(Set(letters.map(\.id)).count == letters.count)
                #expect(letters.allSatisfy { $0.offset != nil })
                let cursor = try await log.cursors.cursor(of: "crash") ?? DurableCursor()
                #expect(cursor.lowWater >= numbers[1])
                #expect(cursor.lowWater <= log.bounds.head)
                await log.close()
            }
        }
    }
}

/// What the child does: appends an event, keeps it as a dead letter, saves the cursor, says so, and goes on.
private func giveUpUntilKilled(_ file: String, _ durability: String, after microseconds: UInt32) async {
    var configuration = SQLiteLogConfiguration(file: file)
    configuration.durability = .init(rawValue: durability) ?? .normal
    do {
        let log = try await SQLiteEventLog.open(configuration)
        killThisProcess(after: microseconds)
        var count = try await log.deadLetters.count()
        while true {
            let batch = sampleBatches(1)[0]
            let outcomes = try await log.append([EventSelection(batch)])
            let letter = DeadLetter(
                event: batch.events[0], subscriber: "crash", firstError: "no", lastError: "no", attempts: 1,
                firstFailedAt: .now(), lastFailedAt: .now())
            try await log.deadLetters.put(letter)
            let head = outcomes[0].committed?.lastOffset ?? 0
            try await log.cursors.save(DurableCursor(lowWater: head), of: "crash")
            count += 1
            let line = "\(count) \(head)\n"
            _ = line.withCString { write(STDOUT_FILENO, $0, strlen($0)) }
        }
    } catch {
        // Ends without the signal, which the test notices.
        print(error)
    }
}
