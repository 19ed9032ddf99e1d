import DequeModule

/// How many events are asked for at once: as many as make about a mebibyte.
struct PageSize {
    private(set) var count = 64

    private static let byteCount = 1 << 20

    mutating func adapt(to page: [LoggedEvent]) {
        guard !page.isEmpty else { return }
        let bytes = page.reduce(0) { $0 + ($1.keptJSON?.count ?? 0) }
        self.count = max(1, min(1000, Self.byteCount * page.count / max(bytes, 1)))
    }
}

/// Which correlations are still to be read, each once and a page at a time.
struct CorrelationQueue {
    private var asked: Set<EventID> = []
    private var queue: Deque<EventID> = []
    /// The one being read, and the last offset seen of it.
    private var current: (id: EventID, after: Int64)?
    /// Events that are their own correlation, and their offsets.
    private var unlikely: Deque<(id: EventID, offset: Int64)> = []
    private var unlikelyCount = 0

    /// An event that is its own correlation is mostly alone in it: only so many of them are tried.
    private static let maximumUnlikely = 64

    /// False when there are too many; one that is there already is not.
    @discardableResult
    mutating func add(_ id: EventID, limit: Int = .max) -> Bool {
        guard !self.asked.contains(id) else { return true }
        guard self.asked.count < limit else { return false }
        self.asked.insert(id)
        self.queue.append(id)
        return true
    }

    mutating func add(unlikely id: EventID, at offset: Int64) {
        if self.unlikely.count < Self.maximumUnlikely { self.unlikely.append((id, offset)) }
    }

    /// A correlation to read, and after which offset.
    mutating func next() -> (id: EventID, after: Int64)? {
        if self.current == nil { self.current = self.queue.popFirst().map { ($0, 0) } }
        return self.current
    }

    /// The same, of those that are read only where the neighbourhood has not shown what there is.
    mutating func nextUnlikely(_ neighbourhood: Neighbourhood) -> (id: EventID, after: Int64)? {
        while let (id, offset) = self.unlikely.popFirst() {
            guard self.unlikelyCount < Self.maximumUnlikely else { return nil }
            guard !neighbourhood.isSeen(after: offset), self.asked.insert(id).inserted else { continue }
            self.unlikelyCount += 1
            self.current = (id, 0)
            return self.current
        }
        return nil
    }

    /// - Parameter last: the last offset of the page, or `nil` when the correlation has ended.
    mutating func receive(last: Int64?) {
        if let last { self.current?.after = last } else { self.current = nil }
    }
}

/// Which offsets around the events of a tree are still to be looked at, each once.
struct Neighbourhood {
    private let forward: Int64
    private let backward: Int64
    private var remainingEvents: Int
    private var remainingBytes: Int
    private var windows: Deque<Range<Int64>> = []
    private var seen = RangeSet<Int64>()
    private var current: Range<Int64>?
    /// The last offset of the log, once it has been seen.
    private var end: Int64?

    init(_ limits: EventTree.Limits) {
        self.forward = max(limits.reachForward, 0)
        self.backward = max(limits.reachBackward, 0)
        self.remainingEvents = limits.scannedEvents
        self.remainingBytes = limits.scannedByteCount
    }

    /// An event of the tree is there.
    mutating func add(_ offset: Int64) {
        let first = max(1, offset - min(self.backward, offset))
        let (last, overflow) = offset.addingReportingOverflow(self.forward)
        self.windows.append(first..<(overflow ? .max : max(last, first)))
    }

    /// Offsets to look at; `nil` when there are no more, or too many have been looked at.
    mutating func next() -> Range<Int64>? {
        guard self.remainingEvents > 0, self.remainingBytes > 0 else { return nil }
        while let window = self.windows.first {
            var rest = RangeSet(window)
            if let end = self.end, end < .max { rest.remove(contentsOf: (end + 1)..<max(end + 1, window.upperBound)) }
            rest.subtract(self.seen)
            if let range = rest.ranges.first {
                let room = Int64(clamping: self.remainingEvents)
                self.current = range.lowerBound..<min(range.upperBound, range.lowerBound.addingClamped(room))
                return self.current
            }
            self.windows.removeFirst()
        }
        return nil
    }

    /// - Parameter isWhole: whether the page has everything of the offsets asked for.
    mutating func receive(_ page: [LoggedEvent], isWhole: Bool) {
        guard let current = self.current else { return }
        self.remainingEvents -= max(page.count, 1)
        self.remainingBytes -= page.reduce(0) { $0 + ($1.keptJSON?.count ?? 0) }
        let last = page.last?.offset
        if isWhole {
            self.seen.insert(contentsOf: current)
            // Offsets have no gaps: where they stop, the log does.
            if let last, last < current.upperBound - 1 { self.end = last }
        } else if let last {
            self.seen.insert(contentsOf: current.lowerBound..<min(last + 1, current.upperBound))
        }
    }

    /// Whether everything after an offset has been looked at.
    func isSeen(after offset: Int64) -> Bool {
        guard let end = self.end else { return false }
        return offset >= end || RangeSet((offset + 1)..<(end + 1)).isSubset(of: self.seen)
    }
}

extension Int64 {
    fileprivate func addingClamped(_ other: Int64) -> Int64 {
        let (sum, overflow) = self.addingReportingOverflow(other)
        return overflow ? .max : sum
    }
}
