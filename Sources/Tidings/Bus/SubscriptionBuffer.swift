import DequeModule

/// The queue of one subscription: ten priority lanes, a bound, and what to do at the bound.
///
/// A machine without locks, clocks or tasks: its owner brings those. Capacity counts events, not batches.
struct SubscriptionBuffer: ~Copyable {
    struct Entry {
        var selection: EventSelection
        /// When it was offered, in nanoseconds of the owner's clock.
        var offeredAt: Int64
    }

    /// What a consumer gets.
    struct Delivery {
        var selection: EventSelection
        var offeredAt: Int64
        /// How many events were given up since the last delivery.
        var dropped: UInt64
    }

    private let capacity: Int
    private let overflow: SubscriptionOptions.Overflow
    private var lanes: [Deque<Entry>]
    /// One bit for each lane that holds anything.
    private var occupied: UInt16 = 0
    private(set) var count = 0
    /// Room promised to publishers that have not offered yet.
    private var reserved = 0
    private(set) var dropped: UInt64 = 0
    private var droppedSinceDelivery: UInt64 = 0

    init(capacity: Int, overflow: SubscriptionOptions.Overflow) {
        self.capacity = capacity
        self.overflow = overflow
        self.lanes = Array(repeating: Deque(), count: 10)
    }

    var isEmpty: Bool { self.count == 0 }

    // MARK: Publishers

    /// Promises room for `events`; only where publishers wait for it. A batch larger than the whole capacity is let in
    /// when nothing else waits.
    mutating func reserve(_ events: Int) -> Bool {
        let used = self.count + self.reserved
        guard used + events <= self.capacity || used == 0 else { return false }
        self.reserved += events
        return true
    }

    /// Gives back room that was promised and not used.
    mutating func release(_ events: Int) {
        self.reserved -= events
    }

    /// Takes events in. Room has to be reserved where the policy is `wait`.
    mutating func offer(_ selection: EventSelection, at now: Int64, reserved: Int) {
        self.reserved -= reserved
        switch self.overflow {
        case .wait:
            self.append(selection, at: now)
        case .dropNewest:
            let room = max(self.capacity - self.count, 0)
            let kept = selection.first(room)
            self.drop(selection.count - kept.count)
            self.append(kept, at: now)
        case .dropOldest:
            self.append(selection, at: now)
            while self.count > self.capacity { self.dropOldest() }
        }
    }

    private mutating func append(_ selection: EventSelection, at now: Int64) {
        guard !selection.isEmpty else { return }
        self.count += selection.count
        if let lane = selection.batch.sharedLane {
            self.lanes[lane].append(Entry(selection: selection, offeredAt: now))
            self.occupied |= 1 << UInt16(lane)
            return
        }
        var rest = selection.mask
        while rest != 0 {
            let lane = selection.batch.events[rest.trailingZeroBitCount].priority.lane
            var mask: UInt64 = 0
            for index in MaskIndices(mask: rest) where selection.batch.events[index].priority.lane == lane {
                mask |= 1 << UInt64(index)
            }
            self.lanes[lane].append(Entry(selection: EventSelection(selection.batch, mask: mask), offeredAt: now))
            self.occupied |= 1 << UInt16(lane)
            rest &= ~mask
        }
    }

    /// Gives up the oldest event of the least urgent lane.
    private mutating func dropOldest() {
        let lane = UInt16.bitWidth - 1 - self.occupied.leadingZeroBitCount
        guard lane >= 0, let entry = self.lanes[lane].popFirst() else { return }
        let rest = entry.selection.mask & (entry.selection.mask &- 1)
        if rest != 0 {
            let selection = EventSelection(entry.selection.batch, mask: rest)
            self.lanes[lane].prepend(Entry(selection: selection, offeredAt: entry.offeredAt))
        } else if self.lanes[lane].isEmpty {
            self.occupied &= ~(1 << UInt16(lane))
        }
        self.count -= 1
        self.drop(1)
    }

    private mutating func drop(_ events: Int) {
        self.dropped += UInt64(events)
        self.droppedSinceDelivery += UInt64(events)
    }

    // MARK: Consumer

    /// The oldest selection of the most urgent lane.
    mutating func take() -> Delivery? {
        guard self.occupied != 0 else { return nil }
        let lane = self.occupied.trailingZeroBitCount
        guard let entry = self.lanes[lane].popFirst() else { return nil }
        if self.lanes[lane].isEmpty { self.occupied &= ~(1 << UInt16(lane)) }
        self.count -= entry.selection.count
        let dropped = self.droppedSinceDelivery
        self.droppedSinceDelivery = 0
        return Delivery(selection: entry.selection, offeredAt: entry.offeredAt, dropped: dropped)
    }

    /// Whether something more urgent than `lane` waits.
    func hasUrgent(before lane: Int) -> Bool {
        self.occupied & ((1 << UInt16(lane)) &- 1) != 0
    }

    /// Puts back what a consumer took and did not get to, in front of its lanes.
    mutating func putBack(_ selection: EventSelection, offeredAt: Int64) {
        guard let first = selection.indices.first(where: { _ in true }) else { return }
        let lane = selection.batch.events[first].priority.lane
        self.lanes[lane].prepend(Entry(selection: selection, offeredAt: offeredAt))
        self.occupied |= 1 << UInt16(lane)
        self.count += selection.count
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
}
