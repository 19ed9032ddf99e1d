/// The connections of a session, and which streams the venue has not confirmed on each.
struct LinkTable: Sendable {
    private var waiting: [Int: Set<Int>] = [:]
    private var told: Set<Int> = []

    /// The connection on which things are asked for.
    var newest: Int? { self.waiting.keys.max() }

    mutating func opened(_ connection: Int, awaiting streams: Set<Int>) {
        self.waiting[connection] = streams
        self.told.remove(connection)
    }

    mutating func closed(_ connection: Int) {
        self.waiting[connection] = nil
        self.told.remove(connection)
    }

    /// Whether this is the first confirmation of a stream on a connection.
    mutating func confirm(_ stream: Int, on connection: Int) -> Bool {
        self.waiting[connection]?.remove(stream) != nil
    }

    @inline(__always)
    func awaitsAnything(_ connection: Int) -> Bool {
        !self.told.contains(connection)
    }

    /// Whether everything on a connection has just been confirmed; true once.
    mutating func becomesReady(_ connection: Int, areBooksWhole: @autoclosure () -> Bool) -> Bool {
        guard self.waiting[connection]?.isEmpty == true, !self.told.contains(connection), areBooksWhole() else {
            return false
        }
        self.told.insert(connection)
        return true
    }
}
