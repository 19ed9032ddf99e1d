import Tidings

/// A time as a person or program gives it: RFC 3339, a date, or an age such as `90s`, `15m`, `2h`, `7d`.
enum TimeParameter {
    static func parse(_ text: String, now: Timestamp = .now()) -> Timestamp? {
        if let age = self.age(text) { return now.advanced(by: .zero - age) }
        if let time = Timestamp(text) { return time }
        // A `+` that was not escaped in a query arrives as a space.
        if text.contains(" "), let time = Timestamp(String(text.map { $0 == " " ? "+" : $0 })) { return time }
        return text.utf8.count == 10 ? Timestamp(text + "T00:00:00Z") : nil
    }

    private static func age(_ text: String) -> Duration? {
        guard let unit = text.utf8.last, let count = Int64(text.dropLast()), count >= 0, count < 1_000_000_000 else {
            return nil
        }
        switch unit {
        case UInt8(ascii: "s"): return .seconds(count)
        case UInt8(ascii: "m"): return .seconds(count * 60)
        case UInt8(ascii: "h"): return .seconds(count * 3600)
        case UInt8(ascii: "d"): return .seconds(count * 86_400)
        default: return nil
        }
    }
}
