import Foundation
import Synchronization
import Testing

@testable import Tidings

@Suite struct EventIDGenerationTests {
    /// Runs `body` on `count` threads at once and waits for them.
    static func onThreads(_ count: Int, _ body: @escaping @Sendable (Int) -> Void) {
        let group = DispatchGroup()
        for index in 0..<count {
            group.enter()
            Thread {
                body(index)
                group.leave()
            }.start()
        }
        group.wait()
    }

    @Test(.timeLimit(.minutes(1)))
    func `a million identifiers from four threads are all different, version 7 and of the RFC's variant`() throws {
        let perThread = 250_000
        let batches = Locked<[[(UInt64, UInt64)]]>([])
        let moment = Timestamp.now()
        Self.onThreads(4) { _ in
            // All for one moment, so that only the random part can tell them apart.
            let ids = (0..<perThread).map { _ in EventID(at: moment).uuid ?? (0, 0) }
            batches.withLock { $0.append(ids) }
        }
        var lows: [UInt64] = []
        var areWellFormed = true
        for batch in batches.withLock({ $0 }) {
            for (high, low) in batch {
                areWellFormed = areWellFormed && high >> 12 & 0xF == 7 && low >> 62 == 0b10
                lows.append(low)
            }
        }
        #expect(areWellFormed)
        lows.sort()
        #expect(lows.count == 4 * perThread)
        #expect(zip(lows, lows.dropFirst()).allSatisfy { $0 != $1 })
    }

    @Test func `identifiers are ordered by time, to the microsecond`() throws {
        var random = SeededGenerator(seed: 50)
        var moment = try #require(Timestamp("2024-01-15T10:30:00.999990Z"))
        var last: UInt64 = 0
        for _ in 0..<5000 {
            let high = try #require(EventID(at: moment).uuid).high
            #expect(high > last)
            last = high
            moment = moment.advanced(by: .microseconds(1 + random.below(1000)))
        }
    }

    @Test func `the first 48 bits are the milliseconds since 1970`() throws {
        let moment = try #require(Timestamp("2024-01-15T10:30:00.123Z"))
        #expect(try #require(EventID(at: moment).uuid).high >> 16 == 1_705_314_600_123)
        let before = UInt64(Timestamp.now().nanoseconds / 1_000_000)
        let id = try #require(EventID().uuid).high >> 16
        let after = UInt64(Timestamp.now().nanoseconds / 1_000_000)
        #expect((before...after).contains(id))
    }

    @Test(arguments: [Int64.min, -1, 0, 1, .max])
    func `any moment can have an identifier`(nanoseconds: Int64) throws {
        let id = EventID(at: Timestamp(nanoseconds: nanoseconds))
        #expect(try #require(id.uuid).high >> 12 & 0xF == 7)
        #expect(EventID(id.description) == id)
    }

    @Test func `an identifier made of facts is the same for the same facts and another for others`() throws {
        func id(_ words: [String], _ milliseconds: Int64 = 1_705_314_600_123) throws -> EventID {
            var hash = StableHash()
            for word in words { hash.combine(word) }
            return EventID(at: try #require(Timestamp(milliseconds: milliseconds)), hash: hash)
        }
        let one = try id(["kraken", "BTC-USD", "12"])
        #expect(try one == id(["kraken", "BTC-USD", "12"]))
        // Written down once: it may never change, or logs would hold the same event twice.
        #expect(one.description == "018d0cab-c4bb-72f0-b4c9-def583933180")
        let others = try [
            id(["kraken", "BTC-USD", "13"]), id(["kraken", "BTC-USD1", "2"]), id(["krakenBTC-USD", "12"]),
            id(["BTC-USD", "kraken", "12"]), id(["kraken", "BTC-USD", "12"], 1_705_314_600_124), id([]),
            id(["", "kraken", "BTC-USD", "12"]),
        ]
        #expect(Set(others + [one]).count == others.count + 1)
        for other in others + [one] {
            let uuid = try #require(other.uuid)
            #expect(uuid.high >> 12 & 0xF == 7 && uuid.low >> 62 == 0b10)
        }
    }
}
