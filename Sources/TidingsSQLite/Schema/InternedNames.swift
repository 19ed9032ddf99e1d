import GRDB
import Tidings

/// The numbers that a small table gives to texts which repeat, as the writer knows them.
///
/// Memory is bounded: a full cache is emptied and filled again from the table.
struct InternedNames<Key: Hashable & CustomStringConvertible> {
    private let find: String
    private let insert: String
    private let highest: String
    private var numbers: [Key: Int64] = [:]
    private var next: Int64?
    private var newest: (key: Key, number: Int64)?

    private static var capacity: Int { 8192 }

    init(table: String) {
        self.find = "SELECT number FROM \(table) WHERE text = ?"
        self.insert = "INSERT INTO \(table) (text, number) VALUES (?, ?)"
        self.highest = "SELECT coalesce(max(number), 0) FROM \(table)"
    }

    /// The number of a text, given to it now if it is new.
    @inline(__always)
    mutating func number(of key: Key, _ db: Database) throws -> Int64 {
        if let newest = self.newest, newest.key == key { return newest.number }
        let number = try self.numbers[key] ?? self.load(key, db)
        self.newest = (key, number)
        return number
    }

    @inline(never)
    private mutating func load(_ key: Key, _ db: Database) throws -> Int64 {
        let text = key.description
        let find = try RawStatement.cached(db, self.find)
        find.bind(copyOf: text, at: 1)
        let known = try find.firstInt()
        let number = try known ?? self.insert(text, db)
        if self.numbers.count >= Self.capacity { self.numbers.removeAll(keepingCapacity: true) }
        self.numbers[key] = number
        return number
    }

    private mutating func insert(_ text: String, _ db: Database) throws -> Int64 {
        let number = try self.next ?? (Int64.fetchOne(db, sql: self.highest) ?? 0) + 1
        let insert = try RawStatement.cached(db, self.insert)
        insert.bind(copyOf: text, at: 1)
        insert.bind(number, at: 2)
        try insert.run()
        self.next = number + 1
        return number
    }

    /// Forgets what was learnt: the transaction that wrote it was taken back.
    mutating func forget() {
        self.numbers.removeAll(keepingCapacity: true)
        self.next = nil
        self.newest = nil
    }
}
