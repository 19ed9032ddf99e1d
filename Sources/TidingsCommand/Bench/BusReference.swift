import Foundation
import Synchronization
import Tidings

/// What the bus is measured against.
enum BusReference {
    /// Events created and handed to closures, one after the other.
    static func closures(_ count: Int, _ amount: Int) -> Int {
        let sum = Counter()
        let handlers: [@Sendable (StandardEvent) -> Void] = (0..<count).map { _ in { event in sum.add(event) } }
        let maker = TradeMaker()
        for _ in 0..<amount {
            let event = maker.trade()
            for handler in handlers { handler(event) }
        }
        precondition(sum.value == amount * count)
        return amount
    }

    /// Events created on one thread, written into a ring and read on another: what the machine can do at best.
    static func ring(_ amount: Int) -> Int {
        let ring = EventRing()
        let reader = Thread {
            var seen = 0
            while seen < amount { seen += ring.read() }
            ring.readerIsDone.signal()
        }
        reader.start()
        let maker = TradeMaker()
        for _ in 0..<amount { ring.write(maker.trade()) }
        ring.flush()
        ring.readerIsDone.wait()
        return amount
    }
}

/// A ring of events for one writer and one reader, each of which tells the other of its progress every 64 events.
///
/// - Note: `@unchecked Sendable` is sound: a slot belongs to the writer until `written`, stored with a release, passes it,
///   and to the reader until `freed` does.
private final class EventRing: @unchecked Sendable {
    private static let size = 16_384
    private let slots = UnsafeMutablePointer<StandardEvent>.allocate(capacity: EventRing.size)
    private let written = Atomic<Int>(0)
    private let freed = Atomic<Int>(0)
    /// The writer's own.
    private var next = 0
    private var limit = EventRing.size
    let readerIsDone = DispatchSemaphore(value: 0)

    deinit {
        for index in self.freed.load(ordering: .relaxed)..<self.written.load(ordering: .relaxed) {
            (self.slots + index % Self.size).deinitialize(count: 1)
        }
        self.slots.deallocate()
    }

    @inline(__always)
    func write(_ event: consuming StandardEvent) {
        while self.next == self.limit {
            self.flush()
            self.limit = self.freed.load(ordering: .acquiring) + Self.size
            if self.next == self.limit { sched_yield() }
        }
        (self.slots + self.next % Self.size).initialize(to: event)
        self.next += 1
        if self.next % 64 == 0 { self.flush() }
    }

    func flush() {
        self.written.store(self.next, ordering: .releasing)
    }

    /// Reads what is there and returns how many that were.
    func read() -> Int {
        let start = self.freed.load(ordering: .relaxed)
        let end = min(self.written.load(ordering: .acquiring), start + 64)
        if start == end {
            sched_yield()
            return 0
        }
        for index in start..<end { (self.slots + index % Self.size).deinitialize(count: 1) }
        self.freed.store(end, ordering: .releasing)
        return end - start
    }
}
