import NIOCore
import Tidings

/// How many events each sender may publish in a second. A sender is an access token or, without one, an address.
///
/// Everybody may send a second's worth at once and then as many as the rate says. Senders are kept in a table of a fixed
/// size; one that has been silent for a second is as good as unknown, and makes room for others.
final class PublishRates: Sendable {
    private struct Allowance {
        /// Events that may come now; below 1 none.
        var events: Double
        /// Monotonic nanoseconds.
        var updatedAt: Int64
    }

    private struct State: ~Copyable {
        var allowances: [IngestSender: Allowance] = [:]
        var sweptAt: Int64 = 0
    }

    /// Beyond so many senders of the same second the rest share one allowance.
    private static let mostSenders = 16_384

    /// Events per second and sender; nil for any number.
    let rate: Double?
    private let state = Locked(State())

    init(rate: Double?) {
        self.rate = rate
    }

    /// The most that comes at once.
    private static func capacity(_ rate: Double) -> Double { max(1, rate) }

    /// Takes as many of `count` events as the sender may publish now.
    func take(_ count: Int, of sender: IngestSender, now: Int64 = MonotonicClock.nanoseconds()) -> Int {
        guard let rate = self.rate else { return count }
        return self.state.withLock { state in
            let key = Self.key(sender, &state, rate, now)
            var allowance = Self.allowance(key, state, rate, now)
            let taken = min(count, Int(min(allowance.events, 1e9)))
            allowance.events -= Double(taken)
            state.allowances[key] = allowance
            return taken
        }
    }

    /// Gives back what was taken and not published.
    func giveBack(_ count: Int, of sender: IngestSender) {
        guard let rate = self.rate, count > 0 else { return }
        self.state.withLock { state in
            guard let known = state.allowances[sender] else { return }
            state.allowances[sender]?.events = min(known.events + Double(count), Self.capacity(rate))
        }
    }

    /// How long until so many events may be published, or as many of them as ever may at once.
    func delay(for count: Int, of sender: IngestSender, now: Int64 = MonotonicClock.nanoseconds()) -> Duration {
        guard let rate = self.rate else { return .zero }
        return self.state.withLock { state in
            let missing =
                min(Double(count), Self.capacity(rate)) - Self.allowance(sender, state, rate, now).events
            // Rounded up by a little, so that who comes back then finds it.
            return .nanoseconds(Int64(min(max(missing, 0) / rate * 1e9 + 1e5, 8.64e13)))
        }
    }

    private static func allowance(
        _ key: IngestSender, _ state: borrowing State, _ rate: Double, _ now: Int64
    ) -> Allowance {
        guard var known = state.allowances[key] else { return Allowance(events: self.capacity(rate), updatedAt: now) }
        known.events = min(
            known.events + Double(max(now - known.updatedAt, 0)) / 1e9 * rate, self.capacity(rate))
        known.updatedAt = now
        return known
    }

    /// The sender, or the one that stands for all when the table is full.
    private static func key(_ sender: IngestSender, _ state: inout State, _ rate: Double, _ now: Int64) -> IngestSender
    {
        guard state.allowances[sender] == nil, state.allowances.count >= Self.mostSenders else { return sender }
        // Once a second at most: going through all of them takes time.
        if now - state.sweptAt >= 1_000_000_000 {
            state.sweptAt = now
            let fullAfter = Int64(min(Self.capacity(rate) / rate * 1e9, 9e18))
            state.allowances = state.allowances.filter { now - $0.value.updatedAt < fullAfter }
        }
        return state.allowances.count < Self.mostSenders ? sender : .others
    }
}
