import TidingsTestSupport

@testable import Tidings

/// A log whose disk is full whenever the test says so.
final class FlakyLog: EventLog {
    let inner = MemoryEventLog()
    private let isFailing = Locked(false)
    /// Where dead letters and cursors go instead of into the log.
    let otherLetters: (any DeadLetterStore)?
    let otherCursors: (any DurableCursorStore)?

    init(deadLetters: (any DeadLetterStore)? = nil, cursors: (any DurableCursorStore)? = nil) {
        self.otherLetters = deadLetters
        self.otherCursors = cursors
    }

    func setFailing(_ value: Bool) { self.isFailing.withLock { $0 = value } }

    var epoch: String { self.inner.epoch }
    var bounds: LogBounds { self.inner.bounds }
    var deadLetters: any DeadLetterStore { self.otherLetters ?? self.inner.deadLetters }
    var cursors: any DurableCursorStore { self.otherCursors ?? self.inner.cursors }

    func append(_ selections: [EventSelection]) async throws(EventLogError) -> [AppendOutcome] {
        if self.isFailing.withLock({ $0 }) { throw EventLogError(.diskFull, "no room on the disk") }
        return try await self.inner.append(selections)
    }

    func read(_ query: LogQuery) async throws(EventLogError) -> [LoggedEvent] { try await self.inner.read(query) }
    func event(_ id: EventID) async throws(EventLogError) -> LoggedEvent? { try await self.inner.event(id) }

    func offsets(of ids: [EventID]) async throws(EventLogError) -> [EventID: Int64] {
        try await self.inner.offsets(of: ids)
    }

    func offset(notBefore time: Timestamp) async throws(EventLogError) -> Int64 {
        try await self.inner.offset(notBefore: time)
    }

    func follow(
        _ observer: @escaping @Sendable (CommittedBatch) -> Void
    ) -> (token: LogObservation, bounds: LogBounds) {
        self.inner.follow(observer)
    }

    func close() async { await self.inner.close() }
}

/// Keeps no letter, as when the disk is full.
struct FullDeadLetterStore: DeadLetterStore {
    func put(_ letter: DeadLetter) async throws(EventLogError) {
        throw EventLogError(.diskFull, "no room for the letter")
    }

    func letters(after id: EventID?, limit: Int) async throws(EventLogError) -> [DeadLetter] { [] }
    func letter(_ id: EventID) async throws(EventLogError) -> DeadLetter? { nil }
    func remove(_ id: EventID) async throws(EventLogError) -> Bool { false }
    func removeAll() async throws(EventLogError) -> Int { 0 }
    func count() async throws(EventLogError) -> Int { 0 }
    func evictedCount() async -> UInt64 { 0 }
}

/// Keeps cursors, but from the second save on not before it is let.
final class HesitantCursorStore: DurableCursorStore {
    let isSaving = Gate()
    let mayGoOn = Gate()
    private let inner = MemoryDurableCursorStore()
    private let saves = Locked(0)

    func cursor(of subscription: String) async throws(EventLogError) -> DurableCursor? {
        try await self.inner.cursor(of: subscription)
    }

    func save(_ cursor: DurableCursor, of subscription: String) async throws(EventLogError) {
        let number = self.saves.withLock { saves in
            saves += 1
            return saves
        }
        if number > 1 {
            self.isSaving.open()
            await self.mayGoOn.wait()
        }
        try await self.inner.save(cursor, of: subscription)
    }

    func removeCursor(of subscription: String) async throws(EventLogError) {
        try await self.inner.removeCursor(of: subscription)
    }
}
