/// Finds the events of a tree: says what to read next, and hangs what was read where it belongs. Reads nothing itself.
///
/// First it climbs from the event asked for to its root cause. Then it gathers: correlations first, which the log has an
/// index of, then parents that those mention, then what was logged near the tree.
struct EventTreeSearch: ~Copyable {
    /// What is to be read.
    enum Request {
        case event(EventID)
        case events([EventID])
        case correlation(EventID, after: Int64, limit: Int)
        case offsets(Range<Int64>, limit: Int)
    }

    /// Where an event hangs.
    private enum Cause {
        /// Under an event that is known; `isGap` when that is not its parent, which is missing.
        case event(EventID, isGap: Bool)
        /// Under an event that nobody has looked for yet.
        case unknown(EventID)
        case none(isGap: Bool)
    }

    private let asked: EventID
    private let limits: EventTree.Limits
    private var isIncomplete = false

    // Climbing.

    /// From the event asked for up; empty once the climb is over.
    private var chain: [EventID]
    private var ancestry: Set<EventID>

    // What was read.

    private var known: [EventID: FoundEvent]
    private var missing: Set<EventID> = []
    /// Events that hang under another as soon as that is in the tree, or, when that is not known, found to be missing.
    private var waiting: [EventID: [EventID]] = [:]
    private var relatedCount = 0
    private var relatedByteCount = 0

    // The tree.

    private var depths: [EventID: Int] = [:]
    private var children: [EventID: [EventID]] = [:]
    private var root: EventID
    private var byteCount = 0
    private var isFull = false

    // What is still to be read.

    private var correlations = CorrelationQueue()
    private var lookups: [EventID] = []
    private var lookedUp: Set<EventID> = []
    private var neighbourhood: Neighbourhood
    private var pageSize = PageSize()

    init(for asked: FoundEvent, limits: EventTree.Limits) {
        self.asked = asked.id
        self.limits = limits
        self.chain = [asked.id]
        self.ancestry = [asked.id]
        self.known = [asked.id: asked]
        self.root = asked.id
        self.neighbourhood = Neighbourhood(limits)
    }

    /// More missing parents than this are not looked for one by one.
    private static let maximumLookups = 4096
    private static let lookupsPerRequest = 256

    /// What to read next; `nil` when nothing is left to be found.
    mutating func next() -> Request? {
        if !self.chain.isEmpty, let request = self.climb() { return request }
        if self.isFull { return nil }
        if let (id, after) = self.correlations.next() {
            return .correlation(id, after: after, limit: self.pageSize.count)
        }
        if !self.lookups.isEmpty {
            let ids = Array(self.lookups.suffix(Self.lookupsPerRequest))
            self.lookups.removeLast(ids.count)
            return .events(ids)
        }
        if let range = self.neighbourhood.next() { return .offsets(range, limit: self.pageSize.count) }
        if let (id, after) = self.correlations.nextUnlikely(self.neighbourhood) {
            return .correlation(id, after: after, limit: self.pageSize.count)
        }
        return nil
    }

    // MARK: Up

    /// Climbs as far as is known.
    private mutating func climb() -> Request? {
        while let top = self.chain.last.flatMap({ self.known[$0] }) {
            let cause = self.cause(of: top)
            if case .none(let isGap) = cause {
                if isGap { self.isIncomplete = true }
                break
            }
            guard self.chain.count <= self.limits.ancestors else {
                self.isIncomplete = true
                break
            }
            if case .unknown(let id) = cause { return .event(id) }
            if case .event(let id, let isGap) = cause {
                // A circle ends where it closes.
                let isNew = self.ancestry.insert(id).inserted
                if isGap || !isNew { self.isIncomplete = true }
                guard isNew else { break }
                self.chain.append(id)
            }
        }
        self.beginGathering()
        return nil
    }

    /// Makes the chain the trunk of the tree.
    private mutating func beginGathering() {
        let trunk = Array(self.chain.reversed())
        self.chain = []
        self.root = trunk[0]
        for (depth, id) in trunk.enumerated() {
            self.depths[id] = depth
            if depth > 0 { self.children[trunk[depth - 1], default: []].append(id) }
        }
        // What the climb looked at and did not take may be a consequence all the same.
        for id in Array(self.known.keys) where self.depths[id] == nil { self.hang(id, looksUp: true) }
        for id in [self.asked, self.root] { self.correlations.add(id) }
        // Nearest to the event asked for first: that is what its reader wants most.
        for id in trunk.reversed() {
            if let found = self.known[id] { self.look(around: found) }
        }
    }

    /// Has everything read that may lead to the consequences of an event of the tree.
    private mutating func look(around found: FoundEvent) {
        if found.event.correlationID == found.id {
            self.correlations.add(unlikely: found.id, at: found.logged.offset)
        } else if !self.correlations.add(found.event.correlationID, limit: self.limits.correlations) {
            self.isIncomplete = true
        }
        self.neighbourhood.add(found.logged.offset)
    }

    /// Where an event hangs, as far as is known.
    private func cause(of found: FoundEvent) -> Cause {
        var isGap = false
        if let parent = found.event.parentEventID {
            if self.known[parent] != nil { return .event(parent, isGap: false) }
            if !self.missing.contains(parent) { return .unknown(parent) }
            isGap = true
        }
        // An event without a cause is its own correlation.
        let correlation = found.event.correlationID
        guard correlation != found.id, !self.missing.contains(correlation) else { return .none(isGap: isGap) }
        guard let other = self.known[correlation] else { return .unknown(correlation) }
        // Whoever hands a correlation on was there first.
        return other.logged.offset < found.logged.offset ? .event(correlation, isGap: isGap) : .none(isGap: isGap)
    }

