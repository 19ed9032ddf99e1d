/// The latest fills of an instrument, numbered without a hole.
///
/// Kept in blocks, so that a copy that goes on by itself copies one block, not all.
package struct TradeTape: Sendable {
    private static let blockSize = 256
    /// Whole blocks kept: 10,000 fills at least.
    private static let maximumBlocks = 41

    private var blocks: [[GeneratedInstrument.Fill]] = []
    /// The number of the next fill.
    package private(set) var nextNumber: UInt64

    init(next: UInt64 = 1) {
        self.nextNumber = next
    }

    package var count: Int {
        guard let last = self.blocks.last else { return 0 }
        return (self.blocks.count - 1) * Self.blockSize + last.count
    }

    /// Oldest first.
    package var all: some Sequence<GeneratedInstrument.Fill> { self.blocks.joined() }

    package var newest: GeneratedInstrument.Fill? { self.blocks.last?.last }

    /// Up to `limit` of the newest, oldest first.
    package func last(_ limit: Int) -> [GeneratedInstrument.Fill] {
        var found: [GeneratedInstrument.Fill] = []
        for block in self.blocks.reversed() where found.count < limit {
            found = block.suffix(limit - found.count) + found
        }
        return found
    }

    mutating func append(_ fill: GeneratedInstrument.Fill) {
        self.nextNumber += 1
        if let last = self.blocks.indices.last, self.blocks[last].count < Self.blockSize {
            self.blocks[last].append(fill)
            return
        }
        if self.blocks.count == Self.maximumBlocks { self.blocks.removeFirst() }
        self.blocks.append([fill])
    }
}
