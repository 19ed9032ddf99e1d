import Tidings

/// One address's schedule, shared by all in this process who ask there: a venue limits by address, not by connector.
///
/// Two belong together when they ask the same place by the same way and keep the same limits. A schedule is forgotten when
/// nobody has it any more. Safe to use from any thread.
final class SharedSchedule: Sendable {
    private struct Key: Hashable {
        var rest: String
        /// By another way out the venue sees another address.
        var proxy: String?
        var weight: Int
        var interval: Duration
        var spacing: Duration
    }

    private struct Entry {
        weak var schedule: SharedSchedule?
    }

    private static let all = Locked<[Key: Entry]>([:])

    private let state: Locked<RequestSchedule>

    private init(_ limits: VenueLimits) {
        self.state = Locked(RequestSchedule(limits))
    }

    static func of(_ rest: String, proxy: String?, _ limits: VenueLimits) -> SharedSchedule {
        let key = Key(
            rest: rest.lowercased(), proxy: proxy, weight: limits.requestWeight, interval: limits.requestInterval,
            spacing: limits.requestSpacing)
        return self.all.withLock { all in
            if let known = all[key]?.schedule { return known }
            all = all.filter { $0.value.schedule != nil }
            let schedule = SharedSchedule(limits)
            all[key] = Entry(schedule: schedule)
            return schedule
        }
    }

    func withLock<Result>(_ body: (inout RequestSchedule) -> Result) -> Result { self.state.withLock(body) }
}
