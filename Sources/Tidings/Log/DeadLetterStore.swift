/// Where dead letters are kept: in memory, or beside the log in its file.
///
/// Bounded: where there is no more room the oldest letters go, and are counted. Safe to call from any thread; calls are
/// ordered as they come.
public protocol DeadLetterStore: Sendable {
    /// Keeps a letter; one with the same id is replaced.
    func put(_ letter: DeadLetter) async throws(EventLogError)

    /// Letters, oldest first, that follow `id`; all from the oldest where that is `nil`.
    ///
    /// Old is whose ``DeadLetter/id`` is low. The letter called `id` need not be there any more. A letter that was put
    /// without an offset is told with that of its event in the log, where the log has it.
    func letters(after id: EventID?, limit: Int) async throws(EventLogError) -> [DeadLetter]

    func letter(_ id: EventID) async throws(EventLogError) -> DeadLetter?

    /// Discards a letter; returns whether it was there.
    @discardableResult
    func remove(_ id: EventID) async throws(EventLogError) -> Bool

    /// Discards all of them and returns how many there were.
    @discardableResult
    func removeAll() async throws(EventLogError) -> Int

    /// How many there are.
    func count() async throws(EventLogError) -> Int

    /// How many letters went for want of room since the store was opened.
    func evictedCount() async -> UInt64
}
