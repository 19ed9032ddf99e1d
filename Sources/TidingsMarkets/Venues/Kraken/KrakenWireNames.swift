import Tidings

/// Finds the instrument that a name on the wire means, without making text of it. What is not collected is not kept.
struct KrakenWireNames: Sendable {
    struct Entry: Sendable {
        let name: Name
        let bytes: [UInt8]
        /// Its index in the plan.
        let instrument: Int
    }

    private(set) var entries: [Entry] = []
    private var byHash: [UInt64: Int] = [:]

    init(_ instruments: [Instrument]) {
        for (index, instrument) in instruments.enumerated() {
            for name in KrakenSpelling.wireNames(of: instrument.venueSymbol) {
                let bytes = Array(name.utf8)
                let hash = bytes.withUnsafeBytes { Self.hash($0) }
                if self.byHash[hash] == nil { self.byHash[hash] = self.entries.count }
                self.entries.append(Entry(name: Name(name), bytes: bytes, instrument: index))
            }
        }
    }

    /// The index of the entry of a name.
    @inline(__always)
    func find(_ bytes: UnsafeRawBufferPointer) -> Int? {
        guard let index = self.byHash[Self.hash(bytes)] else { return nil }
        let found = self.entries[index].bytes
        return found.count == bytes.count && found.elementsEqual(bytes) ? index : nil
    }

    private static func hash(_ bytes: UnsafeRawBufferPointer) -> UInt64 {
        var hash = StableHash()
        hash.combine(bytes)
        return hash.finish().high
    }
}
