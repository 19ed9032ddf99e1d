import Testing
import Tidings
import TidingsSQLite

@Suite(.timeLimit(.minutes(2)))
struct SQLiteEventLogFollowTests {
    @Test func `appends of many tasks get every offset once`() async throws {
        try await withTemporaryFolder { folder in
            let log = try await SQLiteEventLog.open(SQLiteLogConfiguration(file: "\(folder)/log.db"))
            let offsets = try await withThrowingTaskGroup(of: [Int64].self) { group in
                for task in 0..<16 {
                    group.addTask {
                        var offsets: [Int64] = []
                        for batch in sampleBatches(640, source: Name("task \(task)")) {
                            let outcome = try await log.append([EventSelection(batch)])[0]
                            offsets += outcome.committed?.events.map(\.offset) ?? []
                        }
                        return offsets
                    }
                }
                return try await group.reduce(into: []) { $0 += $1 }
            }
            #expect(offsets.sorted() == Array(1...(16 * 640)))
            for task in [0, 15] {
                let filter = EventFilter(sources: [Name("task \(task)")])
                #expect(try await log.read(LogQuery(filter: filter, limit: .max)).count == 640)
            }
            await log.close()
        }
    }

    @Test func `a follower sees every commit once, in order, from the head it was given`() async throws {
        try await withTemporaryFolder { folder in
            let log = try await SQLiteEventLog.open(SQLiteLogConfiguration(file: "\(folder)/log.db"))
            let followers = try await withThrowingTaskGroup(of: Void.self) { group in
                for _ in 0..<4 {
                    group.addTask {
                        for batch in sampleBatches(1280) { _ = try await log.append([EventSelection(batch)]) }
                    }
                }
                var followers: [Follower] = []
                while log.bounds.head < 4000 {
                    if followers.count < 200 { followers.append(Follower(log)) }
                    await Task.yield()
                }
                try await group.waitForAll()
                return followers
            }
            #expect(followers.count > 1)
            for follower in followers {
                #expect(follower.offsets() == Array((follower.head + 1)..<5121))
                follower.token.cancel()
            }
            _ = try await log.append([EventSelection(sampleBatches(1)[0])])
            #expect(followers[0].offsets().last ?? 5120 == 5120)
            await log.close()
        }
    }

    /// Notes the offsets that it is told of.
    private final class Follower: Sendable {
        let token: LogObservation
        let head: Int64
        private let seen: Locked<[Int64]>

        init(_ log: SQLiteEventLog) {
            let seen = Locked<[Int64]>([])
            let (token, bounds) = log.follow { batch in
                seen.withLock { $0.append(contentsOf: batch.firstOffset...batch.lastOffset) }
            }
            self.seen = seen
            self.token = token
            self.head = bounds.head
        }

        func offsets() -> [Int64] {
            self.seen.withLock { $0 }
        }
    }
}
