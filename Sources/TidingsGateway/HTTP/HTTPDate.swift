import Tidings

#if canImport(Glibc)
import Glibc
#else
import Darwin
#endif

/// The time as HTTP writes it: `Sun, 06 Nov 1994 08:49:37 GMT`.
enum HTTPDate {
    private static let days = ["Thu", "Fri", "Sat", "Sun", "Mon", "Tue", "Wed"]
    private static let months = [
        "Jan", "Feb", "Mar", "Apr", "May", "Jun", "Jul", "Aug", "Sep", "Oct", "Nov", "Dec",
    ]
    private static let cache = Locked((second: -1, text: ""))

    static func now() -> String {
        let second = time(nil)
        return self.cache.withLock { cache in
            if cache.second != second { cache = (second, self.text(second)) }
            return cache.text
        }
    }

    /// - Parameter second: since 1970, not negative.
    static func text(_ second: Int) -> String {
        let day = second / 86_400
        let date = CivilDate(daysSince1970: day)
        func two(_ number: Int) -> String { number < 10 ? "0\(number)" : "\(number)" }
        let clock = second % 86_400
        return "\(self.days[day % 7]), \(two(date.day)) \(self.months[date.month - 1]) \(date.year) "
            + "\(two(clock / 3600)):\(two(clock / 60 % 60)):\(two(clock % 60)) GMT"
    }
}
