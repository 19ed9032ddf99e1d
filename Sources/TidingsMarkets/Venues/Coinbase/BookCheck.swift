import Tidings

/// Compares a book that is fed without numbers with the whole book that the venue gives over REST. A machine.
///
/// Coinbase Exchange does not number its book's changes, so a lost one cannot be seen when it is lost. From the moment
/// the venue's book is asked for until a while after it has come, the prices that change are noted: at every other price
/// both books must have the same size, whichever moment of that time the answer is from. What differs was lost.
///
/// This happens every five minutes, and soon after anything that makes one suspicious: a lost trade, an unreadable frame,
/// tickers with other best prices.
struct BookCheck: Sendable {
    static let interval: Int64 = 300_000_000_000
    /// Suspicion does not make it more frequent than this.
    static let shortestInterval: Int64 = 10_000_000_000
    /// The feed may be this much later than the answer.
    static let lag: Int64 = 2_000_000_000
    /// An answer that has not come by then is not waited for.
    static let patience: Int64 = 60_000_000_000
    /// With so many changed prices nothing can be compared; the next time it can.
    static let maximumTouched = 20_000
    /// So many tickers in a row with other best prices are suspicious.
    static let maximumStrangers = 3
    /// So many levels of each side are compared.
    static let depth = 10_000
    /// First comparisons of several products are spread over this time.
    private static let spread: Int64 = 30_000_000_000

    struct Difference: Sendable, Equatable {
        var price: ExactDecimal
        /// The venue's size at that price; zero: there is no such level.
        var expected: ExactDecimal
        var got: ExactDecimal
    }

    enum Step: Sendable, Equatable {
        case nothing
        /// Ask for the venue's book.
        case ask
        case differs(Difference)
    }

    private enum Phase: Sendable {
        case idle
        case asked(at: Int64)
        case comparing(LocalBook, at: Int64)
    }

    private var phase = Phase.idle
    private var due: Int64 = .max
    private var lastAsked: Int64?
    private var isSuspicious = false
    private var strangers = 0
    private var touchedBids: Set<ExactDecimal> = []
    private var touchedAsks: Set<ExactDecimal> = []

    /// The book is new.
    /// - Parameter offset: a number of the product, so that not all are compared at once.
    mutating func restart(at now: Int64, offset: Int) {
        self.forget()
        self.isSuspicious = false
        self.strangers = 0
        let delay = Self.interval + Int64(truncatingIfNeeded: offset % 30) * (Self.spread / 30)
        self.due = now.addingReportingOverflow(delay).partialValue
    }

    /// Something was lost.
    mutating func suspect() {
        self.isSuspicious = true
    }

    /// A ticker had the same best prices, or others.
    @inline(__always)
    mutating func saw(isSame: Bool) {
        self.strangers = isSame ? 0 : self.strangers + 1
        guard self.strangers >= Self.maximumStrangers else { return }
        self.strangers = 0
        self.isSuspicious = true
    }

    /// Prices have changed.
    @inline(__always)
    mutating func note(_ bids: LevelList, _ asks: LevelList) {
        if case .idle = self.phase { return }
        self.touch(bids, asks)
    }

    private mutating func touch(_ bids: LevelList, _ asks: LevelList) {
        for index in 0..<bids.count { self.touchedBids.insert(bids[index].price) }
        for index in 0..<asks.count { self.touchedAsks.insert(asks[index].price) }
        if self.touchedBids.count > Self.maximumTouched || self.touchedAsks.count > Self.maximumTouched {
            self.forget()
        }
    }

    /// Time has passed.
    mutating func tick(at now: Int64, _ book: LocalBook) -> Step {
        switch self.phase {
        case .idle:
            guard now >= self.due || self.isSuspicious else { return .nothing }
            if let lastAsked = self.lastAsked, Self.passed(since: lastAsked, now) < Self.shortestInterval {
                return .nothing
            }
            self.phase = .asked(at: now)
            self.lastAsked = now
            self.isSuspicious = false
            self.due = now.addingReportingOverflow(Self.interval).partialValue
            return .ask
        case .asked(let time):
            if Self.passed(since: time, now) >= Self.patience { self.forget() }
            return .nothing
        case .comparing(let other, let time):
            guard Self.passed(since: time, now) >= Self.lag else { return .nothing }
            let difference = self.compare(book, other)
            self.forget()
            return difference.map { .differs($0) } ?? .nothing
        }
    }

    /// The venue's book has come.
    mutating func take(bids: LevelList, asks: LevelList, at now: Int64) {
        guard case .asked = self.phase else { return }
        var book = LocalBook()
        book.replace(bids: bids, asks: asks)
        self.phase = .comparing(book, at: now)
    }

    /// The venue's book could not be had.
    mutating func failed(at now: Int64) {
        self.forget()
    }

    private mutating func forget() {
        self.phase = .idle
        self.touchedBids.removeAll()
        self.touchedAsks.removeAll()
    }

    private static func passed(since time: Int64, _ now: Int64) -> Int64 {
        now.subtractingReportingOverflow(time).partialValue
    }

    private func compare(_ book: LocalBook, _ other: LocalBook) -> Difference? {
        self.compare(book, other, .bid, except: self.touchedBids) { $0 > $1 }
            ?? self.compare(book, other, .ask, except: self.touchedAsks) { $0 < $1 }
    }

    /// The first level at which two books differ, best first.
    private func compare(
        _ book: LocalBook, _ other: LocalBook, _ side: LocalBook.Side, except touched: Set<ExactDecimal>,
        isBetter: (ExactDecimal, ExactDecimal) -> Bool
    ) -> Difference? {
        var (left, right) = (0, 0)
        while left < Self.depth, right < Self.depth {
            let (ours, theirs) = (book.level(left, side), other.level(right, side))
            guard let price = Self.better(ours?.price, theirs?.price, isBetter) else { return nil }
            let got = ours.flatMap { $0.price == price ? $0.volume : nil }
            let expected = theirs.flatMap { $0.price == price ? $0.volume : nil }
            if got != nil { left += 1 }
            if expected != nil { right += 1 }
            if got != expected, !touched.contains(price) {
                return Difference(price: price, expected: expected ?? .zero, got: got ?? .zero)
            }
        }
        return nil
    }

    private static func better(
        _ left: ExactDecimal?, _ right: ExactDecimal?, _ isBetter: (ExactDecimal, ExactDecimal) -> Bool
    ) -> ExactDecimal? {
        guard let left else { return right }
        guard let right else { return left }
        return isBetter(right, left) ? right : left
    }
}
