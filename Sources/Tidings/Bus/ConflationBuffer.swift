/// What waits in a subscription that only wants the newest event of each key.
///
/// A machine without locks, clocks or tasks. Events are held one by one in a slab, linked in the order in which they are
/// to be handed out, one list for each priority lane; the replacement of a waiting event goes to the tail. At the bound the
/// oldest event of the least urgent lane goes.
struct ConflationBuffer: ~Copyable {
    private struct Node {
        var event: StandardEvent?
        var key: UInt64
        var offeredAt: Int64
        var lane: Int
        var weight: Int
        var previous: Int
        var next: Int
        var witness: (any EventWitness)?
    }

    private struct List {
        var head = -1
        var tail = -1
    }

    private let capacity: Int
    private var nodes: [Node] = []
    private var free: [Int] = []
    private var places: [UInt64: Int] = [:]
    private var lists = Array(repeating: List(), count: SubscriptionBuffer.laneCount)
    private(set) var occupied: UInt16 = 0
    private(set) var count = 0
    private var weight = 0
    private(set) var dropped: UInt64 = 0
    private(set) var conflated: UInt64 = 0
    private var droppedSinceDelivery: UInt64 = 0
    /// Replaced and dropped events whose witness has not been told yet.
    private var abandoned: [EventSelection] = []

    init(capacity: Int) {
        self.capacity = capacity
    }

    var isEmpty: Bool { self.count == 0 }

    /// When what waits longest was offered; `nil` when nothing waits.
    var oldestOffer: Int64? {
        var oldest: Int64?
        for list in self.lists where list.head >= 0 {
            oldest = min(oldest ?? .max, self.nodes[list.head].offeredAt)
        }
        return oldest
    }

    // MARK: Publishers

    mutating func offer(
        _ event: borrowing StandardEvent, witness: (any EventWitness)? = nil, key: UInt64, at now: Int64
    ) {
        if let place = self.places[key] {
            self.unlink(place)
            self.conflated += 1
            self.abandon(place)
            self.fill(place, with: copy event, key: key, at: now)
            self.nodes[place].witness = witness
            return
        }
        let place: Int
        if let known = self.free.popLast() {
            place = known
        } else {
            place = self.nodes.count
            self.nodes.append(Node(event: nil, key: 0, offeredAt: 0, lane: 0, weight: 0, previous: -1, next: -1))
        }
        self.places[key] = place
        self.fill(place, with: copy event, key: key, at: now)
        self.nodes[place].witness = witness
        while self.weight > self.capacity && self.count > 1 { self.dropOldest() }
    }

    /// Writes an event into its node and links that to the tail of its lane.
    private mutating func fill(_ place: Int, with event: consuming StandardEvent, key: UInt64, at now: Int64) {
        let (lane, weight) = (event.priority.lane, event.weight)
        let tail = self.lists[lane].tail
        self.nodes[place].event = event
        self.nodes[place].key = key
        self.nodes[place].offeredAt = now
        self.nodes[place].lane = lane
        self.nodes[place].weight = weight
        self.nodes[place].previous = tail
        self.nodes[place].next = -1
        if tail >= 0 { self.nodes[tail].next = place } else { self.lists[lane].head = place }
        self.lists[lane].tail = place
        self.occupied |= 1 << UInt16(lane)
        self.count += 1
        self.weight += weight
    }

    private mutating func unlink(_ place: Int) {
        let (lane, previous, next) = (self.nodes[place].lane, self.nodes[place].previous, self.nodes[place].next)
        if previous >= 0 { self.nodes[previous].next = next } else { self.lists[lane].head = next }
        if next >= 0 { self.nodes[next].previous = previous } else { self.lists[lane].tail = previous }
        if self.lists[lane].head < 0 { self.occupied &= ~(1 << UInt16(lane)) }
        self.count -= 1
        self.weight -= self.nodes[place].weight
    }

    /// Takes a node's event out and frees the node.
    private mutating func remove(_ place: Int) -> StandardEvent? {
        self.unlink(place)
        self.places[self.nodes[place].key] = nil
        self.free.append(place)
        let event = self.nodes[place].event
        self.nodes[place].event = nil
        self.nodes[place].witness = nil
        return event
    }

    /// Notes that an event will not be handled, where somebody wants to know.
    private mutating func abandon(_ place: Int) {
        guard let witness = self.nodes[place].witness else { return }
        var event = self.nodes[place].event
        self.abandoned.append(
            EventSelection(
                EventBatch(room: 1, witness: witness) {
                    defer { event = nil }
                    return event
                }))
    }

    /// Whether ``takeAbandoned()`` has anything to say.
    var hasAbandoned: Bool { !self.abandoned.isEmpty }

    /// Replaced and dropped events whose witness has to be told.
    mutating func takeAbandoned() -> [EventSelection] {
        let abandoned = self.abandoned
        self.abandoned = []
        return abandoned
    }

    private mutating func dropOldest() {
        let lane = UInt16.bitWidth - 1 - self.occupied.leadingZeroBitCount
        guard lane >= 0 else { return }
        self.abandon(self.lists[lane].head)
        _ = self.remove(self.lists[lane].head)
        self.dropped += 1
        self.droppedSinceDelivery += 1
    }

    // MARK: Consumer

    /// The oldest events of the most urgent lane, at most `limit`, in a batch of their own; those of one witness at a time.
    mutating func take(at now: Int64, limit: Int = EventBatch.capacity) -> SubscriptionBuffer.Delivery? {
        let next = SubscriptionBuffer.mostUrgent(of: self.occupied, at: now) { lane in
            self.nodes[self.lists[lane].head].offeredAt
        }
        guard let (lane, urgency) = next else { return nil }
        let amount = min(limit, EventBatch.capacity, self.count)
        let offeredAt = self.nodes[self.lists[lane].head].offeredAt
        let witness = self.nodes[self.lists[lane].head].witness
        var rest = amount
        let batch = EventBatch(room: amount, witness: witness) {
            let head = self.lists[lane].head
            guard rest > 0, head >= 0, self.nodes[head].witness === witness else { return nil }
            rest -= 1
            return self.remove(head)
        }
        let dropped = self.droppedSinceDelivery
        self.droppedSinceDelivery = 0
        return SubscriptionBuffer.Delivery(
            selection: EventSelection(batch), offeredAt: offeredAt, lane: urgency, dropped: dropped)
    }

    /// Puts back, at the head of their lane, those events that no newer one of their key has replaced meanwhile.
    mutating func putBack(_ selection: EventSelection, key: (borrowing StandardEvent) -> UInt64, offeredAt: Int64) {
        for index in Array(selection.indices).reversed() {
            let key = key(selection.batch.slots[index])
            if self.places[key] != nil {
                self.conflated += 1
                if selection.batch.witness != nil {
                    self.abandoned.append(EventSelection(selection.batch, mask: 1 << UInt64(index)))
                }
                continue
            }
            let lane = selection.batch.slots[index].priority.lane
            let head = self.lists[lane].head
            let place = self.free.popLast() ?? self.nodes.count
            let weight = selection.batch.slots[index].weight
            let node = Node(
                event: selection.batch.slots[index], key: key, offeredAt: offeredAt, lane: lane, weight: weight,
                previous: -1, next: head, witness: selection.batch.witness)
            if place == self.nodes.count { self.nodes.append(node) } else { self.nodes[place] = node }
            if head >= 0 { self.nodes[head].previous = place } else { self.lists[lane].tail = place }
            self.lists[lane].head = place
            self.places[key] = place
            self.occupied |= 1 << UInt16(lane)
            self.count += 1
            self.weight += weight
        }
    }
}
