import DequeModule

/// What waits in one subscription: ten priority lanes, a bound, and what to do at the bound.
///
/// A machine without locks, clocks or tasks: its owner brings those. The capacity counts events that match; one that
/// holds on to more than 4 KiB counts as several. Lanes age: what has waited for a second counts as one lane more urgent.
struct SubscriptionBuffer: ~Copyable {
    struct Entry {
        var batch: EventBatch
        var mask: UInt64
        /// When it was offered, in nanoseconds of the owner's clock.
        var offeredAt: Int64

        var selection: EventSelection { EventSelection(self.batch, mask: self.mask) }
    }

    /// What a consumer gets.
    struct Delivery {
        var selection: EventSelection
        var offeredAt: Int64
        /// The lane that the events were taken for: their own, or a more urgent one because of their age.
        var lane: Int
        /// How many events were given up since the last delivery.
        var dropped: UInt64
    }

    static let laneCount = 10
    /// After so many nanoseconds an event counts as one lane more urgent.
    private static let aging: Int64 = 1_000_000_000

    private let capacity: Int
    private let overflow: SubscriptionOptions.Overflow
    private var lanes: [Deque<Entry>]
    /// One bit for each lane that holds anything.
    private(set) var occupied: UInt16 = 0
    private(set) var count = 0
    /// What the waiting events weigh together.
    private(set) var weight = 0
    private(set) var dropped: UInt64 = 0
    private var droppedSinceDelivery: UInt64 = 0
    /// Dropped events whose witness has not been told yet.
    private var abandoned: [EventSelection] = []

    init(capacity: Int, overflow: SubscriptionOptions.Overflow) {
        self.capacity = capacity
        self.overflow = overflow
        self.lanes = Array(repeating: Deque(), count: Self.laneCount)
    }

    var isEmpty: Bool { self.count == 0 }

    /// When what waits longest was offered; `nil` when nothing waits.
    var oldestOffer: Int64? { self.lanes.lazy.compactMap { $0.first?.offeredAt }.min() }

    // MARK: Publishers

    /// Takes events in, and gives others up where the policy says so.
    mutating func offer(_ selection: EventSelection, at now: Int64) {
        switch self.overflow {
        case .wait, .conflate:
            self.append(selection, at: now)
        case .dropNewest:
            let room = max(self.capacity - self.weight, 0)
            let kept = selection.fitting(room)
            if kept.mask != selection.mask {
                self.drop(EventSelection(selection.batch, mask: selection.mask & ~kept.mask))
            }
            self.append(kept, at: now)
        case .dropOldest:
            self.append(selection, at: now)
            while self.weight > self.capacity && self.count > 1 { self.dropOldest() }
        }
    }

    private mutating func append(_ selection: EventSelection, at now: Int64) {
        guard !selection.isEmpty else { return }
        self.count += selection.count
        self.weight += selection.weight
        if let lane = selection.batch.sharedLane {
            self.append(selection.batch, selection.mask, to: lane, at: now)
            return
        }
        var rest = selection.mask
        while rest != 0 {
            let lane = selection.batch.slots[rest.trailingZeroBitCount].priority.lane
            var mask: UInt64 = 0
            for index in MaskIndices(mask: rest) where selection.batch.slots[index].priority.lane == lane {
                mask |= 1 << UInt64(index)
            }
            self.append(selection.batch, mask, to: lane, at: now)
            rest &= ~mask
        }
    }

    private mutating func append(_ batch: EventBatch, _ mask: UInt64, to lane: Int, at now: Int64) {
        if self.occupied & (1 << UInt16(lane)) != 0 {
            let last = self.lanes[lane].count - 1
            let (lastBatch, lastMask) = (self.lanes[lane][last].batch, self.lanes[lane][last].mask)
            if lastBatch === batch {
                // Published one by one into the same batch. Bits only ever grow, so the order stays.
                if lastMask < mask {
                    self.lanes[lane][last].mask = lastMask | mask
                    return
                }
            } else if lastBatch.isSparse(lastMask) {
                // The consumer is behind: do not hold on to a whole batch for a few of its events.
                let copy = EventBatch(copying: EventSelection(lastBatch, mask: lastMask))
                self.lanes[lane][last].batch = copy
                self.lanes[lane][last].mask = copy.fullMask
            }
        }
        self.lanes[lane].append(Entry(batch: batch, mask: mask, offeredAt: now))
        self.occupied |= 1 << UInt16(lane)
    }

