/// The identifiers seen last, so that an event that comes twice is recognised.
///
/// Two generations of open-addressing tables: new identifiers go into the young one, lookups ask both, and when the
/// young one is full the old one is forgotten. So at least half and at most all of `capacity` identifiers are known. A slot
/// holds a 32-bit tag and the place of the full identifier, which confirms the match. Memory grows with use up to the
/// bound.
struct DuplicateWindow: ~Copyable {
    private struct Generation {
        var slots: [UInt64] = []
        var ids: [EventID] = []

        mutating func contains(_ id: EventID, fingerprint: UInt64) -> Bool {
            guard !self.slots.isEmpty else { return false }
            return self.place(of: id, fingerprint: fingerprint) != nil
        }

        private func place(of id: EventID, fingerprint: UInt64) -> Int? {
            let mask = self.slots.count &- 1
            let tag = fingerprint & 0xFFFF_FFFF_0000_0000
            var index = Int(truncatingIfNeeded: fingerprint >> 32) & mask
            while true {
                let slot = self.slots[index]
                if slot == 0 { return nil }
                if slot & 0xFFFF_FFFF_0000_0000 == tag {
                    let number = Int(slot & 0xFFFF_FFFF) &- 1
                    if self.ids[number] == id { return index }
                }
                index = (index &+ 1) & mask
            }
        }

        mutating func insert(_ id: EventID, fingerprint: UInt64) {
            if self.ids.count &* 2 >= self.slots.count { self.grow() }
            self.ids.append(id)
            self.place(fingerprint, number: self.ids.count)
        }

        private mutating func place(_ fingerprint: UInt64, number: Int) {
            let mask = self.slots.count &- 1
            var index = Int(truncatingIfNeeded: fingerprint >> 32) & mask
            while self.slots[index] != 0 { index = (index &+ 1) & mask }
            self.slots[index] = fingerprint & 0xFFFF_FFFF_0000_0000 | UInt64(number)
        }

        private mutating func grow() {
            self.slots = Array(repeating: 0, count: max(self.slots.count * 2, 1024))
            for number in self.ids.indices {
                self.place(self.ids[number].fingerprint, number: number + 1)
            }
        }

        /// Makes an identifier unknown again: its slot stays, and points at an identifier that nothing equals.
        mutating func forget(_ id: EventID, fingerprint: UInt64) {
            guard !self.slots.isEmpty, let index = self.place(of: id, fingerprint: fingerprint) else { return }
            self.ids[Int(self.slots[index] & 0xFFFF_FFFF) &- 1] = EventID(high: 0, low: 0)
        }
    }

    private let generationCapacity: Int
    private var young = Generation()
    private var old = Generation()

    init(capacity: Int) {
        self.generationCapacity = max(capacity / 2, 1)
    }

    /// Whether an identifier is known; if not, it is from now on.
    mutating func insert(_ id: EventID) -> Bool {
        let fingerprint = id.fingerprint
        if self.young.contains(id, fingerprint: fingerprint) || self.old.contains(id, fingerprint: fingerprint) {
            return false
        }
        if self.young.ids.count >= self.generationCapacity {
            swap(&self.young, &self.old)
            self.young = Generation()
        }
        self.young.insert(id, fingerprint: fingerprint)
        return true
    }

    /// Takes an identifier back, because its event was not accepted after all.
    mutating func forget(_ id: EventID) {
        let fingerprint = id.fingerprint
        self.young.forget(id, fingerprint: fingerprint)
        self.old.forget(id, fingerprint: fingerprint)
    }
}
