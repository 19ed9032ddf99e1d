import Testing
import Tidings
import TidingsSQLite

@Suite(.timeLimit(.minutes(2)))
struct SQLiteEventLogPropertyTests {
    @Test(arguments: [1, 2, 3] as [UInt64])
    func `whatever is appended and asked, the log answers as a plain list would`(seed: UInt64) async throws {
        try await withTemporaryFolder { folder in
            var generator = EventGenerator(seed: seed)
            var model = EventLogModel()
            var log = try await SQLiteEventLog.open(SQLiteLogConfiguration(file: "\(folder)/log.db"))
            let epoch = log.epoch
            for round in 0..<60 {
                try await Self.appendRandomly(to: log, &model, &generator)
                for _ in 0..<8 { try await Self.askRandomly(log, model, &generator) }
                if round % 15 == 14 {
                    await log.close()
                    log = try await SQLiteEventLog.open(SQLiteLogConfiguration(file: "\(folder)/log.db"))
                    #expect(log.epoch == epoch)
                }
            }
            #expect(log.bounds == LogBounds(oldest: 1, head: Int64(model.events.count)))
            let all = try await log.read(LogQuery(limit: .max))
            #expect(all.map(\.json) == model.events.map(\.json))
            await log.close()
        }
    }

    private static func appendRandomly(
        to log: SQLiteEventLog, _ model: inout EventLogModel, _ generator: inout EventGenerator
    ) async throws {
        let selections = (0...generator.next() % 3).flatMap { _ in generator.selections() }
        let outcomes = try await log.append(selections)
        let expected = model.append(selections)
        #expect(outcomes.count == expected.count)
        for (outcome, wanted) in zip(outcomes, expected) {
            #expect(outcome.committed?.events.map(\.offset) ?? [] == wanted.committed)
            #expect(outcome.duplicates == wanted.duplicates)
        }
    }

    private static func askRandomly(
        _ log: SQLiteEventLog, _ model: EventLogModel, _ generator: inout EventGenerator
    ) async throws {
        var query = LogQuery(filter: generator.filter())
        let head = UInt64(model.events.count + 2)
        if generator.chance(30) { query.after = Int64(generator.next() % head) }
        if generator.chance(30) { query.through = Int64(generator.next() % head) }
        if generator.chance(50) { query.order = .descending }
        query.limit = generator.pick([1, 3, 10, 100_000])
        let read = try await log.read(query)
        #expect(read.map(\.offset) == model.read(query), "\(query)")
        for event in read { #expect(event.json == model.events[Int(event.offset) - 1].json) }
        let time = generator.time()
        #expect(try await log.offset(notBefore: time) == model.offset(notBefore: time))
    }
}
