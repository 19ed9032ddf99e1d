/// What led to an event, and what came of it: the events of a log from a root cause down.
///
/// An event hangs under its `parent_event_id`. One whose parent is not in the log, and one that names no parent but has
/// another event's id as its correlation, hangs under that event. So the tree is the same whichever of its events is
/// asked for, as long as it fits the limits.
///
/// **What is found.** The causes: all, by id. The consequences: everything that shares a correlation with an event of
/// the tree, however far away in the log; and children with a correlation of their own, as programs make them that send
/// a parent only, when they were logged near an event of the tree (``Limits/reachForward``). There is no index on
/// parents, so a child that is neither is not found, and ``isIncomplete`` does not know of it.
public struct EventTree: Sendable {
    /// An event of the tree.
    public struct Node: Sendable {
        public let logged: LoggedEvent
        public let event: StandardEvent
        /// Milliseconds from the root's timestamp to this one's, exactly; negative where clocks or producers disagree.
        public let elapsedMs: ExactDecimal
        /// 0 for the root.
        public let depth: Int

        public var offset: Int64 { self.logged.offset }
    }

    /// How much is looked for.
    public struct Limits: Sendable {
        /// The most events a tree has.
        public var nodes = 10_000
        /// The most levels below the root: each is two levels of JSON, and common readers stop at a thousand.
        public var depth = 256
        /// The most causes above the event asked for; what is left of ``depth`` is for its consequences.
        public var ancestors = 192
        /// The most bytes of JSON kept, those of the event asked for and its causes aside.
        public var byteCount = 16 << 20
        /// How many offsets behind an event of the tree children with a correlation of their own are looked for.
        public var reachForward: Int64 = 16_384
        /// The same before it, where a parent is logged after its child: a step is published when it is over.
        public var reachBackward: Int64 = 1024
        /// The most events looked at for that, and the most bytes of them.
        public var scannedEvents = 65_536
        public var scannedByteCount = 32 << 20
        /// The most correlations looked up.
        public var correlations = 256

        public init() {}
    }

    /// The event that was asked for.
    public let eventID: EventID
    /// Whether something is known to be missing: a parent is not in the log, parents form a circle, or there is more than
    /// fits the limits.
    public let isIncomplete: Bool
    /// Depth first: the root, then each child, in the order of offsets, followed by everything below it. A parent may
    /// have a higher offset than its child.
    public let nodes: [Node]
}

extension EventTree {
    /// The tree that an event is in; `nil` when the log does not know the event.
    ///
    /// Reads the log in pages, each a snapshot of its own: what is committed meanwhile may be in it or not.
    public static func build(
        for id: EventID, in log: some EventReader, limits: Limits = Limits()
    ) async throws(EventLogError) -> EventTree? {
        guard let asked = try await log.event(id) else { return nil }
        guard let found = FoundEvent(asked) else {
            throw EventLogError(.unusable, "the event at offset \(asked.offset) cannot be read")
        }
        var search = EventTreeSearch(for: found, limits: limits)
        while let request = search.next() {
            switch request {
            case .event(let id):
                search.receive(try await log.event(id).flatMap { FoundEvent($0) }, for: id)
            case .events(let ids):
                let offsets = try await log.offsets(of: ids)
                for id in ids {
                    guard offsets[id] != nil else {
                        search.receive(nil, for: id)
                        continue
                    }
                    search.receive(try await log.event(id).flatMap { FoundEvent($0) }, for: id)
                }
            case .correlation(let id, let after, let limit):
                let filter = EventFilter(correlationID: id)
                search.receive(correlated: try await log.read(LogQuery(filter: filter, after: after, limit: limit)))
            case .offsets(let offsets, let limit):
                let query = LogQuery(after: offsets.lowerBound - 1, through: offsets.upperBound - 1, limit: limit)
                search.receive(neighbours: try await log.read(query))
            }
        }
        return search.finish()
    }
}
