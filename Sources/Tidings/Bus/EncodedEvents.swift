/// The JSON texts of a batch, one after the other in one block of memory.
///
/// - Note: `@unchecked Sendable` is sound: the memory is written in `init` only and freed in `deinit`.
package final class EncodedEvents: @unchecked Sendable {
    private let memory: UnsafeMutableRawBufferPointer
    private let ends: [Int]

    init(_ events: EventBatch.Events) {
        var writer = JSONWriter(capacity: events.count * 384)
        var ends: [Int] = []
        ends.reserveCapacity(events.count)
        for index in events.indices {
            writer.write(events.batch.slots[index])
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
