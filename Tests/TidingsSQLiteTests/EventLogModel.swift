import Tidings

/// What a log has to do, in memory and without any cleverness.
struct EventLogModel {
    var events: [LoggedEvent] = []
    private var decoded: [StandardEvent] = []
    private var offsets: [EventID: Int64] = [:]

    mutating func append(_ selections: [EventSelection]) -> [(committed: [Int64], duplicates: [Int: Int64])] {
        selections.map { selection in
            var committed: [Int64] = []
            var duplicates: [Int: Int64] = [:]
            for index in selection.indices {
                let event = selection.batch[index]
                if let known = self.offsets[event.eventID] {
                    duplicates[index] = known
                    continue
                }
                let offset = Int64(self.events.count + 1)
                self.offsets[event.eventID] = offset
                self.events.append(LoggedEvent(offset: offset, event: event))
                self.decoded.append(event)
                committed.append(offset)
            }
            return (committed, duplicates)
        }
    }

    func read(_ query: LogQuery) -> [Int64] {
        let matching = zip(self.events, self.decoded).filter { logged, event in
            logged.offset > query.after && logged.offset <= query.through && query.filter.matches(event)
        }.map(\.0.offset)
        return Array((query.order == .ascending ? matching : matching.reversed()).prefix(query.limit))
    }

    func offset(notBefore time: Timestamp) -> Int64 {
        zip(self.events, self.decoded).first { $1.timestamp >= time }?.0.offset ?? Int64(self.events.count) + 1
    }
}
