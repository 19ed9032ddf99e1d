import GRDB
import GRDBSQLite
import Tidings

/// Puts events into the tables: what the writer's thread owns.
struct EventInserter: ~Copyable {
    private var nextOffset: Int64
    private var types = InternedNames<EventType>(table: "event_types")
    private var sources = InternedNames<Name>(table: "sources")
    private var symbols = InternedSymbols()
    /// Room for the two UUIDs of a row.
    private let scratch = UnsafeMutableRawBufferPointer.allocate(
        byteCount: 32, alignment: 16)

    static let insert = """
        INSERT INTO events (offset, id, type, symbol, source, time, correlation, json) VALUES (?, ?, ?, ?, ?, ?, ?, ?)
        """

    init(head: Int64) {
        self.nextOffset = head + 1
    }

    deinit {
        self.scratch.deallocate()
    }

    /// Appends in one transaction: all of it or, when an error is thrown, nothing.
    mutating func append(_ selections: [EventSelection], _ db: Database) throws -> [AppendOutcome] {
        let firstOffset = self.nextOffset
        var outcomes: [AppendOutcome] = []
        outcomes.reserveCapacity(selections.count)
        do {
            try db.inTransaction(.immediate) {
                let insert = try RawStatement.cached(db, Self.insert)
                var marks = TimeMarks()
                for selection in selections {
                    outcomes.append(try self.append(selection, insert, &marks, db))
                }
                try marks.write(db)
                return .commit
            }
        } catch {
            self.nextOffset = firstOffset
            self.types.forget()
            self.sources.forget()
            self.symbols.forget()
            throw error
        }
        return outcomes
    }

    private mutating func append(
        _ selection: EventSelection, _ insert: RawStatement, _ marks: inout TimeMarks, _ db: Database
    ) throws -> AppendOutcome {
        let batch = selection.batch
        let json = batch.json
        let firstOffset = self.nextOffset
        var mask: UInt64 = 0
        var duplicates: [Int: Int64] = [:]
        for index in selection.indices {
            let event = batch.events[index]
            try self.bind(event, to: insert, db)
            let code = json.withJSON(at: index) { bytes in
                insert.bind(blob: bytes, at: 8)
                return insert.stepCode()
            }
            if code == SQLITE_DONE {
                insert.reset()
                try marks.note(self.nextOffset, event.timestamp.nanoseconds, db)
                mask |= 1 << UInt64(index)
                self.nextOffset += 1
            } else {
                let error = insert.error(code)
                insert.reset()
                guard error.extendedResultCode == .SQLITE_CONSTRAINT_UNIQUE,
                    let known = try Self.offset(of: event.eventID, db)
                else { throw error }
                duplicates[index] = known
            }
        }
        let committed = EventSelection(batch, mask: mask)
        return AppendOutcome(
            committed: mask == 0 ? nil : CommittedBatch(committed, firstOffset: firstOffset), duplicates: duplicates)
    }

    /// Binds every column but the last.
    @inline(__always)
    private mutating func bind(_ event: borrowing StandardEvent, to insert: RawStatement, _ db: Database) throws {
        insert.bind(self.nextOffset, at: 1)
        self.bind(event.eventID, to: insert, at: 2, scratchAt: 0)
        insert.bind(try self.types.number(of: event.eventType, db), at: 3)
        let symbol = try self.symbols.number(
            symbol: event.payload.symbol, venueSymbol: event.payload.venueSymbol, db)
        if let symbol { insert.bind(symbol, at: 4) } else { insert.bindNull(at: 4) }
        insert.bind(try self.sources.number(of: event.source, db), at: 5)
        insert.bind(event.timestamp.nanoseconds, at: 6)
        if event.correlationID == event.eventID {
            insert.bindNull(at: 7)
        } else {
            self.bind(event.correlationID, to: insert, at: 7, scratchAt: 16)
        }
    }

    @inline(__always)
    private func bind(_ id: EventID, to insert: RawStatement, at column: Int32, scratchAt start: Int) {
        if let uuid = id.uuid {
            self.scratch.storeBytes(of: uuid.high.bigEndian, toByteOffset: start, as: UInt64.self)
            self.scratch.storeBytes(of: uuid.low.bigEndian, toByteOffset: start + 8, as: UInt64.self)
            insert.bind(blob: UnsafeRawBufferPointer(rebasing: self.scratch[start..<start + 16]), at: column)
        } else {
            insert.bind(copyOf: id.description, at: column)
        }
    }

    /// The offset of a known event.
    static func offset(of id: EventID, _ db: Database) throws -> Int64? {
        let find = try RawStatement.cached(db, "SELECT offset FROM events WHERE id = ?")
        find.bind(copyOf: id, at: 1)
        return try find.firstInt()
    }
}
