/// A reused, growing piece of memory: it grows with the bytes that arrive, never with what a header claims.
struct ByteStore: ~Copyable {
    private var base: UnsafeMutableRawPointer?
    private var capacity = 0
    private(set) var count = 0

    init() {}

    deinit { self.base?.deallocate() }

    /// Valid until the next mutation.
    var bytes: UnsafeRawBufferPointer { UnsafeRawBufferPointer(start: self.base, count: self.count) }

    func bytes(from start: Int) -> UnsafeRawBufferPointer {
        UnsafeRawBufferPointer(rebasing: self.bytes[start...])
    }

    mutating func append(_ source: UnsafeRawBufferPointer) {
        guard let from = source.baseAddress, source.count > 0 else { return }
        self.spare(atLeast: source.count).copyMemory(from: from, byteCount: source.count)
        self.count += source.count
    }

    mutating func append(_ source: UnsafeRawBufferPointer, unmaskedWith key: UInt32, offset: Int) {
        guard let from = source.baseAddress, source.count > 0 else { return }
        let target = self.spare(atLeast: source.count)
        WebSocketMask.copy(from, to: target, count: source.count, key: key, offset: offset)
        self.count += source.count
    }

    /// Lets `write` fill up to `room` bytes behind the content; it returns how many it wrote.
    mutating func append(room: Int, _ write: (UnsafeMutableRawBufferPointer) -> Int) {
        let target = self.spare(atLeast: room)
        self.count += write(UnsafeMutableRawBufferPointer(start: target, count: room))
    }

    /// Empties it, and gives the memory back when it is more than `limit`.
    mutating func clear(keeping limit: Int = 1 << 16) {
        self.count = 0
        guard self.capacity > limit else { return }
        self.base?.deallocate()
        self.base = nil
        self.capacity = 0
    }

    private mutating func spare(atLeast room: Int) -> UnsafeMutableRawPointer {
        if let base = self.base, self.capacity - self.count >= room { return base + self.count }
        let capacity = max(self.count + room, self.capacity * 2, 256)
        let grown = UnsafeMutableRawPointer.allocate(byteCount: capacity, alignment: 16)
        if let base = self.base {
            grown.copyMemory(from: base, byteCount: self.count)
            base.deallocate()
        }
        self.base = grown
        self.capacity = capacity
        return grown + self.count
    }
}
