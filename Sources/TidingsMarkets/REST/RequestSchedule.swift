import DequeModule
import Tidings

/// When HTTP requests may go to a venue: within its weight, apart from one another, and not while it wants to be left
/// alone. A machine: time comes in, in nanoseconds of a monotonic clock.
///
/// A request is given its start when it comes, so those who wait go in the order in which they came.
struct RequestSchedule: Sendable {
    enum Verdict: Sendable, Equatable {
        /// Go at this time, and ask ``check(weight:now:)`` again then.
        case start(at: Int64)
        /// Too many wait already, or the request is heavier than the venue ever allows.
        case refused(String)
    }

    /// So many requests may wait for their start.
    static let maximumWaiting = 4096
    /// What a venue that limits without saying for how long is left alone for; doubled each time it does so again.
    private static let unknownLimit: Int64 = 5_000_000_000
    private static let unknownBan: Int64 = 120_000_000_000
    private static let longestPause: Int64 = 3_600_000_000_000
    /// Binance's longest ban (rest-api.md, "IP Limits"); no venue is left alone for longer, whatever it asks.
    static let longestBan: Int64 = 3 * 86_400 * 1_000_000_000
    /// Of the venue's weight we leave this much to others behind the same address.
    private static let share = 0.9

    private let weight: Int
    private let interval: Int64
    private let spacing: Int64
    /// Starts given within the last interval or still to come, in order.
    private var starts: Deque<(time: Int64, weight: Int)> = []
    private var sum = 0
    /// Nobody starts before.
    private(set) var pausedUntil: Int64 = .min
    /// Limits in a row without a word on how long.
    private var strikes = 0

    init(_ limits: VenueLimits) {
        self.weight = max(1, Int(Double(limits.requestWeight) * Self.share))
        self.interval = max(1, limits.requestInterval.boundedNanoseconds)
        self.spacing = max(0, limits.requestSpacing.boundedNanoseconds)
    }

    /// A request has come.
    mutating func enter(weight: Int, now: Int64) -> Verdict {
        let weight = max(1, weight)
        guard weight <= self.weight else {
            return .refused("a request of weight \(weight) is more than the venue's \(self.weight)")
        }
        self.forget(before: now)
        guard self.waiting(now) < Self.maximumWaiting else {
            return .refused("\(Self.maximumWaiting) requests are waiting already")
        }
        var start = max(now, self.pausedUntil)
        if let last = self.starts.last { start = max(start, last.time + self.spacing) }
        // Enough of the older ones have to be an interval away.
        var (left, index) = (self.sum, 0)
        while left + weight > self.weight, index < self.starts.count {
            start = max(start, self.starts[index].time + self.interval)
            left -= self.starts[index].weight
            index += 1
        }
        self.starts.append((start, weight))
        self.sum += weight
        return .start(at: start)
    }

    /// Whether a request whose start has come may go: `nil` for yes. A pause that has begun since gives it another start,
    /// so that those who waited do not come all at once when it ends.
    mutating func check(weight: Int, now: Int64) -> Verdict? {
        self.pausedUntil > now ? self.enter(weight: weight, now: now) : nil
    }

    /// The venue has answered 429 or 418.
    ///
    /// - Parameter asked: its `Retry-After`.
    /// - Returns: how long everybody waits.
    mutating func limited(isBan: Bool, asked: Int64?, now: Int64) -> Int64 {
        let pause: Int64
        if let asked {
            pause = min(max(asked, 1_000_000_000), Self.longestBan)
        } else {
            // Requests that were under way together hear of one limit, not of several in a row.
            if now >= self.pausedUntil { self.strikes += 1 }
            let doublings = min(max(self.strikes - 1, 0), 6)
            pause = min((isBan ? Self.unknownBan : Self.unknownLimit) << doublings, Self.longestPause)
        }
        self.pausedUntil = max(self.pausedUntil, now + pause)
        return self.pausedUntil - now
    }

    /// The venue has answered as it should.
    mutating func succeeded() {
        self.strikes = 0
    }

    /// The venue says how much of its weight is used up in the running interval, by everybody at this address.
    ///
    /// - Parameter rest: what is left of that interval.
    mutating func observed(used: Int, rest: Int64, now: Int64) {
        guard used >= self.weight else { return }
        self.pausedUntil = max(self.pausedUntil, now + min(max(rest, 0), self.interval))
    }

    /// How many starts are still to come; they stand in order.
    private func waiting(_ now: Int64) -> Int {
        var (low, high) = (0, self.starts.count)
        while low < high {
            let middle = (low + high) / 2
            if self.starts[middle].time > now { high = middle } else { low = middle + 1 }
        }
        return self.starts.count - low
    }

    private mutating func forget(before now: Int64) {
        while let first = self.starts.first, first.time <= now - self.interval {
            self.sum -= first.weight
            self.starts.removeFirst()
        }
    }
}
