import Tidings

/// A time in a query or a request.
enum TimeParameter {
    static func parse(_ text: String, now: Timestamp = .now()) -> Timestamp? {
        if let time = Timestamp(expression: text, relativeTo: now) { return time }
        // A `+` that was not escaped in a query arrives as a space.
        guard text.contains(" ") else { return nil }
        return Timestamp(String(text.map { $0 == " " ? "+" : $0 }))
    }
}
