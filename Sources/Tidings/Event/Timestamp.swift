#if canImport(Glibc)
import Glibc
#else
import Darwin
#endif

/// A moment in UTC: nanoseconds since 1970-01-01T00:00:00Z, and how precisely it was known.
///
/// The range is that of 64 bits of nanoseconds, the years 1678 to 2261. Two timestamps are equal when they name the
/// same moment, however precisely. The precision decides how many fraction digits are written.
public struct Timestamp: Sendable {
    /// How many digits of the second's fraction are known.
    public enum Precision: UInt8, Sendable, Comparable {
        case seconds = 0
        case milliseconds = 3
        case microseconds = 6
        case nanoseconds = 9

        public static func < (left: Precision, right: Precision) -> Bool {
            left.rawValue < right.rawValue
        }
    }

    public let nanoseconds: Int64
    public let precision: Precision

    @inlinable
    @inline(__always)
    public init(nanoseconds: Int64, precision: Precision = .nanoseconds) {
        self.nanoseconds = nanoseconds
        self.precision = precision
    }

    /// Milliseconds since 1970; `nil` outside the range.
    @inline(__always)
    public init?(milliseconds: Int64) {
        let (nanoseconds, overflow) = milliseconds.multipliedReportingOverflow(by: 1_000_000)
        guard !overflow else { return nil }
        self.init(nanoseconds: nanoseconds, precision: .milliseconds)
    }

    /// Seconds since 1970; `nil` outside the range.
    public init?(seconds: Int64) {
        let (nanoseconds, overflow) = seconds.multipliedReportingOverflow(by: 1_000_000_000)
        guard !overflow else { return nil }
        self.init(nanoseconds: nanoseconds, precision: .seconds)
    }

    /// This moment, to the microsecond.
    @inline(__always)
    public static func now() -> Timestamp {
        var time = timespec()
        clock_gettime(CLOCK_REALTIME, &time)
        let nanoseconds = Int64(time.tv_sec) &* 1_000_000_000 &+ Int64(time.tv_nsec)
        return Timestamp(nanoseconds: nanoseconds &- nanoseconds % 1000, precision: .microseconds)
    }

    /// The time from `earlier` to this moment.
    public func duration(since earlier: Timestamp) -> Duration {
        .nanoseconds(self.nanoseconds.subtractingReportingOverflow(earlier.nanoseconds).partialValue)
    }

    /// This moment moved by a duration; stops at the ends of the range.
    public func advanced(by duration: Duration) -> Timestamp {
        let parts = duration.components
        let sum =
            Int128(self.nanoseconds) + Int128(parts.seconds) * 1_000_000_000
            + Int128(parts.attoseconds / 1_000_000_000)
        guard let moved = Int64(exactly: sum) else {
            return Timestamp(nanoseconds: sum < 0 ? .min : .max, precision: self.precision)
        }
        let needed: Precision =
            moved % 1_000_000_000 == 0
            ? .seconds : moved % 1_000_000 == 0 ? .milliseconds : moved % 1000 == 0 ? .microseconds : .nanoseconds
        return Timestamp(nanoseconds: moved, precision: max(self.precision, needed))
    }
}

extension Timestamp: Hashable, Comparable {
    public static func == (left: Timestamp, right: Timestamp) -> Bool {
        left.nanoseconds == right.nanoseconds
    }

    public static func < (left: Timestamp, right: Timestamp) -> Bool {
        left.nanoseconds < right.nanoseconds
    }

    public func hash(into hasher: inout Hasher) {
        hasher.combine(self.nanoseconds)
    }
}
