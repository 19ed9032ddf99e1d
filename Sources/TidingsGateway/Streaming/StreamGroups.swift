import Tidings

/// Clients of one event loop that want the same in the same format: what is made for one is sent to all.
final class StreamGroup {
    let interest: StreamInterest
    let format: FrameFormat
    let matcher: InterestMatcher
    private(set) var members: [StreamClient] = []
    /// The events of the turn in progress that match, as consecutive runs.
    private(set) var runs: [Range<Int>] = []
    /// Where its groups keeps it.
    fileprivate var buckets: [GroupBucket] = []

    fileprivate init(_ interest: StreamInterest, _ format: FrameFormat) {
        self.interest = interest
        self.format = format
        self.matcher = InterestMatcher(interest)
    }

    fileprivate func add(_ client: StreamClient) {
        client.placeInGroup = self.members.count
        self.members.append(client)
    }

    /// The last takes its place, so that thousands who leave at once cost no more than one each.
    fileprivate func remove(_ client: StreamClient) {
        let place = client.placeInGroup
        guard place < self.members.count, self.members[place] === client, let last = self.members.popLast() else {
            return
        }
        if last !== client {
            self.members[place] = last
            last.placeInGroup = place
        }
    }

    /// Notes that an event of the turn matches, in ascending order; whether it is the first.
    @inline(__always)
    fileprivate func take(_ number: Int) -> Bool {
        guard let last = self.runs.last else {
            self.runs.append(number..<number + 1)
            return true
        }
        if last.upperBound == number {
            self.runs[self.runs.count - 1] = last.lowerBound..<number + 1
        } else if last.upperBound < number {
            self.runs.append(number..<number + 1)
        }
        return false
    }

    func endTurn() {
        self.runs.removeAll(keepingCapacity: true)
    }
}

/// What a group is found by: the most telling thing that it asks for.
private enum GroupAnchor: Hashable {
    case item(String)
    case correlation(EventID)
    /// In capitals.
    case symbol(Name)
    case source(Name)
    case type(EventType)
    /// Nothing that one could look up.
    case none

    /// All under which a group has to be found: every event it wants carries at least one of them.
    static func all(of interest: StreamInterest) -> Set<GroupAnchor> {
        switch interest {
        case .filter(let filter): return Self.all(of: filter)
        case .within(let rights, let wanted):
            let found = Self.all(of: wanted)
            guard found.contains(.none), !rights.symbols.isEmpty else { return found }
            return Set(rights.symbols.map { .symbol($0) })
        case .pairs(let pairs):
            var found = Set<GroupAnchor>()
            for pair in pairs {
                if let symbol = pair.symbol {
                    found.insert(.symbol(symbol))
                } else if !pair.sources.isEmpty {
                    for source in pair.sources { found.insert(.source(source)) }
                } else if let type = pair.type.exactType {
                    found.insert(.type(type))
                } else {
                    return [.none]
                }
            }
            return found
        }
    }

    private static func all(of filter: EventFilter) -> Set<GroupAnchor> {
        if let id = filter.correlationID { return [.correlation(id)] }
        if !filter.items.isEmpty { return Set(filter.items.map { .item($0) }) }
        if !filter.requiredSymbols.isEmpty { return Set(filter.requiredSymbols.map { .symbol($0) }) }
        if !filter.sources.isEmpty { return Set(filter.sources.map { .source($0) }) }
        var found = Set<GroupAnchor>()
        for type in filter.types {
            guard let type = type.exactType else { return [.none] }
            found.insert(.type(type))
        }
        return found.isEmpty ? [.none] : found
    }
}

/// The groups of one anchor.
private final class GroupBucket {
    let anchor: GroupAnchor
    private(set) var groups: [ObjectIdentifier: StreamGroup] = [:]
    /// Grows with every change.
    private(set) var version = 0

    init(_ anchor: GroupAnchor) {
        self.anchor = anchor
    }

    func add(_ group: StreamGroup) {
        self.groups[ObjectIdentifier(group)] = group
        self.version += 1
    }

    func remove(_ group: StreamGroup) {
        self.groups[ObjectIdentifier(group)] = nil
        self.version += 1
    }
}

/// The groups of one event loop, and which of them an event concerns.
///
/// An event looks only where its own symbol, source, type, item or correlation leads, so it costs the same with ten
/// distinct filters and with ten thousand. What that came to for a type, symbol and source is remembered until a group
/// comes or goes that has to do with them.
struct StreamGroups {
    private struct Key: Hashable {
        let interest: StreamInterest
        let format: FrameFormat
    }

    private struct Envelope: Hashable {
        let type: EventType
        let symbol: Name?
        let venueSymbol: Name?
        let source: Name
    }

    /// The groups that want every event of an envelope, and those that some may want.
    private struct Found {
        var certain: [StreamGroup] = []
        var possible: [StreamGroup] = []
        let buckets: [GroupBucket]
        let version: Int

        init(_ buckets: [GroupBucket]) {
            self.buckets = buckets
            self.version = buckets.reduce(0) { $0 + $1.version }
        }

