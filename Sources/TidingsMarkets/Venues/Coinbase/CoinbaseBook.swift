import Tidings

/// One product's book on either of Coinbase's interfaces: whether it is whole, from which connection it is fed, and what
/// it makes known. A machine.
///
/// A snapshot replaces everything; an update gives absolute sizes. While an old connection is being replaced the book is
/// fed by the old one until the new one has sent its snapshot.
struct CoinbaseBook: Sendable {
    /// So long is waited for a snapshot that was asked for, before it is asked for again.
    static let patience: Int64 = 10_000_000_000

    enum Outcome: Sendable, Equatable {
        /// Applied.
        case whole
        /// Not for this book now: it waits for a snapshot, or another connection feeds it.
        case passed
        /// It cannot be right.
        case crossed
    }

    private(set) var book = LocalBook()
    private(set) var isWhole = false
    /// The connection that feeds it.
    private(set) var source: Int?
    /// Whether a `resyncing` notice is open.
    private(set) var isResyncing = false
    /// When a snapshot was asked for.
    private var askedAt: Int64?
    var publisher: BookPublisher

    init(_ publisher: BookPublisher) {
        self.publisher = publisher
    }

    // MARK: Frames

    /// The whole book, from the newest connection that has sent one.
    mutating func replace(bids: LevelList, asks: LevelList, on connection: Int) -> Outcome {
        if let source = self.source, connection < source { return .passed }
        self.book.replace(bids: bids, asks: asks)
        self.source = connection
        self.publisher.restart()
        guard !self.book.isCrossed else {
            self.isWhole = false
            return .crossed
        }
        self.isWhole = true
        self.askedAt = nil
        return .whole
    }

    /// Whether changes that come on a connection are this book's.
    @inline(__always)
    func takes(_ connection: Int) -> Bool {
        self.isWhole && self.source == connection
    }

    /// Changes that ``takes(_:)`` has allowed. They are judged together: between two of one frame a book may be crossed.
    @inline(__always)
    mutating func apply(bids: LevelList, asks: LevelList) -> Outcome {
        if !bids.isEmpty { self.book.apply(bids, to: .bid) }
        if !asks.isEmpty { self.book.apply(asks, to: .ask) }
        return self.book.isCrossed ? .crossed : .whole
    }

    // MARK: Not whole

    /// The book is not to be relied on until the next snapshot.
    /// - Returns: whether this is news.
    mutating func doubt() -> Bool {
        self.isWhole = false
        guard !self.isResyncing else { return false }
        self.isResyncing = true
        return true
    }

    /// A snapshot has been asked for.
    mutating func asked(at now: Int64) {
        self.isWhole = false
        self.askedAt = now
    }

    /// The connection that fed it is gone.
    /// - Returns: whether it was this one's.
    mutating func closed(_ connection: Int) -> Bool {
        guard self.source == connection else { return false }
        self.isWhole = false
        self.source = nil
        return true
    }

    /// Whether a snapshot that was asked for is overdue.
    func isOverdue(at now: Int64) -> Bool {
        guard !self.isWhole, let askedAt = self.askedAt else { return false }
        return now.subtractingReportingOverflow(askedAt).partialValue >= Self.patience
    }

    /// Whether an open `resyncing` notice ends now.
    mutating func endsResync() -> Bool {
        guard self.isWhole, self.isResyncing else { return false }
        self.isResyncing = false
        return true
    }

    // MARK: Events

    mutating func event(
        sequence: UInt64?, timestamp: Timestamp?, receivedAt: Timestamp
    ) -> StandardEvent? {
        self.publisher.update(self.book, sequence: sequence, timestamp: timestamp, receivedAt: receivedAt)
    }

    mutating func lateEvent(at now: Timestamp) -> StandardEvent? {
        self.isWhole ? self.publisher.tick(self.book, at: now) : nil
    }
}
