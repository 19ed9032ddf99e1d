import Tidings

/// The time, as everything in a feed is given it.
struct FeedMoment: Sendable {
    var wall: Timestamp
    /// Nanoseconds of a clock that is never set, to measure by.
    var monotonic: Int64

    static func now() -> FeedMoment {
        FeedMoment(wall: .now(), monotonic: MonotonicClock.nanoseconds())
    }
}
