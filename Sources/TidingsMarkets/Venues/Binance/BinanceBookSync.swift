import Tidings

/// Keeps one order book right: what comes from the feed and what comes over REST goes in, what to do comes out. A machine
/// without I/O.
///
/// Source: web-socket-streams.md, "How to manage a local order book correctly": updates are buffered until a snapshot fits
/// them; those up to its number are dropped; the first that is kept must straddle it; afterwards each must begin where
/// the last one ended, or earlier. An update that begins later means that one was lost: the book is built anew.
struct BinanceBookSync: Sendable {
    /// Changed levels, from the number `first` to the number `last`.
    struct Update: Sendable {
        var first: UInt64
        var last: UInt64
        var bids: LevelList
        var asks: LevelList
        var timestamp: Timestamp
        var receivedAt: Timestamp
    }

    enum State: Sendable, Equatable {
        /// No snapshot is on its way: one is asked for when the feed runs.
        case idle
        /// A snapshot has been asked for, or will be at ``retryAt``.
        case waiting
        /// The book is whole.
        case live
    }

    /// What an update's number says.
    enum Verdict: Sendable, Equatable {
        /// Known already.
        case old
        case next
        /// Something is missing before it.
        case gap(expected: UInt64)
    }

    /// So many updates wait for a snapshot, more than three minutes of them. When there are more, the oldest go, and a
    /// snapshot has to be newer than they were.
    static let maximumBuffered = 2000
    /// So many levels they may have together.
    static let maximumBufferedLevels = 200_000
    /// A book that was whole for so long is asked for at once when it breaks; one that breaks again sooner has to wait.
    static let stableTime: Int64 = 30_000_000_000
    private static let firstDelay: Int64 = 500_000_000
    private static let longestDelay: Int64 = 30_000_000_000

    private(set) var state = State.idle
    private(set) var book = LocalBook()
    /// The number of the last update that is in the book.
    private(set) var last: UInt64 = 0
    private(set) var buffer: [Update] = []
    private var bufferedLevels = 0
    /// Requests in a row that did not lead to a book that held.
    private(set) var attempts = 0
    private var liveSince: Int64 = 0
    /// When the next request is due; `nil` while one is on its way.
    private(set) var retryAt: Int64?
    /// Requests on their way whose answers belong to an earlier connection.
    private var outdated = 0
    private var isRequested = false
    /// Whether it was told that the book is being mended.
    var isTold = false

    var isLive: Bool { self.state == .live }

    // MARK: Asking

    /// The feed is running: whether a snapshot is to be asked for now.
    mutating func begin(at now: Int64) -> Bool {
        guard self.state == .idle else { return false }
        self.state = .waiting
        return self.askOrWait(at: now)
    }

    /// Time has passed: whether a snapshot is to be asked for now.
    mutating func isDue(at now: Int64) -> Bool {
        guard self.state == .waiting, let retryAt = self.retryAt, now >= retryAt else { return false }
        return self.ask()
    }

    /// The book cannot be relied on: whether a snapshot is to be asked for now.
    mutating func restart(at now: Int64) -> Bool {
        if self.state == .live, now.subtractingReportingOverflow(self.liveSince).partialValue >= Self.stableTime {
            self.attempts = 0
        }
        self.forgetBuffer()
        self.state = .waiting
        if self.isRequested { return false }
        return self.askOrWait(at: now)
    }

    /// The snapshot could not be had, or did not fit: another one later.
    mutating func wait(at now: Int64) {
        self.state = .waiting
        self.retryAt = now.addingReportingOverflow(self.delay).partialValue
    }

    /// No connection is left: nothing is known until the feed runs again.
    mutating func stop() {
        self.state = .idle
        self.forgetBuffer()
        self.retryAt = nil
        self.attempts = 0
        if self.isRequested { self.outdated += 1 }
        self.isRequested = false
    }

    /// A request has ended: whether its answer is wanted.
    mutating func answered() -> Bool {
        if self.outdated > 0 {
            self.outdated -= 1
            return false
        }
        guard self.isRequested else { return false }
        self.isRequested = false
        return self.state == .waiting
    }

    private mutating func askOrWait(at now: Int64) -> Bool {
        // The first snapshot and the first repair do not wait.
        if self.attempts < 2 { return self.ask() }
        self.wait(at: now)
        return false
    }

    private mutating func ask() -> Bool {
        self.attempts = min(self.attempts + 1, 32)
        self.retryAt = nil
        self.isRequested = true
        return true
    }

    /// Half a second, and twice as long each time.
    private var delay: Int64 {
        min(Self.firstDelay << Int64(min(max(self.attempts - 1, 0), 8)), Self.longestDelay)
    }

    // MARK: The feed

    /// What the numbers of an update mean for a live book.
    @inline(__always)
    func verdict(first: UInt64, last: UInt64) -> Verdict {
        if last <= self.last { return .old }
        let expected = self.last &+ 1
        return first > expected ? .gap(expected: expected) : .next
    }

    /// Puts an update into the book that ``verdict(first:last:)`` called the next.
    @inline(__always)
    mutating func apply(bids: LevelList, asks: LevelList, last: UInt64) {
        self.book.apply(bids, to: .bid)
        self.book.apply(asks, to: .ask)
        self.last = last
    }

    /// Keeps an update until the snapshot is there; `false` when there was no room, and older ones had to go.
    mutating func keep(_ update: Update) -> Bool {
        if let newest = self.buffer.last {
            if update.last <= newest.last { return true }
            // What comes before a hole will never fit a snapshot that fits what comes after it.
            if update.first > newest.last &+ 1 { self.forgetBuffer() }
        }
        let levels = update.bids.count + update.asks.count
        let hasRoom =
            self.buffer.count < Self.maximumBuffered && self.bufferedLevels + levels <= Self.maximumBufferedLevels
        if !hasRoom { self.forgetBuffer() }
        self.buffer.append(update)
        self.bufferedLevels += levels
        return hasRoom
    }

    // MARK: The snapshot

    /// Whether a snapshot is older than what was buffered: between the two something is missing.
    func isTooOld(_ snapshot: UInt64) -> Bool {
        guard let first = self.buffer.first(where: { $0.last > snapshot }) else { return false }
        return first.first > snapshot &+ 1
    }

    /// Makes the snapshot the book; returns the buffered updates that come after it, to be applied in order.
    mutating func adopt(_ book: LocalBook, last: UInt64, at now: Int64) -> [Update] {
        let rest = self.buffer.filter { $0.last > last }
        self.forgetBuffer()
        self.book = book
        self.last = last
        self.liveSince = now
        self.state = .live
        return rest
    }

    /// A whole book came on the feed itself, as of partial depth.
    mutating func replace(_ book: LocalBook, last: UInt64, at now: Int64) {
        if self.state != .live { self.liveSince = now }
        self.forgetBuffer()
        self.retryAt = nil
        self.book = book
        self.last = last
        self.state = .live
    }

    private mutating func forgetBuffer() {
        self.buffer.removeAll()
        self.bufferedLevels = 0
    }
}
