import GRDB
import GRDBSQLite
import Tidings

/// A prepared statement of GRDB's, bound and stepped without its value types: half the time per row.
///
/// Bound memory is not copied unless the method says so: it has to stay until the statement is reset.
struct RawStatement {
    /// Keeps the pointer valid.
    private let statement: Statement
    let pointer: OpaquePointer

    init(_ statement: Statement) {
        self.statement = statement
        self.pointer = statement.sqliteStatement
    }

    /// A statement that the connection keeps for the next time. Only one user at a time.
    static func cached(_ db: Database, _ sql: String) throws -> RawStatement {
        let statement = RawStatement(try db.cachedStatement(sql: sql))
        statement.reset()
        return statement
    }

    @inline(__always)
    func bind(_ value: Int64, at index: Int32) {
        sqlite3_bind_int64(self.pointer, index, value)
    }

    @inline(__always)
    func bindNull(at index: Int32) {
        sqlite3_bind_null(self.pointer, index)
    }

    @inline(__always)
    func bind(blob bytes: UnsafeRawBufferPointer, at index: Int32) {
        sqlite3_bind_blob(self.pointer, index, bytes.baseAddress, Int32(truncatingIfNeeded: bytes.count), nil)
    }

    @inline(__always)
    func bind(text bytes: UnsafeRawBufferPointer, at index: Int32) {
        let characters = bytes.baseAddress?.assumingMemoryBound(to: CChar.self)
        sqlite3_bind_text(self.pointer, index, characters, Int32(truncatingIfNeeded: bytes.count), nil)
    }

    /// Binds a copy of a text.
    func bind(copyOf text: String, at index: Int32) {
        text.withRawUTF8 { bytes in
            let characters = bytes.baseAddress?.assumingMemoryBound(to: CChar.self)
            sqlite3_bind_text(self.pointer, index, characters, Int32(bytes.count), Self.copying)
        }
    }

    /// Binds a copy of an identifier, as the table holds it.
    func bind(copyOf id: EventID, at index: Int32) {
        guard let uuid = id.uuid else { return self.bind(copyOf: id.description, at: index) }
        withUnsafeBytes(of: (uuid.high.bigEndian, uuid.low.bigEndian)) { bytes in
            _ = sqlite3_bind_blob(self.pointer, index, bytes.baseAddress, 16, Self.copying)
        }
    }

    /// Binds a copy of bytes; none of them are an empty value, not a missing one.
    func bind(copyOf bytes: [UInt8], at index: Int32) {
        guard !bytes.isEmpty else {
            sqlite3_bind_zeroblob(self.pointer, index, 0)
            return
        }
        sqlite3_bind_blob(self.pointer, index, bytes, Int32(bytes.count), Self.copying)
    }

    /// What C calls `SQLITE_TRANSIENT`, a cast that Swift does not import.
    private static let copying = unsafeBitCast(-1, to: sqlite3_destructor_type.self)

    /// Goes on to the next row; false at the end.
    @inline(__always)
    func step() throws -> Bool {
        let code = sqlite3_step(self.pointer)
        if code == SQLITE_ROW { return true }
        if code == SQLITE_DONE { return false }
        throw self.error(code)
    }

    /// Runs a statement that returns nothing.
    func run() throws {
        defer { self.reset() }
        _ = try self.step()
    }

    /// The first column of the first row, if there is one; leaves the statement ready for the next use.
    func firstInt() throws -> Int64? {
        defer { self.reset() }
        return try self.step() ? self.int(0) : nil
    }

    /// Steps without judging the outcome.
    @inline(__always)
    func stepCode() -> Int32 {
        sqlite3_step(self.pointer)
    }

    @inline(__always)
    func reset() {
        sqlite3_reset(self.pointer)
    }

    @inline(__always)
    func int(_ column: Int32) -> Int64 {
        sqlite3_column_int64(self.pointer, column)
    }

    /// The bytes of a column, copied.
    @inline(__always)
    func bytes(_ column: Int32) -> [UInt8] {
        guard let start = sqlite3_column_blob(self.pointer, column) else { return [] }
        return [UInt8](UnsafeRawBufferPointer(start: start, count: Int(sqlite3_column_bytes(self.pointer, column))))
    }

    /// A column as text.
    func text(_ column: Int32) -> String {
        String(decoding: self.bytes(column), as: UTF8.self)
    }

    func isNull(_ column: Int32) -> Bool {
        sqlite3_column_type(self.pointer, column) == SQLITE_NULL
    }

    /// An identifier as a table holds it; `nil` for what is none.
    func id(_ column: Int32) -> EventID? {
        let bytes = self.bytes(column)
        guard sqlite3_column_type(self.pointer, column) == SQLITE_BLOB else {
            return EventID(String(decoding: bytes, as: UTF8.self))
        }
        guard bytes.count == 16 else { return nil }
        func word(_ bytes: ArraySlice<UInt8>) -> UInt64 { bytes.reduce(0) { $0 << 8 | UInt64($1) } }
        return EventID(high: word(bytes[..<8]), low: word(bytes[8...]))
    }

    func error(_ code: Int32) -> DatabaseError {
        let connection = sqlite3_db_handle(self.pointer)
        let message = sqlite3_errmsg(connection).map { String(cString: $0) }
        return DatabaseError(resultCode: ResultCode(rawValue: code), message: message)
    }
}
