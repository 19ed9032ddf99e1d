import Testing
import Tidings
import TidingsSQLite

#if canImport(Glibc)
import Glibc
#else
import Darwin
#endif

/// The kill comes from a thread of the child itself: to the kernel that is the same as one from outside, and the moment
/// is as arbitrary.
@Suite(.serialized, .timeLimit(.minutes(5)))
struct SQLiteEventLogCrashTests {
    @Test(arguments: SQLiteLogConfiguration.Durability.allCases)
    func `a process that is killed loses nothing that it acknowledged`(
        durability: SQLiteLogConfiguration.Durability
    ) async throws {
        try await withTemporaryFolder { folder in
            let file = "\(folder)/log.db"
            var configuration = SQLiteLogConfiguration(file: file)
            configuration.durability = durability
            var epochs: Set<String> = []
            for round in 0..<10 {
                let delay = UInt32.random(in: 500...60_000)
                let level = durability.rawValue
                let child = await #expect(
                    processExitsWith: .signal(SIGKILL), observing: [\.standardOutputContent]
                ) { [file = file as String, delay = delay as UInt32, level = level as String] in
                    await appendUntilKilled(file, level, after: delay)
                }
                let acknowledged = Self.lastLine(child?.standardOutputContent ?? [])
                let log = try await SQLiteEventLog.open(configuration)
                #expect(log.bounds.head >= acknowledged, "round \(round)")
                epochs.insert(log.epoch)
                let events = try await log.read(LogQuery(limit: .max))
                #expect(events.map(\.offset) == (0..<log.bounds.head).map { $0 + 1 })
                for event in events.suffix(200) { _ = try event.event() }
                await log.close()
            }
            #expect(epochs.count == (durability == .full ? 1 : 10))
        }
    }

    /// The number on the last whole line.
    private static func lastLine(_ output: [UInt8]) -> Int64 {
        let lines = String(decoding: output, as: UTF8.self).split(separator: "\n", omittingEmptySubsequences: false)
        return lines.dropLast().last.flatMap { Int64($0) } ?? 0
    }
}

/// What the child does: appends batches of many sizes and writes the offset of each to standard output once it is told
/// that it is committed.
private func appendUntilKilled(_ file: String, _ durability: String, after microseconds: UInt32) async {
    var configuration = SQLiteLogConfiguration(file: file)
    configuration.durability = .init(rawValue: durability) ?? .normal
    do {
        let log = try await SQLiteEventLog.open(configuration)
        killThisProcess(after: microseconds)
        while true {
            let batches = sampleBatches(Int.random(in: 1...300))
            let outcomes = try await log.append(batches.map { EventSelection($0) })
            let line = "\(outcomes.last?.committed?.lastOffset ?? 0)\n"
            _ = line.withCString { write(STDOUT_FILENO, $0, strlen($0)) }
        }
    } catch {
        // Ends without the signal, which the test notices.
        print(error)
    }
}

func killThisProcess(after microseconds: UInt32) {
    var thread = pthread_t()
    let argument = UnsafeMutablePointer<UInt32>.allocate(capacity: 1)
    argument.initialize(to: microseconds)
    pthread_create(
        &thread, nil,
        { argument in
            usleep(argument?.load(as: UInt32.self) ?? 0)
            kill(getpid(), SIGKILL)
            return nil
        }, argument)
}
