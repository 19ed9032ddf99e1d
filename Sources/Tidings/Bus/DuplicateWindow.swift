/// The identifiers seen last, so that an event that comes twice is recognised.
///
/// Two generations of open-addressing tables: new identifiers go into the young one, lookups ask both, and when the
/// young one is full the old one is forgotten. So at least half and at most all of `capacity` identifiers are known.
///
/// Identifiers of ours and of venues begin with the time, and events come about in the order of their times, so the table
/// is laid out by time, and neighbours in time find their places in memory that is in the processor's cache already. Where
/// it is crowded there, and for identifiers without a time, a hash of all of it chooses. A slot holds a 32-bit tag and the
/// number of the full identifier, which confirms the match. Memory grows with use up to the bound.
struct DuplicateWindow: ~Copyable {
    private struct Generation: ~Copyable {
        /// How many slots are looked at before the hash of the whole identifier decides.
        private static let probes = 8

        private var slots: [UInt64] = []
        private var ids: [EventID] = []

        var count: Int { self.ids.count }

        /// The slot of an identifier, or the free one where it belongs.
        @inline(__always)
        func search(_ id: EventID, fingerprint: UInt64) -> (isFound: Bool, slot: Int) {
            guard !self.slots.isEmpty else { return (false, 0) }
            let mask = self.slots.count &- 1
            let tag = fingerprint & 0xFFFF_FFFF_0000_0000
            return self.slots.withUnsafeBufferPointer { slots in
                var index = Self.home(id, fingerprint) & mask
                var probes = 0
                while true {
                    let slot = slots[index]
                    if slot == 0 { return (false, index) }
                    if slot & 0xFFFF_FFFF_0000_0000 == tag, self.ids[Int(slot & 0xFFFF_FFFF) &- 1] == id {
                        return (true, index)
                    }
                    probes &+= 1
                    index = (probes == Self.probes ? Int(truncatingIfNeeded: fingerprint >> 20) : index &+ 1) & mask
                }
            }
        }

        /// The first slot to look at.
        @inline(__always)
        private static func home(_ id: EventID, _ fingerprint: UInt64) -> Int {
            let hash = Int(truncatingIfNeeded: fingerprint)
            // Four slots for each 4096th of a millisecond: room for eight million a second at half the load. Spread over
            // sixteen microseconds, as events are made in bursts.
            guard let time = id.time else { return hash }
            return Int(truncatingIfNeeded: time) &* 4 &+ (hash & 255)
        }

        /// Adds an identifier that is not there.
        /// - Parameter slot: where the search for it ended.
        mutating func insert(_ id: EventID, fingerprint: UInt64, at slot: Int) {
            var slot = slot
            if (self.ids.count &+ 1) &* 3 > self.slots.count {
                self.grow()
                slot = self.search(id, fingerprint: fingerprint).slot
            }
            self.ids.append(id)
            self.slots[slot] = fingerprint & 0xFFFF_FFFF_0000_0000 | UInt64(self.ids.count)
        }

        /// Forgets everything and keeps the room for as much.
        mutating func removeAll() {
            self.ids.removeAll(keepingCapacity: true)
            self.slots.withUnsafeMutableBufferPointer { $0.update(repeating: 0) }
        }

        private mutating func grow() {
            let ids = self.ids
            self.slots = Array(
                repeating: 0, count: max(self.slots.count * (self.slots.count < 1 << 18 ? 4 : 2), 1 << 12))
            for number in ids.indices {
                let fingerprint = ids[number].fingerprint
                let (isFound, slot) = self.search(ids[number], fingerprint: fingerprint)
                // What was forgotten is there several times.
                if !isFound { self.slots[slot] = fingerprint & 0xFFFF_FFFF_0000_0000 | UInt64(number + 1) }
            }
        }

        /// Makes an identifier unknown again: its slot stays, and points at an identifier that nothing equals.
        mutating func forget(_ id: EventID, fingerprint: UInt64) {
            guard !self.slots.isEmpty else { return }
            let (isFound, slot) = self.search(id, fingerprint: fingerprint)
            if isFound { self.ids[Int(self.slots[slot] & 0xFFFF_FFFF) &- 1] = EventID(high: 0, low: 0) }
        }
    }

    private let generationCapacity: Int
    private var young = Generation()
    private var old = Generation()

    init(capacity: Int) {
        self.generationCapacity = max(capacity / 2, 1)
    }

    /// Whether an identifier is new; if so, it is known from now on.
    mutating func insert(_ id: EventID) -> Bool {
        let fingerprint = id.fingerprint
        var (isKnown, slot) = self.young.search(id, fingerprint: fingerprint)
        if isKnown || self.old.search(id, fingerprint: fingerprint).isFound { return false }
        if self.young.count >= self.generationCapacity {
            swap(&self.young, &self.old)
            self.young.removeAll()
            slot = self.young.search(id, fingerprint: fingerprint).slot
        }
        self.young.insert(id, fingerprint: fingerprint, at: slot)
        return true
    }

    /// Takes an identifier back, because its event was not accepted after all.
    mutating func forget(_ id: EventID) {
        let fingerprint = id.fingerprint
        self.young.forget(id, fingerprint: fingerprint)
        self.old.forget(id, fingerprint: fingerprint)
    }
}

extension EventID {
    /// The time that a UUIDv7 begins with, in 4096ths of a millisecond where it is one of ours; `nil` for any other
    /// identifier.
    @inline(__always)
    fileprivate var time: UInt64? {
        guard case .uuid(let high, _) = self.storage, high & 0xF000 == 0x7000 else { return nil }
        return ((high >> 16) << 12) | (high & 0xFFF)
    }
}
