import DequeModule

/// Who may handle what next, where events of one key are handled one after the other and those of different keys at once.
///
/// A machine without locks or tasks. An event whose key is being handled is set aside, in order, until the worker that
/// has the key comes back for it; at most ``capacity`` events are aside at a time.
struct KeyedSchedule {
    private static let capacity = 1024

    private let key: EventKey
    private var active: [UInt64: Deque<SubscriptionBuffer.Delivery>] = [:]
    private(set) var asideCount = 0

    init(by key: EventKey) {
        self.key = key
    }

    /// Whether another event may be taken from the queue.
    var hasRoom: Bool { self.asideCount < Self.capacity }

    /// Decides what becomes of an event that was just taken: returned to be handled now, or set aside (`nil`).
    mutating func admit(_ delivery: SubscriptionBuffer.Delivery) -> SubscriptionBuffer.Delivery? {
        let key = self.key(of: delivery)
        if self.active[key] != nil {
            self.active[key]?.append(delivery)
            self.asideCount += 1
            return nil
        }
        self.active[key] = []
        return delivery
    }

    /// Notes that a delivery was handled and returns the next one of its key, if one is aside.
    mutating func finish(_ delivery: SubscriptionBuffer.Delivery) -> SubscriptionBuffer.Delivery? {
        let key = self.key(of: delivery)
        guard let next = self.active[key]?.popFirst() else {
            self.active[key] = nil
            return nil
        }
        self.asideCount -= 1
        return next
    }

    /// Notes that the worker which has the key of a delivery goes away, and returns what is aside for it, in order.
    mutating func release(_ delivery: SubscriptionBuffer.Delivery) -> [SubscriptionBuffer.Delivery] {
        let aside = self.active.removeValue(forKey: self.key(of: delivery)) ?? []
        self.asideCount -= aside.count
        return Array(aside)
    }

    /// Takes out everything that is aside.
    mutating func removeAll() -> [SubscriptionBuffer.Delivery] {
        let aside = self.active.values.flatMap { Array($0) }
        for key in self.active.keys { self.active[key] = [] }
        self.asideCount = 0
        return aside
    }

    private func key(of delivery: SubscriptionBuffer.Delivery) -> UInt64 {
        self.key.hash(delivery.selection.batch.slots[delivery.selection.mask.trailingZeroBitCount])
    }
}
