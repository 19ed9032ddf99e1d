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
        /// Whether the queue belongs to a handler, which circles are looked for at.
        let isHandler: Bool

        init(filter: EventFilter, target: Target, subscription: Subscription, isHandler: Bool) {
            self.filter = filter
            self.target = target
            self.subscription = subscription
            self.checksMoreThanType = !filter.restsUnrestricted
            self.isHandler = isHandler
        }
    }

    /// The routes whose types match one type, by their places in ``all``.
    final class Candidates: Sendable {
        let places: [Int]
        let routes: ContiguousArray<Route>
        let hasQueues: Bool

        init(_ places: [Int], of all: ContiguousArray<Route>) {
            self.places = places
            self.routes = ContiguousArray(places.map { all[$0] })
            self.hasQueues = self.routes.contains { if case .queue = $0.target { true } else { false } }
        }
    }

    /// All routes, those of a lower handler priority first, otherwise in the order of subscribing.
    let all: ContiguousArray<Route>
    private let byType: ByType

    /// What is known of each interned type, filled in when it first occurs.
    ///
    /// `AtomicLazyReference` would do the same but is not specialised for us, which costs more than all the rest of looking
    /// a type up.
    ///
    /// - Note: `@unchecked Sendable` is sound: the pointer never changes after `init`, each element is an atomic that is
    ///   set once, and what it refers to is retained until `deinit`.
    private final class ByType: @unchecked Sendable {
        private let slots: UnsafeMutablePointer<Atomic<Unmanaged<Candidates>?>>

        init() {
            self.slots = .allocate(capacity: EventType.capacity)
            for index in 0..<EventType.capacity { (self.slots + index).initialize(to: Atomic(nil)) }
        }

        deinit {
            for index in 0..<EventType.capacity { self.slots[index].load(ordering: .acquiring)?.release() }
            self.slots.deinitialize(count: EventType.capacity)
            self.slots.deallocate()
        }

        @inline(__always)
        func candidates(at index: Int) -> Candidates? {
            self.slots[index].load(ordering: .acquiring)?.takeUnretainedValue()
        }

        /// Remembers what was found, unless somebody else was faster.
        func remember(_ candidates: Candidates, at index: Int) -> Candidates {
            let ours = Unmanaged.passRetained(candidates)
            let (isOurs, known) = self.slots[index].compareExchange(
                expected: nil, desired: ours, ordering: .acquiringAndReleasing)
            if isOurs { return candidates }
            ours.release()
            return known?.takeUnretainedValue() ?? candidates
        }
    }

    init(_ routes: some Sequence<Route>) {
        self.all = ContiguousArray(routes)
        self.byType = ByType()
    }

    /// The routes that take a type.
    @inline(__always)
    func candidates(for type: EventType) -> Candidates {
        guard let index = type.index else { return self.resolve(type) }
        return self.byType.candidates(at: index) ?? self.byType.remember(self.resolve(type), at: index)
    }

    private func resolve(_ type: EventType) -> Candidates {
        Candidates(self.all.indices.filter { self.all[$0].filter.matchesType(type) }, of: self.all)
    }

    /// One route and the events of a batch that it gets.
    struct Match {
        let route: Route
        var mask: UInt64
    }

    /// Which of the events each route gets, for those that get any, in the order of the routes.
    func match(_ selection: EventSelection) -> ContiguousArray<Match> {
        guard selection.mask != 0 else { return [] }
        let slots = selection.batch.slots
        let type = slots[selection.mask.trailingZeroBitCount].eventType
        let ofType = Self.mask(of: type, in: selection.batch, among: selection.mask)
        let candidates = self.candidates(for: type)
        if ofType == selection.mask {
            // Batches seldom have events of more than one type.
            var matches = ContiguousArray<Match>()
            for route in candidates.routes {
                let mask = Self.matching(route, ofType, in: selection.batch)
                if mask != 0 { matches.append(Match(route: route, mask: mask)) }
            }
            return matches
        }
        var masks = ContiguousArray<UInt64>(repeating: 0, count: self.all.count)
        var rest = selection.mask
        while rest != 0 {
            let type = slots[rest.trailingZeroBitCount].eventType
            let ofType = Self.mask(of: type, in: selection.batch, among: rest)
            rest &= ~ofType
            for place in self.candidates(for: type).places {
                masks[place] |= Self.matching(self.all[place], ofType, in: selection.batch)
            }
        }
        var matches = ContiguousArray<Match>()
        for place in masks.indices where masks[place] != 0 {
            matches.append(Match(route: self.all[place], mask: masks[place]))
        }
        return matches
    }

    private static func mask(of type: EventType, in batch: EventBatch, among mask: UInt64) -> UInt64 {
        var ofType: UInt64 = 0
        for index in MaskIndices(mask: mask) where batch.slots[index].eventType == type {
            ofType |= 1 << UInt64(index)
        }
        return ofType
    }

    private static func matching(_ route: Route, _ ofType: UInt64, in batch: EventBatch) -> UInt64 {
        guard route.checksMoreThanType else { return ofType }
        var mask = ofType
        for index in MaskIndices(mask: ofType) where !route.filter.matchesRest(batch.slots[index]) {
            mask &= ~(1 << UInt64(index))
        }
        return mask
    }
}
