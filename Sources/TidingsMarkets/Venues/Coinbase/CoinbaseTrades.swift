import Tidings

/// What is known of a product's trades: which numbers have come, and which a heartbeat has announced. A machine.
///
/// Both of Coinbase's interfaces number a product's trades without holes. A number that cannot be (a million ahead, or
/// lower than the last and yet newer) is not allowed to spoil the count: only the third in a row makes it start over.
struct CoinbaseTrades: Sendable {
    enum Verdict: Sendable, Equatable {
        case new
        case known
        case newAfterGap(ClosedRange<UInt64>)
        /// To be published, but it fits nowhere: told of as a gap that cannot be counted.
        case outOfOrder(after: UInt64)
    }

    private static let largestJump: UInt64 = 1_000_000
    private static let patience = 3
    /// A match may come this much later than the heartbeat that counts it.
    static let grace: Int64 = 2_000_000_000

    private(set) var ledger = TradeLedger()
    private var newestTime: Int64 = .min
    private var strange = 0
    /// A trade that a heartbeat has told of and that has not come, and since when.
    private var announced: (number: UInt64, since: Int64)?
    /// Refills under way.
    var refills = 0

    var last: UInt64? { self.ledger.last }

    /// A trade has come.
    mutating func take(_ number: UInt64, at time: Int64) -> Verdict {
        guard let last = self.ledger.last else {
            self.newestTime = time
            return self.verdict(self.ledger.take(number))
        }
        if number > last, number - last > Self.largestJump { return self.doubt(number, time, last) }
        switch self.ledger.take(number) {
        case .known:
            guard number < last, time > self.newestTime else { return .known }
            return self.strange + 1 >= Self.patience ? self.doubt(number, time, last) : self.pass()
        case .new:
            self.accept(time)
            return .new
        case .newAfterGap(let hole):
            self.accept(time)
            return .newAfterGap(hole)
        }
    }

    /// The venue says which trade is its newest. Returns the lost ones when they had time enough to come.
    mutating func announce(_ number: UInt64, at now: Int64) -> ClosedRange<UInt64>? {
        guard let last = self.ledger.last, number > last, number - last <= Self.largestJump else {
            self.announced = nil
            return nil
        }
        // A second heartbeat that knows of the same trade comes a second later: nothing is under way any more.
        if let announced = self.announced, announced.number > last {
            self.announced = nil
            return self.ledger.expect(announced.number)
        }
        self.announced = (number, now)
        return nil
    }

    /// Time has passed without a second heartbeat.
    mutating func tick(at now: Int64) -> ClosedRange<UInt64>? {
        guard let announced = self.announced else { return nil }
        guard let last = self.ledger.last, announced.number > last else {
            self.announced = nil
            return nil
        }
        guard now.subtractingReportingOverflow(announced.since).partialValue >= Self.grace else { return nil }
        self.announced = nil
        return self.ledger.expect(announced.number)
    }

    /// A trade from an answer about lost ones: whether it is one of them.
    mutating func fill(_ number: UInt64) -> Bool {
        guard let last = self.ledger.last, number <= last else { return false }
        return self.ledger.take(number) == .new
    }

    private mutating func accept(_ time: Int64) {
        self.newestTime = max(self.newestTime, time)
        self.strange = 0
    }

    private mutating func pass() -> Verdict {
        self.strange += 1
        return .known
    }

    private mutating func doubt(_ number: UInt64, _ time: Int64, _ last: UInt64) -> Verdict {
        self.strange += 1
        if self.strange >= Self.patience {
            self.ledger = TradeLedger()
            _ = self.ledger.take(number)
            self.newestTime = time
            self.strange = 0
        }
        return .outOfOrder(after: last)
    }

    private func verdict(_ verdict: TradeLedger.Verdict) -> Verdict {
        switch verdict {
        case .new: .new
        case .known: .known
        case .newAfterGap(let hole): .newAfterGap(hole)
        }
    }
}
