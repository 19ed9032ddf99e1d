import Synchronization

/// Up to 64 events that travel together: the unit of flow.
///
/// Immutable to everyone who holds one, and shared: a filter, a lane or a conflation picks events out of it with one
/// 64-bit mask, and each subscription takes one reference. The JSON of its events is made at most once, by whoever first
/// asks.
///
/// Events that are published one by one share batches too: the bus appends them to an open batch until it is full or
/// somebody has taken events out of it, which seals it.
///
/// - Note: `@unchecked Sendable` is sound: a slot is written once, by the one thread that may append (it holds the bus's
///   lock), before `state` counts it with a release; everybody else reads only slots that an acquiring load of `state`, or
///   the lock of a queue that the writer held afterwards, has shown them. Nothing but `deinit` writes a slot again.
public final class EventBatch: @unchecked Sendable {
    /// The most events that one batch holds.
    public static let capacity = 64
    private static let sealed: UInt64 = 1 << 32

    /// The events; valid while somebody holds the batch.
    let slots: UnsafeMutablePointer<StandardEvent>
    private let room: Int
    /// How many slots are filled, and whether no more will be.
    private let state: Atomic<UInt64>
    /// The priority lane that all events share; `nil` when they differ or more may come.
    let sharedLane: Int?
    /// Whether every event counts as one in a subscription's capacity.
    let isLight: Bool
    /// Who wants to know what becomes of the events.
    let witness: (any EventWitness)?
    private let firstQueuedAt = Atomic<Int64>(0)
    private let lazyJSON = AtomicLazyReference<EncodedEvents>()

    /// Takes over slots of which the first `count` are filled.
    init(adopting slots: UnsafeMutablePointer<StandardEvent>, count: Int, room: Int, witness: (any EventWitness)?) {
        var lanes: UInt16 = 0
        var isLight = true
        for index in 0..<count {
            lanes |= 1 << UInt16(slots[index].priority.lane)
            if !slots[index].payload.isLight || slots[index].details != nil {
                isLight = isLight && slots[index].weight == 1
            }
        }
        self.slots = slots
        self.room = room
        self.state = Atomic(UInt64(count) | Self.sealed)
        self.sharedLane = lanes.nonzeroBitCount <= 1 ? lanes.trailingZeroBitCount % 16 : nil
        self.isLight = isLight
        self.witness = witness
    }

    @usableFromInline
    convenience init(adopting slots: UnsafeMutablePointer<StandardEvent>, count: Int, room: Int) {
        self.init(adopting: slots, count: count, room: room, witness: nil)
    }

    /// Fills a batch from a function until that returns `nil`; at most ``capacity`` times.
    ///
    /// - Parameter room: how many events there will be at most.
    convenience init(room: Int, witness: (any EventWitness)? = nil, next: () -> StandardEvent?) {
        let room = min(max(room, 1), Self.capacity)
        let slots = UnsafeMutablePointer<StandardEvent>.allocate(capacity: room)
        var count = 0
        while let event = next() {
            precondition(count < room, "a batch holds at most \(Self.capacity) events")
            (slots + count).initialize(to: event)
            count += 1
        }
        self.init(adopting: slots, count: count, room: room, witness: witness)
    }

    /// Copies of some events of another batch.
    convenience init(copying selection: EventSelection) {
        var rest = selection.indices
        self.init(room: selection.count, witness: selection.batch.witness) {
            rest.next().map { selection.batch.slots[$0] }
        }
    }

    /// The events of a batch as `change` makes them, in their places.
    convenience init(changing batch: EventBatch, _ change: (StandardEvent) -> StandardEvent) {
        var index = 0
        self.init(room: batch.count, witness: batch.witness) {
            guard index < batch.count else { return nil }
            index += 1
            return change(batch.slots[index - 1])
        }
    }

    /// An open batch.
    init(openWithRoom room: Int) {
        self.room = room
        self.slots = .allocate(capacity: room)
        self.state = Atomic(0)
        self.sharedLane = nil
        self.isLight = true
        self.witness = nil
    }

    /// - Parameter events: at most ``capacity``.
    @inlinable
    public convenience init(_ events: some Sequence<StandardEvent>) {
        // Inlined where it is called, so that each event is made in its slot.
        let expected = events.underestimatedCount
        let room = expected > 0 && expected < Self.capacity ? expected : Self.capacity
        let slots = UnsafeMutablePointer<StandardEvent>.allocate(capacity: room)
        var count = 0
        for event in events {
            precondition(count < room, "a batch holds at most 64 events, and as many as its sequence promised")
            (slots + count).initialize(to: event)
            count += 1
        }
        self.init(adopting: slots, count: count, room: room)
    }