    // MARK: What was read

    /// Takes the event of an id; `nil` when there is none.
    mutating func receive(_ found: FoundEvent?, for id: EventID) {
        guard let found else {
            self.missing.insert(id)
            for waiting in self.waiting.removeValue(forKey: id) ?? [] { self.hang(waiting, looksUp: true) }
            return
        }
        guard self.known[id] == nil else { return }
        self.known[id] = found
        if self.chain.isEmpty { self.hang(id, looksUp: true) }
    }

    /// Takes a page of the correlation that was asked for last.
    mutating func receive(correlated page: [LoggedEvent]) {
        self.correlations.receive(last: page.count < self.pageSize.count ? nil : page.last?.offset)
        self.pageSize.adapt(to: page)
        for logged in page {
            guard let found = FoundEvent(logged) else { continue }
            if self.known[found.id] == nil {
                guard self.hasRoom(for: found) else { return }
                self.known[found.id] = found
            }
            self.hang(found.id, looksUp: true)
        }
    }

    /// Takes a page of the offsets that were asked for last.
    mutating func receive(neighbours page: [LoggedEvent]) {
        self.neighbourhood.receive(page, isWhole: page.count < self.pageSize.count)
        self.pageSize.adapt(to: page)
        for logged in page {
            guard let found = FoundEvent(ifHasParent: logged), self.known[found.id] == nil else { continue }
            self.known[found.id] = found
            self.hang(found.id, looksUp: false)
        }
    }

    /// A correlation may be shared by half of the log: no more of it is kept than could be put into the tree.
    private mutating func hasRoom(for found: FoundEvent) -> Bool {
        self.relatedCount += 1
        self.relatedByteCount += found.logged.keptJSON?.count ?? 0
        if self.relatedCount <= 2 * self.limits.nodes && self.relatedByteCount <= 2 * self.limits.byteCount {
            return true
        }
        self.isFull = true
        self.isIncomplete = true
        return false
    }

    // MARK: Down

    /// Puts a known event into the tree, or where it waits for what it hangs under.
    private mutating func hang(_ id: EventID, looksUp: Bool) {
        guard self.depths[id] == nil, let found = self.known[id] else { return }
        switch self.cause(of: found) {
        case .event(let cause, _):
            if let depth = self.depths[cause] {
                self.grow(id, under: cause, at: depth + 1)
            } else {
                self.waiting[cause, default: []].append(id)
            }
        case .unknown(let cause):
            self.waiting[cause, default: []].append(id)
            guard looksUp, self.lookedUp.insert(cause).inserted else { return }
            if self.lookedUp.count <= Self.maximumLookups {
                self.lookups.append(cause)
            } else {
                self.isIncomplete = true
            }
        case .none: break
        }
    }

    /// Puts an event and everything that waits for it into the tree.
    private mutating func grow(_ id: EventID, under cause: EventID, at depth: Int) {
        var rest = [(id: id, cause: cause, depth: depth)]
        while let (id, cause, depth) = rest.popLast() {
            guard self.depths[id] == nil, let found = self.known[id] else { continue }
            guard depth <= self.limits.depth else {
                self.isIncomplete = true
                continue
            }
            self.byteCount += found.logged.withJSON { $0.count }
            guard self.depths.count < self.limits.nodes, self.byteCount <= self.limits.byteCount else {
                self.isIncomplete = true
                self.isFull = true
                return
            }
            if case .event(_, isGap: true) = self.cause(of: found) { self.isIncomplete = true }
            self.depths[id] = depth
            self.children[cause, default: []].append(id)
            self.look(around: found)
            for waiting in self.waiting.removeValue(forKey: id) ?? [] { rest.append((waiting, id, depth + 1)) }
        }
    }

    // MARK: The result

    /// The tree of what was found.
    consuming func finish() -> EventTree {
        var nodes: [EventTree.Node] = []
        nodes.reserveCapacity(self.depths.count)
        let start = self.known[self.root]?.event.timestamp.nanoseconds ?? 0
        var rest = [self.root]
        while let id = rest.popLast() {
            guard let found = self.known[id], let depth = self.depths[id] else { continue }
            let elapsed = Int128(found.event.timestamp.nanoseconds) - Int128(start)
            nodes.append(
                EventTree.Node(
                    logged: found.logged, event: found.event, elapsedMs: ExactDecimal(nanosecondsAsMs: elapsed),
                    depth: depth))
            let children = (self.children[id] ?? []).compactMap { self.known[$0] }
            rest += children.sorted { $0.logged.offset > $1.logged.offset }.map(\.id)
        }
        return EventTree(eventID: self.asked, isIncomplete: self.isIncomplete, nodes: nodes)
    }
}

extension ExactDecimal {
    /// Milliseconds with as many digits as they need.
    init(nanosecondsAsMs nanoseconds: Int128) {
        var (digits, scale) = (nanoseconds, UInt8(6))
        while scale > 0 && digits % 10 == 0 {
            digits /= 10
            scale -= 1
        }
        if let mantissa = Int64(exactly: digits) {
            self.init(mantissa: mantissa, scale: scale)
        } else {
            // From one end of the range of timestamps to the other: 65 bits.
            self = ExactDecimal("\(digits)e-\(scale)") ?? .zero
        }
    }
}
