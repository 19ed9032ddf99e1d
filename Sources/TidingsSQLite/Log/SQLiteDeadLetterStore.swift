public import Tidings

/// Dead letters in the file of a log: they survive what the log survives.
struct SQLiteDeadLetterStore: DeadLetterStore {
    let log: SQLiteEventLog

    func put(_ letter: DeadLetter) async throws(EventLogError) {
        try await self.log.writing { db in
            try self.log.letters.withLock { table throws in try table.put(letter, db) }
        }
    }

    func letters(after id: EventID?, limit: Int) async throws(EventLogError) -> [DeadLetter] {
        try await self.log.reads.deadLetters(after: id, limit: limit)
    }

    func letter(_ id: EventID) async throws(EventLogError) -> DeadLetter? {
        try await self.log.reads.deadLetter(id)
    }

    @discardableResult
    func remove(_ id: EventID) async throws(EventLogError) -> Bool {
        try await self.log.writing { db in
            try self.log.letters.withLock { table throws in try table.remove(id, db) }
        }
    }

    /// Letters put meanwhile stay.
    @discardableResult
    func removeAll() async throws(EventLogError) -> Int {
        guard let newest = try await self.log.writing({ db in try DeadLetterTable.newest(db) }) else { return 0 }
        var removed = 0
        while true {
            let (count, isLast) = try await self.log.writing { db in
                try self.log.letters.withLock { table throws in try table.removeSlice(through: newest, db) }
            }
            removed += count
            if isLast { return removed }
        }
    }

    func count() async throws(EventLogError) -> Int {
        try await self.log.reads.deadLetterCount()
    }

    func evictedCount() async -> UInt64 {
        self.log.letters.withLock { $0.evicted }
    }
}

extension SQLiteEventLog {
    public var deadLetters: any DeadLetterStore { SQLiteDeadLetterStore(log: self) }
}