    /// A batch of one event.
    public convenience init(_ event: StandardEvent) {
        let slots = UnsafeMutablePointer<StandardEvent>.allocate(capacity: 1)
        slots.initialize(to: event)
        self.init(adopting: slots, count: 1, room: 1)
    }

    deinit {
        self.slots.deinitialize(count: self.count)
        self.slots.deallocate()
    }

    /// When events of it were first queued for the log, on our monotonic clock; `nil` before that.
    package var queuedAt: Int64? {
        let moment = self.firstQueuedAt.load(ordering: .relaxed)
        return moment == 0 ? nil : moment
    }

    func noteQueued(at now: Int64) {
        if self.firstQueuedAt.load(ordering: .relaxed) == 0 { self.firstQueuedAt.store(now, ordering: .relaxed) }
    }

    /// The events cut into batches, in order.
    public static func batches(of events: some Collection<StandardEvent>) -> [EventBatch] {
        var batches: [EventBatch] = []
        var rest = events[...]
        while !rest.isEmpty {
            batches.append(EventBatch(rest.prefix(Self.capacity)))
            rest = rest.dropFirst(Self.capacity)
        }
        return batches
    }

    public var count: Int {
        Int(self.state.load(ordering: .acquiring) & 0xFF)
    }

    public var isEmpty: Bool { self.count == 0 }

    public subscript(index: Int) -> StandardEvent {
        precondition((0..<self.count).contains(index), "the batch has \(self.count) events")
        return self.slots[index]
    }

    /// The events in order.
    package var events: Events { Events(batch: self) }

    /// One bit for each event.
    package var fullMask: UInt64 {
        let count = self.count
        return count == Self.capacity ? .max : (1 << UInt64(count)) &- 1
    }

    // MARK: Open batches

    /// Adds an event and says where it stands; `nil` when the batch is full or sealed. For one thread at a time.
    func append(_ event: borrowing StandardEvent) -> Int? {
        let state = self.state.load(ordering: .relaxed)
        let count = Int(state & 0xFF)
        guard state & Self.sealed == 0, count < self.room else { return nil }
        (self.slots + count).initialize(to: copy event)
        let (isCounted, _) = self.state.compareExchange(
            expected: state, desired: state + 1, ordering: .acquiringAndReleasing)
        if isCounted { return count }
        (self.slots + count).deinitialize(count: 1)
        return nil
    }

    /// Ends appending, because somebody has taken events out.
    @inline(__always)
    func seal() {
        if self.state.load(ordering: .acquiring) & Self.sealed == 0 {
            self.state.bitwiseOr(Self.sealed, ordering: .acquiringAndReleasing)
        }
    }

    /// How many slots the next open batch should have: more when this one ran full, fewer when it hardly filled.
    var roomForNext: Int {
        let count = self.count
        if count == self.room { return min(self.room * 4, Self.capacity) }
        var room = 4
        while room < count * 2 { room *= 2 }
        return min(room, Self.capacity)
    }

    /// Whether keeping the whole batch for a few of its events would hold much more memory than they need.
    func isSparse(_ mask: UInt64) -> Bool {
        mask.nonzeroBitCount * 8 < self.room
    }

    /// The JSON of every event, made now if nobody has asked before.
    package var json: EncodedEvents {
        if let json = self.lazyJSON.load() { return json }
        self.seal()
        return self.lazyJSON.storeIfNil(EncodedEvents(self.events))
    }

    /// The events of a batch, which this keeps alive.
    package struct Events: RandomAccessCollection {
        let batch: EventBatch

        package var startIndex: Int { 0 }
        package var endIndex: Int { self.batch.count }
        package subscript(position: Int) -> StandardEvent { self.batch[position] }
    }
}

/// Somebody who wants to know what becomes of the events of a batch: a publisher that waits until they are handled, a
/// durable subscription, the retry of a dead letter.
protocol EventWitness: AnyObject, Sendable {
    /// The letter that is being retried, if any: further failures are added to it.
    var letter: DeadLetter? { get }

    /// Whether somebody waits, so that the events must not go to a handler that may be waiting itself.
    var isAwaited: Bool { get }

    /// So many more events are about to be handed to handlers.
    func expect(_ count: Int)

    /// Whether an event that is not handled by the time the bus stops will be handed out again.
    var isDurable: Bool { get }

    /// Called once for each event and subscription that took it. Must only note it down.
    func settled(_ event: borrowing StandardEvent, _ outcome: HandlingOutcome)
}

/// How the handling of an event by one subscription ended.
enum HandlingOutcome: Sendable {
    case handled
    /// Given up; it is in the dead letters.
    case dead
    /// Not handled: dropped, or the subscription ended.
    case abandoned
}
