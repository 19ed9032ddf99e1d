/// Keeps cursors for as long as the process lives, beside a log that lives no longer.
public final class MemoryDurableCursorStore: DurableCursorStore {
    private let cursors = Locked<[String: DurableCursor]>([:])

    /// Subscriptions are named by programs, not by what they read: more than this is a mistake.
    public static let maximumCount = 65_536

    public init() {}

    public func cursor(of subscription: String) async throws(EventLogError) -> DurableCursor? {
        self.cursors.withLock { $0[subscription] }
    }

    /// - Throws: `inputOutput` when there are ``maximumCount`` others.
    public func save(_ cursor: DurableCursor, of subscription: String) async throws(EventLogError) {
        try self.cursors.withLock { cursors throws(EventLogError) in
            guard cursors.count < Self.maximumCount || cursors[subscription] != nil else {
                throw EventLogError(.inputOutput, "there are \(Self.maximumCount) durable subscriptions already")
            }
            cursors[subscription] = cursor
        }
    }

    public func removeCursor(of subscription: String) async throws(EventLogError) {
        self.cursors.withLock { $0[subscription] = nil }
    }
}
