import Synchronization

/// Up to 64 events that travel together: the unit of flow.
///
/// Immutable and shared: a filter, a lane or a conflation picks events out of it with one 64-bit mask, and each
/// subscription takes one reference. The JSON of its events is made at most once, by whoever first asks.
public final class EventBatch: Sendable {
    /// The most events that one batch holds.
    public static let capacity = 64

    package let events: ContiguousArray<StandardEvent>
    /// The priority lane that all events share; `nil` when they differ.
    let sharedLane: Int?
    private let lazyJSON = AtomicLazyReference<EncodedEvents>()

    /// - Parameter events: at most ``capacity``.
    public init(_ events: some Sequence<StandardEvent>) {
        self.events = ContiguousArray(events)
        precondition(self.events.count <= Self.capacity, "a batch holds at most \(Self.capacity) events")
        let lane = self.events.first?.priority.lane
        self.sharedLane = self.events.allSatisfy { $0.priority.lane == lane } ? lane ?? 0 : nil
    }

    public convenience init(_ event: StandardEvent) {
        self.init(CollectionOfOne(event))
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

    public var count: Int { self.events.count }
    public var isEmpty: Bool { self.events.isEmpty }

    public subscript(index: Int) -> StandardEvent {
        self.events[index]
    }

    /// One bit for each event.
    package var fullMask: UInt64 {
        self.events.count == Self.capacity ? .max : (1 << UInt64(self.events.count)) &- 1
    }

    /// The JSON of every event, made now if nobody has asked before.
    package var json: EncodedEvents {
        self.lazyJSON.load() ?? self.lazyJSON.storeIfNil(EncodedEvents(self.events))
    }
}

/// The JSON texts of a batch, one after the other in one block of memory.
///
/// - Note: `@unchecked Sendable` is sound: the memory is written in `init` only and freed in `deinit`.
package final class EncodedEvents: @unchecked Sendable {
    private let memory: UnsafeMutableRawBufferPointer
    private let ends: [Int]

    init(_ events: ContiguousArray<StandardEvent>) {
        var writer = JSONWriter(capacity: events.count * 384)
        var ends: [Int] = []
        ends.reserveCapacity(events.count)
        for index in events.indices {
            writer.write(events[index])
            ends.append(writer.count)
        }
        self.ends = ends
        self.memory = writer.withBytes { bytes in
            let copy = UnsafeMutableRawBufferPointer.allocate(byteCount: max(bytes.count, 1), alignment: 8)
            copy.copyMemory(from: bytes)
            return copy
        }
    }

    deinit {
        self.memory.deallocate()
    }

    /// How many bytes the text of an event has.
    package func byteCount(at index: Int) -> Int {
        self.ends[index] - (index == 0 ? 0 : self.ends[index - 1])
    }

    /// The text of an event; valid only inside `body`.
    @inline(__always)
    package func withJSON<Result, Failure: Error>(
        at index: Int, _ body: (UnsafeRawBufferPointer) throws(Failure) -> Result
    ) throws(Failure) -> Result {
        let start = index == 0 ? 0 : self.ends[index - 1]
        return try body(UnsafeRawBufferPointer(rebasing: self.memory[start..<self.ends[index]]))
    }
}
