/// Values by key, at most so many: when there is no room, the sixteenth that was not used for longest goes.
///
/// Use is counted, not timed, so that the same calls leave the same values.
package struct RecentTable<Key: Hashable, Value> {
    fileprivate struct Entry {
        let key: Key
        var value: Value
        var lastUse: UInt64
    }

    private let capacity: Int
    fileprivate var entries: [Entry] = []
    private var places: [Key: Int] = [:]
    private var uses: UInt64 = 0

    package init(capacity: Int) {
        self.capacity = max(1, capacity)
    }

    package var count: Int { self.entries.count }
    package var indices: Range<Int> { self.entries.indices }

    package subscript(place: Int) -> Value {
        get { self.entries[place].value }
        _modify { yield &self.entries[place].value }
    }

    package func key(at place: Int) -> Key { self.entries[place].key }

    /// Higher for what was used later.
    package func lastUse(at place: Int) -> UInt64 { self.entries[place].lastUse }

    /// Where the value of a key is, until the next call; made where there is none.
    package mutating func place(of key: Key, make: () -> Value, leaving: (Value) -> Void = { _ in }) -> Int {
        self.uses &+= 1
        if let place = self.places[key] {
            self.entries[place].lastUse = self.uses
            return place
        }
        if self.entries.count >= self.capacity { self.makeRoom(leaving) }
        self.entries.append(Entry(key: key, value: make(), lastUse: self.uses))
        self.places[key] = self.entries.count - 1
        return self.entries.count - 1
    }

    private mutating func makeRoom(_ leaving: (Value) -> Void) {
        let count = max(1, self.capacity / 16)
        let sorted = self.entries.sorted { $0.lastUse < $1.lastUse }
        for entry in sorted.prefix(count) { leaving(entry.value) }
        self.entries = Array(sorted.dropFirst(count))
        self.places = [:]
        for (place, entry) in self.entries.enumerated() { self.places[entry.key] = place }
    }
}

extension RecentTable.Entry: Sendable where Key: Sendable, Value: Sendable {}
extension RecentTable: Sendable where Key: Sendable, Value: Sendable {}
