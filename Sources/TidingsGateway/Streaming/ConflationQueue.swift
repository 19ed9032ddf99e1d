import NIOCore
import Tidings

/// The newest event per source, symbol and type, for a client that asked for no more than that when it falls behind.
struct ConflationQueue {
    struct Key: Hashable {
        let source: Name
        let symbol: Name?
        let type: EventType

        init(_ event: borrowing StandardEvent) {
            self.source = event.source
            self.symbol = event.payload.symbol
            self.type = event.eventType
        }
    }

    struct Entry {
        let offset: Int64
        let frame: ByteBuffer
    }

    private var entries: [Key: Entry] = [:]
    private(set) var byteCount = 0

    var isEmpty: Bool { self.entries.isEmpty }

    /// Keeps an event in place of the older one of its kind; false when there is no room for one more kind.
    mutating func offer(_ key: Key, _ entry: Entry, limit: Int) -> Bool {
        if let old = self.entries[key] {
            self.byteCount -= old.frame.readableBytes
        } else if self.byteCount + entry.frame.readableBytes > limit {
            return false
        }
        self.byteCount += entry.frame.readableBytes
        self.entries[key] = entry
        return true
    }

    /// Takes up to `count` events, oldest first.
    mutating func take(_ count: Int) -> [Entry] {
        guard count > 0, !self.entries.isEmpty else { return [] }
        let ordered = self.entries.sorted { $0.value.offset < $1.value.offset }
        if count >= ordered.count {
            self.entries.removeAll()
            self.byteCount = 0
        } else {
            for (key, entry) in ordered.prefix(count) {
                self.entries[key] = nil
                self.byteCount -= entry.frame.readableBytes
            }
        }
        return ordered.prefix(count).map(\.value)
    }
}
