/// The length of a candle, such as `1s`, `15s`, `1m`, `5m`, `1h`, `4h`, `1d` or `1w`, and where candles of that length
/// start: at whole multiples of it in UTC since 1970, those of weeks on Mondays.
public struct CandleInterval: Sendable, Hashable, CustomStringConvertible, LosslessStringConvertible {
    /// As it was written: the `interval` of its candles.
    public let description: String
    /// Nanoseconds.
    public let length: Int64
    /// Where one of its candles starts: 1970 began on a Thursday, the first Monday was the 5th.
    private let origin: Int64

    private static let second: Int64 = 1_000_000_000
    private static let day: Int64 = 86_400 * CandleInterval.second
    private static let longest: Int64 = 366 * CandleInterval.day

    /// `nil` for anything but a count and one of `s`, `m`, `h`, `d`, `w`, of at most 366 days.
    public init?(_ text: String) {
        guard let unit = text.utf8.last, text.utf8.first != UInt8(ascii: "0"),
            text.utf8.dropLast().allSatisfy({ $0 &- UInt8(ascii: "0") < 10 }), let count = Int64(text.dropLast()),
            count > 0
        else { return nil }
        let unitLength: Int64
        switch unit {
        case UInt8(ascii: "s"): unitLength = Self.second
        case UInt8(ascii: "m"): unitLength = 60 * Self.second
        case UInt8(ascii: "h"): unitLength = 3600 * Self.second
        case UInt8(ascii: "d"): unitLength = Self.day
        case UInt8(ascii: "w"): unitLength = 7 * Self.day
        default: return nil
        }
        let (length, overflow) = count.multipliedReportingOverflow(by: unitLength)
        guard !overflow, length <= Self.longest else { return nil }
        self.description = text
        self.length = length
        self.origin = unit == UInt8(ascii: "w") ? 4 * Self.day : 0
    }

    /// When the candle starts that a moment belongs to, in nanoseconds since 1970; `nil` at the ends of time.
    func start(of moment: Int64) -> Int64? {
        let (distance, overflow) = moment.subtractingReportingOverflow(self.origin)
        guard !overflow else { return nil }
        let rest = distance % self.length
        let (start, underflow) = moment.subtractingReportingOverflow(rest < 0 ? rest + self.length : rest)
        guard !underflow, !start.addingReportingOverflow(self.length).overflow else { return nil }
        return start
    }

    /// The start of a candle that a moment belongs to.
    public func start(of moment: Timestamp) -> Timestamp? {
        self.start(of: moment.nanoseconds).map { Timestamp(nanoseconds: $0, precision: .seconds) }
    }

    public var duration: Duration { .nanoseconds(self.length) }
}
