/// Decides which connections there are: one that carries the feed, another that is to follow it, and when to try again. A
/// machine: what happened, time and chance come in; what to do comes out.
///
/// Connections are numbered upwards from 1. A *planned* replacement opens the next one while the old one goes on, and lets
/// the old one go when the new one is ready, or has had its time; when the old one ends meanwhile, the new one takes over
/// at once. Everything else that ends leads to a new attempt after a delay that grows.
struct Succession: Sendable {
    enum Action: Sendable, Equatable {
        case open(Int)
        /// No longer needed: said goodbye to.
        case close(Int)
        /// Useless: dropped.
        case abort(Int)
        case tell(Telling)
        /// An `error` event.
        case report(ConnectionFailure)
    }

    /// A `connector_status` event.
    struct Telling: Sendable, Equatable {
        var state: ConnectorState
        var reason: String?
        var attempt: Int?
        var retryIn: Duration?
    }

    private struct Link {
        let number: Int
        var openedAt: Int64?
        /// When it is to be followed by another, before the venue ends it.
        var retireAt: Int64 = .max
        var isReady = false
        /// Why we dropped it.
        var droppedBecause: String?
    }

    /// How long two connections may overlap before the new one is taken as it is. Both bring data, so there is no hurry;
    /// a venue's limits may make the snapshots of many books slow.
    static let overlap: Int64 = 120_000_000_000
    private static let longestMargin: Int64 = 900_000_000_000

    private let life: Int64?
    private var backoff: Backoff
    /// Of replacements that do not come about.
    private var plannedBackoff: Backoff
    private var current: Link?
    private var successor: Link?
    private var overlapsUntil: Int64 = .max
    /// Why the next connection is wanted while this one lives.
    private var plan: String?
    private var planNotBefore: Int64 = .min
    /// When to try again, with no connection.
    private var nextAttempt: Int64?
    private var lastNumber = 0
    private var isStopped = false

    /// - Parameter life: the venue ends connections at this age.
    init(life: Duration?, backoff: Backoff.Configuration = Backoff.Configuration()) {
        self.life = life.map { max($0.boundedNanoseconds, 1) }
        self.backoff = Backoff(backoff)
        self.plannedBackoff = Backoff(backoff)
    }

    /// The connection that carries the feed, if one is open.
    var carrier: Int? { self.current?.openedAt == nil ? nil : self.current?.number }

    // MARK: What happens

    mutating func start() -> [Action] {
        guard !self.isStopped, self.current == nil else { return [] }
        return self.openCurrent()
    }

    /// The handshake is done.
    mutating func opened(_ number: Int, at now: Int64, chance: Double) -> [Action] {
        guard !self.isStopped else { return [.close(number)] }
        let retireAt = self.retirement(of: now, chance)
        if self.current?.number == number {
            self.current?.openedAt = now
            self.current?.retireAt = retireAt
            return [.tell(Telling(state: .connected))]
        }
        guard self.successor?.number == number else { return [.close(number)] }
        self.successor?.openedAt = now
        self.successor?.retireAt = retireAt
        self.overlapsUntil = now.addingBounded(Self.overlap)
        return []
    }

    /// Everything on a connection is confirmed and running.
    mutating func ready(_ number: Int) -> [Action] {
        guard !self.isStopped else { return [] }
        if self.current?.number == number, self.current?.isReady == false {
            self.current?.isReady = true
            return [.tell(Telling(state: .subscribed))]
        }
        guard self.successor?.number == number else { return [] }
        self.successor?.isReady = true
        self.plannedBackoff = Backoff(self.plannedBackoff.configuration)
        return self.promote(.subscribed)
    }

    /// A connection has ended, or an attempt has failed.
    mutating func ended(_ number: Int, _ failure: ConnectionFailure, at now: Int64, chance: Double) -> [Action] {
        guard !self.isStopped else { return [] }
        if let link = self.successor, link.number == number {
            self.successor = nil
            let delay = self.plannedBackoff.nextDelay(chance: chance, atLeast: failure.retryAfter)
            self.planNotBefore = now.addingBounded(delay.boundedNanoseconds)
            let failure = link.droppedBecause.map(ConnectionFailure.init) ?? failure
            return [
                .report(failure),
                .tell(
                    Telling(
                        state: .reconnecting, reason: failure.reason, attempt: self.plannedBackoff.attempt,
                        retryIn: delay)),
            ]
        }
        // One that was let go.
        guard let link = self.current, link.number == number else { return [] }
        let failure = link.droppedBecause.map(ConnectionFailure.init) ?? failure
        if let next = self.successor {
            self.successor = nil
            self.current = next
            self.plan = nil
            var actions: [Action] = [
                .report(failure), .tell(Telling(state: .reconnecting, reason: failure.reason, retryIn: .zero)),
            ]
            if next.openedAt != nil { actions.append(.tell(Telling(state: .connected))) }
            return actions
        }
        self.current = nil
        self.plan = nil
        if let openedAt = link.openedAt { self.backoff.connectionEnded(after: .nanoseconds(now - openedAt)) }
        let delay = self.backoff.nextDelay(chance: chance, atLeast: failure.retryAfter)
        self.nextAttempt = now.addingBounded(delay.boundedNanoseconds)
        return [
            .report(failure),
            .tell(
                Telling(
                    state: .reconnecting, reason: failure.reason, attempt: self.backoff.attempt, retryIn: delay)),
        ]
    }