        var isCurrent: Bool {
            var version = 0
            for bucket in self.buckets { version += bucket.version }
            return version == self.version
        }
    }

    private var byKey: [Key: StreamGroup] = [:]
    private var buckets: [GroupAnchor: GroupBucket] = [:]
    private var emptyBuckets = 0
    /// Groups that are found by item or correlation, of which there are too many to remember what they came to.
    private var unrememberedGroups = 0
    private var cache: [Envelope: Found] = [:]
    private static let cacheCapacity = 16_384
    private static let emptyBucketLimit = 65_536

    var isEmpty: Bool { self.byKey.isEmpty }
    var count: Int { self.byKey.count }

    /// Puts a client with those that want the same.
    mutating func add(_ client: StreamClient, interest: StreamInterest) -> StreamGroup {
        let key = Key(interest: interest, format: client.sink.format)
        if let group = self.byKey[key] {
            group.add(client)
            return group
        }
        let group = StreamGroup(interest, client.sink.format)
        group.add(client)
        self.byKey[key] = group
        for anchor in GroupAnchor.all(of: interest) {
            let bucket = self.bucket(anchor)
            if bucket.groups.isEmpty { self.emptyBuckets -= 1 }
            bucket.add(group)
            group.buckets.append(bucket)
            if Self.isUnremembered(anchor) { self.unrememberedGroups += 1 }
        }
        return group
    }

    mutating func remove(_ client: StreamClient, from group: StreamGroup) {
        group.remove(client)
        guard group.members.isEmpty else { return }
        self.byKey[Key(interest: group.interest, format: group.format)] = nil
        for bucket in group.buckets {
            bucket.remove(group)
            if bucket.groups.isEmpty { self.emptyBuckets += 1 }
            if Self.isUnremembered(bucket.anchor) { self.unrememberedGroups -= 1 }
        }
        group.buckets = []
        if self.emptyBuckets > Self.emptyBucketLimit { self.forget() }
    }

    private static func isUnremembered(_ anchor: GroupAnchor) -> Bool {
        switch anchor {
        case .item, .correlation: true
        case .symbol, .source, .type, .none: false
        }
    }

    /// An empty one is made where there is none, so that what was found can tell that it has changed.
    private mutating func bucket(_ anchor: GroupAnchor) -> GroupBucket {
        if let known = self.buckets[anchor] { return known }
        let bucket = GroupBucket(anchor)
        self.buckets[anchor] = bucket
        self.emptyBuckets += 1
        return bucket
    }

    private mutating func forget() {
        self.cache.removeAll(keepingCapacity: true)
        self.buckets = self.buckets.filter { !$0.value.groups.isEmpty }
        self.emptyBuckets = 0
    }

    // MARK: An event

    /// Lets every group note its events of a turn; returns the groups that have any.
    mutating func distribute(_ turn: StreamTurn) -> [StreamGroup] {
        var touched: [StreamGroup] = []
        for number in 0..<turn.count {
            let event = turn.event(number)
            let found = self.found(for: event)
            for group in found.certain where group.take(number) { touched.append(group) }
            for group in found.possible where group.matcher.matches(event) && group.take(number) {
                touched.append(group)
            }
            if self.unrememberedGroups > 0 {
                self.offer(event, number, to: .correlation(event.correlationID), &touched)
                if let item = event.payload.item { self.offer(event, number, to: .item(item), &touched) }
            }
        }
        return touched
    }

    private func offer(
        _ event: borrowing StandardEvent, _ number: Int, to anchor: GroupAnchor, _ touched: inout [StreamGroup]
    ) {
        guard let bucket = self.buckets[anchor] else { return }
        for group in bucket.groups.values where group.matcher.matches(event) && group.take(number) {
            touched.append(group)
        }
    }

    @inline(__always)
    private mutating func found(for event: borrowing StandardEvent) -> Found {
        let envelope = Envelope(
            type: event.eventType, symbol: event.payload.symbol, venueSymbol: event.payload.venueSymbol,
            source: event.source)
        if let known = self.cache[envelope], known.isCurrent { return known }
        return self.find(envelope, event)
    }

    private mutating func find(_ envelope: Envelope, _ event: borrowing StandardEvent) -> Found {
        if self.cache.count >= Self.cacheCapacity { self.forget() }
        var anchors: Set<GroupAnchor> = [.none, .source(envelope.source), .type(envelope.type)]
        for symbol in event.payload.symbolSpellings { anchors.insert(.symbol(symbol.folded)) }
        let buckets = anchors.map { self.bucket($0) }
        var found = Found(buckets)
        var seen = Set<ObjectIdentifier>()
        for bucket in buckets {
            for (id, group) in bucket.groups where seen.insert(id).inserted {
                if !group.matcher.dependsOnEnvelopeOnly {
                    found.possible.append(group)
                } else if group.matcher.matches(event) {
                    found.certain.append(group)
                }
            }
        }
        self.cache[envelope] = found
        return found
    }
}
