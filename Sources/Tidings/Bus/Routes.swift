import Synchronization

/// Where events go: an immutable picture of all subscriptions, made anew when one comes or goes.
final class Routes: Sendable {
    /// One subscription, as publishers see it.
    final class Route: Sendable {
        enum Target: Sendable {
            case tap(@Sendable (StandardEvent) throws -> Void)
            case queue(EventQueue)
        }

        let filter: EventFilter
        let target: Target
        let subscription: Subscription
        let checksMoreThanType: Bool

        init(filter: EventFilter, target: Target, subscription: Subscription) {
            self.filter = filter
            self.target = target
            self.subscription = subscription
            self.checksMoreThanType = !filter.restsUnrestricted
        }
    }

    /// The routes whose types match one type.
    private final class Candidates: Sendable {
        let routes: [Int]

        init(_ routes: [Int]) {
            self.routes = routes
        }
    }

    let all: [Route]
    private let byType: ByType

    /// - Note: `@unchecked Sendable` is sound: the pointer never changes after `init`, and each element is an atomic.
    private final class ByType: @unchecked Sendable {
        let slots: UnsafeMutablePointer<AtomicLazyReference<Candidates>>

        init() {
            self.slots = .allocate(capacity: EventType.capacity)
            for index in 0..<EventType.capacity { (self.slots + index).initialize(to: AtomicLazyReference()) }
        }

        deinit {
            self.slots.deinitialize(count: EventType.capacity)
            self.slots.deallocate()
        }
    }

    init(_ routes: [Route]) {
        self.all = routes
        self.byType = ByType()
    }

    /// The places in ``all`` of the routes that take a type.
    @inline(__always)
    func candidates(for type: EventType) -> [Int] {
        guard let index = type.index else { return self.resolve(type) }
        if let known = self.byType.slots[index].load() { return known.routes }
        return self.byType.slots[index].storeIfNil(Candidates(self.resolve(type))).routes
    }

    private func resolve(_ type: EventType) -> [Int] {
        self.all.indices.filter { self.all[$0].filter.matchesType(type) }
    }

    /// Which of the events each route gets, for those that get any.
    func match(_ selection: EventSelection) -> [(route: Route, mask: UInt64)] {
        let batch = selection.batch
        var matches: [(route: Route, mask: UInt64)] = []
        var placeOfRoute: [Int: Int] = [:]
        var rest = selection.mask
        var isFirstType = true
        while rest != 0 {
            // All events of the first event's type at once: a batch seldom has more than one.
            let type = batch.events[rest.trailingZeroBitCount].eventType
            var ofType: UInt64 = 0
            for index in MaskIndices(mask: rest) where batch.events[index].eventType == type {
                ofType |= 1 << UInt64(index)
            }
            rest &= ~ofType
            for number in self.candidates(for: type) {
                let route = self.all[number]
                var mask = ofType
                if route.checksMoreThanType {
                    for index in MaskIndices(mask: ofType) where !route.filter.matchesRest(batch.events[index]) {
                        mask &= ~(1 << UInt64(index))
                    }
                }
                if mask == 0 { continue }
                if !isFirstType, let place = placeOfRoute[number] {
                    matches[place].mask |= mask
                } else {
                    if rest != 0 || !isFirstType { placeOfRoute[number] = matches.count }
                    matches.append((route, mask))
                }
            }
            isFirstType = false
        }
        return matches
    }
}
