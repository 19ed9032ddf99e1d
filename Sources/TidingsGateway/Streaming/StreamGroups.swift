import Tidings

/// Clients of one event loop that want the same in the same format: what is made for one is sent to all.
final class StreamGroup {
    let interest: StreamInterest
    let format: FrameFormat
    let matcher: InterestMatcher
    fileprivate(set) var members: [StreamClient] = []
    /// The events of the turn in progress that match, as consecutive runs.
    private(set) var runs: [Range<Int>] = []

    fileprivate init(_ interest: StreamInterest, _ format: FrameFormat) {
        self.interest = interest
        self.format = format
        self.matcher = InterestMatcher(interest)
    }

    /// Notes that an event of the turn matches; in ascending order.
    @inline(__always)
    func take(_ number: Int) -> Bool {
        guard let last = self.runs.last else {
            self.runs.append(number..<number + 1)
            return true
        }
        if last.upperBound == number {
            self.runs[self.runs.count - 1] = last.lowerBound..<number + 1
        } else {
            self.runs.append(number..<number + 1)
        }
        return false
    }

    func endTurn() {
        self.runs.removeAll(keepingCapacity: true)
    }
}

/// The groups of one event loop, and which of them an event concerns.
///
/// Which groups match is remembered by type, symbol and source, so that an event costs the same with one filter and
/// with thousands.
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

    private var byKey: [Key: StreamGroup] = [:]
    private var cacheable: [StreamGroup] = []
    private var uncacheable: [StreamGroup] = []
    private var cache: [Envelope: [StreamGroup]] = [:]
    private static let cacheCapacity = 16_384

    var isEmpty: Bool { self.byKey.isEmpty }

    /// Puts a client with those that want the same.
    mutating func add(_ client: StreamClient, interest: StreamInterest) -> StreamGroup {
        let key = Key(interest: interest, format: client.sink.format)
        if let group = self.byKey[key] {
            group.members.append(client)
            return group
        }
        let group = StreamGroup(interest, client.sink.format)
        group.members.append(client)
        self.byKey[key] = group
        if group.matcher.dependsOnEnvelopeOnly { self.cacheable.append(group) } else { self.uncacheable.append(group) }
        self.cache.removeAll(keepingCapacity: true)
        return group
    }

    mutating func remove(_ client: StreamClient, from group: StreamGroup) {
        group.members.removeAll { $0 === client }
        guard group.members.isEmpty else { return }
        self.byKey[Key(interest: group.interest, format: group.format)] = nil
        self.cacheable.removeAll { $0 === group }
        self.uncacheable.removeAll { $0 === group }
        self.cache.removeAll(keepingCapacity: true)
    }

    /// Lets every group note its events of a turn; returns the groups that have any.
    mutating func distribute(_ turn: StreamTurn) -> [StreamGroup] {
        var touched: [StreamGroup] = []
        for number in 0..<turn.count {
            let event = turn.event(number)
            for group in self.groups(for: event) where group.take(number) { touched.append(group) }
            for group in self.uncacheable where group.matcher.matches(event) && group.take(number) {
                touched.append(group)
            }
        }
        return touched
    }

    @inline(__always)
    private mutating func groups(for event: borrowing StandardEvent) -> [StreamGroup] {
        if self.cacheable.isEmpty { return [] }
        let envelope = Envelope(
            type: event.eventType, symbol: event.payload.symbol, venueSymbol: event.payload.venueSymbol,
            source: event.source)
        if let known = self.cache[envelope] { return known }
        var found: [StreamGroup] = []
        for group in self.cacheable where group.matcher.matches(event) { found.append(group) }
        if self.cache.count >= Self.cacheCapacity { self.cache.removeAll(keepingCapacity: true) }
        self.cache[envelope] = found
        return found
    }
}