    /// Gives up the oldest event of the least urgent lane.
    private mutating func dropOldest() {
        let lane = UInt16.bitWidth - 1 - self.occupied.leadingZeroBitCount
        guard lane >= 0, let entry = self.lanes[lane].first else { return }
        let bit = entry.mask & (~entry.mask &+ 1)
        if entry.mask == bit {
            self.lanes[lane].removeFirst()
            if self.lanes[lane].isEmpty { self.occupied &= ~(1 << UInt16(lane)) }
        } else {
            self.lanes[lane][0].mask = entry.mask & ~bit
        }
        let selection = EventSelection(entry.batch, mask: bit)
        self.count -= 1
        self.weight -= selection.weight
        self.drop(selection)
    }

    private mutating func drop(_ selection: EventSelection) {
        self.dropped += UInt64(selection.count)
        self.droppedSinceDelivery += UInt64(selection.count)
        if selection.batch.witness != nil { self.abandoned.append(selection) }
    }

    /// Whether ``takeAbandoned()`` has anything to say.
    var hasAbandoned: Bool { !self.abandoned.isEmpty }

    /// Dropped events whose witness has to be told.
    mutating func takeAbandoned() -> [EventSelection] {
        if self.abandoned.isEmpty { return [] }
        let abandoned = self.abandoned
        self.abandoned = []
        return abandoned
    }

    // MARK: Consumer

    /// The oldest selection of the most urgent lane, at most `limit` events of it.
    mutating func take(at now: Int64, limit: Int = EventBatch.capacity) -> Delivery? {
        guard let (lane, urgency) = self.next(at: now), let entry = self.lanes[lane].first else { return nil }
        var selection = entry.selection
        if selection.count > limit {
            selection = selection.first(limit)
            self.lanes[lane][0].mask = entry.mask & ~selection.mask
        } else {
            self.lanes[lane].removeFirst()
            if self.lanes[lane].isEmpty { self.occupied &= ~(1 << UInt16(lane)) }
        }
        selection.batch.seal()
        self.count -= selection.count
        self.weight -= selection.weight
        let dropped = self.droppedSinceDelivery
        self.droppedSinceDelivery = 0
        return Delivery(selection: selection, offeredAt: entry.offeredAt, lane: urgency, dropped: dropped)
    }

    /// The lane to take from, and how urgent its head is by now.
    private func next(at now: Int64) -> (lane: Int, urgency: Int)? {
        Self.mostUrgent(of: self.occupied, at: now) { self.lanes[$0].first?.offeredAt ?? now }
    }

    /// The occupied lane whose oldest event is the most urgent by now, and how urgent that is.
    ///
    /// - Parameter oldest: when a lane's oldest event was offered.
    @inline(__always)
    static func mostUrgent(
        of occupied: UInt16, at now: Int64, _ oldest: (Int) -> Int64
    ) -> (lane: Int, urgency: Int)? {
        guard occupied != 0 else { return nil }
        let first = occupied.trailingZeroBitCount
        if occupied & (occupied &- 1) == 0 { return (first, first) }
        var best = (lane: first, urgency: Int.max, offeredAt: Int64.max)
        var rest = occupied
        while rest != 0 {
            let lane = rest.trailingZeroBitCount
            rest &= rest &- 1
            let offeredAt = oldest(lane)
            let urgency = max(lane - Int(max(now - offeredAt, 0) / Self.aging), 0)
            if (urgency, offeredAt) < (best.urgency, best.offeredAt) { best = (lane, urgency, offeredAt) }
        }
        return (best.lane, best.urgency)
    }

    /// Puts back what a consumer took and did not get to, in front of its lanes.
    mutating func putBack(_ selection: EventSelection, offeredAt: Int64) {
        guard !selection.isEmpty else { return }
        let lane = selection.batch.slots[selection.mask.trailingZeroBitCount].priority.lane
        self.lanes[lane].prepend(Entry(batch: selection.batch, mask: selection.mask, offeredAt: offeredAt))
        self.occupied |= 1 << UInt16(lane)
        self.count += selection.count
        self.weight += selection.weight
    }
}

extension EventSelection {
    /// The first `count` selected events.
    func first(_ count: Int) -> EventSelection {
        guard count < self.count else { return self }
        var kept: UInt64 = 0
        for index in self.indices.prefix(count) { kept |= 1 << UInt64(index) }
        return EventSelection(self.batch, mask: kept)
    }

    /// As many of the first events as weigh no more than `weight`.
    func fitting(_ weight: Int) -> EventSelection {
        if self.batch.isLight { return self.first(weight) }
        var (kept, rest) = (UInt64(0), weight)
        for index in self.indices {
            rest -= self.batch.slots[index].weight
            if rest < 0 { break }
            kept |= 1 << UInt64(index)
        }
        return EventSelection(self.batch, mask: kept)
    }
}
