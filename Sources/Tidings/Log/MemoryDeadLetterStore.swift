import DequeModule

/// Keeps dead letters for as long as the process lives; the oldest go when there are too many or they are too large.
public final class MemoryDeadLetterStore: DeadLetterStore {
    private struct Entry {
        var letter: DeadLetter
        var byteCount: Int
    }

    private struct State: ~Copyable {
        /// In the order of their ids.
        var entries = Deque<Entry>()
        var byteCount = 0
        var evicted: UInt64 = 0

        /// Where a letter of this id stands, or would.
        func place(of id: EventID) -> (index: Int, isThere: Bool) {
            // Nearly every letter is the newest.
            if let last = self.entries.last, EventID.isOrderedBefore(last.letter.id, id) {
                return (self.entries.count, false)
            }
            var low = 0
            var high = self.entries.count
            while low < high {
                let middle = (low + high) / 2
                if EventID.isOrderedBefore(self.entries[middle].letter.id, id) {
                    low = middle + 1
                } else {
                    high = middle
                }
            }
            return (low, low < self.entries.count && self.entries[low].letter.id == id)
        }

        mutating func remove(at index: Int) {
            self.byteCount -= self.entries.remove(at: index).byteCount
        }
    }

    private let capacity: Int
    private let byteCapacity: Int
    private let offsetOf: @Sendable (EventID) -> Int64?
    private let state = Locked(State())

    /// - Parameters:
    ///   - capacity: how many letters are kept.
    ///   - byteCapacity: how many bytes their events' JSON and their errors may have together.
    ///   - offsetOf: finds an event in the log, for letters that were put without an offset.
    public init(
        capacity: Int = 10_000, byteCapacity: Int = 256 << 20,
        offsetOf: @escaping @Sendable (EventID) -> Int64? = { _ in nil }
    ) {
        self.capacity = max(capacity, 1)
        self.byteCapacity = byteCapacity
        self.offsetOf = offsetOf
    }

    public func put(_ letter: DeadLetter) async throws(EventLogError) {
        var writer = JSONWriter()
        writer.write(letter)
        let entry = Entry(letter: letter, byteCount: writer.count)
        self.state.withLock { state in
            let (index, isThere) = state.place(of: letter.id)
            if isThere {
                state.byteCount -= state.entries[index].byteCount
                state.entries[index] = entry
            } else {
                state.entries.insert(entry, at: index)
            }
            state.byteCount += entry.byteCount
            // The newest stays, whatever its size.
            while state.entries.count > 1,
                state.entries.count > self.capacity || state.byteCount > self.byteCapacity
            {
                state.remove(at: 0)
                state.evicted += 1
            }
        }
    }

    public func letters(after id: EventID?, limit: Int) async throws(EventLogError) -> [DeadLetter] {
        let found = self.state.withLock { state in
            var start = 0
            if let id {
                let (index, isThere) = state.place(of: id)
                start = isThere ? index + 1 : index
            }
            return state.entries[start...].prefix(max(limit, 0)).map(\.letter)
        }
        return found.map { self.located($0) }
    }

    public func letter(_ id: EventID) async throws(EventLogError) -> DeadLetter? {
        let found = self.state.withLock { state in
            let (index, isThere) = state.place(of: id)
            return isThere ? state.entries[index].letter : nil
        }
        return found.map { self.located($0) }
    }

    private func located(_ letter: DeadLetter) -> DeadLetter {
        guard letter.offset == nil else { return letter }
        var letter = letter
        letter.offset = self.offsetOf(letter.event.eventID)
        return letter
    }

    @discardableResult
    public func remove(_ id: EventID) async throws(EventLogError) -> Bool {
        self.state.withLock { state in
            let (index, isThere) = state.place(of: id)
            if isThere { state.remove(at: index) }
            return isThere
        }
    }

    @discardableResult
    public func removeAll() async throws(EventLogError) -> Int {
        self.state.withLock { state in
            let count = state.entries.count
            state.entries = Deque()
            state.byteCount = 0
            return count
        }
    }

    public func count() async throws(EventLogError) -> Int {
        self.state.withLock { $0.entries.count }
    }

    public func evictedCount() async -> UInt64 {
        self.state.withLock { $0.evicted }
    }
}
