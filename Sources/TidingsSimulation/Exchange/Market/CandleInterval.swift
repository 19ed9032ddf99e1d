/// The lengths of candles that venues offer.
package enum CandleInterval: String, CaseIterable, Sendable {
    case oneSecond = "1s"
    case oneMinute = "1m"
    case threeMinutes = "3m"
    case fiveMinutes = "5m"
    case fifteenMinutes = "15m"
    case thirtyMinutes = "30m"
    case oneHour = "1h"
    case twoHours = "2h"
    case fourHours = "4h"
    case sixHours = "6h"
    case eightHours = "8h"
    case twelveHours = "12h"
    case oneDay = "1d"
    case threeDays = "3d"
    case oneWeek = "1w"
    case oneMonth = "1M"

    /// When the candle that holds a time starts, and when the next one does, in milliseconds since 1970 (UTC).
    package func bounds(of time: Int64) -> (start: Int64, end: Int64) {
        let minute: Int64 = 60_000
        let day = 1440 * minute
        switch self {
        case .oneSecond: return Self.multiple(of: 1000, time)
        case .oneMinute: return Self.multiple(of: minute, time)
        case .threeMinutes: return Self.multiple(of: 3 * minute, time)
        case .fiveMinutes: return Self.multiple(of: 5 * minute, time)
        case .fifteenMinutes: return Self.multiple(of: 15 * minute, time)
        case .thirtyMinutes: return Self.multiple(of: 30 * minute, time)
        case .oneHour: return Self.multiple(of: 60 * minute, time)
        case .twoHours: return Self.multiple(of: 120 * minute, time)
        case .fourHours: return Self.multiple(of: 240 * minute, time)
        case .sixHours: return Self.multiple(of: 360 * minute, time)
        case .eightHours: return Self.multiple(of: 480 * minute, time)
        case .twelveHours: return Self.multiple(of: 720 * minute, time)
        case .oneDay: return Self.multiple(of: day, time)
        case .threeDays: return Self.multiple(of: 3 * day, time)
        case .oneWeek:
            // 1970 began on a Thursday, weeks begin on Mondays.
            let (start, end) = Self.multiple(of: 7 * day, time + 3 * day)
            return (start - 3 * day, end - 3 * day)
        case .oneMonth: return Self.month(of: time, day: day)
        }
    }

    private static func multiple(of length: Int64, _ time: Int64) -> (start: Int64, end: Int64) {
        let start = time - ((time % length) + length) % length
        return (start, start + length)
    }

    private static func month(of time: Int64, day: Int64) -> (start: Int64, end: Int64) {
        // https://howardhinnant.github.io/date_algorithms.html, civil_from_days: only the day of the month is needed.
        let days = Self.multiple(of: day, time).start / day
        let shifted = days + 719_468
        let era = (shifted >= 0 ? shifted : shifted - 146_096) / 146_097
        let dayOfEra = shifted - era * 146_097
        let year = (dayOfEra - dayOfEra / 1460 + dayOfEra / 36_524 - dayOfEra / 146_096) / 365
        let dayOfYear = dayOfEra - (365 * year + year / 4 - year / 100)
        let monthFromMarch = (5 * dayOfYear + 2) / 153
        let first = days - (dayOfYear - (153 * monthFromMarch + 2) / 5)
        // March is 0. February is last in such a year, and long in leap years, which the year after tells.
        let calendarYear = year + era * 400 + 1
        let isLeap = calendarYear % 4 == 0 && (calendarYear % 100 != 0 || calendarYear % 400 == 0)
        let length: Int64 =
            switch monthFromMarch {
            case 1, 3, 6, 8: 30
            case 11: isLeap ? 29 : 28
            default: 31
            }
        return (first * day, (first + length) * day)
    }
}