    /// A new connection is wanted while the one there is goes on.
    mutating func replace(because reason: String, at now: Int64) -> [Action] {
        guard !self.isStopped, self.current?.openedAt != nil, self.plan == nil else { return [] }
        self.plan = reason
        return self.followPlan(at: now)
    }

    /// All connections are useless.
    mutating func drop(because reason: String) -> [Action] {
        guard !self.isStopped, let current = self.current, current.openedAt != nil else { return [] }
        var actions: [Action] = []
        if let successor = self.successor {
            self.successor = nil
            actions.append(.abort(successor.number))
        }
        self.plan = nil
        self.current?.droppedBecause = reason
        actions.append(.abort(current.number))
        return actions
    }

    /// One connection is useless.
    mutating func drop(_ number: Int, because reason: String) -> [Action] {
        guard !self.isStopped else { return [] }
        if self.current?.number == number {
            self.current?.droppedBecause = reason
        } else if self.successor?.number == number {
            self.successor?.droppedBecause = reason
        }
        return [.abort(number)]
    }

    /// Time has passed.
    mutating func tick(at now: Int64) -> [Action] {
        guard !self.isStopped else { return [] }
        if let nextAttempt = self.nextAttempt {
            guard now >= nextAttempt else { return [] }
            self.nextAttempt = nil
            return self.openCurrent()
        }
        if self.successor?.openedAt != nil {
            guard now >= self.overlapsUntil else { return [] }
            // It will not get any readier. Another replacement shall not follow at once.
            let delay = self.plannedBackoff.nextDelay(chance: 0.5)
            self.planNotBefore = now.addingBounded(delay.boundedNanoseconds)
            return self.promote(.connected)
        }
        if let current = self.current, now >= current.retireAt, self.plan == nil {
            self.plan = "the connection is about to reach the age at which the venue ends it"
        }
        return self.followPlan(at: now)
    }

    /// No more.
    mutating func stop() -> [Action] {
        guard !self.isStopped else { return [] }
        self.isStopped = true
        return [self.current, self.successor].compactMap { $0.map { .close($0.number) } }
    }

    // MARK: What follows

    private mutating func openCurrent() -> [Action] {
        self.lastNumber += 1
        self.current = Link(number: self.lastNumber)
        return [.tell(Telling(state: .connecting)), .open(self.lastNumber)]
    }

    private mutating func followPlan(at now: Int64) -> [Action] {
        guard let plan = self.plan, self.successor == nil, self.current?.openedAt != nil, now >= self.planNotBefore
        else { return [] }
        self.lastNumber += 1
        self.successor = Link(number: self.lastNumber)
        self.overlapsUntil = .max
        return [
            .tell(Telling(state: .reconnecting, reason: "planned: \(plan)", retryIn: .zero)), .open(self.lastNumber),
        ]
    }

    /// The new connection carries the feed from now on.
    private mutating func promote(_ state: ConnectorState) -> [Action] {
        guard let next = self.successor else { return [] }
        let old = self.current
        self.current = next
        self.successor = nil
        let reason = self.plan.map { "planned: \($0)" }
        self.plan = nil
        return (old.map { [.close($0.number)] } ?? []) + [.tell(Telling(state: state, reason: reason))]
    }

    /// Some time before the venue would end it, not the same for all: a tenth of its life, at most a quarter of an hour,
    /// and up to as much again.
    private func retirement(of openedAt: Int64, _ chance: Double) -> Int64 {
        guard let life = self.life else { return .max }
        let margin = min(life / 10, Self.longestMargin)
        let jitter = Int64(Double(margin) * min(max(chance, 0), 1))
        return openedAt.addingBounded(life - margin - jitter)
    }
}

extension Int64 {
    /// The sum, or the greatest there is.
    fileprivate func addingBounded(_ other: Int64) -> Int64 {
        let (sum, overflow) = self.addingReportingOverflow(other)
        return overflow ? .max : sum
    }
}
